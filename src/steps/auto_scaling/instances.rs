//! The instances of the group: which there are, and what keeps them from being terminated.

use aws_sdk_autoscaling::types::{AutoScalingGroup as Group, Instance, LifecycleState};
use aws_sdk_ec2::types::Filter;

use crate::cloud::{self, Cloud};
use crate::engine::{Context, Result};

/// States of instances that are not gone.
const ALIVE: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// Ids of a group's instances that are not gone, also when the group itself is.
pub(super) async fn of_group(cloud: &Cloud, group: &str) -> Result<Vec<String>> {
    listed(cloud, Filter::builder().name("tag:aws:autoscaling:groupName").values(group).build()).await
}

/// Ids of instances that carry the stack's tag and are not gone.
pub(super) async fn tagged(cx: &Context<'_>) -> Result<Vec<String>> {
    listed(cx.cloud, cx.site.owner_filter()).await
}

async fn listed(cloud: &Cloud, filter: Filter) -> Result<Vec<String>> {
    let alive = Filter::builder().name("instance-state-name").set_values(Some(ALIVE.map(str::to_owned).into()));
    let request = cloud.ec2.describe_instances().filters(filter).filters(alive.build());
    let reservations = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    let instances = reservations.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default());
    Ok(instances.filter_map(|instance| instance.instance_id).collect())
}

/// Ids of the group's instances of which this is true.
pub(super) fn ids(group: &Group, which: fn(&Instance) -> bool) -> Vec<String> {
    let found = group.instances().iter().filter(|instance| which(instance));
    found.filter_map(|instance| instance.instance_id.clone()).collect()
}

/// Whether it is protected from scale-in.
pub(super) fn is_protected(instance: &Instance) -> bool {
    instance.protected_from_scale_in() == Some(true)
}

/// Whether it is in standby.
pub(super) fn is_in_standby(instance: &Instance) -> bool {
    instance.lifecycle_state() == Some(&LifecycleState::Standby)
}

/// Whether a lifecycle hook holds it.
pub(super) fn waits_for_hook(instance: &Instance) -> bool {
    instance.lifecycle_state().is_some_and(|state| state.as_str().ends_with(":Wait"))
}

/// Lets these instances go on that lifecycle hooks hold.
pub(super) async fn complete_hooks(cloud: &Cloud, group: &str, instances: &[String]) -> Result<()> {
    if instances.is_empty() {
        return Ok(());
    }
    let reply = cloud.autoscaling.describe_lifecycle_hooks().auto_scaling_group_name(group).send().await?;
    for hook in reply.lifecycle_hooks() {
        for instance in instances {
            let request = cloud
                .autoscaling
                .complete_lifecycle_action()
                .auto_scaling_group_name(group)
                .set_lifecycle_hook_name(hook.lifecycle_hook_name.clone())
                .instance_id(instance)
                .lifecycle_action_result("CONTINUE");
            match request.send().await.map_err(cloud::Error::from) {
                // It waits for another hook, or for none any more.
                Err(error) if error.code() == "ValidationError" => {}
                done => {
                    done?;
                }
            }
        }
    }
    Ok(())
}
