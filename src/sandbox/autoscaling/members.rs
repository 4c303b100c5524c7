//! Instances as their groups see them, and what can be done with them there.

use serde_json::{Value, json};

use super::{group, invalid};
use crate::sandbox::wire::{Reply, list, need, texts};
use crate::sandbox::world::World;

/// One call; `None`: it is not about instances.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "DescribeAutoScalingInstances" => describe(world, asked),
        "SetInstanceProtection" => mark(world, asked, "_protected", asked["ProtectedFromScaleIn"] == "true"),
        "EnterStandby" => mark(world, asked, "_standby", true),
        "ExitStandby" => mark(world, asked, "_standby", false),
        "PutLifecycleHook" => put_hook(world, asked),
        "DeleteLifecycleHook" => delete_hook(world, asked),
        "DescribeLifecycleHooks" => describe_hooks(world, asked),
        "CompleteLifecycleAction" => complete(world, asked),
        _ => return None,
    })
}

/// An instance as its group shows it.
pub fn shown(world: &World, one: &Value) -> Value {
    let state = match one["instanceState"]["name"].as_str() {
        _ if one["_held"] == true => "Terminating:Wait",
        _ if !one["_ending"].is_null() => "Terminating",
        _ if one["_standby"] == true => "Standby",
        Some("running") => "InService",
        _ => "Pending",
    };
    let subnet = world.row("subnets", one["subnetId"].as_str().unwrap_or_default());
    json!({
        "InstanceId": one["instanceId"], "InstanceType": one["instanceType"], "LifecycleState": state,
        "AvailabilityZone": subnet.map(|row| row["availabilityZone"].clone()), "HealthStatus": "Healthy",
        "LaunchTemplate": one["_template"], "ProtectedFromScaleIn": one["_protected"] == true,
    })
}

/// The same with the group's name, and the health in capitals (API reference, AutoScalingInstanceDetails).
fn describe(world: &World, asked: &Value) -> Reply {
    let ids = list(asked, "InstanceIds");
    let of_groups = |row: &&Value| {
        row["_group"].is_string()
            && row["instanceState"]["name"] != "terminated"
            && (ids.is_empty() || ids.contains(&row["instanceId"]))
    };
    let all = world.rows("instances").filter(of_groups).map(|one| {
        let mut row = shown(world, one);
        (row["AutoScalingGroupName"], row["HealthStatus"]) = (one["_group"].clone(), json!("HEALTHY"));
        row
    });
    Ok(json!({"AutoScalingInstances": all.collect::<Vec<_>>()}))
}

/// A mark on instances of a group: protected from scale-in, in standby.
fn mark(world: &mut World, asked: &Value, mark: &str, on: bool) -> Reply {
    let name = group(world, asked)?["AutoScalingGroupName"].clone();
    for id in texts(asked, "InstanceIds") {
        match world.row_mut("instances", &id).filter(|row| row["_group"] == name) {
            Some(row) => row[mark] = json!(on),
            None => return invalid(format!("The instance {id} is not part of Auto Scaling group.")),
        }
    }
    Ok(json!({"Activities": []}))
}

fn put_hook(world: &mut World, asked: &Value) -> Reply {
    const TRANSITIONS: [&str; 2] = ["autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"];
    let row = group(world, asked)?;
    let (name, transition) = (need(asked, "LifecycleHookName")?, asked["LifecycleTransition"].as_str());
    if transition.is_none_or(|transition| !TRANSITIONS.contains(&transition)) {
        return invalid(format!("Lifecycle transition must be one of {}", TRANSITIONS.join(", ")));
    }
    let mut hooks = list(row, "_hooks").to_vec();
    hooks.retain(|hook| hook["LifecycleHookName"] != name);
    let timeout = asked["HeartbeatTimeout"].as_str().unwrap_or("3600");
    hooks.push(json!({
        "LifecycleHookName": name, "AutoScalingGroupName": asked["AutoScalingGroupName"],
        "LifecycleTransition": transition, "HeartbeatTimeout": timeout, "GlobalTimeout": 172_800,
        "DefaultResult": asked["DefaultResult"].as_str().unwrap_or("ABANDON"),
    }));
    row["_hooks"] = Value::Array(hooks);
    Ok(json!({}))
}

fn delete_hook(world: &mut World, asked: &Value) -> Reply {
    let row = group(world, asked)?;
    let name = need(asked, "LifecycleHookName")?;
    let mut hooks = list(row, "_hooks").to_vec();
    hooks.retain(|hook| hook["LifecycleHookName"] != name);
    if hooks.len() == list(row, "_hooks").len() {
        return invalid(format!("Lifecycle hook name not found - null: {name}"));
    }
    row["_hooks"] = Value::Array(hooks);
    Ok(json!({}))
}

fn describe_hooks(world: &mut World, asked: &Value) -> Reply {
    let names = list(asked, "LifecycleHookNames");
    let mut hooks = list(group(world, asked)?, "_hooks").to_vec();
    hooks.retain(|hook| names.is_empty() || names.contains(&hook["LifecycleHookName"]));
    Ok(json!({ "LifecycleHooks": hooks }))
}

/// Lets an instance go that a hook held on its way out.
fn complete(world: &mut World, asked: &Value) -> Reply {
    group(world, asked)?;
    let id = need(asked, "InstanceId")?;
    match world.row_mut("instances", id).filter(|row| row["_held"] == true) {
        Some(row) => row["_held"] = json!(false),
        None => return invalid(format!("No active Lifecycle Action found with instance ID {id}")),
    }
    world.terminate(id);
    Ok(json!({}))
}
