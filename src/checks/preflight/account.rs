//! Who calls, for how long, and what the account has for it.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{about, creates};
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::stack::unanswered;
use crate::cloud::{Absent, Lifetime};
use crate::outcome::{Finding, Status};
use crate::steps::{auto_scaling, load_balancer};

/// How long the create of a stack takes at AWS: load balancer, launches, health checks, and some air.
const CREATE: Duration = Duration::from_mins(15);

/// AWS refuses signatures that are further off (IAM user guide, "Signature Version 4").
const SKEW_SECONDS: i64 = 300;

/// Whether the caller is somebody who should make a stack.
pub struct Caller;

#[async_trait(?Send)]
impl Check for Caller {
    fn about(&self) -> &'static About {
        const { &about("caller", 0, "the caller is not the root user") }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        Ok(match stack.cloud.identity().await {
            Err(error) => unanswered(finding, &error),
            Ok(identity) if identity.caller.ends_with(":root") => {
                finding.found(Status::Warn, &identity.caller).because(
                    "no policy limits the account's root user, and its keys cannot be traced to a person",
                    "Call as a role: `aws configure sso`, or AWS_PROFILE of one that assumes a role.",
                )
            }
            Ok(identity) => finding.pass(&identity.caller),
        })
    }
}

/// Whether the credentials outlive the run.
pub struct CredentialsLast;

#[async_trait(?Send)]
impl Check for CredentialsLast {
    fn about(&self) -> &'static About {
        const { &about("credentials", 0, "the credentials outlive the run") }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        // A change is shorter than a create; that it may take as long is no reason to refuse it.
        let makes = creates(cx, load_balancer::ARN.0) || creates(cx, auto_scaling::NAME.0);
        let judged = judge_life(finding, stack.cloud.lifetime().await, SystemTime::now());
        Ok(match judged.status {
            Status::Fail if !makes => Finding { status: Status::Warn, ..judged },
            _ => judged,
        })
    }
}

fn judge_life(finding: Finding, life: Lifetime, now: SystemTime) -> Finding {
    let fix = "Get new ones first: `aws sso login`, `aws sts assume-role`, or a profile that renews them.";
    match life {
        Lifetime::Endless => finding.pass("they do not expire"),
        Lifetime::Renewed(end) => {
            let left = end.duration_since(now).unwrap_or_default();
            let evidence = format!("they end in {} minutes, and their source is asked for new ones", minutes(left));
            if left >= CREATE {
                return finding.pass(evidence);
            }
            let cause = "the run goes on as long as the source gives new ones: a session there may end as well";
            finding.found(Status::Warn, evidence).because(cause, fix)
        }
        Lifetime::Unknown => finding
            .found(Status::Warn, "temporary, and nothing says when they end")
            .because("a run whose credentials end stops in the middle; the next `deploy up` goes on from there", fix),
        Lifetime::Until(end) => {
            let left = end.duration_since(now).unwrap_or_default();
            let evidence = format!("they end in {} minutes; a create takes up to {}", minutes(left), minutes(CREATE));
            if left < CREATE {
                finding.fail(evidence, "they would end in the middle of the run", fix)
            } else {
                finding.pass(evidence)
            }
        }
    }
}

fn minutes(time: Duration) -> u64 {
    time.as_secs() / 60
}

/// Whether this machine's clock is AWS's.
pub struct ClockAgrees;

#[async_trait(?Send)]
impl Check for ClockAgrees {
    fn about(&self) -> &'static About {
        const { &about("clock", 0, "this machine's clock is right") }
    }

    /// The sandbox has a time of its own.
    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        cx.stack().is_ok_and(|stack| stack.cloud.dns.is_some())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let here = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Ok(judge_clock(finding, stack.cloud.limiter.time(), i64::try_from(here).unwrap_or_default()))
    }
}

fn judge_clock(finding: Finding, theirs: Option<i64>, here: i64) -> Finding {
    let Some(theirs) = theirs else {
        return finding.found(Status::Unknown, "no answer of AWS had a date");
    };
    let off = here - theirs;
    let evidence = format!("{} s {} AWS's", off.abs(), if off < 0 { "behind" } else { "ahead of" });
    if off.abs() <= SKEW_SECONDS {
        return finding.pass(evidence);
    }
    let cause = "AWS refuses signatures that are more than five minutes off, and certificates seem expired or new";
    finding.found(Status::Warn, evidence).because(cause, "Let the clock be set by NTP: `timedatectl set-ntp true`.")
}

/// Whether the roles exist by which Auto Scaling and Elastic Load Balancing act.
pub struct ServiceRoles;

#[async_trait(?Send)]
impl Check for ServiceRoles {
    fn about(&self) -> &'static About {
        const { &about("service_roles", 0, "the service-linked roles exist") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        creates(cx, load_balancer::ARN.0) || creates(cx, auto_scaling::NAME.0)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        const ROLES: [(&str, &str); 2] = [
            ("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com"),
            ("AWSServiceRoleForElasticLoadBalancing", "elasticloadbalancing.amazonaws.com"),
        ];
        let (stack, finding) = (cx.stack()?, self.finding());
        let find = |name| async move { stack.cloud.iam.get_role().role_name(name).send().await.or_absent() };
        let found = match tokio::try_join!(find(ROLES[0].0), find(ROLES[1].0)) {
            Ok((scaling, balancing)) => [scaling.is_some(), balancing.is_some()],
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let missing: Vec<_> = ROLES.iter().zip(found).filter(|(_, is_there)| !is_there).map(|(role, _)| role).collect();
        if missing.is_empty() {
            return Ok(finding.pass("both"));
        }
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        let commands: Vec<String> = missing
            .iter()
            .map(|(_, service)| format!("`aws iam create-service-linked-role --aws-service-name {service}`"))
            .collect();
        let cause = "AWS makes them on the first create, for which the caller needs iam:CreateServiceLinkedRole";
        let fix = format!("Where the caller lacks that, somebody else runs {}.", commands.join(" and "));
        Ok(finding.found(Status::Warn, format!("not there yet: {}", names.join(", "))).because(cause, fix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_told_from_five_minutes_on() {
        let found = |theirs, here| judge_clock(ClockAgrees.finding(), theirs, here).status;
        assert_eq!(found(Some(1000), 1000), Status::Pass);
        assert_eq!(found(Some(1000), 1300), Status::Pass);
        assert_eq!(found(Some(1000), 1301), Status::Warn);
        assert_eq!(found(Some(1301), 1000), Status::Warn);
        assert_eq!(found(None, 1000), Status::Unknown);
    }

    #[test]
    fn credentials_that_end_too_early_fail() {
        let now = SystemTime::UNIX_EPOCH;
        let found = |life| judge_life(CredentialsLast.finding(), life, now).status;
        assert_eq!(found(Lifetime::Endless), Status::Pass);
        assert_eq!(found(Lifetime::Renewed(now + CREATE)), Status::Pass);
        assert_eq!(found(Lifetime::Renewed(now)), Status::Warn);
        assert_eq!(found(Lifetime::Unknown), Status::Warn);
        assert_eq!(found(Lifetime::Until(now + CREATE)), Status::Pass);
        assert_eq!(found(Lifetime::Until(now + Duration::from_mins(3))), Status::Fail);
    }
}
