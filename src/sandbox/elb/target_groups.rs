//! ELBv2: target groups and their targets.

use serde_json::{Value, json};

use super::{BALANCERS, GROUPS, LISTENERS, attributes, checked_name, found, invalid, one, tags, targets, twin, within};
use crate::sandbox::health;
use crate::sandbox::wire::{Refusal, Reply, list, need, number, refuse};
use crate::sandbox::world::World;

/// One call; `None`: it is not about target groups.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateTargetGroup" => create(world, asked),
        "DescribeTargetGroups" => describe(world, asked),
        "ModifyTargetGroup" => modify(world, asked),
        "DescribeTargetHealth" => target_health(world, asked),
        "RegisterTargets" => register(world, asked),
        "DeregisterTargets" => deregister(world, asked),
        "DeleteTargetGroup" => delete(world, asked),
        _ => return None,
    })
}

/// What can be changed, and what it is when nothing was asked for.
const SETTINGS: [(&str, &str); 8] = [
    ("HealthCheckProtocol", "HTTP"),
    ("HealthCheckPort", "traffic-port"),
    ("HealthCheckPath", "/"),
    ("HealthCheckIntervalSeconds", "30"),
    ("HealthCheckTimeoutSeconds", "5"),
    ("HealthyThresholdCount", "5"),
    ("UnhealthyThresholdCount", "2"),
    ("HealthCheckEnabled", "true"),
];

fn describe(world: &mut World, asked: &Value) -> Reply {
    let mut rows = found(world, asked, GROUPS)?;
    if let Some(balancer) = asked["LoadBalancerArn"].as_str() {
        one(world, asked, "LoadBalancerArn", BALANCERS)?;
        rows.retain(|row| list(row, "LoadBalancerArns").iter().any(|one| one == balancer));
    }
    Ok(json!({ "TargetGroups": rows }))
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let name = checked_name(asked, GROUPS)?.to_owned();
    tags::check(asked)?;
    check_place(world, asked)?;
    if let Some(twin) = twin(world, GROUPS, &name, asked, "DuplicateTargetGroupName")? {
        return Ok(twin);
    }
    let settings = checked_settings(asked, &Value::Null)?;
    world.counter += 1;
    let arn = world.arn("elasticloadbalancing", &format!("targetgroup/{name}/{:016x}", world.counter));
    let mut row = json!({
        "TargetGroupArn": arn, "TargetGroupName": name, "Protocol": asked["Protocol"], "Port": number(asked, "Port"),
        "VpcId": asked["VpcId"], "TargetType": asked["TargetType"].as_str().unwrap_or("instance"),
        "ProtocolVersion": asked["ProtocolVersion"].as_str().unwrap_or("HTTP1"), "IpAddressType": "ipv4",
        "LoadBalancerArns": [], "Matcher": {"HttpCode": asked["Matcher"]["HttpCode"].as_str().unwrap_or("200")},
        "_attributes": attributes::of_group(), "_targets": [], "_asked": asked, "_tags": asked["Tags"],
    });
    for (field, value) in settings {
        row[field] = value;
    }
    world.table(GROUPS.0).insert(arn, row.clone());
    Ok(json!({"TargetGroups": [row]}))
}

/// Protocol, port and VPC are needed unless the target is a function (API reference, CreateTargetGroup).
fn check_place(world: &World, asked: &Value) -> Result<(), Refusal> {
    let kind = asked["TargetType"].as_str().unwrap_or("instance");
    if !["instance", "ip"].contains(&kind) {
        return invalid(format!("The target type '{kind}' is not one of [instance, ip] that the sandbox has"));
    }
    match asked["Protocol"].as_str() {
        None => return invalid("A protocol must be specified"),
        Some("HTTP" | "HTTPS") => {}
        Some(other) => return invalid(format!("Protocol '{other}' must be one of 'HTTP, HTTPS'")),
    }
    if asked["Port"].is_null() {
        return invalid("A port must be specified");
    }
    within(asked, "Port", 1..=65_535)?;
    match asked["VpcId"].as_str() {
        None => invalid("A VPC ID must be specified"),
        Some(vpc) if world.row("vpcs", vpc).is_none() => invalid(format!("The VPC ID '{vpc}' is not found")),
        Some(_) => Ok(()),
    }
}

