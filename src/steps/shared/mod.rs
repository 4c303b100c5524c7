//! Reads that serve several resources of one reading, each made once.

mod strays;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, ResourceType, SecurityGroup};
use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, TargetGroup};
use tokio::sync::OnceCell;

use crate::cloud::{Absent, Cloud, Error, Memo, Result, Tags, tags};
use crate::config::Names;
use crate::engine::{Context, Reading};
use crate::site::{OWNER_TAG, Site};

pub use strays::{Strays, strays};

#[derive(Default)]
struct SecurityGroups(OnceCell<Vec<SecurityGroup>>);

#[derive(Default)]
struct BalancingOnce(OnceCell<Balancing>);

#[derive(Default)]
struct Listeners(OnceCell<Vec<Listener>>);

/// Security groups of these names, in every VPC (by name they are found with their case as it is).
///
/// # Errors
/// EC2 does not describe them.
pub async fn security_groups(cloud: &Cloud, reading: &Reading, names: [&str; 2]) -> Result<Vec<SecurityGroup>> {
    let read = || async {
        let filter = Filter::builder().name("group-name").set_values(Some(names.map(str::to_owned).into())).build();
        let request = cloud.ec2.describe_security_groups().filters(filter);
        Ok(request.into_paginator().page_size(1000).items().send().try_collect().await?)
    };
    reading.shared::<SecurityGroups>().0.get_or_try_init(read).await.cloned()
}

/// The load balancer and the target group of these names; one call for the tags of both.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn balancing(cloud: &Cloud, reading: &Reading, names: &Names) -> Result<Balancing> {
    let (load_balancer, target_group) = (&names.load_balancer, &names.target_group);
    let read = || async {
        let balancers = async { cloud.elb.describe_load_balancers().names(load_balancer).send().await.or_absent() };
        let groups = async { cloud.elb.describe_target_groups().names(target_group).send().await.or_absent() };
        let (balancers, groups) = tokio::join!(balancers, groups);
        let mut read = Balancing {
            load_balancer: balancers?.and_then(|reply| reply.load_balancers?.into_iter().next()),
            target_group: groups?.and_then(|reply| reply.target_groups?.into_iter().next()),
            tags: BTreeMap::new(),
        };
        read.tag(cloud).await?;
        Ok(read)
    };
    reading.shared::<BalancingOnce>().0.get_or_try_init(read).await.cloned()
}

/// Every listener of a load balancer.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn listeners(cloud: &Cloud, reading: &Reading, load_balancer: &str) -> Result<Vec<Listener>> {
    let read = || async {
        let request = cloud.elb.describe_listeners().load_balancer_arn(load_balancer);
        let reply = request.send().await.or_absent()?;
        Ok(reply.and_then(|reply| reply.listeners).unwrap_or_default())
    };
    reading.shared::<Listeners>().0.get_or_try_init(read).await.cloned()
}

/// A load balancer, a target group and the tags of both.
#[derive(Debug, Default, Clone)]
pub struct Balancing {
    /// The load balancer of the asked name.
    pub load_balancer: Option<LoadBalancer>,
    /// The target group of the asked name.
    pub target_group: Option<TargetGroup>,
    tags: BTreeMap<String, Tags>,
}

impl Balancing {
    /// Reads the tags of both, in one call; one of them may have gone since it was listed.
    async fn tag(&mut self, cloud: &Cloud) -> Result<()> {
        let balancer = self.load_balancer.as_ref().and_then(|balancer| balancer.load_balancer_arn.clone());
        let group = self.target_group.as_ref().and_then(|group| group.target_group_arn.clone());
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

    /// Whether all of these still exist.
    async fn tag_all(&mut self, cloud: &Cloud, arns: &[String]) -> Result<bool> {
        let request = cloud.elb.describe_tags().set_resource_arns(Some(arns.to_vec()));
        let Some(reply) = request.send().await.or_absent()? else {
            return Ok(false);
        };
        for described in reply.tag_descriptions() {
            let arn = described.resource_arn().unwrap_or_default().to_owned();
            self.tags.insert(arn, tags::from_elb(described.tags()));
        }
        Ok(true)
    }

    /// The tags of this ARN.
    pub fn tags(&self, arn: &str) -> Tags {
        self.tags.get(arn).cloned().unwrap_or_default()
    }
}

/// Load balancers and target groups.
#[derive(Debug, Default, Clone)]
pub struct Balancers {
    /// The load balancers.
    pub load_balancers: Vec<LoadBalancer>,
    /// The target groups.
    pub target_groups: Vec<TargetGroup>,
}

#[derive(Default)]
struct TaggedBalancing(OnceCell<Balancers>);

/// Load balancers and target groups that carry the stack's tag, whatever their names. Tags are read twenty at a time:
/// there is no filter.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn tagged_balancing(cx: &Context<'_>, memo: &Memo) -> Result<Balancers> {
    memo.of::<TaggedBalancing>().0.get_or_try_init(|| read_tagged_balancing(cx.cloud, cx.site)).await.cloned()
}

