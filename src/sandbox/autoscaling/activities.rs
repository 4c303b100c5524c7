//! The history of a group.

use serde_json::{Value, json};

use super::of_group;
use crate::sandbox::wire::{Reply, list};
use crate::sandbox::world::World;

/// What happened in a group.
pub struct Entry {
    what: String,
    subnet: String,
    code: &'static str,
    words: Option<String>,
    cause: Option<String>,
}

impl Entry {
    /// An instance was launched.
    pub fn launch(id: &str, subnet: &str) -> Entry {
        Entry::of(format!("Launching a new EC2 instance: {id}"), subnet, "Successful")
    }

    /// An instance could not be launched in this subnet.
    pub fn failed_launch(subnet: &str, words: String) -> Entry {
        let entry = Entry::of("Launching a new EC2 instance".to_owned(), subnet, "Failed");
        Entry { words: Some(words), ..entry }
    }

    /// An instance was ended.
    pub fn end(instance: &Value) -> Entry {
        let text = |name: &str| instance[name].as_str().unwrap_or_default();
        Entry::of(format!("Terminating EC2 instance: {}", text("instanceId")), text("subnetId"), "Successful")
    }

    fn of(what: String, subnet: &str, code: &'static str) -> Entry {
        Entry { what, subnet: subnet.to_owned(), code, words: None, cause: None }
    }

    /// The same, with its cause.
    pub fn because(self, cause: String) -> Entry {
        Entry { cause: Some(cause), ..self }
    }

    /// The same, with the status message.
    pub fn saying(self, words: &str) -> Entry {
        Entry { words: Some(words.to_owned()), ..self }
    }
}

/// Adds an entry to the group's history.
pub fn record(world: &mut World, group: &Value, entry: Entry) -> Value {
    world.counter += 1;
    // Sorted by time.
    let id = format!("{:08x}-0000-4000-8000-000000000000", world.counter);
    let zone = world.row("subnets", &entry.subnet).map(|row| row["availabilityZone"].clone()).unwrap_or_default();
    let details = json!({"Subnet ID": entry.subnet, "Availability Zone": zone});
    let desired = &group["DesiredCapacity"];
    let cause = entry.cause.unwrap_or_else(|| {
        let date = world.date();
        let how = if entry.what.starts_with("Launching") { "started" } else { "taken out of service" };
        format!(
            "At {date} an instance was {how} in response to a difference between desired and actual capacity, bringing \
             the group to the capacity {desired}."
        )
    });
    let row = json!({
        "ActivityId": id, "AutoScalingGroupName": group["AutoScalingGroupName"], "Description": entry.what,
        "Cause": cause, "StartTime": world.date(), "EndTime": world.date(), "StatusCode": entry.code,
        "StatusMessage": entry.words, "Progress": 100, "Details": details.to_string(),
        "AutoScalingGroupARN": group["AutoScalingGroupARN"], "_begun": world.now,
    });
    world.table("activities").insert(id, row.clone());
    row
}

/// An activity as it is now: one that ends an instance waits until its target group has let requests in flight finish
/// (API reference, Activity: StatusCode).
fn shown(world: &World, mut row: Value) -> Value {
    let begun = row["_begun"].as_f64().unwrap_or_default();
    if row["Description"].as_str().is_some_and(|what| what.starts_with("Terminating"))
        && world.now < begun + world.weather.draining_seconds
    {
        (row["StatusCode"], row["Progress"]) = (json!("WaitingForELBConnectionDraining"), json!(50));
        row["EndTime"] = Value::Null;
    }
    row
}

/// DescribeScalingActivities: newest first.
pub fn describe(world: &World, asked: &Value) -> Reply {
    let ids = list(asked, "ActivityIds");
    let mut all = of_group(world, "activities", asked);
    all.retain(|row| ids.is_empty() || ids.contains(&row["ActivityId"]));
    all.reverse();
    Ok(json!({"Activities": all.into_iter().map(|row| shown(world, row)).collect::<Vec<_>>()}))
}
