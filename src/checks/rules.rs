//! What the rules of security groups let in.

use aws_sdk_ec2::types::{IpPermission, SecurityGroup};

/// Whether a rule of this group lets one of these groups in on a port: by its id, as the guide demands.
pub fn admits(group: &SecurityGroup, port: u16, from: &[String]) -> bool {
    let mut pairs = rules(group, port).flat_map(aws_sdk_ec2::types::IpPermission::user_id_group_pairs);
    pairs.any(|pair| pair.group_id().is_some_and(|id| from.iter().any(|wanted| wanted == id)))
}

/// Groups, addresses and prefix lists that these groups let in on a port.
pub fn sources<'a>(groups: impl Iterator<Item = &'a SecurityGroup>, port: u16) -> Vec<String> {
    let mut all = Vec::new();
    for rule in groups.flat_map(|group| rules(group, port)) {
        all.extend(rule.user_id_group_pairs().iter().filter_map(|pair| pair.group_id.clone()));
        all.extend(rule.ip_ranges().iter().filter_map(|range| range.cidr_ip.clone()));
        all.extend(rule.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6.clone()));
        all.extend(rule.prefix_list_ids().iter().filter_map(|list| list.prefix_list_id.clone()));
    }
    all.sort();
    all.dedup();
    all
}

fn rules(group: &SecurityGroup, port: u16) -> impl Iterator<Item = &IpPermission> {
    let port = i32::from(port);
    group.ip_permissions().iter().filter(move |rule| match rule.ip_protocol() {
        Some("-1") => true,
        Some("tcp" | "6") => {
            rule.from_port().is_some_and(|from| from <= port) && rule.to_port().is_some_and(|to| to >= port)
        }
        _ => false,
    })
}