async fn read_tagged_balancing(cloud: &Cloud, site: &Site) -> Result<Balancers> {
    let balancers = async {
        Ok::<_, Error>(cloud.elb.describe_load_balancers().into_paginator().items().send().try_collect().await?)
    };
    let groups = async { Ok(cloud.elb.describe_target_groups().into_paginator().items().send().try_collect().await?) };
    let (mut load_balancers, mut target_groups) = tokio::try_join!(balancers, groups)?;
    let of_balancers = load_balancers.iter().filter_map(|balancer| balancer.load_balancer_arn.clone());
    let of_groups = target_groups.iter().filter_map(|group| group.target_group_arn.clone());
    let arns: Vec<String> = of_balancers.chain(of_groups).collect();
    let mut ours: BTreeSet<String> = BTreeSet::new();
    for some in arns.chunks(20) {
        match owned(cloud, site, some).await? {
            Some(owned) => ours.extend(owned),
            // One that was removed since the list was made makes AWS refuse the whole call.
            None => {
                for arn in some {
                    ours.extend(owned(cloud, site, std::slice::from_ref(arn)).await?.into_iter().flatten());
                }
            }
        }
    }
    load_balancers.retain(|balancer| balancer.load_balancer_arn().is_some_and(|arn| ours.contains(arn)));
    target_groups.retain(|group| group.target_group_arn().is_some_and(|arn| ours.contains(arn)));
    Ok(Balancers { load_balancers, target_groups })
}

/// Those of these load balancers and target groups that carry our tag; `None`: one of them does not exist.
async fn owned(cloud: &Cloud, site: &Site, arns: &[String]) -> Result<Option<Vec<String>>> {
    let request = cloud.elb.describe_tags().set_resource_arns(Some(arns.to_vec()));
    let reply = request.send().await.or_absent()?;
    Ok(reply.map(|reply| {
        let ours = reply.tag_descriptions().iter().filter(|described| site.owns(&tags::from_elb(described.tags())));
        ours.filter_map(|described| described.resource_arn.clone()).collect()
    }))
}

#[derive(Default)]
struct TaggedKinds(OnceCell<BTreeSet<String>>);

/// Whether anything of this kind in EC2 carries the stack's tag, by one call for all kinds. The tags of what is gone
/// may outlive it: what there is, is asked for then.
///
/// # Errors
/// EC2 does not describe its tags.
pub async fn carries_tag(cx: &Context<'_>, memo: &Memo, kind: ResourceType) -> Result<bool> {
    let read = || async {
        let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
        let request = cx.cloud.ec2.describe_tags().filters(filter("key", OWNER_TAG));
        let request = request.filters(filter("value", &cx.site.config.stack));
        let tags = request.into_paginator().page_size(1000).items().send().try_collect().await?;
        let kinds = tags.into_iter().filter_map(|tag| Some(tag.resource_type?.as_str().to_owned()));
        Ok::<_, Error>(kinds.collect())
    };
    Ok(memo.of::<TaggedKinds>().0.get_or_try_init(read).await?.contains(kind.as_str()))
}

#[derive(Default)]
struct TaggedSecurityGroups(OnceCell<Vec<String>>);

/// Ids of the security groups that carry the stack's tag, whatever their names.
///
/// # Errors
/// EC2 does not describe them.
pub async fn tagged_security_groups(cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
    let read = || async {
        if !carries_tag(cx, memo, ResourceType::SecurityGroup).await? {
            return Ok(Vec::new());
        }
        let request = cx.cloud.ec2.describe_security_groups().filters(cx.site.owner_filter());
        let groups = request.into_paginator().page_size(1000).items().send().try_collect().await?;
        Ok(groups.into_iter().filter_map(|group| group.group_id).collect())
    };
    memo.of::<TaggedSecurityGroups>().0.get_or_try_init(read).await.cloned()
}
