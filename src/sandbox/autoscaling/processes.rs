//! Processes that are suspended, and metrics that are collected.

use serde_json::{Value, json};

use super::{group, invalid};
use crate::sandbox::wire::{Refusal, Reply, list, texts};
use crate::sandbox::world::World;

/// API reference, SuspendProcesses.
pub const PROCESSES: [&str; 9] = [
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
];
/// API reference, EnableMetricsCollection: those that a group without a warm pool has.
pub const METRICS: [&str; 13] = [
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
    "GroupInServiceCapacity",
    "GroupPendingCapacity",
    "GroupStandbyCapacity",
    "GroupTerminatingCapacity",
    "GroupTotalCapacity",
];

/// One call; `None`: it is about neither.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "SuspendProcesses" => suspend(world, asked, true),
        "ResumeProcesses" => suspend(world, asked, false),
        "EnableMetricsCollection" => collect(world, asked, true),
        "DisableMetricsCollection" => collect(world, asked, false),
        _ => return None,
    })
}

/// Those that are named, or all.
fn named(asked: &Value, list: &str, all: &[&str]) -> Result<Vec<String>, Refusal> {
    let named = texts(asked, list);
    if let Some(other) = named.iter().find(|name| !all.contains(&name.as_str())) {
        return invalid(format!("'{other}' is not one of {}", all.join(", ")));
    }
    let every = || all.iter().map(|name| (*name).to_owned()).collect();
    Ok(if named.is_empty() { every() } else { named })
}

fn suspend(world: &mut World, asked: &Value, on: bool) -> Reply {
    let row = group(world, asked)?;
    let processes = named(asked, "ScalingProcesses", &PROCESSES)?;
    let mut suspended = list(row, "SuspendedProcesses").to_vec();
    suspended.retain(|one| !processes.iter().any(|name| one["ProcessName"] == name.as_str()));
    if on {
        suspended
            .extend(processes.iter().map(|name| json!({"ProcessName": name, "SuspensionReason": "User suspended"})));
    }
    row["SuspendedProcesses"] = Value::Array(suspended);
    Ok(json!({}))
}

fn collect(world: &mut World, asked: &Value, on: bool) -> Reply {
    let row = group(world, asked)?;
    if on && asked["Granularity"] != "1Minute" {
        return invalid("Granularity must be 1Minute");
    }
    let metrics = named(asked, "Metrics", &METRICS)?;
    let mut enabled = list(row, "EnabledMetrics").to_vec();
    enabled.retain(|one| !metrics.iter().any(|name| one["Metric"] == name.as_str()));
    if on {
        enabled.extend(metrics.iter().map(|name| json!({"Metric": name, "Granularity": "1Minute"})));
    }
    row["EnabledMetrics"] = Value::Array(enabled);
    Ok(json!({}))
}
