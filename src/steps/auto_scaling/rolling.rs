//! How a changed launch template reaches the instances: an instance refresh, begun, found again and given up.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Group, Instance, LaunchTemplate, LaunchTemplateSpecification, MixedInstancesPolicy,
};

use super::find_group;
use super::instances::{is_in_standby, is_protected, is_terminating};
use super::refresh::{self, Manner, Refresh, refreshes};
use super::{RolledBack, Spec, template, template_of};
use crate::cloud::{self, Absent, Cloud};
use crate::engine::{Context, Error, Kept, KeptInstances, Reading, Result};
use crate::steps::launch_template;

/// How long a refresh waits after the first instance, so that the service can be asked before the others follow.
const CHECKPOINT_SECONDS: i32 = 60;

/// Brings the group to the wanted version: by an instance refresh where instances must be replaced, by its number alone
/// where they need not. The refresh sets the number itself when it succeeds, so that AWS has something to go back to.
pub(super) async fn roll(cx: &Context<'_>, name: &str, had: &Spec, want: &Spec) -> Result<()> {
    let cloud = cx.cloud;
    // One that began meanwhile is followed, or ended, when the next reading shows it.
    if had.refresh_to.is_none() && refreshes(cloud, name).await?.is_some_and(|all| all.iter().any(Refresh::active)) {
        return Ok(());
    }
    let group = find_group(cloud, name).await?;
    let policy = group.as_ref().and_then(|group| group.mixed_instances_policy.clone());
    let mixed = policy.map(|policy| with_template(policy, template(want)));
    if let Some(group) = group.filter(|group| to_replace(cx, group, want.template()).next().is_some()) {
        if had.launch_template_version.starts_with('$') {
            pin_to_former(cloud, &group, want).await?;
        }
        let checkpoint = cx.verified_rollout.then_some(CHECKPOINT_SECONDS);
        let manner = Manner { checkpoint, kept: cx.kept };
        let started = refresh::start(cloud, name, (template(want), mixed.clone()), manner).await?;
        if started.is_some() {
            return Ok(());
        }
    }
    pin(cloud, name, template(want), mixed).await
}

/// Notes in the spec what keeps the group from the wanted version; the refresh that is under way to it, or back from
/// another.
pub(super) async fn under_way(
    cx: &Context<'_>,
    reading: &Reading,
    group: &Group,
    spec: &mut Spec,
) -> Result<Option<Refresh>> {
    let (id, version) = (reading.output(launch_template::ID).await?, reading.output(launch_template::VERSION).await?);
    let (Some(id), Some(version)) = (id, version) else {
        return Ok(None); // without its template there is nothing to bring
    };
    // Pinned to another version, the group differs already; its instances need not be reported too.
    let pinned = spec.template() == (id.as_str(), version.as_str());
    let outdated = to_replace(cx, group, (&id, &version)).count();
    // A template that never changed brings nothing to refresh to.
    let latest = reading.output(launch_template::LATEST).await?;
    if pinned && outdated == 0 && latest.is_some_and(|latest| latest == "1") {
        return Ok(None);
    }
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let Some(all) = refreshes(cx.cloud, name).await? else {
        return Ok(None); // where there are no refreshes, instances stay as they are
    };
    spec.outdated_instances = (pinned && outdated > 0).then_some(outdated);
    let last = all.iter().find(|refresh| refresh.brings(&id, &version));
    let last = last.filter(|refresh| refresh.rolled_back() && !refresh.met_kept());
    spec.aside.rolled_back = last.map(|last| RolledBack {
        template: id.clone(),
        version: version.clone(),
        why: format!("{}: {}", last.status, last.reason),
    });
    let active = all.into_iter().find(Refresh::active);
    if let Some(other) = active.as_ref().filter(|refresh| refresh.forward() && !refresh.brings(&id, &version)) {
        spec.refresh_to = Some(other.version.clone());
        return Ok(None);
    }
    if let Some(lost) = active.as_ref().filter(|refresh| refresh.goes_back())
        && !has_way_back(cx.cloud, group).await?
    {
        spec.refresh_to = Some(lost.version.clone());
        return Ok(None);
    }
    Ok(active)
}

