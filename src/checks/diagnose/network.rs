//! The way of a request: listener, target group, the rules of both security groups, the zones.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::SecurityGroup;
use aws_sdk_elasticloadbalancingv2::types::{Listener, ProtocolEnum};

use super::{Diagnosis, Seen, unanswered};
use crate::cloud;
use crate::outcome::Finding;
use crate::steps::{security_groups, target_group};

const UP: &str = "`deploy up` mends it; `deploy plan` shows the difference.";

impl Diagnosis<'_> {
    /// The findings of the way, from the client to the instance.
    pub(super) async fn network(&self, seen: &Seen) -> Vec<Finding> {
        let groups = self.security_groups(seen).await;
        let port = self.config.health_check.port;
        let health = Finding::new("health_check_port", 1, "health checks reach the instances");
        let traffic = Finding::new("traffic_port", 1, "requests reach the instances");
        let (health, traffic, entrance) = match &groups {
            Ok(groups) => (
                self.open(health, seen, groups, port),
                self.open(traffic, seen, groups, target_group::PORT),
                self.entrance(seen, groups),
            ),
            Err(error) => {
                let entrance = Finding::new("entrance", 1, "clients reach the listeners");
                (unanswered(health, error), unanswered(traffic, error), unanswered(entrance, error))
            }
        };
        vec![entrance, self.listens(seen), self.zones(seen), health, self.health_check(seen), traffic]
    }

    /// The groups that the load balancer and the instances really carry, by id.
    async fn security_groups(&self, seen: &Seen) -> cloud::Result<BTreeMap<String, SecurityGroup>> {
        let ids: BTreeSet<String> = self.balancer_groups(seen).into_iter().chain(self.instance_groups(seen)).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let request = self.cloud.ec2.describe_security_groups().set_group_ids(Some(ids.into_iter().collect()));
        let groups = request.send().await?.security_groups.unwrap_or_default();
        Ok(groups.into_iter().filter_map(|group| Some((group.group_id.clone()?, group))).collect())
    }

    fn balancer_groups(&self, seen: &Seen) -> Vec<String> {
        seen.balancer.as_ref().map(|balancer| balancer.security_groups().to_vec()).unwrap_or_default()
    }

    /// Those of the running instances; without any, the one that the template gives them.
    fn instance_groups(&self, seen: &Seen) -> Vec<String> {
        let of_instances = seen.instances.iter().flat_map(|one| one.security_groups());
        let mut ids: Vec<String> = of_instances.filter_map(|group| group.group_id.clone()).collect();
        if ids.is_empty() {
            ids.extend(self.ids.get(&security_groups::INSTANCE_ID).cloned());
        }
        ids.sort();
        ids.dedup();
        ids
    }

    /// Whether a rule of the instances' groups lets a group of the load balancer in: by its id, as the guide demands.
    fn open(&self, check: Finding, seen: &Seen, groups: &BTreeMap<String, SecurityGroup>, port: u16) -> Finding {
        let (from, to) = (self.balancer_groups(seen), self.instance_groups(seen));
        if from.is_empty() || to.is_empty() {
            return check.skip("there is no load balancer or no group of instances");
        }
        let names = &self.config.names;
        let (app, alb) = (&names.instance_security_group, &names.load_balancer_security_group);
        let by_id = to.iter().filter_map(|id| groups.get(id)).any(|group| admits(group, port, &from));
        if by_id {
            return check.pass(format!("{app} opens {port} from {alb} ({})", from.join(", ")));
        }
        let others = peers(to.iter().filter_map(|id| groups.get(id)), port);
        let evidence = match others.is_empty() {
            true => format!("{app} ({}) opens {port} from nowhere", to.join(", ")),
            false => format!(
                "{app} ({}) opens {port} from {}, not from {} ({alb})",
                to.join(", "),
                others.join(", "),
                from.join(", ")
            ),
        };
        check.fail(
            evidence,
            format!("the rule is missing, or its source is not {alb}'s id (guide, troubleshooting)"),
            UP,
        )
    }

    /// Whether the load balancer's groups open the ports that it listens on.
    fn entrance(&self, seen: &Seen, groups: &BTreeMap<String, SecurityGroup>) -> Finding {
        let check = Finding::new("entrance", 1, "clients reach the listeners");
        let own: Vec<&SecurityGroup> = self.balancer_groups(seen).iter().filter_map(|id| groups.get(id)).collect();
        let ports: Vec<u16> = seen.listeners.iter().filter_map(|one| one.port?.try_into().ok()).collect();
        if own.is_empty() || ports.is_empty() {
            return check.skip("there is no load balancer or no listener");
        }
        let closed: Vec<String> =
            ports.iter().filter(|port| peers(own.iter().copied(), **port).is_empty()).map(u16::to_string).collect();
        let alb = &self.config.names.load_balancer_security_group;
        match closed.is_empty() {
            true => check.pass(format!("{alb} opens {}", listed(&ports))),
            false => check.fail(format!("{alb} opens {} from nowhere", closed.join(", ")), "the rule is missing", UP),
        }
    }

    /// Whether a listener sends requests to the target group.
    fn listens(&self, seen: &Seen) -> Finding {
        let check = Finding::new("listener_path", 4, "a listener forwards to the target group");
        let (Some(_), Some(arn)) = (&seen.balancer, self.ids.get(&target_group::ARN)) else {
            return check.skip("there is no load balancer or no target group");
        };
        let (group, alb) = (&self.config.names.target_group, &self.config.names.load_balancer);
        let forwards: Vec<String> =
            seen.listeners.iter().filter(|one| crate::steps::load_balancer::forwards_to(one, arn)).map(shown).collect();
        if !forwards.is_empty() {
            return check.pass(format!("{} of {alb} forwards to {group}", forwards.join(", ")));
        }
        let there: Vec<String> = seen.listeners.iter().map(shown).collect();
        let evidence = match there.is_empty() {
            true => format!("{alb} has no listener"),
            false => format!("{alb} listens on {}, and none forwards to {group}", there.join(", ")),
        };
        check.fail(evidence, "targets of a group that no listener uses stay unused (Target.NotInUse)", UP)
    }

    /// Whether the load balancer is in every zone where instances run.
    fn zones(&self, seen: &Seen) -> Finding {
        let check = Finding::new("zones", 4, "the load balancer is in the instances' zones");
        let (Some(balancer), Some(group)) = (&seen.balancer, &seen.group) else {
            return check.skip("there is no load balancer or no auto scaling group");
        };
        let of_balancer: BTreeSet<&str> =
            balancer.availability_zones().iter().filter_map(|zone| zone.zone_name()).collect();
        let of_instances: BTreeSet<&str> = group.instances().iter().filter_map(|one| one.availability_zone()).collect();
        let outside: Vec<&str> = of_instances.difference(&of_balancer).copied().collect();
        match outside.is_empty() {
            true => check.pass(of_balancer.into_iter().collect::<Vec<_>>().join(", ")),
            false => check.fail(
                format!(
                    "instances run in {}, the load balancer is in {}",
                    outside.join(", "),
                    of_balancer.into_iter().collect::<Vec<_>>().join(", ")
                ),
                "targets in a zone without the load balancer get no requests",
                "Name subnets of the same zones for both; `deploy up`.",
            ),
        }
    }

    /// Whether the health check asks what the product answers.
    fn health_check(&self, seen: &Seen) -> Finding {
        let check = Finding::new("health_check", 5, "health check as the product answers it");
        let Some(group) = &seen.target_group else {
            return check.skip("there is no target group");
        };
        let wanted = &self.config.health_check;
        let codes = group.matcher().and_then(|matcher| matcher.http_code()).unwrap_or_default();
        let (port, path) =
            (group.health_check_port().unwrap_or_default(), group.health_check_path().unwrap_or_default());
        let protocol = group.health_check_protocol().map_or("", ProtocolEnum::as_str);
        let evidence = format!("{protocol} GET {path} on {port} must answer {codes}");
        let right = codes == wanted.success_codes
            && port == wanted.port.to_string()
            && path == wanted.path
            && protocol == "HTTP";
        match right {
            true => check.pass(evidence),
            false => check.fail(
                format!("{evidence}; wanted: HTTP GET {} on {}, {}", wanted.path, wanted.port, wanted.success_codes),
                "the console's wizard makes it so, or somebody changed it: the product answers 404 there by design (guide step 5)",
                UP,
            ),
        }
    }
}

