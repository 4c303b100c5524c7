//! The rules of the two security groups, and how EC2 spells a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, Ipv6Range, UserIdGroupPair};
use serde::{Serialize, Serializer};

use super::{Group, Member, read};
use crate::cloud::{Absent, Cloud, Memo, Need};
use crate::config::Config;
use crate::engine::{Context, Error, Key, Live, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;
use crate::steps::target_group;

/// The rules of a security group, all of them: what is not wanted is removed.
pub struct Rules<M>(pub(super) PhantomData<M>);

/// Rules with their descriptions. A description is not a part of a rule's identity.
#[derive(Debug, Serialize)]
pub struct RulesSpec {
    group: String,
    ingress: BTreeMap<Rule, String>,
    #[serde(serialize_with = "outgoing")]
    egress: BTreeMap<Rule, String>,
}

impl<M: Member> Resource for Rules<M> {
    const KEY: Key = M::RULES_KEY;
    const STEP: u8 = 1;
    type Spec = RulesSpec;

    fn name(&self, site: &Site) -> String {
        M::name(&site.config).to_owned()
    }

    fn want(&self, site: &Site, refs: &Refs) -> RulesSpec {
        let ingress = M::ingress(site, refs);
        let egress = [(Rule::all_to("0.0.0.0/0"), String::new())].into();
        RulesSpec { group: refs.get(Group::<M>::ID), ingress, egress }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<RulesSpec>>> {
        let Some(group) = read::<M>(cx, reading).await? else {
            return Ok(None);
        };
        let mut egress = rules_of(group.ip_permissions_egress());
        egress.remove(&Rule::all_to("::/0")); // a VPC with IPv6 gives it, another does not: both are the default
        let ingress = rules_of(group.ip_permissions());
        let spec = RulesSpec { group: group.group_id.need("GroupId")?, ingress, egress };
        Ok(Some(Live::ready(spec, Owner::Parent(Group::<M>::KEY))))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // rules carry no tag of ours
    }

    async fn create(&self, &Context { cloud, .. }: &Context<'_>, want: &RulesSpec) -> Result<Outputs> {
        // A new group has the wanted egress from the start, and AWS refuses to add it again.
        authorize_ingress(cloud, &want.group, permissions(want.ingress.iter())).await
    }

    /// Adds before it removes, so that nothing that is allowed before and after is refused in between.
    async fn update(
        &self,
        &Context { cloud, .. }: &Context<'_>,
        live: &Live<RulesSpec>,
        want: &RulesSpec,
    ) -> Result<Outputs> {
        let live = &live.spec;
        let missing: Vec<_> = want.ingress.iter().filter(|(rule, _)| !live.ingress.contains_key(rule)).collect();
        if !missing.is_empty() {
            let missing = permissions(missing.into_iter());
            match authorize_ingress(cloud, &want.group, missing.clone()).await {
                // No room for both the old and the new: what is not wanted goes first.
                Err(Error::Cloud(error)) if error.code() == "RulesPerSecurityGroupLimitExceeded" => {
                    revoke_others(cloud, live, want).await?;
                    authorize_ingress(cloud, &want.group, missing).await?;
                }
                added => drop(added?),
            }
        }
        let other = |(rule, words): &(&Rule, &String)| live.ingress.get(rule).is_some_and(|live| live != *words);
        let renamed: Vec<_> = want.ingress.iter().filter(other).collect();
        if !renamed.is_empty() {
            let request = cloud.ec2.update_security_group_rule_descriptions_ingress().group_id(&want.group);
            request.set_ip_permissions(Some(permissions(renamed.into_iter()))).send().await?;
        }
        let missing: Vec<_> = want.egress.iter().filter(|(rule, _)| !live.egress.contains_key(rule)).collect();
        if !missing.is_empty() {
            let request = cloud.ec2.authorize_security_group_egress().group_id(&want.group);
            request.set_ip_permissions(Some(permissions(missing.into_iter()))).send().await?;
        }
        revoke_others(cloud, live, want).await?;
        Ok(Outputs::new())
    }

    async fn delete(&self, _: &Context<'_>, _: &Live<RulesSpec>) -> Result<()> {
        Ok(()) // they go with their group
    }
}

/// One rule: what identifies it to AWS, in one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    protocol: String,
    ports: Option<(i32, i32)>,
    /// A CIDR, a security group's id or a prefix list's.
    peer: String,
}

impl Rule {
    fn tcp(port: u16, peer: &str) -> Rule {
        Rule { protocol: "tcp".to_owned(), ports: Some((port.into(), port.into())), peer: peer.to_owned() }
    }

    fn all_to(peer: &str) -> Rule {
        Rule { protocol: "-1".to_owned(), ports: None, peer: peer.to_owned() }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.protocol == "-1" { "all" } else { &self.protocol })?;
        match self.ports {
            Some((from, to)) if from == to => write!(f, " {from}")?,
            Some((from, to)) => write!(f, " {from}-{to}")?,
            None => {}
        }
        write!(f, " from {}", self.peer)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Rules of what goes out lead to their peer.
fn outgoing<S: Serializer>(rules: &BTreeMap<Rule, String>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(rules.iter().map(|(rule, words)| (rule.to_string().replacen(" from ", " to ", 1), words)))
}

/// 443, and 80 where there is a listener on it, from the clients' networks.
pub(super) fn from_clients(site: &Site) -> BTreeMap<Rule, String> {
    let mut ports = Vec::new();
    if site.https() {
        ports.push((443, "Allow HTTPS traffic"));
    }
    if !site.https() || site.config.load_balancer.redirect_http {
        ports.push((80, "Allow HTTP traffic"));
    }
    let cidrs = &site.config.load_balancer.ingress_cidrs;
    let rules = ports.iter().flat_map(|(port, words)| {
        cidrs.iter().map(move |cidr| (Rule::tcp(*port, &cidr.to_string()), (*words).to_owned()))
    });
    rules.collect()
}

/// The ports of the health checks and of requests, from the load balancer's security group.
pub(super) fn from_load_balancer(config: &Config, group: &str) -> BTreeMap<Rule, String> {
    let health = Rule::tcp(config.health_check.port, group);
    let requests = Rule::tcp(target_group::PORT, group);
    [
        (health, "Allow traffic from ALB for health checks".to_owned()),
        (requests, "Allow traffic from ALB for request for analysis".to_owned()),
    ]
    .into()
}

async fn authorize_ingress(cloud: &Cloud, group: &str, wanted: Vec<IpPermission>) -> Result<Outputs> {
    let request = cloud.ec2.authorize_security_group_ingress().group_id(group);
    request.set_ip_permissions(Some(wanted)).send().await?;
    Ok(Outputs::new())
}

/// Revokes what is not wanted, by rule id: a rule that is named by its properties needs all of them, and AWS answers
/// differently in a default VPC.
async fn revoke_others(cloud: &Cloud, live: &RulesSpec, want: &RulesSpec) -> Result<()> {
    let extra = |live: &BTreeMap<Rule, String>, want: &BTreeMap<Rule, String>| -> BTreeSet<Rule> {
        live.keys().filter(|rule| !want.contains_key(rule)).cloned().collect()
    };
    let (ingress, egress) = (extra(&live.ingress, &want.ingress), extra(&live.egress, &want.egress));
    if ingress.is_empty() && egress.is_empty() {
        return Ok(());
    }
    let ids = rule_ids(cloud, &live.group).await?;
    let of = |egress: bool, rules: &BTreeSet<Rule>| -> Option<Vec<String>> {
        let ids = rules.iter().filter_map(|rule| ids.get(&(egress, rule.clone())).cloned()).collect::<Vec<_>>();
        (!ids.is_empty()).then_some(ids)
    };
    if let Some(ids) = of(false, &ingress) {
        let request = cloud.ec2.revoke_security_group_ingress().group_id(&live.group);
        request.set_security_group_rule_ids(Some(ids)).send().await.or_gone()?;
    }
    if let Some(ids) = of(true, &egress) {
        let request = cloud.ec2.revoke_security_group_egress().group_id(&live.group);
        request.set_security_group_rule_ids(Some(ids)).send().await.or_gone()?;
    }
    Ok(())
}

/// Rule ids by direction (true: egress) and rule.
async fn rule_ids(cloud: &Cloud, group: &str) -> Result<BTreeMap<(bool, Rule), String>> {
    let of_group = Filter::builder().name("group-id").values(group).build();
    let mut pages =
        cloud.ec2.describe_security_group_rules().filters(of_group).into_paginator().page_size(1000).items().send();
    let mut ids = BTreeMap::new();
    while let Some(rule) = pages.next().await {
        let rule = rule?;
        let referenced = rule.referenced_group_info.and_then(|group| group.group_id);
        let peer = rule.cidr_ipv4.or(rule.cidr_ipv6).or(referenced).or(rule.prefix_list_id).unwrap_or_default();
        let key = (rule.is_egress.unwrap_or_default(), spelled(rule.ip_protocol, rule.from_port, rule.to_port, peer));
        ids.insert(key, rule.security_group_rule_id.need("SecurityGroupRuleId")?);
    }
    Ok(ids)
}

// How AWS spells it.

fn spelled(protocol: Option<String>, from: Option<i32>, to: Option<i32>, peer: String) -> Rule {
    let protocol = match protocol.as_deref() {
        Some("6") => "tcp".to_owned(),
        Some("17") => "udp".to_owned(),
        Some("1") => "icmp".to_owned(),
        Some("58") => "icmpv6".to_owned(),
        other => other.unwrap_or("-1").to_owned(),
    };
    let ports = from.zip(to).filter(|_| protocol != "-1");
    Rule { protocol, ports, peer: peer.to_lowercase() }
}

fn rules_of(permissions: &[IpPermission]) -> BTreeMap<Rule, String> {
    let mut rules = BTreeMap::new();
    for permission in permissions {
        let v4 = permission.ip_ranges().iter().map(|range| (range.cidr_ip(), range.description()));
        let v6 = permission.ipv6_ranges().iter().map(|range| (range.cidr_ipv6(), range.description()));
        let groups = permission.user_id_group_pairs().iter().map(|pair| (pair.group_id(), pair.description()));
        let lists = permission.prefix_list_ids().iter().map(|list| (list.prefix_list_id(), list.description()));
        for (peer, words) in v4.chain(v6).chain(groups).chain(lists) {
            let protocol = permission.ip_protocol().map(str::to_owned);
            let rule = spelled(protocol, permission.from_port, permission.to_port, peer.unwrap_or_default().to_owned());
            rules.insert(rule, words.unwrap_or_default().to_owned());
        }
    }
    rules
}

fn permissions<'a>(rules: impl Iterator<Item = (&'a Rule, &'a String)>) -> Vec<IpPermission> {
    let permission = |(rule, words): (&Rule, &String)| {
        let words = (!words.is_empty()).then(|| words.clone());
        let mut permission = IpPermission::builder().ip_protocol(&rule.protocol);
        if let Some((from, to)) = rule.ports {
            permission = permission.from_port(from).to_port(to);
        }
        match &rule.peer {
            id if id.starts_with("sg-") => {
                let pair = UserIdGroupPair::builder().group_id(id).set_description(words).build();
                permission.user_id_group_pairs(pair).build()
            }
            cidr if cidr.contains(':') => {
                let range = Ipv6Range::builder().cidr_ipv6(cidr).set_description(words).build();
                permission.ipv6_ranges(range).build()
            }
            cidr => {
                let range = IpRange::builder().cidr_ip(cidr).set_description(words).build();
                permission.ip_ranges(range).build()
            }
        }
    };
    rules.map(permission).collect()
}
