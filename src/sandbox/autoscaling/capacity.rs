//! The desired capacity, set by hand.

use serde_json::{Value, json};

use super::{activities, converge, group, invalid, managed};
use crate::sandbox::wire::{Reply, number};
use crate::sandbox::world::World;

/// One call; `None`: it is not about capacity.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "SetDesiredCapacity" => set(world, asked),
        "TerminateInstanceInAutoScalingGroup" => terminate(world, asked),
        _ => return None,
    })
}

fn set(world: &mut World, asked: &Value) -> Reply {
    let row = group(world, asked)?;
    let Some(desired) = number(asked, "DesiredCapacity") else {
        return invalid(
            "1 validation error detected: Value null at 'desiredCapacity' failed to satisfy constraint: Member must \
             not be null",
        );
    };
    let size = |name: &str| row[name].as_i64().unwrap_or_default();
    let (min, max) = (size("MinSize"), size("MaxSize"));
    if desired > max {
        return invalid(format!(
            "New SetDesiredCapacity value {desired} is above max value {max} for the AutoScalingGroup."
        ));
    }
    if desired < min {
        return invalid(format!(
            "New SetDesiredCapacity value {desired} is below min value {min} for the AutoScalingGroup."
        ));
    }
    row["DesiredCapacity"] = json!(desired);
    converge(world);
    Ok(json!({}))
}

/// Ends one instance; the group launches another one, unless the desired capacity goes down with it.
fn terminate(world: &mut World, asked: &Value) -> Reply {
    let instance = managed(world, asked)?;
    let of = json!({"AutoScalingGroupName": instance["_group"]});
    let group = group(world, &of)?;
    if asked["ShouldDecrementDesiredCapacity"] == "true" {
        let (desired, min) = (group["DesiredCapacity"].as_i64(), group["MinSize"].as_i64().unwrap_or_default());
        if desired <= Some(min) {
            return invalid(format!(
                "Currently, desiredSize equals minSize ({min}). Terminating instance without replacement will violate \
                 group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower \
                 group's min size."
            ));
        }
        group["DesiredCapacity"] = json!(desired.map(|desired| desired - 1));
    }
    let group = group.clone();
    let id = instance["instanceId"].as_str().unwrap_or_default();
    world.terminate(id);
    let cause = format!("At {} instance {id} was taken out of service in response to a user request.", world.date());
    let activity = activities::record(world, &group, activities::Entry::end(&instance).because(cause));
    converge(world);
    Ok(json!({"Activity": activity}))
}
