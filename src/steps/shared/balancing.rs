//! Load balancers and target groups with their tags: Elastic Load Balancing has no filter by tag, and shows tags only
//! when they are asked for, of twenty at a time.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup};
use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use crate::cloud::{Absent, Cloud, Error, Memo, Result, Tags, tags};
use crate::config::Names;
use crate::engine::{Context, Reading};

/// Most ARNs of one DescribeTags (API reference).
const ARNS_MOST: usize = 20;

#[derive(Default)]
struct Everything(OnceCell<Balancers>);

#[derive(Default)]
struct Named(OnceCell<Balancing>);

#[derive(Default)]
struct BalancingOnce(OnceCell<Balancing>);

#[derive(Default)]
struct TaggedBalancing(OnceCell<Balancers>);

/// Load balancers and target groups.
#[derive(Debug, Default, Clone)]
pub struct Balancers {
    /// The load balancers.
    pub load_balancers: Vec<LoadBalancer>,
    /// The target groups.
    pub target_groups: Vec<TargetGroup>,
}

impl Balancers {
    fn arns(&self) -> impl Iterator<Item = &str> {
        let of_balancers = self.load_balancers.iter().filter_map(|balancer| balancer.load_balancer_arn());
        of_balancers.chain(self.target_groups.iter().filter_map(|group| group.target_group_arn()))
    }
}

/// A load balancer, a target group and the tags of both.
#[derive(Debug, Default, Clone)]
pub struct Balancing {
    /// The load balancer of the asked name.
    pub load_balancer: Option<LoadBalancer>,
    /// The target group of the asked name.
    pub target_group: Option<TargetGroup>,
    /// By ARN; of others too, where the same call could ask for them.
    tags: BTreeMap<String, Tags>,
}

impl Balancing {
    fn arns(&self) -> [Option<String>; 2] {
        let balancer = self.load_balancer.as_ref().and_then(|balancer| balancer.load_balancer_arn.clone());
        [balancer, self.target_group.as_ref().and_then(|group| group.target_group_arn.clone())]
    }

    /// Reads the tags of both, in one call; one of them may have gone since it was listed.
    async fn tag(&mut self, cloud: &Cloud) -> Result<()> {
        let [balancer, group] = self.arns();
        let both: Vec<String> = balancer.iter().chain(&group).cloned().collect();
        if both.is_empty() || self.tag_all(cloud, &both).await? {
            return Ok(());
        }
        let alone = |arn: &Option<String>| arn.iter().cloned().collect::<Vec<_>>();
        if !self.tag_all(cloud, &alone(&balancer)).await? {
            self.load_balancer = None;
        }
        if !self.tag_all(cloud, &alone(&group)).await? {
            self.target_group = None;
        }
        Ok(())
    }

    /// The same, with the tags of some of the others. Those may have gone too, or be hidden from us: then they are left
    /// to whoever looks for them.
    async fn tag_with(&mut self, cloud: &Cloud, all: &Balancers) -> Result<()> {
        let mut some: Vec<String> = self.arns().into_iter().flatten().collect();
        if some.is_empty() {
            return Ok(());
        }
        let others: Vec<String> =
            all.arns().filter(|arn| !some.iter().any(|own| own == arn)).map(str::to_owned).collect();
        let own = some.len();
        some.extend(others.into_iter().take(ARNS_MOST - own));
        if some.len() > own && matches!(self.tag_all(cloud, &some).await, Ok(true)) {
            return Ok(());
        }
        self.tag(cloud).await
    }

    /// Whether all of these still exist.
    async fn tag_all(&mut self, cloud: &Cloud, arns: &[String]) -> Result<bool> {
        if arns.is_empty() {
            return Ok(true);
        }
        let found = tags_of(cloud, arns).await?;
        let exist = found.is_some();
        self.tags.extend(found.unwrap_or_default());
        Ok(exist)
    }

    /// The tags of this ARN.
    pub fn tags(&self, arn: &str) -> Tags {
        self.tags.get(arn).cloned().unwrap_or_default()
    }
}

/// The load balancer and the target group of the site's names; one call for the tags of both.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn balancing(cx: &Context<'_>, reading: &Reading) -> Result<Balancing> {
    if reading.memo.has_lists {
        return listed(cx, &reading.memo).await;
    }
    let read = || async {
        let mut read = named(cx, &reading.memo).await?;
        read.tag(cx.cloud).await?;
        Ok(read)
    };
    reading.shared::<BalancingOnce>().0.get_or_try_init(read).await.cloned()
}

/// The same without tags: enough to read beside them what they have.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn named(cx: &Context<'_>, memo: &Memo) -> Result<Balancing> {
    memo.of::<Named>().0.get_or_try_init(|| read_named(cx, memo)).await.cloned()
}

