//! What protects the group and its instances from removal.

use aws_sdk_autoscaling::types::{AutoScalingGroup as Group, Instance};

use super::find_group;
use super::instances::{self, is_in_standby, is_protected, waits_for_hook};
use crate::cloud::Cloud;
use crate::engine::Result;
use crate::outcome::few;

/// What protects a group or its instances from removal, in words.
pub(super) fn protections(group: &Group) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(level) = protection(group) {
        found.push(format!("deletion protection is on ({level})"));
    }
    found.extend(holding(group));
    found
}

/// What keeps instances of the group from being ended by a smaller size, in words.
pub fn holding(group: &Group) -> Vec<String> {
    let mut found = Vec::new();
    let ids = |which: fn(&Instance) -> bool| few(&instances::ids(group, which), ", ");
    for (ids, what) in [
        (ids(is_protected), "protected from scale-in"),
        (ids(is_in_standby), "in standby"),
        (ids(waits_for_hook), "held by a lifecycle hook"),
    ] {
        if !ids.is_empty() {
            found.push(format!("{ids}: {what}"));
        }
    }
    let suspended: Vec<&str> =
        group.suspended_processes().iter().filter_map(|process| process.process_name()).collect();
    if !suspended.is_empty() {
        found.push(format!("suspended processes: {}", suspended.join(", ")));
    }
    found
}

/// Takes all of it off.
pub(super) async fn remove(cloud: &Cloud, name: &str) -> Result<()> {
    let Some(group) = find_group(cloud, name).await? else {
        return Ok(());
    };
    if protection(&group).is_some() {
        let request = cloud.autoscaling.update_auto_scaling_group().auto_scaling_group_name(name);
        request.deletion_protection("none".into()).send().await?;
    }
    let protected = instances::ids(&group, is_protected);
    if !protected.is_empty() {
        let request = cloud.autoscaling.set_instance_protection().auto_scaling_group_name(name);
        request.set_instance_ids(Some(protected)).protected_from_scale_in(false).send().await?;
    }
    if !group.suspended_processes().is_empty() {
        cloud.autoscaling.resume_processes().auto_scaling_group_name(name).send().await?;
    }
    let standby = instances::ids(&group, is_in_standby);
    if !standby.is_empty() {
        let request = cloud.autoscaling.exit_standby().auto_scaling_group_name(name);
        request.set_instance_ids(Some(standby)).send().await?;
    }
    instances::complete_hooks(cloud, name, &instances::ids(&group, waits_for_hook)).await
}

fn protection(group: &Group) -> Option<&str> {
    let level = group.deletion_protection()?.as_str();
    Some(level).filter(|level| *level != "none")
}
