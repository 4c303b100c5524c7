//! Reads that serve several resources of one reading, each made once.

mod balancing;
mod found;
mod lists;
mod stacks;
mod strays;

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Filter, ResourceType};
use aws_sdk_elasticloadbalancingv2::types::Listener;
use tokio::sync::OnceCell;

use crate::cloud::{Absent, Cloud, Error, Memo, Result};
use crate::engine::Context;
use crate::site::OWNER_TAG;

pub use balancing::{all_balancing, balancing, named, tagged_balancing};
pub use found::found_config;
pub use lists::{launch_template, scaling_group, security_groups};
pub use stacks::{WITH_EXPIRY, stacks};
pub use strays::{Strays, strays};

#[derive(Default)]
struct Listeners(OnceCell<Vec<Listener>>);

/// Every listener of a load balancer.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn listeners(cloud: &Cloud, memo: &Memo, load_balancer: &str) -> Result<Vec<Listener>> {
    let read = || async {
        let request = cloud.elb.describe_listeners().load_balancer_arn(load_balancer);
        let reply = request.send().await.or_absent()?;
        Ok(reply.and_then(|reply| reply.listeners).unwrap_or_default())
    };
    memo.of::<Listeners>().0.get_or_try_init(read).await.cloned()
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
        let groups = lists::own_security_groups(cx, memo).await?;
        Ok(groups.into_iter().filter_map(|group| group.group_id).collect())
    };
    memo.of::<TaggedSecurityGroups>().0.get_or_try_init(read).await.cloned()
}
