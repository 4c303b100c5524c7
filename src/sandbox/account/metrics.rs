//! CloudWatch: the alarms of scaling policies, and two metrics.

use serde_json::{Value, json};

use crate::sandbox::wire::{Reply, list, texts};
use crate::sandbox::world::World;

/// One call; `None`: not one of CloudWatch that the sandbox has.
pub fn call(world: &World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "DescribeAlarms" => Ok(alarms(world, asked)),
        "GetMetricStatistics" => Ok(statistics(world, asked)),
        _ => return None,
    })
}

/// The two alarms of each target tracking policy, by the CPU that the weather gives every group.
fn alarms(world: &World, asked: &Value) -> Value {
    let names = texts(asked, "AlarmNames");
    let policies = world.rows("policies_of_groups");
    let all = policies.flat_map(|policy| {
        let target = policy["TargetTrackingConfiguration"]["TargetValue"].as_str();
        let target = target.and_then(|text| text.parse::<f64>().ok());
        let (target, cpu) = (target.unwrap_or_default(), world.weather.cpu);
        let high = |name: &str| name.ends_with("AlarmHigh");
        list(policy, "Alarms").iter().filter_map(move |alarm| {
            let name = alarm["AlarmName"].as_str()?;
            let on = if high(name) { cpu > target } else { cpu < target * 0.9 };
            let high = high(name);
            Some(json!({
                "AlarmName": name, "AlarmArn": alarm["AlarmARN"], "StateValue": if on { "ALARM" } else { "OK" },
                "ActionsEnabled": true, "AlarmActions": [policy["PolicyARN"]], "MetricName": "CPUUtilization",
                "Namespace": "AWS/EC2", "Statistic": "Average", "Period": 60,
                "Dimensions": [{"Name": "AutoScalingGroupName", "Value": policy["AutoScalingGroupName"]}],
                // Three minutes above, fifteen minutes below nine tenths (user guide, target tracking).
                "EvaluationPeriods": if high { 3 } else { 15 },
                "Threshold": if high { target } else { target * 0.9 },
                "ComparisonOperator": if high { "GreaterThanThreshold" } else { "LessThanThreshold" },
            }))
        })
    });
    let prefix = asked["AlarmNamePrefix"].as_str().unwrap_or_default();
    let state = asked["StateValue"].as_str();
    let wanted = |alarm: &Value| {
        (names.is_empty() || names.iter().any(|name| alarm["AlarmName"] == name.as_str()))
            && alarm["AlarmName"].as_str().is_some_and(|name| name.starts_with(prefix))
            && state.is_none_or(|state| alarm["StateValue"] == state)
    };
    json!({"MetricAlarms": all.filter(wanted).collect::<Vec<_>>(), "CompositeAlarms": []})
}

/// CPU of a group; vCPUs in use of the account.
fn statistics(world: &World, asked: &Value) -> Value {
    let running = world.rows("instances").filter(|row| row["instanceState"]["name"] == "running").count() as f64;
    let value = match asked["MetricName"].as_str() {
        Some("CPUUtilization") if running > 0.0 => Some(world.weather.cpu),
        // 16 each: the guide's c7i-flex.4xlarge.
        Some("ResourceCount") => Some(running * 16.0),
        _ => None,
    };
    let unit = if asked["MetricName"] == "CPUUtilization" { "Percent" } else { "None" };
    let date = world.date();
    let point = |value: f64| {
        let all = json!({
            "Timestamp": date, "Average": value, "Maximum": value, "Minimum": value, "Sum": value, "SampleCount": 1.0,
        });
        let mut point = json!({"Timestamp": all["Timestamp"], "Unit": unit});
        for name in texts(asked, "Statistics") {
            point[&name] = all[&name].clone();
        }
        point
    };
    json!({"Label": asked["MetricName"], "Datapoints": value.map(point).into_iter().collect::<Vec<_>>()})
}
