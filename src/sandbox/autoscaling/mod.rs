//! Auto Scaling: groups, their policies, activities and instance refreshes. What time does to them is in `fleet`.

mod fleet;
mod refresh;

use serde_json::{Value, json};

use super::templates;
use super::wire::{Refusal, Reply, list, need, number, refuse, texts};
use super::world::World;
use fleet::alive;
pub use fleet::converge;

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "CreateAutoScalingGroup" => create(world, asked),
        "DescribeAutoScalingGroups" => Ok(describe(world, asked)),
        "UpdateAutoScalingGroup" => update(world, asked),
        "SetDesiredCapacity" => {
            group(world, asked)?["DesiredCapacity"] = json!(number(asked, "DesiredCapacity"));
            Ok(json!({}))
        }
        "DeleteAutoScalingGroup" => delete(world, asked),
        "PutScalingPolicy" => put_policy(world, asked),
        "DescribePolicies" => {
            let of = asked["AutoScalingGroupName"].as_str();
            let wanted = |row: &&Value| of.is_none_or(|name| row["AutoScalingGroupName"] == name);
            Ok(json!({"ScalingPolicies": world.rows("policies_of_groups").filter(wanted).collect::<Vec<_>>()}))
        }
        "DeletePolicy" => {
            let key = format!("{}/{}", need(asked, "AutoScalingGroupName")?, need(asked, "PolicyName")?);
            world.table("policies_of_groups").remove(&key);
            Ok(json!({}))
        }
        "CreateOrUpdateTags" => tag(world, asked),
        "AttachLoadBalancerTargetGroups" => attach(world, asked, true),
        "DetachLoadBalancerTargetGroups" => attach(world, asked, false),
        "DescribeScalingActivities" => activities(world, asked),
        "SuspendProcesses" => suspend(world, asked, true),
        "ResumeProcesses" => suspend(world, asked, false),
        "SetInstanceProtection" => mark(world, asked, "_protected", asked["ProtectedFromScaleIn"] == "true"),
        "EnterStandby" => mark(world, asked, "_standby", true),
        "ExitStandby" => mark(world, asked, "_standby", false),
        "PutLifecycleHook" => {
            let hook = json!({
                "LifecycleHookName": need(asked, "LifecycleHookName")?, "AutoScalingGroupName": asked["AutoScalingGroupName"],
                "LifecycleTransition": asked["LifecycleTransition"], "HeartbeatTimeout": 3600,
            });
            group(world, asked)?["_hooks"] = json!([hook]);
            Ok(json!({}))
        }
        "DescribeLifecycleHooks" => {
            let hooks = list(group(world, asked)?, "_hooks").to_vec();
            Ok(json!({ "LifecycleHooks": hooks }))
        }
        "CompleteLifecycleAction" => complete(world, asked),
        "StartInstanceRefresh" => refresh::start(world, asked),
        "DescribeInstanceRefreshes" => refresh::describe(world, asked),
        "CancelInstanceRefresh" => refresh::end(world, asked, "Cancelling"),
        "RollbackInstanceRefresh" => refresh::end(world, asked, "RollbackInProgress"),
        other => refuse("InvalidAction", format!("Could not find operation {other} for version 2011-01-01")),
    }
}

fn name(asked: &Value) -> Result<&str, Refusal> {
    need(asked, "AutoScalingGroupName")
}

