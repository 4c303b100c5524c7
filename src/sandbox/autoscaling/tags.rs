//! Tags of groups, which their instances may get at launch.

use serde_json::{Value, json};

use super::invalid;
use crate::sandbox::ec2::set_tags;
use crate::sandbox::wire::{Refusal, Reply, list};
use crate::sandbox::world::World;

/// One call; `None`: it is not about tags.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateOrUpdateTags" => add(world, asked),
        "DeleteTags" => remove(world, asked),
        "DescribeTags" => describe(world, asked),
        _ => return None,
    })
}

/// The tags of a new group.
pub fn of_new(asked: &Value, group: &str) -> Reply {
    list(asked, "Tags").iter().map(|tag| whole(tag, group)).collect()
}

/// A tag with all of its fields.
fn whole(tag: &Value, group: &str) -> Reply {
    let key = tag["Key"].as_str().unwrap_or_default();
    if key.is_empty() || key.chars().count() > 128 {
        return invalid(format!("Tag key '{key}' must have 1 to 128 characters"));
    }
    if key.to_lowercase().starts_with("aws:") {
        return invalid(format!("Tag key '{key}' is reserved for AWS use: it cannot begin with aws:"));
    }
    let spread = tag["PropagateAtLaunch"] == "true" || tag["PropagateAtLaunch"] == true;
    Ok(json!({
        "ResourceId": group, "ResourceType": "auto-scaling-group", "Key": key,
        "Value": tag["Value"].as_str().unwrap_or_default(), "PropagateAtLaunch": spread.to_string(),
    }))
}

fn group<'a>(world: &'a mut World, tag: &Value) -> Result<&'a mut Value, Refusal> {
    let id = tag["ResourceId"].as_str().unwrap_or_default();
    match world.row_mut("asgs", id) {
        Some(row) => Ok(row),
        None => invalid(format!("AutoScalingGroup name not found - null: {id}")),
    }
}

fn add(world: &mut World, asked: &Value) -> Reply {
    for tag in list(asked, "Tags") {
        let whole = whole(tag, tag["ResourceId"].as_str().unwrap_or_default())?;
        set_tags(group(world, tag)?, ("Tags", "Key", "Value"), &[whole]);
    }
    Ok(json!({}))
}

fn remove(world: &mut World, asked: &Value) -> Reply {
    for tag in list(asked, "Tags") {
        let row = group(world, tag)?;
        let mut left = list(row, "Tags").to_vec();
        left.retain(|one| one["Key"] != tag["Key"]);
        row["Tags"] = Value::Array(left);
    }
    Ok(json!({}))
}

/// Filters: `auto-scaling-group`, `key`, `value`, `propagate-at-launch` (API reference, DescribeTags).
fn describe(world: &World, asked: &Value) -> Reply {
    let mut tags: Vec<Value> = world.rows("asgs").flat_map(|row| list(row, "Tags").to_vec()).collect();
    for filter in list(asked, "Filters") {
        let field = match filter["Name"].as_str() {
            Some("auto-scaling-group") => "ResourceId",
            Some("key") => "Key",
            Some("value") => "Value",
            Some("propagate-at-launch") => "PropagateAtLaunch",
            other => return invalid(format!("Filter type {} is not correct.", other.unwrap_or_default())),
        };
        tags.retain(|tag| list(filter, "Values").contains(&tag[field]));
    }
    Ok(json!({ "Tags": tags }))
}
