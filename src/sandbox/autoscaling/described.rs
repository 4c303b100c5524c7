//! What is the same in every account, and what no sandbox has.

use serde_json::{Value, json};

use super::processes::{METRICS, PROCESSES};
use super::{group, none};
use crate::sandbox::wire::Reply;
use crate::sandbox::world::World;

/// One call; `None`: it is about something that there is.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "DescribeWarmPool" => group(world, asked).and_then(|_| none("Instances")),
        "DescribeLoadBalancers" => group(world, asked).and_then(|_| none("LoadBalancers")),
        "DescribeNotificationConfigurations" => none("NotificationConfigurations"),
        "DescribeScheduledActions" => none("ScheduledUpdateGroupActions"),
        "DescribeLaunchConfigurations" => none("LaunchConfigurations"),
        // "Quotas for Amazon EC2 Auto Scaling" (user guide).
        "DescribeAccountLimits" => Ok(json!({
            "MaxNumberOfAutoScalingGroups": world.weather.quotas.get("L-CDE20ADC").map_or(500, |most| *most as u64),
            "MaxNumberOfLaunchConfigurations": 200,
            "NumberOfAutoScalingGroups": world.rows("asgs").count(), "NumberOfLaunchConfigurations": 0,
        })),
        "DescribeScalingProcessTypes" => Ok(json!({"Processes": PROCESSES.map(|name| json!({ "ProcessName": name }))})),
        "DescribeMetricCollectionTypes" => Ok(json!({
            "Metrics": METRICS.map(|name| json!({ "Metric": name })), "Granularities": [{"Granularity": "1Minute"}],
        })),
        "DescribeTerminationPolicyTypes" => Ok(json!({"TerminationPolicyTypes": [
            "AllocationStrategy", "ClosestToNextInstanceHour", "Default", "NewestInstance", "OldestInstance",
            "OldestLaunchConfiguration", "OldestLaunchTemplate",
        ]})),
        "DescribeAdjustmentTypes" => Ok(json!({"AdjustmentTypes": [
            {"AdjustmentType": "ChangeInCapacity"}, {"AdjustmentType": "ExactCapacity"},
            {"AdjustmentType": "PercentChangeInCapacity"},
        ]})),
        _ => return None,
    })
}
