//! An auto scaling group as it is now.

use aws_sdk_autoscaling::types::AutoScalingGroup;

use super::{Cloud, Result};

/// The auto scaling group of this name; `None`: there is none.
pub async fn group(cloud: &Cloud, name: &str) -> Result<Option<AutoScalingGroup>> {
    let request = cloud.autoscaling.describe_auto_scaling_groups().auto_scaling_group_names(name);
    let groups = request.send().await?.auto_scaling_groups;
    Ok(groups.unwrap_or_default().into_iter().find(|group| group.auto_scaling_group_name() == Some(name)))
}
