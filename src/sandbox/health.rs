//! Health of targets, as the load balancer's checks find it (ELBv2 user guide, "Health checks for your target groups").

use serde_json::{Value, json};

use super::elb::active;
use super::parameters::list;
use super::tables;
use super::weather::is_of;
use super::world::World;

/// What the stand-in service answers on its health check's path.
const ANSWER: &str = "404";

/// State, reason code and description, as DescribeTargetHealth documents them.
pub fn of(world: &World, group: &Value, target: &Value) -> (&'static str, Option<String>, Option<String>) {
    let because = |reason: &str, words: &str| (Some(reason.to_owned()), Some(words.to_owned()));
    if target["_draining_until"].is_number() {
        let (reason, words) = because("Target.DeregistrationInProgress", "Target deregistration is in progress");
        return ("draining", reason, words);
    }
    if !is_used(world, group) {
        let words = "Target group is not configured to receive traffic from the load balancer";
        let (reason, words) = because("Target.NotInUse", words);
        return ("unused", reason, words);
    }
    let failure = |part: usize| target["_failure"][part].as_str().map(str::to_owned);
    match target["_health"].as_str() {
        Some("healthy") => ("healthy", None, None),
        Some("unhealthy") => ("unhealthy", failure(0), failure(1)),
        _ => ("initial", Some("Elb.InitialHealthChecking".to_owned()), None),
    }
}

/// Carries out the checks that are due: "initial" until the first one passes or enough fail, then as many in a row as
/// the group's thresholds say ("Target health status"; a target that was just registered needs to pass only one).
pub fn check(world: &mut World) {
    let groups: Vec<Value> = world.rows(tables::TARGET_GROUPS).cloned().collect();
    for mut group in groups {
        let looked = group["_looked"].as_f64().unwrap_or(world.now);
        match balancer_since(world, &group) {
            None => drop(group.as_object_mut().map(|row| row.remove("_used_since"))),
            // Whenever the world is looked at, what happened between two looks happened at the same time.
            Some(active) if group["_used_since"].is_null() => group["_used_since"] = json!(active.max(looked)),
            Some(_) => {}
        }
        if !list(&group, "LoadBalancerArns").is_empty() {
            group["_looked"] = json!(world.now);
        }
        let used = is_used(world, &group);
        let targets = list(&group, "_targets").iter().cloned();
        let targets = targets.map(|one| if used { checked(world, &group, one) } else { forgotten(one) });
        group["_targets"] = targets.collect();
        let arn = group["TargetGroupArn"].as_str().unwrap_or_default().to_owned();
        if let Some(row) = world.row_mut(tables::TARGET_GROUPS, &arn) {
            *row = group;
        }
    }
}

/// What somebody else changed has been so for a while: targets that were checked before are now as checks find them.
pub fn settle(world: &mut World) {
    let groups: Vec<Value> = world.rows(tables::TARGET_GROUPS).cloned().collect();
    for mut group in groups {
        let targets = list(&group, "_targets").iter().map(|target| {
            let mut target = target.clone();
            if target["_health"].is_string() {
                let failure = probe(world, &group, &target, world.now).err();
                target["_health"] = json!(if failure.is_some() { "unhealthy" } else { "healthy" });
                (target["_failure"], target["_count"]) = (json!(failure), json!(0));
            }
            target
        });
        group["_targets"] = targets.collect();
        let arn = group["TargetGroupArn"].as_str().unwrap_or_default().to_owned();
        if let Some(row) = world.row_mut(tables::TARGET_GROUPS, &arn) {
            *row = group;
        }
    }
}

/// Whether a load balancer that serves forwards to the group, and has done so long enough to know its targets.
fn is_used(world: &World, group: &Value) -> bool {
    let since = group["_used_since"].as_f64();
    let is_known = |since: f64| world.now >= since + world.weather.unused_seconds;
    balancer_since(world, group).is_some() && since.is_some_and(is_known)
}

/// Since when the first load balancer that forwards to the group has served; `None`: none does.
fn balancer_since(world: &World, group: &Value) -> Option<f64> {
    let arns = list(group, "LoadBalancerArns").iter().filter_map(|arn| arn.as_str());
    let balancers = arns.filter_map(|arn| world.row(tables::BALANCERS, arn)).filter(|row| active(world, row));
    let made = |row: &Value| row["_created"].as_f64().unwrap_or_default() + world.weather.provisioning_seconds;
    balancers.map(made).min_by(f64::total_cmp)
}