fn group<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let name = name(asked)?;
    match world.row_mut("asgs", name) {
        Some(row) if row["Status"].is_string() => {
            refuse("ValidationError", "AutoScalingGroup may not be modified while it is pending delete")
        }
        Some(row) => Ok(row),
        None => refuse("ValidationError", format!("AutoScalingGroup name not found - null: {name}")),
    }
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let name = name(asked)?.to_owned();
    if let Some(row) = world.row("asgs", &name) {
        let dying = if row["Status"].is_string() {
            " and is pending delete. Please wait until the previous group has been deleted"
        } else {
            ""
        };
        return refuse(
            "AlreadyExists",
            format!(
                "AutoScalingGroup by this name already exists - A group with the name {name} already exists{dying}"
            ),
        );
    }
    let template = template(world, &asked["LaunchTemplate"])?;
    checked_profile(world, &template)?;
    for arn in texts(asked, "TargetGroupARNs") {
        if world.row("target_groups", &arn).is_none() {
            return refuse("ValidationError", format!("Provided Target Group '{arn}' not found"));
        }
    }
    let size = |name: &str| number(asked, name).unwrap_or_default();
    let (min, max) = (size("MinSize"), size("MaxSize"));
    let desired = number(asked, "DesiredCapacity").unwrap_or(min);
    if !(min..=max).contains(&desired) {
        return refuse(
            "ValidationError",
            format!("Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"),
        );
    }
    world.counter += 1;
    let arn = world.arn("autoscaling", &format!("autoScalingGroup:{:08x}:autoScalingGroupName/{name}", world.counter));
    let row = json!({
        "AutoScalingGroupName": name, "AutoScalingGroupARN": arn, "LaunchTemplate": template, "MinSize": min, "MaxSize": max,
        "DesiredCapacity": desired, "DefaultCooldown": 300, "VPCZoneIdentifier": asked["VPCZoneIdentifier"],
        "TargetGroupARNs": texts(asked, "TargetGroupARNs"), "HealthCheckType": asked["HealthCheckType"].as_str().unwrap_or("EC2"),
        "HealthCheckGracePeriod": size("HealthCheckGracePeriod"), "DefaultInstanceWarmup": number(asked, "DefaultInstanceWarmup"),
        "CreatedTime": world.date(), "Tags": asked["Tags"], "Status": null, "AvailabilityZones": [],
        "SuspendedProcesses": [], "DeletionProtection": asked["DeletionProtection"].as_str().unwrap_or("none"),
        "_retry_at": 0.0,
    });
    world.table("asgs").insert(name, row);
    converge(world);
    Ok(json!({}))
}

/// The template of a group as it is shown: id, name and version.
fn template(world: &mut World, asked: &Value) -> Reply {
    let (id, name) = (asked["LaunchTemplateId"].as_str(), asked["LaunchTemplateName"].as_str());
    let wanted = |row: &&Value| row["launchTemplateId"].as_str() == id || row["launchTemplateName"].as_str() == name;
    let version = asked["Version"].as_str().unwrap_or("$Default").to_owned();
    match world.rows("templates").find(wanted) {
        Some(row) => Ok(json!({
            "LaunchTemplateId": row["launchTemplateId"], "LaunchTemplateName": row["launchTemplateName"], "Version": version,
        })),
        None => refuse(
            "ValidationError",
            "You must use a valid fully-formed launch template. The specified launch template does not exist.",
        ),
    }
}

/// A template with its version's number, as instances show it.
fn numbered(world: &World, template: &Value) -> Value {
    let mut numbered = template.clone();
    if let Some((row, version)) = of_world(world, template)
        && let Some(number) = templates::number(row, version)
    {
        numbered["Version"] = json!(number.to_string());
    }
    numbered
}

/// The data that a group's instances are launched from.
fn data(world: &World, template: &Value) -> Value {
    let found = of_world(world, template).and_then(|(row, version)| templates::data(row, version));
    found.cloned().unwrap_or_default()
}

/// A template that is referred to, and by which version.
fn of_world<'a>(world: &'a World, template: &'a Value) -> Option<(&'a Value, &'a str)> {
    let row = world.row("templates", template["LaunchTemplateId"].as_str()?)?;
    Some((row, template["Version"].as_str().unwrap_or("$Default")))
}

/// EC2 sees an instance profile some time after IAM has it.
fn checked_profile(world: &World, template: &Value) -> Result<(), Refusal> {
    let data = data(world, template);
    let visible = |name: &str| {
        world
            .row("profiles", name)
            .is_some_and(|row| world.now >= row["_made"].as_f64().unwrap_or_default() + world.weather.iam_delay)
    };
    match data["iamInstanceProfile"]["name"].as_str() {
        Some(profile) if !visible(profile) => refuse(
            "ValidationError",
            format!(
                "You must use a valid fully-formed launch template. Value ({profile}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
            ),
        ),
        _ => Ok(()),
    }
}

