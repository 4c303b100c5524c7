//! The target groups that a group is attached to.

use serde_json::{Value, json};

use super::{converge, group, invalid, refresh};
use crate::sandbox::wire::{Refusal, Reply, list, texts};
use crate::sandbox::world::World;

/// One call; `None`: it is not about target groups.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "AttachLoadBalancerTargetGroups" | "AttachTrafficSources" => attach(world, asked, true),
        "DetachLoadBalancerTargetGroups" | "DetachTrafficSources" => attach(world, asked, false),
        "DescribeLoadBalancerTargetGroups" => {
            attached(world, asked, |arn| json!({"LoadBalancerTargetGroupARN": arn, "State": "InService"}))
                .map(|all| json!({ "LoadBalancerTargetGroups": all }))
        }
        "DescribeTrafficSources" => attached(
            world,
            asked,
            |arn| json!({"TrafficSource": arn, "Identifier": arn, "Type": "elbv2", "State": "InService"}),
        )
        .map(|all| json!({ "TrafficSources": all })),
        _ => return None,
    })
}

/// The ARNs that are asked for, each of a target group that exists.
pub fn checked(world: &World, asked: &Value) -> Result<Vec<String>, Refusal> {
    let mut arns = texts(asked, "TargetGroupARNs");
    let sources = list(asked, "TrafficSources").iter();
    arns.extend(sources.filter_map(|source| source["Identifier"].as_str().map(str::to_owned)));
    if arns.iter().any(|arn| world.row("target_groups", arn).is_none()) {
        return invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.");
    }
    Ok(arns)
}

/// A group's target groups in the newer form.
pub fn as_sources(row: &Value) -> Value {
    texts(row, "TargetGroupARNs").iter().map(|arn| json!({"Identifier": arn, "Type": "elbv2"})).collect()
}

fn attach(world: &mut World, asked: &Value, attach: bool) -> Reply {
    let name = group(world, asked)?["AutoScalingGroupName"].as_str().unwrap_or_default().to_owned();
    let arns = if attach {
        // Among the errors of both calls that attach (API reference, InstanceRefreshInProgress); of none that detaches.
        refresh::refuse_while_active(world, &name)?;
        checked(world, asked)?
    } else {
        let sources = list(asked, "TrafficSources").iter();
        let sources = sources.filter_map(|source| source["Identifier"].as_str().map(str::to_owned));
        texts(asked, "TargetGroupARNs").into_iter().chain(sources).collect()
    };
    let row = group(world, asked)?;
    let mut attached = texts(row, "TargetGroupARNs");
    attached.retain(|arn| !arns.contains(arn));
    attached.extend(arns.into_iter().filter(|_| attach));
    row["TargetGroupARNs"] = json!(attached);
    converge(world);
    Ok(json!({}))
}

fn attached(world: &mut World, asked: &Value, show: fn(&str) -> Value) -> Result<Vec<Value>, Refusal> {
    Ok(texts(group(world, asked)?, "TargetGroupARNs").iter().map(|arn| show(arn)).collect())
}
