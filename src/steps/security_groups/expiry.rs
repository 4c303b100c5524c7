//! The tag that says until when a stack is wanted: security groups are made first and removed last.

use aws_sdk_ec2::types::{Filter, SecurityGroup, Tag};
use jiff::Timestamp;

use crate::cloud::{Cloud, Result, tags};
use crate::site::{EXPIRES_TAG, OWNER_TAG};

/// What the security groups of a stack say together: the latest time. One without a time says never; what is no time
/// has not passed.
pub fn latest(times: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let times: Vec<String> = times.into_iter().collect::<Option<_>>()?;
    let instant = |time: &String| time.parse::<Timestamp>().map_or((true, None), |instant| (false, Some(instant)));
    times.into_iter().max_by_key(instant)
}

/// How many seconds are left until then, less than 0 afterwards; `None`: it is no time.
pub fn seconds_left(time: &str, now: Timestamp) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(|time| time.as_second() - now.as_second())
}

/// Until when this stack is wanted; `None`: without an end.
///
/// # Errors
/// EC2 does not describe its security groups.
pub async fn expiry(cloud: &Cloud, stack: &str) -> Result<Option<String>> {
    let groups = groups_of(cloud, stack).await?;
    Ok(latest(groups.iter().map(|group| tags::from_ec2(group.tags()).get(EXPIRES_TAG).cloned())))
}

/// Writes the time on every security group with the stack's tag, or takes it off; how many there are.
///
/// # Errors
/// EC2 does not describe them, or refuses the tag.
pub async fn mark_expiry(cloud: &Cloud, stack: &str, until: Option<&str>) -> Result<usize> {
    let groups = groups_of(cloud, stack).await?;
    let ids: Vec<String> = groups.into_iter().filter_map(|group| group.group_id).collect();
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

async fn groups_of(cloud: &Cloud, stack: &str) -> Result<Vec<SecurityGroup>> {
    let filter = Filter::builder().name(format!("tag:{OWNER_TAG}")).values(stack).build();
    let request = cloud.ec2.describe_security_groups().filters(filter);
    let mut groups: Vec<SecurityGroup> = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    // A filter's `*` and `?` stand for more than themselves.
    groups.retain(|group| tags::from_ec2(group.tags()).get(OWNER_TAG).is_some_and(|owner| owner == stack));
    Ok(groups)
}
