//! The instances: whether they launch, and from what.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance as Member};
use aws_sdk_ec2::types::Instance;
use aws_sdk_iam::types::InstanceProfile as IamInstanceProfile;

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::stack::{Stack, UP, unanswered, while_parked};
use crate::cloud::{self, Absent};
use crate::outcome::{Finding, Status, few};
use crate::steps::auto_scaling::{self, launches};
use crate::steps::launch_template;

/// Processes without which the group does not launch or replace instances.
const NEEDED_PROCESSES: [&str; 4] = ["Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy"];

/// Whether the group can launch instances, by its own last activities.
pub struct Launches;

#[async_trait(?Send)]
impl Check for Launches {
    fn about(&self) -> &'static About {
        &About {
            id: "launches",
            step: 4,
            title: "instances launch",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let group = match stack.group().await {
            Ok(group) => group,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let (Some(group), Some(name)) = (group, stack.ids.get(&auto_scaling::NAME)) else {
            return Ok(finding.skip("there is no auto scaling group"));
        };
        let suspended: Vec<&str> = group.suspended_processes().iter().filter_map(|one| one.process_name()).collect();
        if suspended.iter().any(|process| NEEDED_PROCESSES.contains(process)) {
            return Ok(finding.fail(
                format!("suspended: {}", suspended.join(", ")),
                "processes of the group were suspended: it does not launch or replace instances",
                format!("`aws autoscaling resume-processes --auto-scaling-group-name {name}`"),
            ));
        }
        if let Some(parked) = while_parked(stack, &finding) {
            return Ok(parked);
        }
        let have = group.instances().len();
        let want = usize::try_from(group.desired_capacity().unwrap_or_default()).unwrap_or_default();
        let evidence = format!("{have} of {want} instances");
        let launches = match launches(stack.cloud, name).await {
            Ok(launches) => launches,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let Some(failing) = launches.failing(group, None) else {
            return Ok(finding.pass(evidence));
        };
        let (cause, fix) = match failing.known {
            Some(row) => (row.cause.clone(), row.fix.clone()),
            None => (
                "the last launch failed".to_owned(),
                format!("`aws autoscaling describe-scaling-activities --auto-scaling-group-name {name}`"),
            ),
        };
        let status = if have < want { Status::Fail } else { Status::Warn };
        Ok(finding.found(status, format!("{evidence}; {}", failing.words)).because(cause, fix))
    }
}

/// Whether the launch template names the profile, and the profile holds the role.
pub struct Role;

#[async_trait(?Send)]
impl Check for Role {
    fn about(&self) -> &'static About {
        &About {
            id: "role",
            step: 2,
            title: "launch template carries the instance profile",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let Some(id) = stack.ids.get(&launch_template::ID) else {
            return Ok(finding.skip("there is no launch template"));
        };
        let read = async {
            let named = profile_of_template(stack, id).await?;
            Ok::<_, cloud::Error>((named, own_profile(stack).await?))
        };
        Ok(match read.await {
            Ok((named, held)) => judge_role(stack, finding, named.as_deref(), held.as_ref()),
            Err(error) => unanswered(finding, &error),
        })
    }
}

/// The name of the profile that the template's default version gives its instances.
async fn profile_of_template(stack: &Stack<'_>, id: &str) -> cloud::Result<Option<String>> {
    let request = stack.cloud.ec2.describe_launch_template_versions().launch_template_id(id).versions("$Default");
    let versions = request.send().await.or_absent()?.and_then(|reply| reply.launch_template_versions);
    let version = versions.unwrap_or_default().into_iter().next();
    let data = version.and_then(|version| version.launch_template_data);
    let profile = data.as_ref().and_then(|data| data.iam_instance_profile());
    let name = profile.and_then(|profile| profile.name().or_else(|| profile.arn()?.rsplit('/').next()));
    Ok(name.map(str::to_owned))
}

async fn own_profile(stack: &Stack<'_>) -> cloud::Result<Option<IamInstanceProfile>> {
    let request = stack.cloud.iam.get_instance_profile().instance_profile_name(&stack.config.names.instance_profile);
    Ok(request.send().await.or_absent()?.and_then(|reply| reply.instance_profile))
}

fn judge_role(stack: &Stack<'_>, finding: Finding, named: Option<&str>, held: Option<&IamInstanceProfile>) -> Finding {
    let wanted = stack.config.names.instance_profile.as_str();
    let role = held.and_then(|profile| profile.roles().first()).map(aws_sdk_iam::types::Role::role_name);
    match (named, role) {
        (Some(named), Some(role)) if named == wanted && role == stack.config.names.role => {
            finding.pass(format!("{wanted}, with the role {role}"))
        }
        (Some(named), _) if named != wanted => finding.fail(
            format!("the template names {named}, not {wanted}"),
            "the template was changed (guide, troubleshooting: \"Role not present\")",
            UP,
        ),
        (None, _) => finding.fail(
            "the template names no instance profile",
            "instances cannot meter their use without it (guide, troubleshooting: \"Role not present\")",
            UP,
        ),
        (_, Some(role)) => finding.fail(
            format!("{wanted} holds the role {role}, not {}", stack.config.names.role),
            "the role was exchanged",
            UP,
        ),
        (_, None) => finding.fail(
            format!("the instance profile {wanted} does not exist, or holds no role"),
            "the console makes it silently, the API does not",
            UP,
        ),
    }
}

/// Whether running instances have the profile.
pub struct InstanceProfile;

#[async_trait(?Send)]
impl Check for InstanceProfile {
    fn about(&self) -> &'static About {
        &About {
            id: "instance_profile",
            step: 2,
            title: "instance profile on the instances",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Verify, Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let read = async { tokio::try_join!(stack.group(), stack.instances()) };
        let (group, instances) = match read.await {
            Ok((Some(group), instances)) => (group, instances),
            Ok((None, _)) => return Ok(stack.absent(finding, "auto_scaling_group")),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let profile = &stack.config.names.instance_profile;
        let others = other_profiles(instances, profile);
        Ok(if !others.is_empty() {
            finding.fail(
                counted(&others, instances.len()),
                "the instances were launched from a template without it, or it was taken off (guide, troubleshooting)",
                "`deploy up` fixes the template and replaces them; one that lost its profile alone is replaced when \
                 you terminate it.",
            )
        } else if let Some(parked) = while_parked(stack, &finding) {
            parked
        } else if group.instances().is_empty() {
            finding.fail("no instances", "the group has launched none", "`deploy diagnose` shows why.").healing()
        } else {
            finding.pass(format!("{profile} on {} instances", group.instances().len()))
        })
    }
}

/// How many of all, and the first few.
fn counted(others: &[String], all: usize) -> String {
    format!("{} of {all} instances: {}", others.len(), few(others, "; "))
}

/// Instances whose profile is another one.
fn other_profiles(instances: &[Instance], wanted: &str) -> Vec<String> {
    let wanted = format!("/{wanted}");
    let other = |instance: &Instance| {
        let profile = instance.iam_instance_profile().and_then(|profile| profile.arn()).unwrap_or("none");
        let is_other = !profile.ends_with(&wanted);
        is_other.then(|| format!("{} has {profile}", instance.instance_id().unwrap_or("?")))
    };
    instances.iter().filter_map(other).collect()
}

/// Whether running instances are of the version that the group launches.
pub struct TemplateVersion;

#[async_trait(?Send)]
impl Check for TemplateVersion {
    fn about(&self) -> &'static About {
        &About {
            id: "launch_template_version",
            step: 3,
            title: "instances on the group's template version",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Verify, Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        Ok(match stack.group().await {
            Ok(Some(group)) => judge_version(finding, group),
            Ok(None) => stack.absent(finding, "auto_scaling_group"),
            Err(error) => unanswered(finding, &error),
        })
    }
}

fn judge_version(finding: Finding, group: &AutoScalingGroup) -> Finding {
    let template = auto_scaling::template_of(group);
    let template = template.and_then(|template| Some((template.launch_template_id()?, template.version()?)));
    let (id, wanted) = template.unwrap_or(("none", "none"));
    let from = |one: &Member| match one.launch_template().map(|from| (from.launch_template_id(), from.version())) {
        Some((Some(other), Some(version))) if other != id => format!("{version} of {other}"),
        from => from.and_then(|(_, version)| version).unwrap_or("none").to_owned(),
    };
    let others: BTreeSet<String> = auto_scaling::outdated(group, (id, wanted)).map(from).collect();
    let staying = group.instances().iter().filter(|one| !auto_scaling::is_terminating(one)).count();
    if others.is_empty() && staying == 0 {
        return finding.skip("there is no instance");
    }
    if others.is_empty() {
        return finding.pass(format!("version {wanted} on {staying} instances"));
    }
    let others = Vec::from_iter(others).join(", ");
    let evidence = format!("the group launches version {wanted}; instances run version {others}");
    finding.found(Status::Warn, evidence).because(
        "the template was changed, or another version pinned, and the instances were not replaced",
        "`deploy up` replaces them by an instance refresh.",
    )
}