/// Whether instances can be launched from what the group had before its refresh. A way back to a template or a version
/// that was deleted since has no end.
///
/// # Errors
/// EC2 does not describe it.
pub async fn has_way_back(cloud: &Cloud, group: &Group) -> cloud::Result<bool> {
    let Some(former) = template_of(group) else { return Ok(true) };
    let request = cloud.ec2.describe_launch_template_versions();
    let request = request.set_launch_template_id(former.launch_template_id.clone());
    let found = request.set_versions(former.version.clone().map(|version| vec![version])).send().await.or_absent()?;
    Ok(found.is_some_and(|reply| !reply.launch_template_versions().is_empty()))
}

/// The instances that stay and were not launched from this version of this template.
pub fn outdated<'a>(group: &'a Group, want: (&'a str, &'a str)) -> impl Iterator<Item = &'a Instance> {
    let stays = |instance: &&Instance| !is_terminating(instance);
    // A type of a mixed instances policy may have a template of its own.
    let of_policy = group.mixed_instances_policy().and_then(|policy| policy.launch_template());
    let own: Vec<&str> = of_policy
        .into_iter()
        .flat_map(LaunchTemplate::overrides)
        .filter_map(|kind| kind.launch_template_specification()?.launch_template_id())
        .filter(|id| *id != want.0)
        .collect();
    let differs = move |instance: &&Instance| {
        instance.launch_template().is_none_or(|from| {
            (from.launch_template_id(), from.version()) != (Some(want.0), Some(want.1))
                && !from.launch_template_id().is_some_and(|id| own.contains(&id))
        })
    };
    group.instances().iter().filter(stays).filter(differs)
}

/// An instance refresh in a line.
pub fn summary(refresh: &Refresh) -> String {
    let reason = match refresh.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    format!(
        "instance refresh to version {}: {}, {} %, {} to go{reason}",
        refresh.version, refresh.status, refresh.percent, refresh.to_update
    )
}

/// Pins a group that follows `$Latest` or `$Default`, as the console's wizard leaves it, to the version that most of
/// its outdated instances came from: AWS goes back to a numbered version only (user guide, "Undo changes with a manual
/// or auto rollback").
async fn pin_to_former(cloud: &Cloud, group: &Group, want: &Spec) -> Result<()> {
    let mut count: BTreeMap<(i64, &str), usize> = BTreeMap::new();
    for from in outdated(group, want.template()).filter_map(Instance::launch_template) {
        let number = from.version().and_then(|version| version.parse().ok());
        if let (Some(number), Some(id)) = (number, from.launch_template_id()) {
            *count.entry((number, id)).or_default() += 1;
        }
    }
    let Some(((number, id), _)) = count.into_iter().max_by_key(|(_, count)| *count) else {
        return Ok(());
    };
    let former = LaunchTemplateSpecification::builder().launch_template_id(id).version(number.to_string());
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let former = former.build();
    let mixed = group.mixed_instances_policy.clone().map(|policy| with_template(policy, former.clone()));
    match pin(cloud, name, former, mixed).await {
        // Template or version were deleted: the refresh cannot be rolled back, and is started nevertheless.
        Err(Error::Cloud(error)) if error.message().contains("does not exist") => Ok(()),
        pinned => pinned,
    }
}

// How AWS spells it.

/// The outdated instances that a refresh is to replace.
fn to_replace<'a>(cx: &Context<'_>, group: &'a Group, want: (&'a str, &'a str)) -> impl Iterator<Item = &'a Instance> {
    let KeptInstances { protected, standby } = cx.kept;
    let is_ignored = move |one: &Instance| {
        let ignored = Some(Kept::Ignored);
        (protected == ignored && is_protected(one)) || (standby == ignored && is_in_standby(one))
    };
    outdated(group, want).filter(move |one| !is_ignored(one))
}

/// Types, Spot share and whatever else a policy has stay as they are.
fn with_template(mut policy: MixedInstancesPolicy, to: LaunchTemplateSpecification) -> MixedInstancesPolicy {
    if let Some(template) = policy.launch_template.as_mut() {
        template.launch_template_specification = Some(to);
    }
    policy
}

/// `mixed`: the group's policy with that version in it, when it has one.
async fn pin(
    cloud: &Cloud,
    group: &str,
    to: LaunchTemplateSpecification,
    mixed: Option<MixedInstancesPolicy>,
) -> Result<()> {
    let request = cloud.autoscaling.update_auto_scaling_group().auto_scaling_group_name(group);
    let request = match mixed {
        Some(policy) => request.mixed_instances_policy(policy),
        None => request.launch_template(to),
    };
    request.send().await?;
    Ok(())
}
