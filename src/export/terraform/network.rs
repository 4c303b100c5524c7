//! The security groups, each with its rules.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{IpPermission, SecurityGroup};

use super::Resource;
use crate::engine::Key;
use crate::export::hcl::Block;
use crate::export::live::Live;

/// The security groups.
pub fn resources(live: &Live) -> Vec<Resource> {
    let resource = |(key, group): &(Key, SecurityGroup)| {
        let id = group.group_id().unwrap_or_default();
        let rules = rules("ingress", group.ip_permissions(), id);
        let rules = rules.into_iter().chain(self::rules("egress", group.ip_permissions_egress(), id));
        Resource::new(key, "aws_security_group", id).giving(group.group_id(), "id").with(|body| {
            let body = body
                .maybe("name", group.group_name())
                .maybe("description", group.description())
                .maybe("vpc_id", group.vpc_id())
                .tags(live, key);
            rules.fold(body, Block::block)
        })
    };
    live.groups.iter().map(resource).collect()
}

/// What rules of one description, protocol and ports lead to.
#[derive(Default)]
struct Peers {
    cidr_blocks: Vec<String>,
    ipv6_cidr_blocks: Vec<String>,
    prefix_list_ids: Vec<String>,
    security_groups: Vec<String>,
    itself: bool,
}

/// A block for all rules that differ in their peers alone, as the provider reads them.
fn rules(direction: &str, permissions: &[IpPermission], own: &str) -> Vec<Block> {
    let mut gathered: BTreeMap<(String, i32, i32, String), Peers> = BTreeMap::new();
    for permission in permissions {
        let (protocol, from, to) = (
            permission.ip_protocol().unwrap_or("-1"),
            permission.from_port().unwrap_or_default(),
            permission.to_port().unwrap_or_default(),
        );
        let mut of = |words: Option<&str>, add: &dyn Fn(&mut Peers)| {
            let key = (protocol.to_owned(), from, to, words.unwrap_or_default().to_owned());
            add(gathered.entry(key).or_default());
        };
        for one in permission.ip_ranges() {
            of(one.description(), &|peers| peers.cidr_blocks.extend(one.cidr_ip.clone()));
        }
        for one in permission.ipv6_ranges() {
            of(one.description(), &|peers| peers.ipv6_cidr_blocks.extend(one.cidr_ipv6.clone()));
        }
        for one in permission.prefix_list_ids() {
            of(one.description(), &|peers| peers.prefix_list_ids.extend(one.prefix_list_id.clone()));
        }
        for one in permission.user_id_group_pairs() {
            of(one.description(), &|peers| match one.group_id() {
                Some(id) if id == own => peers.itself = true,
                id => peers.security_groups.extend(id.map(str::to_owned)),
            });
        }
    }
    let block = |((protocol, from, to, words), peers): ((String, i32, i32, String), Peers)| {
        Block::new(direction)
            .maybe("description", Some(words).filter(|words| !words.is_empty()))
            .field("protocol", protocol)
            .field("from_port", from)
            .field("to_port", to)
            .list("cidr_blocks", peers.cidr_blocks)
            .list("ipv6_cidr_blocks", peers.ipv6_cidr_blocks)
            .list("prefix_list_ids", peers.prefix_list_ids)
            .list("security_groups", peers.security_groups)
            .maybe("self", peers.itself.then_some(true))
    };
    gathered.into_iter().map(block).collect()
}
