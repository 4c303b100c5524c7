//! The checks that ask AWS (guide steps 4 to 6 and its troubleshooting table).

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::Instance;
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, LoadBalancerStateEnum};

use super::found::Found;
use super::reasons::explain;
use super::targets;
use crate::cloud::{self, Cloud};
use crate::config::Config;
use crate::engine::Outputs;
use crate::outcome::{Action, Change, Finding, Status};
use crate::steps::{auto_scaling, load_balancer, target_group};

const UP: &str = "`deploy plan` shows it, `deploy up` mends it.";

/// A stack that AWS is asked about.
pub struct Stack<'a> {
    pub cloud: &'a Cloud,
    pub config: &'a Config,
    pub ids: &'a Outputs,
    /// What `deploy plan` would print.
    pub changes: &'a [Change],
}

impl Stack<'_> {
    /// Whether the load balancer serves.
    pub async fn load_balancer(&self) -> Found {
        let check = Finding::new("load_balancer", 4, "load balancer active");
        let Some(arn) = self.ids.get(&load_balancer::ARN) else {
            return Found::settled(self.absent(check, "load_balancer"));
        };
        let reply = self.cloud.elb.describe_load_balancers().load_balancer_arns(arn).send().await;
        let state = |found: &LoadBalancer| found.state().and_then(|state| state.code().cloned());
        match reply.map_err(cloud::Error::from) {
            Err(error) => unknown(check, &error),
            Ok(reply) => match reply.load_balancers().first().and_then(state) {
                Some(LoadBalancerStateEnum::Active) => Found::settled(check.pass("active")),
                Some(LoadBalancerStateEnum::ActiveImpaired) => {
                    Found::settled(check.found(Status::Warn, "active_impaired").because(
                        "it serves, and AWS could not give it all that it needs to scale",
                        "Look at free addresses in its subnets: at least 8 each.",
                    ))
                }
                Some(LoadBalancerStateEnum::Provisioning) => Found::healing(check.fail(
                    "provisioning",
                    "AWS is making it, which takes minutes",
                    "Wait: --timeout allows more.",
                )),
                other => {
                    let state = other.map_or("nothing", |_| "failed");
                    let cause = "AWS could not make it: often no free addresses, or no internet gateway for an internet-facing one";
                    Found::settled(check.fail(state, cause, "`deploy teardown --yes`, mend the network, `deploy up`."))
                }
            },
        }
    }

    /// Whether the listeners are as wanted.
    pub fn listeners(&self) -> Found {
        let check = Finding::new("listeners", 4, "listeners as wanted");
        let wrong: Vec<String> = self.differences(|resource| resource.ends_with("_listener"));
        Found::settled(match wrong.is_empty() {
            true => check.pass("as deploy.yaml wants them"),
            false => check.fail(wrong.join("; "), "a listener is missing or was changed", UP),
        })
    }

    /// Whether every target is healthy and there are enough.
    pub async fn targets(&self) -> Found {
        let check = Finding::new("targets", 6, "targets healthy");
        let Some(arn) = self.ids.get(&target_group::ARN) else {
            return Found::settled(self.absent(check, "target_group"));
        };
        let targets = match targets(self.cloud, arn).await {
            Ok(targets) => targets,
            Err(error) => return unknown(check, &error),
        };
        let wanted = usize::try_from(self.config.scaling.min.max(1)).unwrap_or(1);
        let evidence = format!("{} of {} registered targets healthy", targets.healthy, targets.registered);
        let Some(worst) = targets.others.iter().find(|one| !one.leaving) else {
            return match targets.healthy >= wanted {
                true => Found::settled(check.pass(evidence)),
                false => Found::healing(check.fail(
                    format!("{evidence}, at least {wanted} wanted"),
                    "the auto scaling group has not launched or registered enough instances",
                    "`deploy diagnose` shows what its last activities say.",
                )),
            };
        };
        let explained = explain(&worst.reason, worst.description.as_deref(), self.config);
        let evidence = format!("{evidence}; {worst}");
        let check = check.fail(evidence, explained.cause, explained.fix);
        Found { check, heals: explained.heals }
    }

    /// Whether running instances have the profile, and are of the group's version.
    pub async fn instances(&self) -> [Found; 2] {
        let profile = Finding::new("instance_profile", 2, "instance profile on the instances");
        let version = Finding::new("launch_template_version", 3, "instances on the group's template version");
        let group = match self.group().await {
            Ok(Some(group)) => group,
            Ok(None) => {
                return [profile, version].map(|check| Found::settled(self.absent(check, "auto_scaling_group")));
            }
            Err(error) => return [profile, version].map(|check| unknown(check, &error)),
        };
        let on_profile = match self.profiles(&group).await {
            Ok(others) if group.instances().is_empty() && others.is_empty() => {
                Found::healing(profile.fail("no instances", "the group has launched none", "`deploy diagnose` shows why."))
            }
            Ok(others) if others.is_empty() => {
                Found::settled(profile.pass(format!("{} on {} instances", self.config.names.instance_profile, group.instances().len())))
            }
            Ok(others) => Found::settled(profile.fail(
                others.join("; "),
                "the instances were launched from a template without it, or it was taken off (guide, troubleshooting)",
                "`deploy up` mends the template and replaces them; one that lost its profile alone is replaced when you terminate it.",
            )),
            Err(error) => unknown(profile, &error),
        };
        [on_profile, Found::settled(on_version(version, &group))]
    }

    /// Whether the scaling policy stands with its alarms.
    pub async fn scaling_policy(&self) -> Found {
        let check = Finding::new("scaling_policy", 4, "scaling policy and alarms");
        let Some(name) = self.ids.get(&auto_scaling::NAME) else {
            return Found::settled(self.absent(check, "auto_scaling_group"));
        };
        let reply = self.cloud.autoscaling.describe_policies().auto_scaling_group_name(name).send().await;
        let policies = match reply.map_err(cloud::Error::from) {
            Ok(reply) => reply.scaling_policies.unwrap_or_default(),
            Err(error) => return unknown(check, &error),
        };
        let tracking = policies.iter().find(|policy| policy.policy_type() == Some("TargetTrackingScaling"));
        Found::settled(match tracking {
            None => check.fail("no target tracking policy", "it was removed", UP),
            Some(policy) if policy.alarms().is_empty() => {
                let cause = "Auto Scaling makes two alarms with the policy; without them it never scales";
                check.fail(
                    "the policy has no alarms",
                    cause,
                    "Remove the policy (`aws autoscaling delete-policy`) and run `deploy up`.",
                )
            }
            Some(policy) => {
                let target = policy.target_tracking_configuration().and_then(|tracking| tracking.target_value());
                let target = target.map_or_else(String::new, |target| format!(", CPU target {target} %"));
                check.pass(format!("{} alarms{target}", policy.alarms().len()))
            }
        })
    }

    /// Whether `deploy plan` would say nothing.
    pub fn drift(&self) -> Found {
        let check = Finding::new("drift", 0, "as deploy.yaml wants it");
        let wrong = self.differences(|_| true);
        Found::settled(match wrong.is_empty() {
            true => check.pass("no difference"),
            false => check.fail(wrong.join("; "), "somebody changed the stack or deploy.yaml", UP),
        })
    }

    fn absent(&self, check: Finding, what: &str) -> Finding {
        let name =
            self.changes.iter().find(|change| change.resource == what).map_or(what, |change| change.name.as_str());
        check.fail(format!("{name} does not stand"), "the stack was not made, or not wholly", "`deploy up` makes it.")
    }

    fn differences(&self, which: fn(&str) -> bool) -> Vec<String> {
        let these = self.changes.iter().filter(|change| which(change.resource));
        let words = |change: &Change| {
            let fields: Vec<&str> = change.fields.iter().map(|field| field.field.as_str()).take(4).collect();
            match change.action {
                Action::Update => format!("{} {}: {} differs", change.resource, change.name, fields.join(", ")),
                action => format!("{} {}: {}", change.resource, change.name, action.word()),
            }
        };
        these.map(words).collect()
    }

    async fn group(&self) -> cloud::Result<Option<AutoScalingGroup>> {
        match self.ids.get(&auto_scaling::NAME) {
            Some(name) => auto_scaling::find_group(self.cloud, name).await,
            None => Ok(None),
        }
    }

    /// Instances whose profile is another one.
    async fn profiles(&self, group: &AutoScalingGroup) -> cloud::Result<Vec<String>> {
        let wanted = format!("/{}", self.config.names.instance_profile);
        let mut others = Vec::new();
        for one in instances(self.cloud, group).await? {
            let profile = one.iam_instance_profile().and_then(|profile| profile.arn()).unwrap_or("none");
            if !profile.ends_with(&wanted) {
                others.push(format!("{} has {profile}", one.instance_id().unwrap_or("?")));
            }
        }
        Ok(others)
    }
}

