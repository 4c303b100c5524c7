//! ELBv2: tags.

use serde_json::{Value, json};

use super::{BALANCERS, GROUPS, Kind, LISTENERS, invalid};
use crate::sandbox::ec2::set_tags;
use crate::sandbox::wire::{Refusal, Reply, list, refuse, texts};
use crate::sandbox::world::World;

const TAGGED: [Kind; 3] = [BALANCERS, GROUPS, LISTENERS];

/// One call; `None`: it is not about tags.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "DescribeTags" => describe(world, asked),
        "AddTags" => add(world, asked),
        "RemoveTags" => remove(world, asked),
        _ => return None,
    })
}

/// Each key once, and at most 50 (API reference, AddTags).
pub fn check(asked: &Value) -> Result<(), Refusal> {
    let mut keys: Vec<&str> = list(asked, "Tags").iter().filter_map(|tag| tag["Key"].as_str()).collect();
    let all = keys.len();
    if keys.iter().any(|key| key.to_lowercase().starts_with("aws:")) {
        return invalid("Tag keys cannot begin with 'aws:'");
    }
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < all {
        return refuse("DuplicateTagKeys", "Tag keys must be unique");
    }
    if all > 50 {
        return refuse("TooManyTags", "The maximum number of tags on a resource is 50");
    }
    Ok(())
}

/// The table of an ARN's resource. What is absent is so by its own kind's error.
fn kind(world: &World, arn: &str) -> Result<Kind, Refusal> {
    if let Some(kind) = TAGGED.into_iter().find(|kind| world.row(kind.0, arn).is_some()) {
        return Ok(kind);
    }
    let of = |part: &str| arn.starts_with("arn:aws:elasticloadbalancing:") && arn.contains(part);
    if of(":targetgroup/") {
        super::absent(GROUPS)
    } else if of(":listener/") {
        super::absent(LISTENERS)
    } else if of(":loadbalancer/") {
        super::absent(BALANCERS)
    } else {
        invalid(format!("'{arn}' is not a valid resource ARN"))
    }
}

/// The tags of a rule, which are in its listener's row.
fn of_rule(world: &World, arn: &str) -> Option<Value> {
    let mut rules = world.rows(LISTENERS.0).flat_map(|row| list(row, "_rules"));
    rules.find(|rule| rule["RuleArn"] == arn).map(|rule| list(rule, "_tags").iter().cloned().collect())
}

fn describe(world: &World, asked: &Value) -> Reply {
    let mut described = Vec::new();
    for arn in texts(asked, "ResourceArns") {
        if let Some(tags) = of_rule(world, &arn) {
            described.push(json!({"ResourceArn": arn, "Tags": tags}));
            continue;
        }
        let row = world.row(kind(world, &arn)?.0, &arn).cloned().unwrap_or_default();
        described.push(json!({"ResourceArn": arn, "Tags": list(&row, "_tags")}));
    }
    Ok(json!({"TagDescriptions": described}))
}

fn add(world: &mut World, asked: &Value) -> Reply {
    check(asked)?;
    for arn in texts(asked, "ResourceArns") {
        let kind = kind(world, &arn)?;
        if let Some(row) = world.row_mut(kind.0, &arn) {
            set_tags(row, ("_tags", "Key", "Value"), list(asked, "Tags"));
        }
    }
    Ok(json!({}))
}

fn remove(world: &mut World, asked: &Value) -> Reply {
    let gone = list(asked, "TagKeys");
    for arn in texts(asked, "ResourceArns") {
        let kind = kind(world, &arn)?;
        if let Some(row) = world.row_mut(kind.0, &arn) {
            let mut left = list(row, "_tags").to_vec();
            left.retain(|tag| !gone.contains(&tag["Key"]));
            row["_tags"] = Value::Array(left);
        }
    }
    Ok(json!({}))
}