fn describe(world: &World, asked: &Value) -> Value {
    let names = texts(asked, "AutoScalingGroupNames");
    let tagged = |row: &Value, filter: &Value| {
        let (name, values) = (filter["Name"].as_str().unwrap_or_default(), texts(filter, "Values"));
        list(row, "Tags").iter().any(|tag| {
            name.strip_prefix("tag:").is_some_and(|key| tag["Key"] == key)
                && values.iter().any(|value| tag["Value"] == value.as_str())
        })
    };
    let wanted = |row: &&Value| {
        let named = names.is_empty() || names.iter().any(|name| row["AutoScalingGroupName"] == name.as_str());
        named && list(asked, "Filters").iter().all(|filter| tagged(row, filter))
    };
    let shown = world.rows("asgs").filter(wanted).map(|row| {
        let mut row = row.clone();
        let subnets = fleet::subnets(&row);
        let zones = subnets.iter().filter_map(|id| Some(world.row("subnets", id)?["availabilityZone"].clone()));
        row["AvailabilityZones"] = zones.collect();
        row["Instances"] = alive(world, row["AutoScalingGroupName"].as_str().unwrap_or_default())
            .map(|one| member(world, one))
            .collect();
        row
    });
    json!({"AutoScalingGroups": shown.collect::<Vec<_>>()})
}

