//! Reads that serve several resources of one look, each made once.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, SecurityGroup};
use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, TargetGroup};
use tokio::sync::OnceCell;

use super::{Absent, Cloud, Result, tags};
use crate::engine::Tags;
use crate::site::{Missing, Zone};

/// What was read so far.
#[derive(Debug, Default)]
pub struct Shared {
    groups: OnceCell<Vec<SecurityGroup>>,
    balancing: OnceCell<Balancing>,
    listeners: OnceCell<Vec<Listener>>,
    /// Filled by `site`, which is looked up beside the stack's resources.
    pub zone: OnceCell<std::result::Result<Option<Zone>, Missing>>,
}

/// A load balancer, a target group and the tags of both.
#[derive(Debug, Default)]
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
        let balancer = self.load_balancer.as_ref().and_then(|one| one.load_balancer_arn.clone());
        let group = self.target_group.as_ref().and_then(|one| one.target_group_arn.clone());
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

impl Shared {
    /// Security groups of these names, in every VPC (by name they are found with their case as it is).
    pub async fn security_groups(&self, cloud: &Cloud, names: [&str; 2]) -> Result<&[SecurityGroup]> {
        let read = || async {
            let filter = Filter::builder().name("group-name").set_values(Some(names.map(str::to_owned).into())).build();
            let request = cloud.ec2.describe_security_groups().filters(filter);
            Ok(request.into_paginator().items().send().try_collect().await?)
        };
        self.groups.get_or_try_init(read).await.map(Vec::as_slice)
    }

    /// The load balancer and the target group of these names; one call for the tags of both.
    pub async fn balancing(&self, cloud: &Cloud, load_balancer: &str, target_group: &str) -> Result<&Balancing> {
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
        self.balancing.get_or_try_init(read).await
    }

    /// Every listener of a load balancer.
    pub async fn listeners(&self, cloud: &Cloud, load_balancer: &str) -> Result<&[Listener]> {
        let read = || async {
            let request = cloud.elb.describe_listeners().load_balancer_arn(load_balancer);
            let reply = request.send().await.or_absent()?;
            Ok(reply.and_then(|reply| reply.listeners).unwrap_or_default())
        };
        self.listeners.get_or_try_init(read).await.map(Vec::as_slice)
    }
}
