//! Guide step 1: the load balancer's security group and the instances' one, and the rules of each.

mod expiry;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use aws_sdk_ec2::types::{Filter, NetworkInterface, ResourceType, SecurityGroup};
use serde::Serialize;

use super::instance_profile::InstanceProfile;
use super::leftovers::strangers;
use super::{instance_role, shared};
use crate::cloud::{self, Absent, Cloud, Memo, Need, Tags, tags};
use crate::config::Config;
use crate::engine::{Blocker, Context, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::{EXPIRES_TAG, Site};

pub use expiry::{expiry, latest, mark_expiry, seconds_left};
pub use rules::Rules;
use rules::{Rule, from_clients, from_load_balancer};

/// The load balancer's security group.
pub const LOAD_BALANCER_GROUP: Group<LoadBalancer> = Group(PhantomData);
/// The rules of the load balancer's security group.
pub const LOAD_BALANCER_RULES: Rules<LoadBalancer> = Rules(PhantomData);
/// The instances' security group.
pub const INSTANCE_GROUP: Group<Instances> = Group(PhantomData);
/// The rules of the instances' security group.
pub const INSTANCE_RULES: Rules<Instances> = Rules(PhantomData);

/// The id of the load balancer's security group.
pub const LOAD_BALANCER_ID: Output = Group::<LoadBalancer>::ID;
/// The id of the instances' security group.
pub const INSTANCE_ID: Output = Group::<Instances>::ID;
/// Until when the stack is wanted, as each of the groups says it.
pub const EXPIRY: [Output; 2] = [Group::<LoadBalancer>::EXPIRES, Group::<Instances>::EXPIRES];
/// What the load balancer's group lets in.
pub const LOAD_BALANCER_RULES_KEY: Key = LoadBalancer::RULES_KEY;

/// What is in a security group: the instances, or the load balancer.
pub trait Member: 'static {
    /// The group's key.
    const GROUP_KEY: Key;
    /// The key of its rules.
    const RULES_KEY: Key;
    /// The group's description.
    const DESCRIPTION: &'static str;
    /// The other group, when the rules name it: this group is removed before that one.
    const NAMES: Option<Key>;
    /// The group's name.
    fn name(config: &Config) -> &str;
    /// The rules for requests to the members, with their descriptions.
    fn ingress(site: &Site, refs: &Refs) -> BTreeMap<Rule, String>;
}

/// The instances.
pub struct Instances;

impl Member for Instances {
    const GROUP_KEY: Key = "instance_security_group";
    const RULES_KEY: Key = "instance_security_group_rules";
    const DESCRIPTION: &'static str = "Oz Liveness: instances";
    const NAMES: Option<Key> = Some(LoadBalancer::GROUP_KEY);

    fn name(config: &Config) -> &str {
        &config.names.instance_security_group
    }

    fn ingress(site: &Site, refs: &Refs) -> BTreeMap<Rule, String> {
        from_load_balancer(&site.config, &refs.get(LOAD_BALANCER_ID))
    }
}

/// The load balancer.
pub struct LoadBalancer;

impl Member for LoadBalancer {
    const GROUP_KEY: Key = "load_balancer_security_group";
    const RULES_KEY: Key = "load_balancer_security_group_rules";
    const DESCRIPTION: &'static str = "Oz Liveness: load balancer";
    const NAMES: Option<Key> = None;

    fn name(config: &Config) -> &str {
        &config.names.load_balancer_security_group
    }

    fn ingress(site: &Site, _: &Refs) -> BTreeMap<Rule, String> {
        from_clients(site)
    }
}

/// A security group: the instances' or the load balancer's.
pub struct Group<M>(PhantomData<M>);

/// A security group without its rules. Its description cannot be changed and is not compared.
#[derive(Debug, Serialize)]
pub struct GroupSpec {
    vpc: String,
}

impl<M: Member> Group<M> {
    const ID: Output = Output(<Self as Resource>::KEY, "id");
    const EXPIRES: Output = Output(<Self as Resource>::KEY, "expires");
}

