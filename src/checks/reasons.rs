//! Why a target is not healthy: AWS's reason code turned into cause and cure (TargetHealth in the ELBv2 API reference;
//! guide, troubleshooting: "Unhealthy targets").

use crate::config::Config;

/// A reason in the words of this stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub cause: String,
    pub fix: String,
    /// Whether waiting can help: an instance that still boots fails its checks too.
    pub heals: bool,
}

/// Explains a reason code; `description` is AWS's own sentence, when it gave one.
pub fn explain(reason: &str, description: Option<&str>, config: &Config) -> Explained {
    let (port, path, codes) = (config.health_check.port, &config.health_check.path, &config.health_check.success_codes);
    let (app, alb) = (&config.names.instance_security_group, &config.names.load_balancer_security_group);
    let (group, asg) = (&config.names.target_group, &config.names.auto_scaling_group);
    let say = |cause: String, fix: String, heals: bool| Explained { cause, fix, heals };
    match reason {
        "Elb.RegistrationInProgress" => say("the load balancer is taking the target in".into(), "Wait.".into(), true),
        "Elb.InitialHealthChecking" => {
            say("the first health checks are under way; the product takes minutes to start".into(), "Wait: --timeout allows more.".into(), true)
        }
        "Elb.InternalError" => say("an error inside the load balancer".into(), "Wait; if it lasts, look at the AWS Health Dashboard.".into(), true),
        "Target.ResponseCodeMismatch" => {
            let seen = description.map_or(String::new(), |words| format!(" ({words})"));
            say(
                format!("GET {path} on port {port} did not answer {codes}, which is healthy by design{seen}: the service is still starting, or the matcher was changed (guide step 5)"),
                format!("`deploy plan` shows whether {group}'s success codes were changed, `deploy up` mends them; if it really answers another code, set health_check.success_codes."),
                true,
            )
        }
        "Target.Timeout" => say(
            format!("nothing answered on port {port}: the service is still starting, or {app} does not open {port} from {alb}, by the group's id (guide step 1)"),
            "`deploy plan` shows a rule that is missing, `deploy up` mends it; then look at network ACLs, and at whether the service listens on 0.0.0.0.".into(),
            true,
        ),
        "Target.FailedHealthChecks" => say(
            format!("the connection to port {port} was refused or cut: the service is still starting, or does not run"),
            format!("Wait for the grace period; then look at the instance: `aws ec2 get-console-output`; {asg} replaces it."),
            true,
        ),
        "Target.NotRegistered" => say(
            format!("the instance is not in {group}"),
            format!("`deploy plan` shows whether {asg} is attached to it, `deploy up` mends it."),
            true,
        ),
        "Target.NotInUse" => say(
            format!("{group} gets no requests: no listener of the load balancer forwards to it, or the load balancer has no subnet in the target's zone"),
            "`deploy plan` shows the listener or the subnets that are missing, `deploy up` mends them.".into(),
            false,
        ),
        "Target.DeregistrationInProgress" => say("the target is leaving; requests in flight are let finish".into(), "Wait.".into(), true),
        "Target.InvalidState" => say(
            "the instance is stopped or terminated".into(),
            format!("{asg} replaces it; if it does not, look at suspended processes: `deploy diagnose`."),
            true,
        ),
        "Target.IpUnusable" => say("the address is in use by a load balancer".into(), format!("{group} must hold instances, not addresses: `deploy plan`."), false),
        "Target.HealthCheckDisabled" => say(format!("health checks of {group} are switched off"), "`deploy up` switches them on.".into(), false),
        other => {
            let words = description.map_or(String::new(), |words| format!(": {words}"));
            say(format!("AWS says {other}{words}"), "Look for this code in the ELBv2 API reference, TargetHealth.".into(), true)
        }
    }
}
