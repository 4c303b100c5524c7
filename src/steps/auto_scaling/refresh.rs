//! Instance refreshes of an auto scaling group, in one shape.

use aws_sdk_autoscaling::types::{
    DesiredConfiguration, Instance, InstanceRefresh, InstanceRefreshStatus, LaunchTemplateSpecification,
    MixedInstancesPolicy, RefreshPreferences, RefreshStrategy, ScaleInProtectedInstances, StandbyInstances,
};
use aws_smithy_types::DateTime;

use crate::cloud::{Absent, Cloud, Error, Need, Result};
use crate::engine::{Kept, KeptInstances};

/// One instance refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// AWS's id of it.
    pub id: String,
    /// `Pending`, `InProgress`, `Baking`, `Cancelling`, `RollbackInProgress`; or what it ended in.
    pub status: String,
    /// The id of the launch template that it brings; empty when it was started without.
    pub template: String,
    /// The version that it brings; empty when it was started without.
    pub version: String,
    /// Instances that are replaced, healthy and warm, in percent.
    pub percent: i32,
    /// Instances still to be replaced.
    pub to_update: i32,
    /// AWS's words; empty when there are none.
    pub reason: String,
    /// When it began.
    pub started: Option<DateTime>,
}

impl Refresh {
    /// Whether it is still under way.
    pub fn active(&self) -> bool {
        self.forward() || ["Cancelling", "RollbackInProgress"].contains(&self.status.as_str())
    }

    /// Whether it is under way to its version, and not back.
    pub fn forward(&self) -> bool {
        ["Pending", "InProgress", "Baking"].contains(&self.status.as_str())
    }

    /// Whether it is under way back from its version.
    pub fn goes_back(&self) -> bool {
        self.status == "RollbackInProgress"
    }

    /// Whether it brings this version of this template.
    pub fn brings(&self, template: &str, version: &str) -> bool {
        self.template == template && self.version == version
    }

    /// Whether this instance was launched from what it brings. A template that was made anew counts from 1 again.
    pub fn launched(&self, instance: &Instance) -> bool {
        let from = instance.launch_template();
        let from = from.and_then(|from| Some((from.launch_template_id()?, from.version()?)));
        from.is_some_and(|(template, version)| self.brings(template, version))
    }

    /// The version that this instance was launched from; with its template, where that is not the one that it brings.
    pub fn version_of(&self, instance: &Instance) -> String {
        let from = instance.launch_template();
        let version = from.and_then(|from| from.version()).unwrap_or("?");
        match from.and_then(|from| from.launch_template_id()) {
            Some(other) if !self.template.is_empty() && *other != self.template => format!("{version} of {other}"),
            _ => version.to_owned(),
        }
    }

    /// Whether instances that a person keeps were in its way: that says nothing of its version.
    pub fn met_kept(&self) -> bool {
        let reason = self.reason.to_lowercase();
        ["scale in", "scale-in", "standby"].iter().any(|word| reason.contains(word))
    }

    /// Whether its version was not kept, because it failed or on command.
    pub fn rolled_back(&self) -> bool {
        ["Failed", "RollbackSuccessful", "RollbackFailed"].contains(&self.status.as_str())
    }
}

/// Every refresh of a group, newest first; `None`: this endpoint has no refreshes.
///
/// # Errors
/// Auto Scaling does not describe them.
pub async fn refreshes(cloud: &Cloud, group: &str) -> Result<Option<Vec<Refresh>>> {
    let request = cloud.autoscaling.describe_instance_refreshes().auto_scaling_group_name(group);
    match request.send().await.or_absent() {
        Err(error) if cloud.lacks(&error) => Ok(None),
        reply => {
            let all = reply?.and_then(|reply| reply.instance_refreshes).unwrap_or_default();
            Ok(Some(all.into_iter().map(shaped).collect()))
        }
    }
}

/// How a refresh goes.
pub struct Manner {
    /// Seconds that it waits after the first instance, so that the service can be verified.
    pub checkpoint: Option<i32>,
    /// What becomes of instances that a person keeps.
    pub kept: KeptInstances,
}

