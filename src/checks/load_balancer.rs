//! The load balancer: whether it is active, lets clients in, forwards, and is where the instances are.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ec2::types::SecurityGroup;
use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, LoadBalancerStateEnum, ProtocolEnum};

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::rules::sources;
use super::stack::{Stack, UP, unanswered};
use crate::flags;
use crate::outcome::{Finding, Status};
use crate::steps::{load_balancer, target_group};

/// Why AWS does not make a load balancer.
pub const NOT_MADE: &str =
    "AWS could not make it: often no free addresses, or no internet gateway for an internet-facing one";

/// What to do then.
pub fn make_again() -> String {
    format!("`deploy teardown {}`, fix the network, `deploy up`.", flags::YES)
}

/// What to do while AWS still works on something.
pub fn wait_longer() -> String {
    format!("Wait: {} allows more.", flags::TIMEOUT)
}

/// Whether AWS is still making it.
pub fn is_provisioning(balancer: &LoadBalancer) -> bool {
    balancer.state().and_then(|state| state.code()) == Some(&LoadBalancerStateEnum::Provisioning)
}

/// Whether the load balancer serves.
pub struct LoadBalancerActive;

#[async_trait(?Send)]
impl Check for LoadBalancerActive {
    fn about(&self) -> &'static About {
        &About {
            id: "load_balancer",
            step: 4,
            title: "load balancer active",
            places: &[Place::At(Node::LoadBalancer)],
            verbs: &[Verb::Verify],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let balancer = match stack.load_balancer().await {
            Ok(Some(balancer)) => balancer,
            Ok(None) => return Ok(stack.absent(finding, "load_balancer")),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        Ok(match balancer.state().and_then(|state| state.code()) {
            Some(LoadBalancerStateEnum::Active) => finding.pass("active"),
            Some(LoadBalancerStateEnum::ActiveImpaired) => finding.found(Status::Warn, "active_impaired").because(
                "it serves, and AWS could not give it all that it needs to scale",
                "Look at free addresses in its subnets: at least 8 each.",
            ),
            Some(LoadBalancerStateEnum::Provisioning) => {
                finding.fail("provisioning", "AWS is making it, which takes minutes", wait_longer()).healing()
            }
            Some(_) => finding.fail("failed", NOT_MADE, make_again()),
            None => finding.fail("nothing", NOT_MADE, make_again()),
        })
    }
}

/// Whether the load balancer's security groups open the ports that it listens on.
pub struct Entrance;

#[async_trait(?Send)]
impl Check for Entrance {
    fn about(&self) -> &'static About {
        &About {
            id: "entrance",
            step: 1,
            title: "clients reach the listeners",
            places: &[Place::WayTo(Node::LoadBalancer)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let read = async { tokio::try_join!(stack.security_groups(), stack.balancer_groups(), stack.listeners()) };
        Ok(match read.await {
            Ok((groups, own, listeners)) => entrance(stack, finding, groups, &own, listeners),
            Err(error) => unanswered(finding, &error),
        })
    }
}

fn entrance(
    stack: &Stack<'_>,
    finding: Finding,
    groups: &BTreeMap<String, SecurityGroup>,
    own: &[String],
    listeners: &[Listener],
) -> Finding {
    let own: Vec<&SecurityGroup> = own.iter().filter_map(|id| groups.get(id)).collect();
    let ports: Vec<u16> = listeners.iter().filter_map(|listener| listener.port?.try_into().ok()).collect();
    if own.is_empty() || ports.is_empty() {
        return finding.skip("there is no load balancer or no listener");
    }
    let is_closed = |port: &&u16| sources(own.iter().copied(), **port).is_empty();
    let closed: Vec<String> = ports.iter().filter(is_closed).map(u16::to_string).collect();
    let alb = &stack.config.names.load_balancer_security_group;
    if closed.is_empty() {
        let open: Vec<String> = ports.iter().map(u16::to_string).collect();
        return finding.pass(format!("{alb} opens {}", open.join(", ")));
    }
    finding.fail(format!("{alb} opens {} from nowhere", closed.join(", ")), "the rule is missing", UP)
}

/// Whether a listener sends requests to the target group.
pub struct ListenerPath;

#[async_trait(?Send)]
impl Check for ListenerPath {
    fn about(&self) -> &'static About {
        &About {
            id: "listener_path",
            step: 4,
            title: "a listener forwards to the target group",
            places: &[Place::WayTo(Node::TargetGroup)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let read = async { tokio::try_join!(stack.load_balancer(), stack.listeners()) };
        let (balancer, listeners) = match read.await {
            Ok(read) => read,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let (Some(_), Some(arn)) = (balancer, stack.ids.get(&target_group::ARN)) else {
            return Ok(finding.skip("there is no load balancer or no target group"));
        };
        let (group, alb) = (&stack.config.names.target_group, &stack.config.names.load_balancer);
        let forwards = listeners.iter().filter(|listener| load_balancer::forwards_to(listener, arn));
        let forwards: Vec<String> = forwards.map(shown).collect();
        if !forwards.is_empty() {
            return Ok(finding.pass(format!("{} of {alb} forwards to {group}", forwards.join(", "))));
        }
        let there: Vec<String> = listeners.iter().map(shown).collect();
        let evidence = if there.is_empty() {
            format!("{alb} has no listener")
        } else {
            format!("{alb} listens on {}, and none forwards to {group}", there.join(", "))
        };
        Ok(finding.fail(evidence, "targets of a group that no listener uses stay unused (Target.NotInUse)", UP))
    }
}

fn shown(listener: &Listener) -> String {
    let protocol = listener.protocol().map_or("", ProtocolEnum::as_str);
    format!("{protocol}:{}", listener.port().unwrap_or_default())
}

/// Whether the load balancer is in every zone where instances run.
pub struct Zones;

#[async_trait(?Send)]
impl Check for Zones {
    fn about(&self) -> &'static About {
        &About {
            id: "zones",
            step: 4,
            title: "the load balancer is in the instances' zones",
            places: &[Place::WayTo(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let read = async { tokio::try_join!(stack.load_balancer(), stack.group()) };
        let (balancer, group) = match read.await {
            Ok((Some(balancer), Some(group))) => (balancer, group),
            Ok(_) => return Ok(finding.skip("there is no load balancer or no auto scaling group")),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let zones = balancer.availability_zones().iter().filter_map(|zone| zone.zone_name());
        let of_balancer: BTreeSet<&str> = zones.collect();
        let zones = group.instances().iter().filter_map(|instance| instance.availability_zone());
        let of_instances: BTreeSet<&str> = zones.collect();
        if of_instances.is_empty() {
            return Ok(finding.skip("there is no instance"));
        }
        let outside: Vec<&str> = of_instances.difference(&of_balancer).copied().collect();
        let inside = of_balancer.into_iter().collect::<Vec<_>>().join(", ");
        if outside.is_empty() {
            return Ok(finding.pass(inside));
        }
        Ok(finding.fail(
            format!("instances run in {}, the load balancer is in {inside}", outside.join(", ")),
            "targets in a zone without the load balancer get no requests",
            "Name subnets of the same zones for both; `deploy up`.",
        ))
    }
}