impl<M: Member> Resource for Group<M> {
    const KEY: Key = M::GROUP_KEY;
    const STEP: u8 = 1;
    const FORCES_REPLACEMENT: &'static [&'static str] = &["vpc"];
    type Spec = GroupSpec;

    fn name(&self, site: &Site) -> String {
        M::name(&site.config).to_owned()
    }

    fn want(&self, site: &Site, refs: &Refs) -> GroupSpec {
        M::NAMES.into_iter().for_each(|other| refs.after(other));
        // IAM has no search by tag: the groups say that there is a stack as long as something of it may be left there.
        if M::NAMES.is_none() {
            let of_iam = [instance_role::Policy::KEY, instance_role::Role::KEY, InstanceProfile::KEY];
            of_iam.into_iter().for_each(|key| refs.awaits(key));
        }
        GroupSpec { vpc: site.config.network.vpc.clone() }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<GroupSpec>>> {
        let Some(group) = read::<M>(cx, reading).await? else {
            return Ok(None);
        };
        let tags = tags::from_ec2(group.tags());
        let expires = tags.get(EXPIRES_TAG).cloned();
        let spec = GroupSpec { vpc: group.vpc_id.unwrap_or_default() };
        let live = Live::ready(spec, Owner::Tags(tags)).output(Self::ID, group.group_id.need("GroupId")?);
        Ok(Some(match expires {
            Some(time) => live.output(Self::EXPIRES, time),
            None => live,
        }))
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        let groups = shared::tagged_security_groups(cx, memo).await?;
        Ok(groups.iter().map(|id| format!("security group {id}")).collect())
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &GroupSpec) -> Result<Outputs> {
        let name = Resource::name(self, site);
        // The groups are made first: what is killed half-way has its end too.
        let expires = site.expires.iter().map(|until| (EXPIRES_TAG.to_owned(), until.clone()));
        let tags: Tags = site.tags(&name).into_iter().chain(expires).collect();
        let request = cloud
            .ec2
            .create_security_group()
            .group_name(&name)
            .description(M::DESCRIPTION)
            .vpc_id(&want.vpc)
            .tag_specifications(tags::for_ec2(ResourceType::SecurityGroup, &tags));
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

    async fn still_blocked(
        &self,
        &Context { cloud, site, .. }: &Context<'_>,
        live: &Live<GroupSpec>,
    ) -> Result<Vec<Blocker>> {
        interfaces(cloud, site, &[&live.outputs[&Self::ID]]).await
    }
}

/// The names of both groups.
fn names(config: &Config) -> [&str; 2] {
    [LoadBalancer::name(config), Instances::name(config)]
}

/// The group in the wanted VPC; else ours in another VPC, which is to be replaced.
async fn read<M: Member>(cx: &Context<'_>, reading: &Reading) -> Result<Option<SecurityGroup>> {
    let site = cx.site;
    let wanted = Some(M::name(&site.config));
    let groups = shared::security_groups(cx, reading, names(&site.config)).await?;
    let mut named: Vec<SecurityGroup> = groups.into_iter().filter(|group| group.group_name() == wanted).collect();
    let ours = |group: &SecurityGroup| site.owns(&tags::from_ec2(group.tags()));
    named.retain(|group| group.vpc_id() == Some(&site.config.network.vpc) || ours(group));
    named.sort_by_key(|group| group.vpc_id() != Some(&site.config.network.vpc));
    Ok(named.into_iter().next())
}

/// What holds a security group: network interfaces that carry it; when there are none any more, rules of others that
/// name it.
async fn holders(cloud: &Cloud, site: &Site, group: &str) -> Result<Vec<Blocker>> {
    let interfaces = interfaces(cloud, site, &[group]).await?;
    if interfaces.is_empty() { rules_of_others(cloud, site, &[group]).await } else { Ok(interfaces) }
}

fn of(name: &str, groups: &[&str]) -> Filter {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Filter::builder().name(name).set_values(Some(groups)).build()
}

/// Network interfaces that carry one of these groups.
async fn interfaces(cloud: &Cloud, site: &Site, groups: &[&str]) -> Result<Vec<Blocker>> {
    let request = cloud.ec2.describe_network_interfaces().filters(of("group-id", groups));
    let found = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    let instances = found.iter().filter_map(instance_of).collect();
    let staying = strangers(cloud, site, instances).await?;
    Ok(found.iter().map(|found| interface(found, site, &staying)).collect())
}

/// Rules that name one of these groups, of groups that are none of them.
async fn rules_of_others(cloud: &Cloud, site: &Site, groups: &[&str]) -> Result<Vec<Blocker>> {
    let request = cloud.ec2.describe_security_groups().filters(of("ip-permission.group-id", groups));
    let found = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    let names = names(&site.config);
    let mut holders = Vec::new();
    for other in found {
        let (id, named) = (other.group_id().unwrap_or_default(), other.group_name().unwrap_or_default());
        if !groups.contains(&id) {
            holders.push(Blocker {
                what: format!("a rule of the security group {id} ({named})"),
                clears_by_itself: names.contains(&named),
            });
        }
    }
    Ok(holders)
}

fn instance_of(interface: &NetworkInterface) -> Option<&str> {
    interface.attachment()?.instance_id()
}

/// A network interface: those of the load balancer and of our instances are removed with them, and so is what carries
/// our tag and is no service's. `staying`: instances that are not ours to end.
fn interface(interface: &NetworkInterface, site: &Site, staying: &BTreeSet<String>) -> Blocker {
    let id = interface.network_interface_id().unwrap_or_default();
    let words = interface.description().unwrap_or_default();
    let instance = instance_of(interface);
    let of_balancer = words.starts_with(&format!("ELB app/{}/", site.config.names.load_balancer));
    let is_a_services = interface.requester_managed() == Some(true);
    let ours = !is_a_services && site.owns(&tags::from_ec2(interface.tag_set()));
    let what = match (instance, words) {
        (Some(instance), _) => format!("{id} (network interface of {instance})"),
        (None, "") => format!("{id} (network interface)"),
        (None, words) => format!("{id} ({words})"),
    };
    let clears_by_itself = match instance {
        Some(instance) => !staying.contains(instance),
        None => of_balancer || ours,
    };
    Blocker { what, clears_by_itself }
}

/// The security groups of these ids, by id; of no ids, none.
///
/// # Errors
/// EC2 does not describe them.
pub async fn find_security_groups(cloud: &Cloud, ids: Vec<String>) -> cloud::Result<BTreeMap<String, SecurityGroup>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let groups = cloud.ec2.describe_security_groups().set_group_ids(Some(ids)).send().await?.security_groups;
    let groups = groups.unwrap_or_default().into_iter();
    Ok(groups.filter_map(|group| Some((group.group_id.clone()?, group))).collect())
}