/// An instance as its group shows it.
fn member(world: &World, one: &Value) -> Value {
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

/// Newest first.
fn activities(world: &World, asked: &Value) -> Reply {
    let of = asked["AutoScalingGroupName"].as_str();
    let wanted = |row: &&Value| of.is_none_or(|name| row["AutoScalingGroupName"] == name);
    let mut all: Vec<&Value> = world.rows("activities").filter(wanted).collect();
    all.reverse();
    let most = number(asked, "MaxRecords").and_then(|most| most.try_into().ok()).unwrap_or(100);
    all.truncate(most);
    Ok(json!({ "Activities": all }))
}

fn suspend(world: &mut World, asked: &Value, on: bool) -> Reply {
    let mut processes = texts(asked, "ScalingProcesses");
    let row = group(world, asked)?;
    let mut suspended = list(row, "SuspendedProcesses").to_vec();
    if processes.is_empty() {
        processes = ["Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy", "AZRebalance", "AlarmNotification"]
            .map(str::to_owned)
            .to_vec();
    }
    suspended.retain(|one| !processes.iter().any(|name| one["ProcessName"] == name.as_str()));
    if on {
        suspended
            .extend(processes.iter().map(|name| json!({"ProcessName": name, "SuspensionReason": "User suspended"})));
    }
    row["SuspendedProcesses"] = Value::Array(suspended);
    Ok(json!({}))
}

/// A mark on instances of a group: protected from scale-in, in standby.
fn mark(world: &mut World, asked: &Value, mark: &str, on: bool) -> Reply {
    let name = group(world, asked)?["AutoScalingGroupName"].clone();
    for id in texts(asked, "InstanceIds") {
        match world.row_mut("instances", &id).filter(|row| row["_group"] == name) {
            Some(row) => row[mark] = json!(on),
            None => {
                return refuse("ValidationError", format!("The instance {id} is not part of Auto Scaling group."));
            }
        }
    }
    Ok(json!({"Activities": []}))
}

/// Patches; a new size pulls the desired capacity along (API reference, UpdateAutoScalingGroup).
fn update(world: &mut World, asked: &Value) -> Reply {
    group(world, asked)?;
    if asked["LaunchTemplate"].is_object() {
        refresh::refuse_while_active(world, name(asked)?)?;
        let template = template(world, &asked["LaunchTemplate"])?;
        checked_profile(world, &template)?;
        group(world, asked)?["LaunchTemplate"] = template;
    }
    let row = group(world, asked)?;
    for field in ["VPCZoneIdentifier", "HealthCheckType", "DeletionProtection"] {
        if asked[field].is_string() {
            row[field] = asked[field].clone();
        }
    }
    for field in ["MinSize", "MaxSize", "DesiredCapacity", "HealthCheckGracePeriod", "DefaultInstanceWarmup"] {
        if let Some(value) = number(asked, field) {
            row[field] = json!(value);
        }
    }
    let size = |name: &str| row[name].as_i64().unwrap_or_default();
    let desired = size("DesiredCapacity").max(size("MinSize")).min(size("MaxSize"));
    row["DesiredCapacity"] = json!(desired);
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
    let ids: Vec<String> = alive(world, name).filter_map(|row| row["instanceId"].as_str().map(str::to_owned)).collect();
    if !force && !ids.is_empty() {
        return refuse(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        );
    }
    let row = group(world, asked)?;
    row["Status"] = json!("Delete in progress");
    row["_forced"] = json!(force);
    world.table("policies_of_groups").retain(|_, row| row["AutoScalingGroupName"] != name);
    converge(world);
    Ok(json!({}))
}

/// Lets an instance go that a hook held on its way out.
fn complete(world: &mut World, asked: &Value) -> Reply {
    group(world, asked)?;
    let id = need(asked, "InstanceId")?;
    match world.row_mut("instances", id).filter(|row| row["_held"] == true) {
        Some(row) => row["_held"] = json!(false),
        None => {
            return refuse("ValidationError", format!("No active Lifecycle Action found with instance ID {id}"));
        }
    }
    world.terminate(id);
    Ok(json!({}))
}

fn put_policy(world: &mut World, asked: &Value) -> Reply {
    let group = group(world, asked)?["AutoScalingGroupName"].clone();
    let (group, policy) = (group.as_str().unwrap_or_default().to_owned(), need(asked, "PolicyName")?.to_owned());
    let arn = world.arn("autoscaling", &format!("scalingPolicy:0:autoScalingGroupName/{group}:policyName/{policy}"));
    let alarms = ["AlarmHigh", "AlarmLow"]
        .map(|kind| json!({"AlarmName": format!("TargetTracking-{group}-{kind}"), "AlarmARN": world.arn("cloudwatch", &format!("alarm:TargetTracking-{group}-{kind}"))}));
    let row = json!({
        "AutoScalingGroupName": group, "PolicyName": policy, "PolicyARN": arn, "PolicyType": asked["PolicyType"], "Alarms": alarms,
        "EstimatedInstanceWarmup": number(asked, "EstimatedInstanceWarmup"), "Enabled": asked["Enabled"] != "false",
        "TargetTrackingConfiguration": asked["TargetTrackingConfiguration"],
    });
    world.table("policies_of_groups").insert(format!("{group}/{policy}"), row);
    Ok(json!({"PolicyARN": arn, "Alarms": alarms}))
}

fn tag(world: &mut World, asked: &Value) -> Reply {
    for tag in list(asked, "Tags") {
        let id = tag["ResourceId"].as_str().unwrap_or_default();
        let Some(row) = world.row_mut("asgs", id) else {
            return refuse("ValidationError", format!("AutoScalingGroup name not found - null: {id}"));
        };
        super::ec2::set_tags(row, ("Tags", "Key", "Value"), std::slice::from_ref(tag));
    }
    Ok(json!({}))
}

fn attach(world: &mut World, asked: &Value, attach: bool) -> Reply {
    let arns = texts(asked, "TargetGroupARNs");
    let row = group(world, asked)?;
    let mut attached = texts(row, "TargetGroupARNs");
    attached.retain(|arn| !arns.contains(arn));
    attached.extend(arns.into_iter().filter(|_| attach));
    row["TargetGroupARNs"] = json!(attached);
    converge(world);
    Ok(json!({}))
}