async fn read_named(cx: &Context<'_>, memo: &Memo) -> Result<Balancing> {
    let (cloud, names) = (cx.cloud, &cx.site.config.names);
    if memo.has_lists {
        return Ok(out_of(all_balancing(cloud, memo).await?, names));
    }
    let balancers = cloud.elb.describe_load_balancers().names(&names.load_balancer).send();
    let groups = cloud.elb.describe_target_groups().names(&names.target_group).send();
    let (balancers, groups) = tokio::join!(balancers, groups);
    Ok(Balancing {
        load_balancer: balancers.or_absent()?.and_then(|reply| reply.load_balancers?.into_iter().next()),
        target_group: groups.or_absent()?.and_then(|reply| reply.target_groups?.into_iter().next()),
        tags: BTreeMap::new(),
    })
}

/// Those of these names.
fn out_of(all: Balancers, names: &Names) -> Balancing {
    let is_balancer = |one: &LoadBalancer| one.load_balancer_name() == Some(&names.load_balancer);
    let is_group = |one: &TargetGroup| one.target_group_name() == Some(&names.target_group);
    Balancing {
        load_balancer: all.load_balancers.into_iter().find(is_balancer),
        target_group: all.target_groups.into_iter().find(is_group),
        tags: BTreeMap::new(),
    }
}

/// With tags of others too, for those who look for them next.
async fn listed(cx: &Context<'_>, memo: &Memo) -> Result<Balancing> {
    let read = || async {
        let all = all_balancing(cx.cloud, memo).await?;
        let mut read = out_of(all.clone(), &cx.site.config.names);
        read.tag_with(cx.cloud, &all).await?;
        Ok(read)
    };
    memo.of::<BalancingOnce>().0.get_or_try_init(read).await.cloned()
}

/// Every load balancer and every target group there is. Read once.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn all_balancing(cloud: &Cloud, memo: &Memo) -> Result<Balancers> {
    let read = || async {
        let balancers = cloud.elb.describe_load_balancers().into_paginator().items();
        let balancers = async { Ok::<_, Error>(balancers.send().try_collect().await?) };
        let groups = cloud.elb.describe_target_groups().into_paginator().items();
        let groups = async { Ok(groups.send().try_collect().await?) };
        let (load_balancers, target_groups) = tokio::try_join!(balancers, groups)?;
        Ok(Balancers { load_balancers, target_groups })
    };
    memo.of::<Everything>().0.get_or_try_init(read).await.cloned()
}

/// Load balancers and target groups that carry the stack's tag, whatever their names.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn tagged_balancing(cx: &Context<'_>, memo: &Memo) -> Result<Balancers> {
    memo.of::<TaggedBalancing>().0.get_or_try_init(|| read_tagged(cx, memo)).await.cloned()
}

async fn read_tagged(cx: &Context<'_>, memo: &Memo) -> Result<Balancers> {
    let mut known = listed(cx, memo).await?.tags;
    let Balancers { mut load_balancers, mut target_groups } = all_balancing(cx.cloud, memo).await?;
    let all = Balancers { load_balancers: load_balancers.clone(), target_groups: target_groups.clone() };
    let others: Vec<String> = all.arns().filter(|arn| !known.contains_key(*arn)).map(str::to_owned).collect();
    known.extend(tags_of_existing(cx.cloud, &others).await?);
    let is_ours = |arn: Option<&str>| arn.and_then(|arn| known.get(arn)).is_some_and(|tags| cx.site.owns(tags));
    load_balancers.retain(|balancer| is_ours(balancer.load_balancer_arn()));
    target_groups.retain(|group| is_ours(group.target_group_arn()));
    Ok(Balancers { load_balancers, target_groups })
}

/// The tags, by ARN, of those of these that exist: twenty a call.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub(super) async fn tags_of_existing(cloud: &Cloud, arns: &[String]) -> Result<BTreeMap<String, Tags>> {
    let found = try_join_all(arns.chunks(ARNS_MOST).map(|some| tags_of_some(cloud, some))).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn tags_of_some(cloud: &Cloud, arns: &[String]) -> Result<BTreeMap<String, Tags>> {
    if let Some(found) = tags_of(cloud, arns).await? {
        return Ok(found);
    }
    // One that was removed since the list was made makes AWS refuse the whole call.
    let mut found = BTreeMap::new();
    for arn in arns {
        found.extend(tags_of(cloud, std::slice::from_ref(arn)).await?.unwrap_or_default());
    }
    Ok(found)
}

/// Tags by ARN; `None`: one of these does not exist.
async fn tags_of(cloud: &Cloud, arns: &[String]) -> Result<Option<BTreeMap<String, Tags>>> {
    let request = cloud.elb.describe_tags().set_resource_arns(Some(arns.to_vec()));
    let Some(reply) = request.send().await.or_absent()? else {
        return Ok(None);
    };
    let described = reply.tag_descriptions().iter();
    Ok(Some(described.filter_map(|one| Some((one.resource_arn.clone()?, tags::from_elb(one.tags())))).collect()))
}
