//! Groups: made, described, changed, removed.

use serde_json::{Value, json};

use super::{
    alive, checked_profile, converge, fleet, group, invalid, members, name, refresh, tags, target_groups, template,
};
use crate::sandbox::wire::{Refusal, Reply, list, number, refuse, texts};
use crate::sandbox::world::World;

/// Fields that a request gives as text, and what they are without one.
const TEXTS: [(&str, Option<&str>); 5] = [
    ("HealthCheckType", Some("EC2")),
    ("DeletionProtection", Some("none")),
    ("PlacementGroup", None),
    ("DesiredCapacityType", None),
    ("VPCZoneIdentifier", None),
];
/// Fields that a request gives as a number, beside the sizes.
const NUMBERS: [&str; 4] =
    ["HealthCheckGracePeriod", "DefaultInstanceWarmup", "DefaultCooldown", "MaxInstanceLifetime"];
/// Fields that are lists or trees of the request's own shape.
const TREES: [&str; 4] = [
    "TerminationPolicies",
    "InstanceMaintenancePolicy",
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
];
/// Yes-or-no fields.
const FLAGS: [&str; 2] = ["NewInstancesProtectedFromScaleIn", "CapacityRebalance"];
/// Seconds between two simple scalings (API reference, CreateAutoScalingGroup: DefaultCooldown).
const COOLDOWN: i64 = 300;

/// One call; `None`: it is not about groups.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateAutoScalingGroup" => create(world, asked),
        "DescribeAutoScalingGroups" => Ok(describe(world, asked)),
        "UpdateAutoScalingGroup" => update(world, asked),
        "DeleteAutoScalingGroup" => delete(world, asked),
        _ => return None,
    })
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let name = name(asked)?.to_owned();
    if name.chars().count() > 255 || name.contains(':') {
        return invalid(format!(
            "1 validation error detected: Value '{name}' at 'autoScalingGroupName' failed to satisfy constraint: \
             Member must have length less than or equal to 255"
        ));
    }
    refuse_twin(world, &name)?;
    let (own, mixed) = template::source(world, asked)?;
    let sizes = sizes(asked, &Value::Null)?;
    checked(world, asked)?;
    if asked["VPCZoneIdentifier"].is_null() && list(asked, "AvailabilityZones").is_empty() {
        return invalid("At least one Availability Zone or VPC Subnet is required.");
    }
    checked_profile(world, &template::of(&json!({"LaunchTemplate": own, "MixedInstancesPolicy": mixed})))?;
    let arns = target_groups::checked(world, asked)?;
    let own_tags = tags::of_new(asked, &name)?;
    world.counter += 1;
    let counter = world.counter;
    let id = format!("{counter:08x}-0000-4000-8000-000000000000");
    let arn = world.arn("autoscaling", &format!("autoScalingGroup:{id}:autoScalingGroupName/{name}"));
    let linked = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
    let mut row = json!({
        "AutoScalingGroupName": name, "AutoScalingGroupARN": arn, "LaunchTemplate": own,
        "MixedInstancesPolicy": mixed, "MinSize": sizes[0],
        "MaxSize": sizes[1], "DesiredCapacity": sizes[2], "DefaultCooldown": COOLDOWN, "HealthCheckGracePeriod": 0,
        "VPCZoneIdentifier": null, "TargetGroupARNs": arns, "LoadBalancerNames": [], "CreatedTime": world.date(),
        "Tags": own_tags, "Status": null, "AvailabilityZones": [], "SuspendedProcesses": [], "EnabledMetrics": [],
        "TerminationPolicies": ["Default"], "NewInstancesProtectedFromScaleIn": false,
        "ServiceLinkedRoleARN": world.arn("iam", linked),
        "CapacityReservationSpecification": {"CapacityReservationPreference": "default"},
        "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-best-effort"},
        "AvailabilityZoneImpairmentPolicy": {"ZonalShiftEnabled": false},
        "_retry_at": 0.0,
    });
    for (field, default) in TEXTS {
        row[field] = json!(default);
    }
    set_fields(&mut row, asked);
    world.table("asgs").insert(name, row);
    converge(world);
    Ok(json!({}))
}

fn refuse_twin(world: &World, name: &str) -> Result<(), Refusal> {
    let Some(row) = world.row("asgs", name) else { return Ok(()) };
    let dying = if row["Status"].is_string() {
        " and is pending delete. Please wait until the previous group has been deleted"
    } else {
        ""
    };
    refuse(
        "AlreadyExists",
        format!("AutoScalingGroup by this name already exists - A group with the name {name} already exists{dying}"),
    )
}

/// Least, most and desired size after a request to a group that has `row`'s. A new bound pulls the desired capacity
/// along (API reference, UpdateAutoScalingGroup).
fn sizes(asked: &Value, row: &Value) -> Result<[i64; 3], Refusal> {
    let size = |name: &str| number(asked, name).or(row[name].as_i64());
    let (Some(min), Some(max)) = (size("MinSize"), size("MaxSize")) else {
        return invalid("1 validation error detected: MinSize and MaxSize must not be null");
    };
    if min < 0 || max < 0 {
        return invalid(format!("Min size:{min} and max size:{max} must be at least 0"));
    }
    if min > max {
        return invalid(format!("Max bound, {max}, must be greater than or equal to min bound, {min}"));
    }
    let desired = match number(asked, "DesiredCapacity") {
        Some(desired) if !(min..=max).contains(&desired) => {
            return invalid(format!(
                "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
            ));
        }
        Some(desired) => desired,
        None => row["DesiredCapacity"].as_i64().unwrap_or(min).clamp(min, max),
    };
    Ok([min, max, desired])
}

