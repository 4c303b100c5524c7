//! The tag that says until when a stack is wanted: security groups are made first and removed last.

use aws_sdk_ec2::types::{Filter, SecurityGroup, Tag};

use crate::cloud::{Cloud, Result, tags};
use crate::site::{EXPIRES_TAG, OWNER_TAG};

/// Writes the time on every security group with the stack's tag, or takes it off; how many there are.
///
/// # Errors
/// EC2 does not describe them, or refuses the tag.
pub async fn mark_expiry(cloud: &Cloud, stack: &str, until: Option<&str>) -> Result<usize> {
    let filter = Filter::builder().name(format!("tag:{OWNER_TAG}")).values(stack).build();
    let request = cloud.ec2.describe_security_groups().filters(filter);
    let groups = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    // A filter's `*` and `?` stand for more than themselves.
    let ours = |group: &SecurityGroup| tags::from_ec2(group.tags()).get(OWNER_TAG).is_some_and(|owner| owner == stack);
    let ids: Vec<String> = groups.into_iter().filter(ours).filter_map(|group| group.group_id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let (count, tag, ids) = (ids.len(), Tag::builder().key(EXPIRES_TAG), Some(ids));
    match until {
        Some(until) => {
            let tag = tag.value(until).build();
            cloud.ec2.create_tags().set_resources(ids).tags(tag).send().await?;
        }
        // Without a value it goes whatever it holds.
        None => {
            cloud.ec2.delete_tags().set_resources(ids).tags(tag.build()).send().await?;
        }
    }
    Ok(count)
}
