//! The guide's troubleshooting table, carried out, and what AWS's users add to it: the causes first, the symptoms after
//! them. Reads only.

mod certificate;
mod fleet;
mod network;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::Instance;
use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, TargetGroup};

use super::{Stack, instances};
use crate::cloud::{self, Absent, Cloud};
use crate::config::Config;
use crate::engine::Outputs;
use crate::outcome::{Action, Change, Finding, Status};
use crate::site::Site;
use crate::steps::{auto_scaling, load_balancer, target_group};

/// A stack that something may be wrong with.
pub struct Diagnosis<'a> {
    pub cloud: &'a Cloud,
    pub config: &'a Config,
    /// `None`: what the stack needs and never makes is not all there.
    pub site: Option<&'a Site>,
    pub ids: &'a Outputs,
    /// What `deploy plan` would print; empty without a site.
    pub changes: &'a [Change],
}

/// What several findings look at.
#[derive(Default)]
struct Seen {
    group: Option<AutoScalingGroup>,
    instances: Vec<Instance>,
    balancer: Option<LoadBalancer>,
    listeners: Vec<Listener>,
    target_group: Option<TargetGroup>,
}

impl Diagnosis<'_> {
    /// Every finding, in the order in which one thing causes the next: the first that failed is the most likely cause.
    ///
    /// # Errors
    /// AWS did not say what stands.
    pub async fn findings(&self) -> cloud::Result<Vec<Finding>> {
        if self.ids.is_empty() {
            return Ok(vec![self.stands()]);
        }
        let seen = self.look().await?;
        let stack = Stack { cloud: self.cloud, config: self.config, ids: self.ids, changes: self.changes };
        let (launches, capacity, role, certificate, network, [profile, version], targets, scale_out) = tokio::join!(
            self.launches(&seen),
            self.capacity(&seen),
            self.role(),
            self.certificate(),
            self.network(&seen),
            stack.instances(),
            stack.targets(),
            self.scale_out(&seen),
        );
        let mut findings = vec![self.stands(), launches, capacity, role, certificate];
        findings.extend(network);
        findings.extend([profile.check, version.check, targets.check, scale_out]);
        // Stable: among those that failed, and among the others, the order stays.
        findings.sort_by_key(|check| match check.status {
            Status::Fail => 0,
            Status::Unknown => 1,
            Status::Warn => 2,
            Status::Pass | Status::Skip => 3,
        });
        Ok(findings)
    }

    /// Whether everything is there that `up` makes, and ours.
    fn stands(&self) -> Finding {
        let check = Finding::new("stands", 0, "stack stands");
        if self.ids.is_empty() && self.site.is_some() {
            return check.fail(
                "nothing of this stack was found",
                "it was not made, or in another region or account, or under other names",
                "`deploy plan` shows what `deploy up` would make; look at region, --profile and names.",
            );
        }
        if self.site.is_none() {
            return check.skip("what the stack needs is not all there");
        }
        let of = |action: Action| -> Vec<String> {
            let these = self.changes.iter().filter(|change| change.action == action);
            these.map(|change| format!("{} {}", change.resource, change.name)).collect()
        };
        let (foreign, absent) = (of(Action::Foreign), of(Action::Create));
        if !foreign.is_empty() {
            return check.fail(
                foreign.join("; "),
                "something with our names is not ours",
                "`deploy plan --adopt` shows what taking it over would change; or set names.prefix.",
            );
        }
        match absent.is_empty() {
            true => check.pass("everything that `deploy up` makes is there"),
            false => check.fail(absent.join("; "), "it was not made, or was removed", "`deploy up` makes it."),
        }
    }

    async fn look(&self) -> cloud::Result<Seen> {
        let (group, balancer, target_group) = tokio::try_join!(self.group(), self.balancer(), self.target_group())?;
        let listeners = async {
            match self.ids.get(&load_balancer::ARN) {
                Some(arn) => {
                    let reply = self.cloud.elb.describe_listeners().load_balancer_arn(arn).send().await.or_absent()?;
                    Ok::<_, cloud::Error>(reply.and_then(|reply| reply.listeners).unwrap_or_default())
                }
                None => Ok(Vec::new()),
            }
        };
        let instances = async {
            match &group {
                Some(group) => instances(self.cloud, group).await,
                None => Ok(Vec::new()),
            }
        };
        let (listeners, instances) = tokio::try_join!(listeners, instances)?;
        Ok(Seen { group, instances, balancer, listeners, target_group })
    }

    async fn group(&self) -> cloud::Result<Option<AutoScalingGroup>> {
        match self.ids.get(&auto_scaling::NAME) {
            Some(name) => auto_scaling::find_group(self.cloud, name).await,
            None => Ok(None),
        }
    }

    async fn balancer(&self) -> cloud::Result<Option<LoadBalancer>> {
        let Some(arn) = self.ids.get(&load_balancer::ARN) else {
            return Ok(None);
        };
        let reply = self.cloud.elb.describe_load_balancers().load_balancer_arns(arn).send().await.or_absent()?;
        Ok(reply.and_then(|reply| reply.load_balancers?.into_iter().next()))
    }

    async fn target_group(&self) -> cloud::Result<Option<TargetGroup>> {
        let Some(arn) = self.ids.get(&target_group::ARN) else {
            return Ok(None);
        };
        let reply = self.cloud.elb.describe_target_groups().target_group_arns(arn).send().await.or_absent()?;
        Ok(reply.and_then(|reply| reply.target_groups?.into_iter().next()))
    }
}

/// AWS did not answer a finding's question.
fn unanswered(check: Finding, error: &cloud::Error) -> Finding {
    let (cause, fix) = match cloud::explain(error) {
        Some(row) => (row.cause.clone(), row.fix.clone()),
        None => ("AWS did not answer the question".to_owned(), "See the error.".to_owned()),
    };
    check.found(Status::Unknown, error.to_string()).because(cause, fix)
}