/// The instances of a group, as EC2 describes them.
///
/// # Errors
/// EC2 does not.
pub async fn instances(cloud: &Cloud, group: &AutoScalingGroup) -> cloud::Result<Vec<Instance>> {
    let ids: Vec<String> = group.instances().iter().filter_map(|one| one.instance_id().map(str::to_owned)).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let request = cloud.ec2.describe_instances().set_instance_ids(Some(ids));
    let reservations = request.into_paginator().items().send().try_collect().await?;
    let instances = reservations.into_iter().filter_map(|one| one.instances);
    Ok(instances.flatten().collect())
}

fn on_version(check: Finding, group: &AutoScalingGroup) -> Finding {
    let wanted = group.launch_template().and_then(|template| template.version()).unwrap_or("none");
    let versions: BTreeSet<&str> = group
        .instances()
        .iter()
        .map(|one| one.launch_template().and_then(|template| template.version()).unwrap_or("none"))
        .collect();
    let others: Vec<&str> = versions.iter().filter(|version| **version != wanted).copied().collect();
    match others.is_empty() {
        true => check.pass(format!("version {wanted} on {} instances", group.instances().len())),
        false => check
            .found(
                Status::Warn,
                format!("the group launches version {wanted}; instances run version {}", others.join(", ")),
            )
            .because(
                "the template was changed, or another version pinned, and the instances were not replaced",
                "`deploy up` replaces them by an instance refresh.",
            ),
    }
}

fn unknown(check: Finding, error: &cloud::Error) -> Found {
    Found::settled(
        check
            .found(Status::Unknown, error.to_string())
            .because("AWS did not answer the question", "The caller needs the permission to read it; see the error."),
    )
}
