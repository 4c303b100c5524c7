//! Scaling policies.

use serde_json::{Value, json};

use super::{among, group, invalid, of_group};
use crate::sandbox::wire::{Refusal, Reply, need, number};
use crate::sandbox::world::World;

/// Metrics of target tracking (API reference, PredefinedMetricSpecification).
const METRICS: [&str; 4] =
    ["ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut", "ALBRequestCountPerTarget"];

/// One call; `None`: it is not about policies.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "PutScalingPolicy" => put(world, asked),
        "DescribePolicies" => {
            let mut all = of_group(world, "policies_of_groups", asked);
            all.retain(|row| {
                let named = among(asked, "PolicyNames", &row["PolicyName"]);
                (named || among(asked, "PolicyNames", &row["PolicyARN"]))
                    && among(asked, "PolicyTypes", &row["PolicyType"])
            });
            Ok(json!({ "ScalingPolicies": all }))
        }
        "DeletePolicy" => delete(world, asked),
        _ => return None,
    })
}

fn put(world: &mut World, asked: &Value) -> Reply {
    let group = group(world, asked)?["AutoScalingGroupName"].clone();
    let (group, policy) = (group.as_str().unwrap_or_default().to_owned(), need(asked, "PolicyName")?.to_owned());
    let kind = asked["PolicyType"].as_str().unwrap_or("SimpleScaling");
    check(asked, kind)?;
    let key = format!("{group}/{policy}");
    let old = world.row("policies_of_groups", &key).map(|row| row["PolicyARN"].clone());
    world.counter += 1;
    let id = format!("{:08x}-0000-4000-8000-000000000000", world.counter);
    let arn = world.arn("autoscaling", &format!("scalingPolicy:{id}:autoScalingGroupName/{group}:policyName/{policy}"));
    let arn = old.unwrap_or(json!(arn));
    let alarms: Vec<Value> = ["AlarmHigh", "AlarmLow"]
        .into_iter()
        .filter(|_| kind == "TargetTrackingScaling")
        .map(|kind| {
            let name = format!("TargetTracking-{group}-{kind}");
            json!({"AlarmName": name, "AlarmARN": world.arn("cloudwatch", &format!("alarm:{name}"))})
        })
        .collect();
    let mut tracking = asked["TargetTrackingConfiguration"].clone();
    if tracking.is_object() && tracking["DisableScaleIn"].is_null() {
        tracking["DisableScaleIn"] = json!(false);
    }
    let row = json!({
        "AutoScalingGroupName": group, "PolicyName": policy, "PolicyARN": arn, "PolicyType": kind, "Alarms": alarms,
        "EstimatedInstanceWarmup": number(asked, "EstimatedInstanceWarmup"), "Enabled": asked["Enabled"] != "false",
        "TargetTrackingConfiguration": tracking, "AdjustmentType": asked["AdjustmentType"],
        "ScalingAdjustment": asked["ScalingAdjustment"], "Cooldown": asked["Cooldown"],
        "StepAdjustments": asked["StepAdjustments"], "MetricAggregationType": asked["MetricAggregationType"],
    });
    world.table("policies_of_groups").insert(key, row);
    Ok(json!({"PolicyARN": arn, "Alarms": alarms}))
}

/// What a policy may not be.
fn check(asked: &Value, kind: &str) -> Result<(), Refusal> {
    if !["SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling"].contains(&kind) {
        return invalid(format!("Invalid policy type: {kind}"));
    }
    if kind != "TargetTrackingScaling" {
        return Ok(());
    }
    let tracking = &asked["TargetTrackingConfiguration"];
    if !tracking.is_object() {
        return invalid("TargetTrackingConfiguration is required for policy type TargetTrackingScaling");
    }
    let target = tracking["TargetValue"].as_str().and_then(|text| text.parse::<f64>().ok());
    if target.is_none_or(|target| target <= 0.0) {
        return invalid("Target value must be greater than 0");
    }
    match tracking["PredefinedMetricSpecification"]["PredefinedMetricType"].as_str() {
        Some(metric) if !METRICS.contains(&metric) => invalid(format!(
            "1 validation error detected: Value '{metric}' at \
             'targetTrackingConfiguration.predefinedMetricSpecification.predefinedMetricType' failed to satisfy \
             constraint: Member must satisfy enum value set: [{}]",
            METRICS.join(", ")
        )),
        None if !tracking["CustomizedMetricSpecification"].is_object() => {
            invalid("Either PredefinedMetricSpecification or CustomizedMetricSpecification is required")
        }
        _ => Ok(()),
    }
}

/// By name or by ARN. One that is not there is as good as deleted: the API reference documents no refusal.
fn delete(world: &mut World, asked: &Value) -> Reply {
    let policy = need(asked, "PolicyName")?;
    let of = asked["AutoScalingGroupName"].as_str();
    if of.is_some() {
        group(world, asked)?;
    }
    world.table("policies_of_groups").retain(|_, row| {
        let named = row["PolicyName"] == policy || row["PolicyARN"] == policy;
        !(named && of.is_none_or(|of| row["AutoScalingGroupName"] == of))
    });
    Ok(json!({}))
}
