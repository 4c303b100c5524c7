//! Guide step 1: the load balancer's security group and the instances' one, and the rules of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, NetworkInterface, ResourceType, SecurityGroup, UserIdGroupPair,
};
use serde::{Serialize, Serializer};

use super::shared;
use crate::cloud::{Absent, Cloud, Memo, Need, Tags, tags};
use crate::config::Config;
use crate::engine::{Blocker, Context, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::{OWNER_TAG, Site};

/// The load balancer's group, the instances' one, and their rules.
pub const LOAD_BALANCER_GROUP: Group<false> = Group;
pub const LOAD_BALANCER_RULES: Rules<false> = Rules;
pub const INSTANCE_GROUP: Group<true> = Group;
pub const INSTANCE_RULES: Rules<true> = Rules;

/// Ids of the two groups.
pub const LOAD_BALANCER_ID: Output = Output(Group::<false>::KEY, "id");
pub const INSTANCE_ID: Output = Output(Group::<true>::KEY, "id");

/// A security group: the instances' or the load balancer's.
pub struct Group<const OF_INSTANCES: bool>;

/// A security group without its rules. Its description cannot be changed and is not compared.
#[derive(Debug, Serialize)]
pub struct GroupSpec {
    vpc: String,
}

impl<const OF_INSTANCES: bool> Group<OF_INSTANCES> {
    const ID: Output = Output(<Self as Resource>::KEY, "id");
}

impl<const OF_INSTANCES: bool> Resource for Group<OF_INSTANCES> {
    const KEY: Key = if OF_INSTANCES { "instance_security_group" } else { "load_balancer_security_group" };
    const STEP: u8 = 1;
    const FORCES_REPLACEMENT: &'static [&'static str] = &["vpc"];
    type Spec = GroupSpec;

    fn name(&self, site: &Site) -> String {
        name::<OF_INSTANCES>(&site.config).to_owned()
    }

    fn want(&self, site: &Site, refs: &Refs) -> GroupSpec {
        if OF_INSTANCES {
            refs.after(Group::<false>::KEY); // its rules name that group: it is removed before that one
        }
        GroupSpec { vpc: site.config.network.vpc.clone() }
    }

    async fn find(
        &self,
        &Context { cloud, site, .. }: &Context<'_>,
        reading: &Reading,
    ) -> Result<Option<Live<GroupSpec>>> {
        let Some(group) = read::<OF_INSTANCES>(cloud, site, reading).await? else {
            return Ok(None);
        };
        let owner = Owner::Tags(tags::from_ec2(group.tags()));
        let spec = GroupSpec { vpc: group.vpc_id.unwrap_or_default() };
        Ok(Some(Live::ready(spec, owner).output(Self::ID, group.group_id.need("GroupId")?)))
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        let groups = shared::tagged_security_groups(cx, memo).await?;
        Ok(groups.iter().map(|id| format!("security group {id}")).collect())
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &GroupSpec) -> Result<Outputs> {
        let name = Resource::name(self, site);
        let description = match OF_INSTANCES {
            true => "Oz Liveness: instances",
            false => "Oz Liveness: load balancer",
        };
        let request = cloud
            .ec2
            .create_security_group()
            .group_name(&name)
            .description(description)
            .vpc_id(&want.vpc)
            .tag_specifications(tags::for_ec2(ResourceType::SecurityGroup, &site.tags(&name)));
        let id = request.send().await?.group_id.need("GroupId")?;
        Ok([(Self::ID, id)].into())
    }

    async fn update(&self, _: &Context<'_>, _: &Live<GroupSpec>, _: &GroupSpec) -> Result<Outputs> {
        Ok(Outputs::new()) // the VPC is fixed, and there is nothing else
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<GroupSpec>, tags: &Tags) -> Result<()> {
        let request = cloud.ec2.create_tags().resources(&live.outputs[&Self::ID]);
        request.set_tags(Some(tags::to_ec2(tags))).send().await?;
        Ok(())
    }

    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<GroupSpec>) -> Result<()> {
        Ok(cloud.ec2.delete_security_group().group_id(&live.outputs[&Self::ID]).send().await.or_gone()?)
    }

    async fn blockers(
        &self,
        &Context { cloud, site, .. }: &Context<'_>,
        live: &Live<GroupSpec>,
    ) -> Result<Vec<Blocker>> {
        holders(cloud, site, &live.outputs[&Self::ID]).await
    }
}

/// The rules of a security group, all of them: what is not wanted is removed.
pub struct Rules<const OF_INSTANCES: bool>;

/// Rules with their descriptions. A description is not a part of a rule's identity.
#[derive(Debug, Serialize)]
pub struct RulesSpec {
    group: String,
    ingress: BTreeMap<Rule, String>,
    egress: BTreeMap<Rule, String>,
}

impl<const OF_INSTANCES: bool> Resource for Rules<OF_INSTANCES> {
    const KEY: Key = if OF_INSTANCES { "instance_security_group_rules" } else { "load_balancer_security_group_rules" };
    const STEP: u8 = 1;
    type Spec = RulesSpec;

    fn name(&self, site: &Site) -> String {
        name::<OF_INSTANCES>(&site.config).to_owned()
    }

    fn want(&self, site: &Site, refs: &Refs) -> RulesSpec {
        let ingress = match OF_INSTANCES {
            true => from_load_balancer(&site.config, &refs.get(LOAD_BALANCER_ID)),
            false => from_clients(site),
        };
        let egress = [(Rule::all_to("0.0.0.0/0"), String::new())].into();
        RulesSpec { group: refs.get(Group::<OF_INSTANCES>::ID), ingress, egress }
    }

