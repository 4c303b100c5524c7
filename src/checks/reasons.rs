//! Why a target is not healthy: AWS's reason code turned into cause and cure (TargetHealth in the ELBv2 API reference;
//! guide, troubleshooting: "Unhealthy targets").

use std::time::Duration;

use super::load_balancer::wait_longer;
use crate::config::Config;

/// A reason in the words of this stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Why.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// Whether waiting can help: an instance that still boots fails its checks too.
    pub heals: bool,
    /// It shows for so long while all is well; after that waiting does not help.
    pub settles: Duration,
}

/// How long every look must show `Target.NotInUse` before it is believed: AWS shows it until the load balancer is
/// active, and for some seconds after that and after a change of listeners or subnets (it is eventually consistent:
/// aws/aws-sdk-js#1593).
const NOT_IN_USE: Duration = Duration::from_mins(1);

/// Explains a reason code; `description` is AWS's own sentence, when it gave one.
pub fn explain(reason: &str, description: Option<&str>, config: &Config) -> Explained {
    of_load_balancer(reason).or_else(|| of_target(reason, description, config)).unwrap_or_else(|| {
        let words = description.map_or(String::new(), |words| format!(": {words}"));
        let fix = "Look for this code in the ELBv2 API reference, TargetHealth.";
        passing(format!("AWS says {reason}{words}"), fix)
    })
}

/// What waiting may change.
fn passing(cause: impl Into<String>, fix: impl Into<String>) -> Explained {
    Explained { cause: cause.into(), fix: fix.into(), heals: true, settles: Duration::ZERO }
}

/// What waiting does not change.
fn lasting(cause: impl Into<String>, fix: impl Into<String>) -> Explained {
    Explained { cause: cause.into(), fix: fix.into(), heals: false, settles: Duration::ZERO }
}

/// The codes that are about the load balancer.
fn of_load_balancer(reason: &str) -> Option<Explained> {
    Some(match reason {
        "Elb.RegistrationInProgress" => passing("the load balancer is taking the target in", "Wait."),
        "Elb.InitialHealthChecking" => {
            passing("the first health checks are under way; the product takes minutes to start", wait_longer())
        }
        "Elb.InternalError" => {
            passing("an error inside the load balancer", "Wait; if it lasts, look at the AWS Health Dashboard.")
        }
        _ => return None,
    })
}

/// The codes that are about the target or its group.
fn of_target(reason: &str, description: Option<&str>, config: &Config) -> Option<Explained> {
    let (port, path, codes) = (config.health_check.port, &config.health_check.path, &config.health_check.success_codes);
    let (app, alb) = (&config.names.instance_security_group, &config.names.load_balancer_security_group);
    let (group, asg) = (&config.names.target_group, &config.names.auto_scaling_group);
    let said = description.map_or(String::new(), |words| format!(" ({words})"));
    Some(match reason {
        "Target.ResponseCodeMismatch" => passing(
            format!(
                "GET {path} on port {port} did not answer {codes}, which is healthy by design{said}: the service is \
                 still starting, or the matcher was changed (guide step 5)"
            ),
            format!(
                "`deploy plan` shows whether {group}'s success codes were changed, `deploy up` fixes them; if it \
                 really answers another code, set health_check.success_codes."
            ),
        ),
        "Target.Timeout" => passing(
            format!(
                "nothing answered on port {port}: the service is still starting, or {app} does not open {port} from \
                 {alb}, by the group's id (guide step 1)"
            ),
            "`deploy plan` shows a rule that is missing, `deploy up` fixes it; then look at network ACLs, and at \
             whether the service listens on 0.0.0.0.",
        ),
        "Target.FailedHealthChecks" => passing(
            format!("the connection to port {port} was refused or cut: the service is still starting, or does not run"),
            format!(
                "Wait for the grace period; then look at the instance: `aws ec2 get-console-output`; {asg} replaces it."
            ),
        ),
        "Target.NotRegistered" => passing(
            format!("the instance is not in {group}"),
            format!("`deploy plan` shows whether {asg} is attached to it, `deploy up` fixes it."),
        ),
        "Target.NotInUse" => Explained {
            settles: NOT_IN_USE,
            ..lasting(
                format!(
                    "{group} gets no requests: no listener of the load balancer forwards to it, or the load balancer \
                     has no subnet in the target's zone"
                ),
                "`deploy plan` shows the listener or the subnets that are missing, `deploy up` fixes them.",
            )
        },
        "Target.DeregistrationInProgress" => {
            passing("the target is leaving, once its requests in flight have finished", "Wait.")
        }
        "Target.InvalidState" => passing(
            "the instance is stopped or terminated",
            format!("{asg} replaces it; if it does not, look at suspended processes: `deploy diagnose`."),
        ),
        "Target.IpUnusable" => lasting(
            "the address is in use by a load balancer",
            format!("{group} must hold instances, not addresses: `deploy plan`."),
        ),
        "Target.HealthCheckDisabled" => {
            let fix = format!("{group} must hold instances, whose health checks cannot be off: `deploy plan`.");
            lasting(format!("health checks of {group} are switched off"), fix)
        }
        _ => return None,
    })
}
