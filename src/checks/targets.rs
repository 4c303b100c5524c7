//! The target group: whether its targets are healthy, and whether health checks and requests can reach them.

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::ProtocolEnum;

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::fleet::targets_wanted;
use super::load_balancer::is_provisioning;
use super::reasons::explain;
use super::rules::{admits, sources};
use super::stack::{Stack, UP, unanswered, while_parked};
use crate::outcome::Finding;
use crate::steps::target_group;

/// Whether every target is healthy and there are enough.
pub struct TargetsHealthy;

#[async_trait(?Send)]
impl Check for TargetsHealthy {
    fn about(&self) -> &'static About {
        &About {
            id: "targets",
            step: 6,
            title: "targets healthy",
            places: &[Place::At(Node::TargetGroup), Place::WayTo(Node::Instances)],
            verbs: &[Verb::Verify, Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    fn is_symptom(&self) -> bool {
        true
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let targets = match stack.targets().await {
            Ok(Some(targets)) => targets,
            Ok(None) => return Ok(stack.absent(finding, "target_group")),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        if let Some(parked) = while_parked(stack, &finding) {
            return Ok(parked);
        }
        let wanted = targets_wanted(stack.config);
        let evidence = format!("{} of {} registered targets healthy", targets.healthy, targets.registered);
        let Some(worst) = targets.others.iter().find(|target| !target.leaving) else {
            if targets.healthy >= wanted {
                return Ok(finding.pass(evidence));
            }
            let evidence = format!("{evidence}, at least {wanted} wanted");
            let cause = "the auto scaling group has not launched or registered enough instances";
            let fix = "`deploy diagnose` shows what its last activities say.";
            return Ok(finding.fail(evidence, cause, fix).healing());
        };
        let explained = explain(&worst.reason, worst.description.as_deref(), stack.config);
        let found = finding.fail(format!("{evidence}; {worst}"), explained.cause, explained.fix);
        // Nothing is in use before there is a load balancer.
        let is_coming = stack.load_balancer().await.is_ok_and(|balancer| balancer.is_some_and(is_provisioning));
        Ok(if explained.heals || is_coming { found.healing() } else { found.settling(explained.settles) })
    }
}

/// Whether the instances' security groups open the port of the health checks.
pub struct HealthCheckPort;

#[async_trait(?Send)]
impl Check for HealthCheckPort {
    fn about(&self) -> &'static About {
        &About {
            id: "health_check_port",
            step: 1,
            title: "health checks reach the instances",
            places: &[Place::WayTo(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let stack = cx.stack()?;
        Ok(open(stack, self.finding(), stack.config.health_check.port).await)
    }
}

/// Whether the instances' security groups open the port of the requests.
pub struct TrafficPort;

#[async_trait(?Send)]
impl Check for TrafficPort {
    fn about(&self) -> &'static About {
        &About {
            id: "traffic_port",
            step: 1,
            title: "requests reach the instances",
            places: &[Place::WayTo(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        Ok(open(cx.stack()?, self.finding(), target_group::PORT).await)
    }
}

/// Whether a rule of the instances' groups lets a group of the load balancer in on a port.
async fn open(stack: &Stack<'_>, finding: Finding, port: u16) -> Finding {
    let read = async { tokio::try_join!(stack.security_groups(), stack.balancer_groups(), stack.instance_groups()) };
    let (groups, from, to) = match read.await {
        Ok(read) => read,
        Err(error) => return unanswered(finding, &error),
    };
    if from.is_empty() || to.is_empty() {
        return finding.skip("there is no load balancer or no group of instances");
    }
    let names = &stack.config.names;
    let (app, alb) = (&names.instance_security_group, &names.load_balancer_security_group);
    let (from_ids, to_ids) = (from.join(", "), to.join(", "));
    let own = || to.iter().filter_map(|id| groups.get(id));
    if own().any(|group| admits(group, port, &from)) {
        return finding.pass(format!("{app} opens {port} from {alb} ({from_ids})"));
    }
    let others = sources(own(), port);
    let evidence = if others.is_empty() {
        format!("{app} ({to_ids}) opens {port} from nowhere")
    } else {
        format!("{app} ({to_ids}) opens {port} from {}, not from {from_ids} ({alb})", others.join(", "))
    };
    let cause = format!("the rule is missing, or its source is not {alb}'s id (guide, troubleshooting)");
    finding.fail(evidence, cause, UP)
}

/// Whether the health check asks what the product answers.
pub struct HealthCheck;

#[async_trait(?Send)]
impl Check for HealthCheck {
    fn about(&self) -> &'static About {
        &About {
            id: "health_check",
            step: 5,
            title: "health check as the product answers it",
            places: &[Place::At(Node::TargetGroup)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let group = match stack.target_group().await {
            Ok(Some(group)) => group,
            Ok(None) => return Ok(finding.skip("there is no target group")),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let wanted = &stack.config.health_check;
        let codes = group.matcher().and_then(|matcher| matcher.http_code()).unwrap_or_default();
        let port = group.health_check_port().unwrap_or_default();
        let path = group.health_check_path().unwrap_or_default();
        let protocol = group.health_check_protocol().map_or("", ProtocolEnum::as_str);
        let evidence = format!("{protocol} GET {path} on {port} must answer {codes}");
        let is_right = codes == wanted.success_codes
            && port == wanted.port.to_string()
            && path == wanted.path
            && protocol == "HTTP";
        if is_right {
            return Ok(finding.pass(evidence));
        }
        Ok(finding.fail(
            format!("{evidence}; wanted: HTTP GET {} on {}, {}", wanted.path, wanted.port, wanted.success_codes),
            "the console's wizard makes it so, or it was changed by hand: the product answers 404 there by design \
             (guide step 5)",
            UP,
        ))
    }
}