/// Health check settings after a request: what it asks for, what is there, or the default.
fn checked_settings(asked: &Value, row: &Value) -> Result<Vec<(&'static str, Value)>, Refusal> {
    within(asked, "HealthCheckIntervalSeconds", 5..=300)?;
    within(asked, "HealthCheckTimeoutSeconds", 2..=120)?;
    within(asked, "HealthyThresholdCount", 2..=10)?;
    within(asked, "UnhealthyThresholdCount", 2..=10)?;
    if asked["HealthCheckPort"] != "traffic-port" {
        within(asked, "HealthCheckPort", 1..=65_535)?;
    }
    if let Some(path) = asked["HealthCheckPath"].as_str().filter(|path| !path.starts_with('/') || path.len() > 1024) {
        return invalid(format!(
            "Health check path '{path}' must begin with a '/' character and have at most 1024 characters"
        ));
    }
    if let Some(other) = asked["HealthCheckProtocol"].as_str().filter(|one| !["HTTP", "HTTPS"].contains(one)) {
        return invalid(format!("Health check protocol '{other}' must be one of 'HTTP, HTTPS'"));
    }
    if let Some(codes) = asked["Matcher"]["HttpCode"].as_str().filter(|codes| !are_codes(codes)) {
        return invalid(format!("Health check matcher HTTP code '{codes}' must be within '200-499' inclusive"));
    }
    let settings: Vec<(&str, Value)> = SETTINGS
        .iter()
        .map(|(field, default)| {
            let old = row[field].as_str().unwrap_or(default);
            (*field, json!(asked[field].as_str().unwrap_or(old)))
        })
        .collect();
    let seconds = |name: &str| {
        let found = settings.iter().find(|(field, _)| *field == name);
        found.and_then(|(_, value)| value.as_str()?.parse::<u32>().ok()).unwrap_or_default()
    };
    let (timeout, interval) = (seconds("HealthCheckTimeoutSeconds"), seconds("HealthCheckIntervalSeconds"));
    if timeout >= interval {
        return invalid(format!("Health check timeout '{timeout}' must be smaller than the interval '{interval}'"));
    }
    Ok(settings)
}

/// `200`, `200,202`, `200-299`.
fn are_codes(codes: &str) -> bool {
    let is_code = |code: &str| code.parse::<u16>().is_ok_and(|code| (200..=499).contains(&code));
    codes.split(',').all(|part| part.split('-').all(is_code) && part.split('-').count() <= 2)
}

fn modify(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "TargetGroupArn", GROUPS)?;
    for (field, value) in checked_settings(asked, row)? {
        row[field] = value;
    }
    if asked["Matcher"]["HttpCode"].is_string() {
        row["Matcher"] = json!({"HttpCode": asked["Matcher"]["HttpCode"]});
    }
    Ok(json!({"TargetGroups": [row.clone()]}))
}

fn target_health(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "TargetGroupArn", GROUPS)?.clone();
    let port = match row["HealthCheckPort"].as_str() {
        Some("traffic-port") => row["Port"].to_string(),
        port => port.unwrap_or_default().to_owned(),
    };
    let registered = list(&row, "_targets");
    let described = |target: &Value| {
        let (state, reason, words) = health::of(world, &row, target);
        json!({
            "Target": {"Id": target["Id"], "Port": row["Port"]}, "HealthCheckPort": port,
            "TargetHealth": {"State": state, "Reason": reason, "Description": words},
        })
    };
    let wanted = list(asked, "Targets");
    if wanted.is_empty() {
        return Ok(json!({"TargetHealthDescriptions": registered.iter().map(described).collect::<Vec<_>>()}));
    }
    let shown = wanted.iter().map(|target| match registered.iter().find(|one| one["Id"] == target["Id"]) {
        Some(one) => described(one),
        None => json!({
            "Target": {"Id": target["Id"], "Port": row["Port"]}, "TargetHealth": {
                "State": "unused", "Reason": "Target.NotRegistered",
                "Description": "Target is not registered to the target group",
            },
        }),
    });
    Ok(json!({"TargetHealthDescriptions": shown.collect::<Vec<_>>()}))
}

/// Instances beside those that Auto Scaling registers.
fn register(world: &mut World, asked: &Value) -> Reply {
    let mut targets = list(one(world, asked, "TargetGroupArn", GROUPS)?, "_targets").to_vec();
    for target in list(asked, "Targets") {
        let id = need(target, "Id")?;
        let runs = world.row("instances", id).is_some_and(|row| row["instanceState"]["name"] == "running");
        if !runs {
            return refuse(
                "InvalidTarget",
                format!("The following targets are not in a running state and cannot be registered: '{id}'"),
            );
        }
        if !targets.iter().any(|one| one["Id"] == id) {
            targets.push(json!({"Id": id, "_since": world.now, "_by_hand": true}));
        }
    }
    one(world, asked, "TargetGroupArn", GROUPS)?["_targets"] = Value::Array(targets);
    Ok(json!({}))
}

fn deregister(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "TargetGroupArn", GROUPS)?;
    let gone = list(asked, "Targets");
    let mut left = list(row, "_targets").to_vec();
    left.retain(|target| !gone.iter().any(|one| one["Id"] == target["Id"]));
    row["_targets"] = Value::Array(left);
    Ok(json!({}))
}

/// "If the target group does not exist, the call succeeds" is not said here as it is of load balancers; it does.
fn delete(world: &mut World, asked: &Value) -> Reply {
    let arn = need(asked, "TargetGroupArn")?;
    if !arn.starts_with("arn:aws:elasticloadbalancing:") {
        return invalid(format!("'{arn}' is not a valid target group ARN"));
    }
    let used = world.rows(LISTENERS.0).any(|row| targets(row).any(|target| target == arn));
    let until = world.row(GROUPS.0, arn).and_then(|row| row["_used_until"].as_f64());
    if used || until.is_some_and(|until| world.now < until) {
        return refuse("ResourceInUse", format!("Target group '{arn}' is currently in use by a listener or a rule"));
    }
    world.table(GROUPS.0).remove(arn);
    Ok(json!({}))
}
