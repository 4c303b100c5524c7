//! The finders of an auto scaling group and of its instances.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::{Filter, Instance};

use crate::cloud::{Cloud, Result, tags};
use crate::engine::Context;
use crate::site::OWNER_TAG;

/// The auto scaling group of this name; `None`: there is none.
///
/// # Errors
/// Auto Scaling does not describe it.
pub async fn find_group(cloud: &Cloud, name: &str) -> Result<Option<AutoScalingGroup>> {
    let request = cloud.autoscaling.describe_auto_scaling_groups().auto_scaling_group_names(name);
    let groups = request.send().await?.auto_scaling_groups;
    Ok(groups.unwrap_or_default().into_iter().find(|group| group.auto_scaling_group_name() == Some(name)))
}

/// The instances of a group, as EC2 describes them. By their tag: asked for by its id, an instance that was launched a
/// second ago fails the whole call (Amazon EC2 developer guide, "Eventual consistency": InvalidInstanceID.NotFound).
///
/// # Errors
/// EC2 does not describe them.
pub async fn find_instances(cloud: &Cloud, group: &AutoScalingGroup) -> Result<Vec<Instance>> {
    if group.instances().is_empty() {
        return Ok(Vec::new());
    }
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let tag = Filter::builder().name("tag:aws:autoscaling:groupName").values(name).build();
    let request = cloud.ec2.describe_instances().filters(tag);
    let reservations = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    let all = reservations.into_iter().filter_map(|reservation| reservation.instances).flatten();
    let is_member = |one: &Instance| group.instances().iter().any(|member| member.instance_id == one.instance_id);
    Ok(all.filter(is_member).collect())
}

/// The auto scaling groups that carry the stack's tag.
///
/// # Errors
/// Auto Scaling does not describe them.
pub async fn tagged_groups(cx: &Context<'_>) -> Result<Vec<AutoScalingGroup>> {
    let name = format!("tag:{OWNER_TAG}");
    let tag = aws_sdk_autoscaling::types::Filter::builder().name(name).values(&cx.site.config.stack);
    let request = cx.cloud.autoscaling.describe_auto_scaling_groups().filters(tag.build());
    let mut groups: Vec<AutoScalingGroup> = request.into_paginator().items().send().try_collect().await?;
    groups.retain(|group| cx.site.owns(&tags::from_autoscaling(group.tags()))); // moto 5.2 ignores the filter
    Ok(groups)
}
