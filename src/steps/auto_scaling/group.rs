//! The finders of an auto scaling group and of its instances.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::Instance;

use crate::cloud::{Cloud, Result};

/// The auto scaling group of this name; `None`: there is none.
///
/// # Errors
/// Auto Scaling does not describe it.
pub async fn find_group(cloud: &Cloud, name: &str) -> Result<Option<AutoScalingGroup>> {
    let request = cloud.autoscaling.describe_auto_scaling_groups().auto_scaling_group_names(name);
    let groups = request.send().await?.auto_scaling_groups;
    Ok(groups.unwrap_or_default().into_iter().find(|group| group.auto_scaling_group_name() == Some(name)))
}

/// The instances of a group, as EC2 describes them.
///
/// # Errors
/// EC2 does not describe them.
pub async fn find_instances(cloud: &Cloud, group: &AutoScalingGroup) -> Result<Vec<Instance>> {
    let ids = group.instances().iter().filter_map(|instance| instance.instance_id.clone());
    let ids: Vec<String> = ids.collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let request = cloud.ec2.describe_instances().set_instance_ids(Some(ids));
    let reservations = request.into_paginator().items().send().try_collect().await?;
    Ok(reservations.into_iter().filter_map(|reservation| reservation.instances).flatten().collect())
}
