//! The finder of an auto scaling group.

use aws_sdk_autoscaling::types::AutoScalingGroup;

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
