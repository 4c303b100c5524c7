//! Health of targets, as the load balancer's checks would find it.

use serde_json::Value;

use super::weather::is_of;
use super::wire::list;
use super::world::World;

/// What the stand-in service answers on its health check's path.
const ANSWER: &str = "404";

/// State, reason code and description, as DescribeTargetHealth documents them.
pub fn of(world: &World, group: &Value, target: &Value) -> (&'static str, Option<&'static str>, Option<String>) {
    let text = |name: &str| group[name].as_str().unwrap_or_default().to_owned();
    let seconds = |name: &str| text(name).parse::<f64>().unwrap_or(30.0);
    if list(group, "LoadBalancerArns").is_empty() {
        return (
            "unused",
            Some("Target.NotInUse"),
            Some("Target group is not configured to receive traffic from the load balancer".to_owned()),
        );
    }
    if target["_draining_until"].is_number() {
        let words = "Target deregistration is in progress".to_owned();
        return ("draining", Some("Target.DeregistrationInProgress"), Some(words));
    }
    let booted = target["_since"].as_f64().unwrap_or_default() + world.weather.boot;
    if world.now < booted + seconds("HealthCheckIntervalSeconds") * seconds("HealthyThresholdCount") {
        return ("initial", Some("Elb.InitialHealthChecking"), None);
    }
    let instance = target["Id"].as_str().and_then(|id| world.row("instances", id));
    if instance.is_some_and(|instance| is_of(instance, &world.weather.dead)) {
        return ("unhealthy", Some("Target.FailedHealthChecks"), Some("Health checks failed".to_owned()));
    }
    if !reachable(world, group, target) {
        return ("unhealthy", Some("Target.Timeout"), Some("Request timed out".to_owned()));
    }
    let wanted = group["Matcher"]["HttpCode"].as_str().unwrap_or_default();
    let fits = wanted.split(',').any(|part| match part.split_once('-') {
        Some((low, high)) => (low..=high).contains(&ANSWER),
        None => part == ANSWER,
    });
    if fits {
        ("healthy", None, None)
    } else {
        let words = format!("Health checks failed with these codes: [{ANSWER}]");
        ("unhealthy", Some("Target.ResponseCodeMismatch"), Some(words))
    }
}

/// Whether the target's security groups let the load balancer's in, on the health check's port.
fn reachable(world: &World, group: &Value, target: &Value) -> bool {
    let port: Option<i64> =
        group["HealthCheckPort"].as_str().and_then(|port| port.parse().ok()).or(group["Port"].as_i64());
    let balancers = list(group, "LoadBalancerArns").iter().filter_map(|arn| world.row("balancers", arn.as_str()?));
    let from: Vec<&Value> = balancers.flat_map(|balancer| list(balancer, "SecurityGroups")).collect();
    let Some(instance) = target["Id"].as_str().and_then(|id| world.row("instances", id)) else {
        return false;
    };
    let groups = list(instance, "groupSet").iter().filter_map(|group| world.row("groups", group["groupId"].as_str()?));
    groups.flat_map(|group| list(group, "_rules")).any(|rule| {
        rule["isEgress"] == false
            && from.contains(&&rule["referencedGroupInfo"]["groupId"])
            && rule["fromPort"].as_i64() <= port
            && rule["toPort"].as_i64() >= port
    })
}
