//! ELBv2: rules of listeners.

use serde_json::{Value, json};

use super::{LISTENERS, actions, invalid, one, within};
use crate::sandbox::wire::{Refusal, Reply, list, need, refuse, texts};
use crate::sandbox::world::World;

/// One call; `None`: it is not about rules.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateRule" => create(world, asked),
        "DescribeRules" => describe(world, asked),
        "ModifyRule" => modify(world, asked),
        "DeleteRule" => delete(world, asked),
        _ => return None,
    })
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let listener = one(world, asked, "ListenerArn", LISTENERS)?.clone();
    let priority = need(asked, "Priority")?;
    within(asked, "Priority", 1..=50_000)?;
    if list(&listener, "_rules").iter().any(|rule| rule["Priority"] == priority) {
        return refuse("PriorityInUse", format!("Priority '{priority}' is currently in use"));
    }
    if list(asked, "Conditions").is_empty() {
        return invalid("A condition must be specified");
    }
    let actions = actions::shown(world, list(asked, "Actions"), &listener["LoadBalancerArn"])?;
    world.counter += 1;
    let id = world.counter;
    let row = one(world, asked, "ListenerArn", LISTENERS)?;
    let rule = json!({
        "RuleArn": format!("{}/{id:016x}", prefix(row)), "Priority": priority, "Conditions": asked["Conditions"],
        "Actions": actions, "IsDefault": false, "_tags": asked["Tags"],
    });
    row["_rules"].as_array_mut().into_iter().for_each(|rules| rules.push(rule.clone()));
    actions::tie_target_groups(world);
    Ok(json!({"Rules": [rule]}))
}

/// What the ARNs of a listener's rules begin with.
fn prefix(listener: &Value) -> String {
    listener["ListenerArn"].as_str().unwrap_or_default().replace(":listener/", ":listener-rule/")
}

/// By priority; the default action is the last rule.
fn all(listener: &Value) -> Vec<Value> {
    let mut rules = list(listener, "_rules").to_vec();
    rules.sort_by_key(|rule| rule["Priority"].as_str().and_then(|text| text.parse::<u32>().ok()));
    rules.push(json!({
        "RuleArn": format!("{}/default", prefix(listener)), "Priority": "default", "Conditions": [],
        "Actions": listener["DefaultActions"], "IsDefault": true,
    }));
    rules
}

fn describe(world: &mut World, asked: &Value) -> Reply {
    let arns = texts(asked, "RuleArns");
    if arns.is_empty() {
        if asked["ListenerArn"].is_null() {
            return invalid("You must specify either listener rule ARNs or a listener ARN");
        }
        return Ok(json!({"Rules": all(one(world, asked, "ListenerArn", LISTENERS)?)}));
    }
    let rules: Vec<Value> = world.rows(LISTENERS.0).flat_map(all).collect();
    let found: Vec<&Value> =
        rules.iter().filter(|rule| arns.iter().any(|arn| rule["RuleArn"] == arn.as_str())).collect();
    if found.len() < arns.len() {
        return absent();
    }
    Ok(json!({ "Rules": found }))
}

fn absent<T>() -> Result<T, Refusal> {
    refuse("RuleNotFound", "One or more rules not found")
}

/// The listener of a rule.
fn listener<'a>(world: &'a mut World, arn: &str) -> Result<&'a mut Value, Refusal> {
    if arn.ends_with("/default") {
        return refuse("OperationNotPermitted", format!("Default rule '{arn}' cannot be modified or deleted"));
    }
    let has = |row: &&mut Value| list(row, "_rules").iter().any(|rule| rule["RuleArn"] == arn);
    match world.table(LISTENERS.0).values_mut().find(has) {
        Some(row) => Ok(row),
        None => absent(),
    }
}

fn modify(world: &mut World, asked: &Value) -> Reply {
    let arn = need(asked, "RuleArn")?;
    let balancer = listener(world, arn)?["LoadBalancerArn"].clone();
    let actions = actions::shown(world, list(asked, "Actions"), &balancer)?;
    let row = listener(world, arn)?;
    let mut changed = Vec::new();
    for rule in row["_rules"].as_array_mut().into_iter().flatten().filter(|rule| rule["RuleArn"] == arn) {
        if !list(asked, "Conditions").is_empty() {
            rule["Conditions"] = asked["Conditions"].clone();
        }
        if actions.as_array().is_some_and(|actions| !actions.is_empty()) {
            rule["Actions"] = actions.clone();
        }
        changed.push(rule.clone());
    }
    actions::tie_target_groups(world);
    Ok(json!({ "Rules": changed }))
}

fn delete(world: &mut World, asked: &Value) -> Reply {
    let arn = need(asked, "RuleArn")?;
    let rules = listener(world, arn)?["_rules"].as_array_mut();
    rules.into_iter().for_each(|rules| rules.retain(|rule| rule["RuleArn"] != arn));
    actions::tie_target_groups(world);
    Ok(json!({}))
}