/// Starts one: launch before terminate, never fewer than desired, back by itself on failure. `mixed`: the group's
/// policy with the wanted version in it, when it has one. `None`: this endpoint has no refreshes.
///
/// # Errors
/// Auto Scaling does not start it.
pub async fn start(
    cloud: &Cloud,
    group: &str,
    (template, mixed): (LaunchTemplateSpecification, Option<MixedInstancesPolicy>),
    Manner { checkpoint, kept }: Manner,
) -> Result<Option<String>> {
    let wanted = match mixed {
        Some(policy) => DesiredConfiguration::builder().mixed_instances_policy(policy),
        None => DesiredConfiguration::builder().launch_template(template),
    };
    let preferences = RefreshPreferences::builder()
        .skip_matching(true)
        .min_healthy_percentage(100)
        .max_healthy_percentage(150)
        .set_checkpoint_percentages(checkpoint.map(|_| vec![1, 100]))
        .set_checkpoint_delay(checkpoint)
        .set_scale_in_protected_instances(kept.protected.map(protected))
        .set_standby_instances(kept.standby.map(standby));
    let request = cloud
        .autoscaling
        .start_instance_refresh()
        .auto_scaling_group_name(group)
        .strategy(RefreshStrategy::Rolling)
        .desired_configuration(wanted.build());
    let with = |auto_rollback| {
        let preferences = preferences.clone().auto_rollback(auto_rollback).build();
        request.clone().preferences(preferences).send()
    };
    let reply = match with(true).await.map_err(Error::from) {
        // The group follows `$Latest`, or its image is a parameter: AWS cannot roll that back, and refuses to promise
        // it.
        Err(error) if error.code() == "ValidationError" && error.message().contains("AutoRollback") => {
            with(false).await.map_err(Error::from)
        }
        reply => reply,
    };
    match reply {
        Err(error) if cloud.lacks(&error) => Ok(None),
        reply => Ok(Some(reply?.instance_refresh_id.need("InstanceRefreshId")?)),
    }
}

/// Ends the one that is under way, and leaves what it replaced; false: none was.
///
/// # Errors
/// Auto Scaling does not cancel it.
pub async fn cancel(cloud: &Cloud, group: &str) -> Result<bool> {
    let request = cloud.autoscaling.cancel_instance_refresh().auto_scaling_group_name(group);
    match request.send().await.map_err(Error::from) {
        Err(error) if error.code() == NONE_ACTIVE => Ok(false),
        reply => reply.map(|_| true),
    }
}

/// Ends the one that is under way, and takes back what it replaced; false: AWS cannot, and it goes on
/// ("IrreversibleInstanceRefresh": the group follows `$Latest` or `$Default`, or an image by its parameter).
///
/// # Errors
/// Auto Scaling does not take it back.
pub async fn roll_back(cloud: &Cloud, group: &str) -> Result<bool> {
    let request = cloud.autoscaling.rollback_instance_refresh().auto_scaling_group_name(group);
    match request.send().await.map_err(Error::from) {
        // It ended, or was on its way back, before this call.
        Err(error) if error.code() == NONE_ACTIVE => Ok(true),
        Err(error) if error.code() == "IrreversibleInstanceRefresh" => Ok(false),
        reply => reply.map(|_| true),
    }
}

const NONE_ACTIVE: &str = "ActiveInstanceRefreshNotFound";

fn protected(how: Kept) -> ScaleInProtectedInstances {
    match how {
        Kept::Replaced => ScaleInProtectedInstances::Refresh,
        Kept::Ignored => ScaleInProtectedInstances::Ignore,
        Kept::WaitedFor => ScaleInProtectedInstances::Wait,
    }
}

fn standby(how: Kept) -> StandbyInstances {
    match how {
        Kept::Replaced => StandbyInstances::Terminate,
        Kept::Ignored => StandbyInstances::Ignore,
        Kept::WaitedFor => StandbyInstances::Wait,
    }
}

fn shaped(refresh: InstanceRefresh) -> Refresh {
    let template = refresh.desired_configuration.and_then(|wanted| {
        let of_policy = || wanted.mixed_instances_policy?.launch_template?.launch_template_specification;
        wanted.launch_template.or_else(of_policy)
    });
    let part = |part: Option<String>| part.unwrap_or_default();
    let mut reason: Vec<String> =
        refresh.rollback_details.and_then(|details| details.rollback_reason).into_iter().collect();
    reason.extend(refresh.status_reason.filter(|words| !reason.contains(words)));
    Refresh {
        id: part(refresh.instance_refresh_id),
        status: refresh.status.as_ref().map_or("", InstanceRefreshStatus::as_str).to_owned(),
        version: part(template.as_ref().and_then(|template| template.version.clone())),
        template: part(template.and_then(|template| template.launch_template_id)),
        percent: refresh.percentage_complete.unwrap_or_default(),
        to_update: refresh.instances_to_update.unwrap_or_default(),
        reason: reason.join(" "),
        started: refresh.start_time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(template: &str, number: &str) -> LaunchTemplateSpecification {
        LaunchTemplateSpecification::builder().launch_template_id(template).version(number).build()
    }

    /// Its instances would be blamed on a version that they do not have.
    #[test]
    fn the_same_number_of_a_former_template_is_not_what_it_brings() {
        let wanted = DesiredConfiguration::builder().launch_template(version("lt-new", "1")).build();
        let refresh = shaped(InstanceRefresh::builder().desired_configuration(wanted).build());
        let from = |template| Instance::builder().launch_template(version(template, "1")).build();
        assert!(refresh.launched(&from("lt-new")) && !refresh.launched(&from("lt-former")));
        assert_eq!(["lt-new", "lt-former"].map(|id| refresh.version_of(&from(id))), ["1", "1 of lt-former"]);
        let plain = shaped(InstanceRefresh::builder().build());
        assert!(!plain.launched(&from("lt-new")) && !plain.launched(&Instance::builder().build()));
        assert_eq!(plain.version_of(&from("lt-former")), "1");
    }
}