    async fn find(
        &self,
        &Context { cloud, site, .. }: &Context<'_>,
        reading: &Reading,
    ) -> Result<Option<Live<RulesSpec>>> {
        let Some(group) = read::<OF_INSTANCES>(cloud, site, reading).await? else {
            return Ok(None);
        };
        let mut egress = rules_of(group.ip_permissions_egress());
        egress.remove(&Rule::all_to("::/0")); // a VPC with IPv6 gives it, another does not: both are the default
        let ingress = rules_of(group.ip_permissions());
        let spec = RulesSpec { group: group.group_id.need("GroupId")?, ingress, egress };
        Ok(Some(Live::ready(spec, Owner::Parent(Group::<OF_INSTANCES>::KEY))))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // rules carry no tag of ours
    }

    async fn create(&self, &Context { cloud, .. }: &Context<'_>, want: &RulesSpec) -> Result<Outputs> {
        // AWS gives a new group the wanted egress by itself, and refuses to be told it again.
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
            authorize_ingress(cloud, &want.group, permissions(missing.into_iter())).await?;
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
struct Rule {
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
        write!(f, " {}", self.peer)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn name<const OF_INSTANCES: bool>(config: &Config) -> &str {
    match OF_INSTANCES {
        true => &config.names.instance_security_group,
        false => &config.names.load_balancer_security_group,
    }
}

/// 443, and 80 where something listens on it, from the clients' networks.
fn from_clients(site: &Site) -> BTreeMap<Rule, String> {
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

fn from_load_balancer(config: &Config, group: &str) -> BTreeMap<Rule, String> {
    let health = Rule::tcp(config.health_check.port, group);
    let requests = Rule::tcp(super::target_group::PORT, group);
    [
        (health, "Allow traffic from ALB for health checks".to_owned()),
        (requests, "Allow traffic from ALB for request for analysis".to_owned()),
    ]
    .into()
}

/// The group in the wanted VPC; else ours in another VPC, which then is one to replace.
async fn read<const OF_INSTANCES: bool>(
    cloud: &Cloud,
    site: &Site,
    reading: &Reading,
) -> Result<Option<SecurityGroup>> {
    let names = [name::<false>(&site.config), name::<true>(&site.config)];
    let wanted = names[usize::from(OF_INSTANCES)];
    let groups = shared::security_groups(cloud, reading, names).await?;
    let mut named: Vec<SecurityGroup> = groups.into_iter().filter(|group| group.group_name() == Some(wanted)).collect();
    let ours = |group: &SecurityGroup| tags::from_ec2(group.tags()).get(OWNER_TAG) == Some(&site.config.stack);
    named.retain(|group| group.vpc_id() == Some(&site.config.network.vpc) || ours(group));
    named.sort_by_key(|group| group.vpc_id() != Some(&site.config.network.vpc));
    Ok(named.into_iter().next())
}

async fn authorize_ingress(cloud: &Cloud, group: &str, wanted: Vec<IpPermission>) -> Result<Outputs> {
    let request = cloud.ec2.authorize_security_group_ingress().group_id(group);
    request.set_ip_permissions(Some(wanted)).send().await?;
    Ok(Outputs::new())
}

/// Revokes what is not wanted, by rule id: by properties AWS wants every property, and answers by the kind of VPC.
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

/// What holds a security group: network interfaces that carry it, and rules of others that name it.
async fn holders(cloud: &Cloud, site: &Site, group: &str) -> Result<Vec<Blocker>> {
    let of = |name: &str| Filter::builder().name(name).values(group).build();
    let interfaces = cloud.ec2.describe_network_interfaces().filters(of("group-id"));
    let groups = cloud.ec2.describe_security_groups().filters(of("ip-permission.group-id"));
    let (interfaces, groups) = tokio::join!(interfaces.send(), groups.send());
    let mut holders: Vec<Blocker> = interfaces?.network_interfaces().iter().map(|one| interface(one, site)).collect();
    let names = [name::<false>(&site.config), name::<true>(&site.config)];
    for other in groups?.security_groups() {
        let (id, named) = (other.group_id().unwrap_or_default(), other.group_name().unwrap_or_default());
        if id != group {
            holders.push(Blocker {
                what: format!("a rule of the security group {id} ({named})"),
                clears_by_itself: names.contains(&named),
            });
        }
    }
    Ok(holders)
}

/// A network interface: the load balancer's and the instances' go with them, and so does what carries our tag.
fn interface(one: &NetworkInterface, site: &Site) -> Blocker {
    let (id, words) = (one.network_interface_id().unwrap_or_default(), one.description().unwrap_or_default());
    let instance = one.attachment().and_then(|attached| attached.instance_id());
    let of_balancer = words.starts_with(&format!("ELB app/{}/", site.config.names.load_balancer));
    let ours = tags::from_ec2(one.tag_set()).get(OWNER_TAG) == Some(&site.config.stack);
    let what = match (instance, words) {
        (Some(instance), _) => format!("{id} (network interface of {instance})"),
        (None, "") => format!("{id} (network interface)"),
        (None, words) => format!("{id} ({words})"),
    };
    Blocker { what, clears_by_itself: of_balancer || ours }
}

/// Rule ids by direction (true: egress) and rule.
async fn rule_ids(cloud: &Cloud, group: &str) -> Result<BTreeMap<(bool, Rule), String>> {
    let of_group = Filter::builder().name("group-id").values(group).build();
    let mut pages = cloud.ec2.describe_security_group_rules().filters(of_group).into_paginator().items().send();
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
    let one = |(rule, words): (&Rule, &String)| {
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
    rules.map(one).collect()
}