fn admits(group: &SecurityGroup, port: u16, from: &[String]) -> bool {
    rules(group, port).any(|rule| {
        rule.user_id_group_pairs().iter().any(|pair| pair.group_id().is_some_and(|id| from.iter().any(|one| one == id)))
    })
}

/// Whom these groups let in on a port.
fn peers<'a>(groups: impl Iterator<Item = &'a SecurityGroup>, port: u16) -> Vec<String> {
    let mut all = Vec::new();
    for rule in groups.flat_map(|group| rules(group, port)) {
        all.extend(rule.user_id_group_pairs().iter().filter_map(|pair| pair.group_id.clone()));
        all.extend(rule.ip_ranges().iter().filter_map(|range| range.cidr_ip.clone()));
        all.extend(rule.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6.clone()));
        all.extend(rule.prefix_list_ids().iter().filter_map(|list| list.prefix_list_id.clone()));
    }
    all.sort();
    all.dedup();
    all
}

fn rules(group: &SecurityGroup, port: u16) -> impl Iterator<Item = &aws_sdk_ec2::types::IpPermission> {
    let port = i32::from(port);
    group.ip_permissions().iter().filter(move |rule| match rule.ip_protocol() {
        Some("-1") => true,
        Some("tcp" | "6") => {
            rule.from_port().is_some_and(|from| from <= port) && rule.to_port().is_some_and(|to| to >= port)
        }
        _ => false,
    })
}

fn shown(listener: &Listener) -> String {
    let protocol = listener.protocol().map_or("", ProtocolEnum::as_str);
    format!("{protocol}:{}", listener.port().unwrap_or_default())
}

fn listed(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}
