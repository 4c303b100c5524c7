//! Auto Scaling: groups, their policies, activities and instance refreshes. What time does to them is in `fleet`.

mod activities;
mod capacity;
mod described;
mod fleet;
mod groups;
mod members;
mod policies;
mod processes;
mod refresh;
mod tags;
mod target_groups;
mod template;

use serde_json::{Value, json};

use super::parameters::missing_as;
use super::wire::{Refusal, Reply, list, need, refuse};
use super::world::World;
use fleet::alive;
pub use fleet::converge;
use template::{checked_profile, data, numbered};

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    let answers = [
        groups::call,
        capacity::call,
        members::call,
        policies::call,
        processes::call,
        tags::call,
        target_groups::call,
        described::call,
    ];
    if let Some(reply) = answers.iter().find_map(|answer| answer(world, operation, asked)) {
        return missing_as("ValidationError", reply);
    }
    match operation {
        "DescribeScalingActivities" => activities::describe(world, asked),
        "StartInstanceRefresh" => refresh::start(world, asked),
        "DescribeInstanceRefreshes" => refresh::describe(world, asked),
        "CancelInstanceRefresh" => refresh::end(world, asked, "Cancelling"),
        "RollbackInstanceRefresh" => refresh::end(world, asked, "RollbackInProgress"),
        other => refuse("InvalidAction", format!("Could not find operation {other} for version 2011-01-01")),
    }
}

fn name(asked: &Value) -> Result<&str, Refusal> {
    match asked["AutoScalingGroupName"].as_str() {
        Some(name) if !name.is_empty() => Ok(name),
        _ => invalid(
            "1 validation error detected: Value null at 'autoScalingGroupName' failed to satisfy constraint: Member \
             must not be null",
        ),
    }
}

/// A refusal as Auto Scaling puts nearly all of them.
fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    refuse("ValidationError", message)
}

fn group<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let name = name(asked)?;
    match world.row_mut("asgs", name) {
        Some(row) if row["Status"].is_string() => {
            invalid("AutoScalingGroup may not be modified while it is pending delete")
        }
        Some(row) => Ok(row),
        None => invalid(format!("AutoScalingGroup name not found - null: {name}")),
    }
}

/// A list of a reply with the rows that are of the group asked for.
fn of_group(world: &World, table: &str, asked: &Value) -> Vec<Value> {
    let of = asked["AutoScalingGroupName"].as_str();
    world.rows(table).filter(|row| of.is_none_or(|name| row["AutoScalingGroupName"] == name)).cloned().collect()
}

/// A list that is empty in every sandbox.
fn none(name: &str) -> Reply {
    Ok(json!({ name: [] }))
}

/// Whether a filter's values are empty or have this one.
fn among(asked: &Value, name: &str, value: &Value) -> bool {
    let wanted = list(asked, name);
    wanted.is_empty() || wanted.contains(value)
}

/// An instance of any group by its id.
fn managed(world: &World, asked: &Value) -> Result<Value, Refusal> {
    let id = need(asked, "InstanceId")?;
    let of_group = |row: &&Value| row["_group"].is_string() && row["_ending"].is_null();
    match world.row("instances", id).filter(of_group) {
        Some(row) => Ok(row.clone()),
        None => invalid(format!("Instance Id not found - No managed instance found for instance ID: {id}")),
    }
}
