//! How a changed launch template reaches the instances: an instance refresh, begun, found again and given up.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{AutoScalingGroup as Group, Instance, LaunchTemplateSpecification};

use super::find_group;
use super::refresh::{self, Refresh, refreshes};
use super::{RolledBack, Spec, template};
use crate::cloud::Cloud;
use crate::engine::{Context, Error, Reading, Result};
use crate::steps::launch_template;

/// How long a refresh waits after the first instance, so that the service can be asked before the others follow.
const CHECKPOINT_SECONDS: i32 = 60;

/// Brings the group to the wanted version: by an instance refresh where instances must be replaced, by its number alone
/// where they need not. The refresh sets the number itself when it succeeds, so that AWS has something to go back to.
pub(super) async fn roll(cx: &Context<'_>, name: &str, had: &Spec, want: &Spec) -> Result<()> {
    let cloud = cx.cloud;
    let (template_id, version) = want.template();
    let all = refreshes(cloud, name).await?.unwrap_or_default();
    if let Some(active) = all.iter().find(|refresh| refresh.active()) {
        if !active.forward() || active.brings(template_id, version) {
            return Ok(());
        }
        // The next reading waits for its end. If there is none to cancel, a read that lags had shown it.
        if refresh::cancel(cloud, name).await? {
            return Ok(());
        }
    }
    let outdated = find_group(cloud, name).await?.filter(|group| outdated(group, want.template()).next().is_some());
    if let Some(group) = outdated {
        if had.launch_template_version.starts_with('$') {
            pin_to_former(cloud, &group, want).await?;
        }
        let checkpoint = cx.verified_rollout.then_some(CHECKPOINT_SECONDS);
        let started = refresh::start(cloud, name, want.template(), checkpoint).await?;
        if started.is_some() {
            return Ok(());
        }
    }
    pin(cloud, name, template(want)).await
}

/// Notes in the spec what keeps the group from the wanted version; the refresh that is under way to it, or back from
/// another.
pub(super) async fn under_way(
    cloud: &Cloud,
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
    let outdated = outdated(group, (&id, &version)).count();
    // A template that never changed brings nothing to refresh to.
    let latest = reading.output(launch_template::LATEST).await?;
    if pinned && outdated == 0 && latest.is_some_and(|latest| latest == "1") {
        return Ok(None);
    }
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let Some(all) = refreshes(cloud, name).await? else {
        return Ok(None); // where there are no refreshes, instances stay as they are
    };
    spec.outdated_instances = (pinned && outdated > 0).then_some(outdated);
    let last = all.iter().find(|refresh| refresh.brings(&id, &version)).filter(|refresh| refresh.rolled_back());
    spec.rolled_back = last.map(|last| RolledBack {
        template: id.clone(),
        version: version.clone(),
        why: format!("{}: {}", last.status, last.reason),
    });
    let active = all.into_iter().find(Refresh::active);
    if let Some(other) = active.as_ref().filter(|refresh| refresh.forward() && !refresh.brings(&id, &version)) {
        spec.refresh_to = Some(other.version.clone());
        return Ok(None);
    }
    Ok(active)
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
    match pin(cloud, name, former.build()).await {
        // Template or version were deleted: the refresh cannot be rolled back, and is started nevertheless.
        Err(Error::Cloud(error)) if error.message().contains("does not exist") => Ok(()),
        pinned => pinned,
    }
}

// How AWS spells it.

/// The instances that stay and were not launched from this version.
fn outdated<'a>(group: &'a Group, want: (&'a str, &'a str)) -> impl Iterator<Item = &'a Instance> {
    let stays =
        |instance: &&Instance| !instance.lifecycle_state().is_some_and(|state| state.as_str().starts_with("Terminat"));
    let differs = move |instance: &&Instance| {
        instance
            .launch_template()
            .is_none_or(|from| (from.launch_template_id(), from.version()) != (Some(want.0), Some(want.1)))
    };
    group.instances().iter().filter(stays).filter(differs)
}

async fn pin(cloud: &Cloud, group: &str, to: LaunchTemplateSpecification) -> Result<()> {
    let request = cloud.autoscaling.update_auto_scaling_group().auto_scaling_group_name(group);
    request.launch_template(to).send().await?;
    Ok(())
}