/// A target that nobody checks is one that was never checked.
fn forgotten(mut target: Value) -> Value {
    if let Some(fields) = target.as_object_mut() {
        ["_health", "_failure", "_count", "_next"].iter().for_each(|field| drop(fields.remove(*field)));
    }
    target
}

fn checked(world: &World, group: &Value, mut target: Value) -> Value {
    let number = |name: &str, default: f64| group[name].as_str().and_then(|text| text.parse().ok()).unwrap_or(default);
    let interval = number("HealthCheckIntervalSeconds", 30.0_f64).max(1.0);
    let (good, bad) = (number("HealthyThresholdCount", 5.0), number("UnhealthyThresholdCount", 2.0));
    let begins = group["_used_since"].as_f64().unwrap_or(world.now) + world.weather.unused_seconds;
    let registered = target["_since"].as_f64().unwrap_or_default();
    let mut next = target["_next"].as_f64().unwrap_or(begins.max(registered));
    while next <= world.now {
        let failure = probe(world, group, &target, next).err();
        next += interval;
        let state = target["_health"].as_str().map(str::to_owned);
        // Checks in a row that speak against the state that it is in.
        let against = failure.is_some() != (state.as_deref() == Some("unhealthy"));
        let count = if against { target["_count"].as_f64().unwrap_or_default() + 1.0 } else { 0.0 };
        target["_count"] = json!(count);
        let turned = match (&state, &failure) {
            (None, None) => Some("healthy"),
            (Some(state), None) if state == "unhealthy" && count >= good => Some("healthy"),
            (_, Some(_)) if against && count >= bad => Some("unhealthy"),
            _ => None,
        };
        if let Some(turned) = turned {
            (target["_health"], target["_count"]) = (json!(turned), json!(0));
        }
        if failure.is_some() {
            target["_failure"] = json!(failure);
        }
    }
    target["_next"] = json!(next);
    target
}

/// One check at this time: what the instance answers, or the reason code and description of a failure.
fn probe(world: &World, group: &Value, target: &Value, at: f64) -> Result<(), (&'static str, String)> {
    let instance = target["Id"].as_str().and_then(|id| world.row(tables::INSTANCES, id));
    // One that is registered once more does not start once more.
    let launched = instance.and_then(|one| one["_launched"].as_f64());
    let started = launched.or(target["_since"].as_f64()).unwrap_or_default();
    if at < started + world.weather.boot_seconds
        || instance.is_some_and(|instance| is_of(instance, &world.weather.dead))
    {
        return Err(("Target.FailedHealthChecks", "Health checks failed".to_owned()));
    }
    if !reachable(world, group, target) {
        return Err(("Target.Timeout", "Request timed out".to_owned()));
    }
    let wanted = group["Matcher"]["HttpCode"].as_str().unwrap_or_default();
    let fits = wanted.split(',').any(|part| match part.split_once('-') {
        Some((low, high)) => (low..=high).contains(&ANSWER),
        None => part == ANSWER,
    });
    if fits {
        Ok(())
    } else {
        Err(("Target.ResponseCodeMismatch", format!("Health checks failed with these codes: [{ANSWER}]")))
    }
}

/// Whether the target's security groups let the load balancer's in, on the health check's port.
fn reachable(world: &World, group: &Value, target: &Value) -> bool {
    let port: Option<i64> =
        group["HealthCheckPort"].as_str().and_then(|port| port.parse().ok()).or(group["Port"].as_i64());
    let balancers =
        list(group, "LoadBalancerArns").iter().filter_map(|arn| world.row(tables::BALANCERS, arn.as_str()?));
    let from: Vec<&Value> = balancers.flat_map(|balancer| list(balancer, "SecurityGroups")).collect();
    let Some(instance) = target["Id"].as_str().and_then(|id| world.row(tables::INSTANCES, id)) else {
        return false;
    };
    let groups =
        list(instance, "groupSet").iter().filter_map(|group| world.row(tables::GROUPS, group["groupId"].as_str()?));
    groups.flat_map(|group| list(group, "_rules")).any(|rule| {
        rule["isEgress"] == false
            && from.contains(&&rule["referencedGroupInfo"]["groupId"])
            && rule["fromPort"].as_i64() <= port
            && rule["toPort"].as_i64() >= port
    })
}
