//! The instances of the group: which there are, and what keeps them from being terminated.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{AutoScalingGroup as Group, Instance, LifecycleState};
use aws_sdk_ec2::types::{Filter, Instance as Ec2Instance, ResourceType, Tag};

use crate::cloud::{self, Cloud, Memo};
use crate::engine::{Context, Effect, Result};
use crate::outcome::few;
use crate::steps::shared;

/// Auto Scaling tags its instances with their group's name.
const GROUP_TAG: &str = "aws:autoscaling:groupName";

/// States of instances that are not gone.
const ALIVE: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// States of instances that stay until someone ends them.
const STAYING: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// Ids of a group's instances that are not gone, also when the group itself is.
///
/// # Errors
/// EC2 does not describe them.
pub async fn instances_of(cloud: &Cloud, group: &str) -> Result<Vec<String>> {
    listed(cloud, Filter::builder().name(format!("tag:{GROUP_TAG}")).values(group).build(), &ALIVE).await
}

/// Those of these instances, at most 200, that are neither of this group nor on their way out. One answer says both:
/// of two, one may lag behind the other.
///
/// # Errors
/// EC2 does not describe them.
pub async fn staying(cloud: &Cloud, group: &str, ids: Vec<String>) -> Result<Vec<String>> {
    // A filter, and not ids: one that EC2 no longer knows would make the whole call fail.
    let asked = Filter::builder().name("instance-id").set_values(Some(ids)).build();
    let is_ours = |tag: &Tag| tag.key() == Some(GROUP_TAG) && tag.value() == Some(group);
    let others = described(cloud, asked, &STAYING).await?.into_iter().filter(|one| !one.tags().iter().any(is_ours));
    Ok(others.filter_map(|instance| instance.instance_id).collect())
}

/// Ids of instances that carry the stack's tag and are not gone.
pub(super) async fn tagged(cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
    if !shared::carries_tag(cx, memo, ResourceType::Instance).await? {
        return Ok(Vec::new());
    }
    listed(cx.cloud, cx.site.owner_filter(), &ALIVE).await
}

async fn listed(cloud: &Cloud, filter: Filter, states: &[&str]) -> Result<Vec<String>> {
    Ok(described(cloud, filter, states).await?.into_iter().filter_map(|instance| instance.instance_id).collect())
}

async fn described(cloud: &Cloud, filter: Filter, states: &[&str]) -> Result<Vec<Ec2Instance>> {
    let states = states.iter().map(|state| (*state).to_owned()).collect();
    let alive = Filter::builder().name("instance-state-name").set_values(Some(states));
    let request = cloud.ec2.describe_instances().filters(filter).filters(alive.build());
    let reservations = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    Ok(reservations.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default()).collect())
}

/// Ids of the group's instances of which this is true.
pub(super) fn ids(group: &Group, which: fn(&Instance) -> bool) -> Vec<String> {
    let found = group.instances().iter().filter(|instance| which(instance));
    found.filter_map(|instance| instance.instance_id.clone()).collect()
}

/// An instance that a person keeps as it is, and what it was launched from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeptInstance {
    id: String,
    is_protected: bool,
    is_in_standby: bool,
    template: Option<(String, String)>,
}

/// The instances of a group that a person keeps: protected from scale-in, or in standby.
pub(super) fn kept(group: &Group) -> Vec<KeptInstance> {
    let kept = group.instances().iter().filter(|one| is_protected(one) || is_in_standby(one));
    kept.map(|one| KeptInstance {
        id: one.instance_id().unwrap_or("?").to_owned(),
        is_protected: is_protected(one),
        is_in_standby: is_in_standby(one),
        template: one
            .launch_template()
            .and_then(|from| Some((from.launch_template_id()?.to_owned(), from.version()?.to_owned()))),
    })
    .collect()
}

/// What a rollout to this version of this template meets: the kept instances that are not of it.
pub(super) fn meets_kept(kept: &[KeptInstance], want: (&str, &str)) -> Vec<Effect> {
    let ids = |which: fn(&KeptInstance) -> bool| -> Vec<String> {
        let is_right =
            |one: &KeptInstance| one.template.as_ref().is_some_and(|(id, version)| (&**id, &**version) == want);
        let met = kept.iter().filter(|one| which(one) && !is_right(one));
        met.map(|one| one.id.clone()).collect()
    };
    let protected = Effect::MeetsProtected { instances: ids(|one| one.is_protected) };
    let standby = Effect::MeetsStandby { instances: ids(|one| one.is_in_standby) };
    let is_met = |effect: &Effect| match effect {
        Effect::MeetsProtected { instances } | Effect::MeetsStandby { instances } => !instances.is_empty(),
        _ => false,
    };
    [protected, standby].into_iter().filter(is_met).collect()
}

/// How many instances of a group are in which state, with the first few ids of each: `2 InService (i-1, i-2)`.
pub fn members(group: &Group) -> String {
    let mut states: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for instance in group.instances() {
        let state = instance.lifecycle_state().map_or("?", LifecycleState::as_str);
        states.entry(state).or_default().push(instance.instance_id().unwrap_or("?"));
    }
    let words = states.iter().map(|(state, ids)| format!("{} {state} ({})", ids.len(), few(ids, ", ")));
    let words: Vec<String> = words.collect();
    if words.is_empty() { "no instances".to_owned() } else { words.join("; ") }
}

/// Each instance of a group, in words by its id: type, zone and state.
pub(super) fn each(group: &Group) -> BTreeMap<String, String> {
    let words = |one: &Instance| {
        let state = one.lifecycle_state().map_or("?", LifecycleState::as_str);
        let (kind, zone) = (one.instance_type().unwrap_or("?"), one.availability_zone().unwrap_or("?"));
        Some((one.instance_id.clone()?, format!("instance, {kind} in {zone}, {state}")))
    };
    group.instances().iter().filter_map(words).collect()
}

/// Whether it is protected from scale-in.
pub(super) fn is_protected(instance: &Instance) -> bool {
    instance.protected_from_scale_in() == Some(true)
}

/// Whether it is on its way out.
pub fn is_terminating(instance: &Instance) -> bool {
    instance.lifecycle_state().is_some_and(|state| state.as_str().starts_with("Terminat"))
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