/// What a group's request may not ask for.
fn checked(world: &World, asked: &Value) -> Result<(), Refusal> {
    const CHECKS: [&str; 4] = ["EC2", "ELB", "EBS", "VPC_LATTICE"];
    if let Some(subnets) = asked["VPCZoneIdentifier"].as_str() {
        let subnets = subnets.split(',').map(str::trim).filter(|subnet| !subnet.is_empty());
        for subnet in subnets {
            if world.row("subnets", subnet).is_none() {
                return invalid(format!("The subnet ID '{subnet}' does not exist"));
            }
        }
    }
    if let Some(kinds) = asked["HealthCheckType"].as_str()
        && let Some(kind) = kinds.split(',').find(|kind| !CHECKS.contains(&kind.trim()))
    {
        return invalid(format!("Invalid health check type: {kind}. Valid types are {}.", CHECKS.join(", ")));
    }
    for field in NUMBERS {
        if let Some(value) = number(asked, field).filter(|value| *value < 0 && field != "DefaultInstanceWarmup") {
            return invalid(format!("{field} must be a non-negative number, not {value}"));
        }
    }
    match asked["DeletionProtection"].as_str() {
        None | Some("none" | "prevent-force-deletion" | "prevent-all-deletion") => Ok(()),
        Some(other) => invalid(format!("Invalid deletion protection: {other}")),
    }
}

/// What a request says beside the sizes.
fn set_fields(row: &mut Value, asked: &Value) {
    for (field, _) in TEXTS.into_iter().filter(|(field, _)| asked[field].is_string()) {
        row[field] = asked[field].clone();
    }
    for field in TREES.into_iter().filter(|field| !asked[field].is_null()) {
        row[field] = asked[field].clone();
    }
    for field in FLAGS.into_iter().filter(|field| !asked[field].is_null()) {
        row[field] = json!(asked[field] == "true" || asked[field] == true);
    }
    for field in NUMBERS {
        match number(asked, field) {
            // "To remove a value that you previously set, include the property but specify -1" (DefaultInstanceWarmup).
            Some(-1) => row[field] = Value::Null,
            Some(value) => row[field] = json!(value),
            None => {}
        }
    }
}

/// The groups that are named, or all of them, as far as they fit the filters.
fn describe(world: &World, asked: &Value) -> Value {
    let names = texts(asked, "AutoScalingGroupNames");
    let tagged = |row: &Value, filter: &Value| {
        let (name, values) = (filter["Name"].as_str().unwrap_or_default(), list(filter, "Values"));
        list(row, "Tags").iter().any(|tag| match name {
            "tag-key" => values.contains(&tag["Key"]),
            "tag-value" => values.contains(&tag["Value"]),
            _ => name.strip_prefix("tag:").is_some_and(|key| tag["Key"] == key) && values.contains(&tag["Value"]),
        })
    };
    let wanted = |row: &&Value| {
        let named = names.is_empty() || names.iter().any(|name| row["AutoScalingGroupName"] == name.as_str());
        named && list(asked, "Filters").iter().all(|filter| tagged(row, filter))
    };
    let shown = world.rows("asgs").filter(wanted).map(|row| {
        let mut row = row.clone();
        let subnets = fleet::subnets(&row);
        let zones = subnets.iter().filter_map(|id| world.row("subnets", id)?["availabilityZone"].as_str());
        let mut zones: Vec<&str> = zones.collect();
        zones.sort_unstable();
        zones.dedup();
        row["AvailabilityZones"] = json!(zones);
        row["TrafficSources"] = target_groups::as_sources(&row);
        row["Instances"] = alive(world, row["AutoScalingGroupName"].as_str().unwrap_or_default())
            .map(|one| members::shown(world, one))
            .collect();
        row
    });
    json!({"AutoScalingGroups": shown.collect::<Vec<_>>()})
}

/// Patches; a new size pulls the desired capacity along (API reference, UpdateAutoScalingGroup).
fn update(world: &mut World, asked: &Value) -> Reply {
    let sizes = sizes(asked, group(world, asked)?)?;
    checked(world, asked)?;
    if asked["LaunchTemplate"].is_object() || asked["MixedInstancesPolicy"].is_object() {
        refresh::refuse_template_while_active(world, name(asked)?)?;
        let (own, mixed) = template::source(world, asked)?;
        checked_profile(world, &template::of(&json!({"LaunchTemplate": own, "MixedInstancesPolicy": mixed})))?;
        let row = group(world, asked)?;
        (row["LaunchTemplate"], row["MixedInstancesPolicy"]) = (own, mixed);
    }
    let row = group(world, asked)?;
    set_fields(row, asked);
    (row["MinSize"], row["MaxSize"], row["DesiredCapacity"]) = (json!(sizes[0]), json!(sizes[1]), json!(sizes[2]));
    converge(world);
    Ok(json!({}))
}

fn delete(world: &mut World, asked: &Value) -> Reply {
    let protection = group(world, asked)?["DeletionProtection"].clone();
    let (name, force) = (name(asked)?, asked["ForceDelete"] == "true");
    if protection == "prevent-all-deletion" || (force && protection == "prevent-force-deletion") {
        return refuse(
            "ResourceInUse",
            "The Auto Scaling group cannot be deleted because deletion protection is enabled.",
        );
    }
    if !force && alive(world, name).next().is_some() {
        return refuse(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) \
             still in the group.",
        );
    }
    let row = group(world, asked)?;
    row["Status"] = json!("Delete in progress");
    row["_forced"] = json!(force);
    world.table("policies_of_groups").retain(|_, row| row["AutoScalingGroupName"] != name);
    converge(world);
    Ok(json!({}))
}
