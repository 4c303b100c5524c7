//! Auto Scaling: groups that launch and end instances, and their policies.

use serde_json::{Value, json};

use super::wire::{Refusal, Reply, list, need, number, refuse, texts};
use super::world::World;

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "CreateAutoScalingGroup" => create(world, asked),
        "DescribeAutoScalingGroups" => describe(world, asked),
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
            Ok(
                json!({"ScalingPolicies": world.rows("policies_of_groups").filter(wanted).collect::<Vec<_>>()}),
            )
        }
        "DeletePolicy" => {
            let key = format!(
                "{}/{}",
                need(asked, "AutoScalingGroupName")?,
                need(asked, "PolicyName")?
            );
            world.table("policies_of_groups").remove(&key);
            Ok(json!({}))
        }
        "CreateOrUpdateTags" => tag(world, asked),
        "AttachLoadBalancerTargetGroups" => attach(world, asked, true),
        "DetachLoadBalancerTargetGroups" => attach(world, asked, false),
        "DescribeScalingActivities" => Ok(json!({"Activities": []})),
        "DescribeInstanceRefreshes" => Ok(json!({"InstanceRefreshes": []})),
        other => refuse(
            "InvalidAction",
            format!("Could not find operation {other} for version 2011-01-01"),
        ),
    }
}

fn name(asked: &Value) -> Result<&str, Refusal> {
    need(asked, "AutoScalingGroupName")
}

fn group<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let name = name(asked)?;
    match world.row_mut("asgs", name) {
        Some(row) if row["Status"].is_string() => refuse(
            "ValidationError",
            "AutoScalingGroup may not be modified while it is pending delete",
        ),
        Some(row) => Ok(row),
        None => refuse(
            "ValidationError",
            format!("AutoScalingGroup name not found - null: {name}"),
        ),
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
            return refuse(
                "ValidationError",
                format!("Provided Target Group '{arn}' not found"),
            );
        }
    }
    let size = |name: &str| number(asked, name).unwrap_or_default();
    let (min, max) = (size("MinSize"), size("MaxSize"));
    let desired = number(asked, "DesiredCapacity").unwrap_or(min);
    if !(min..=max).contains(&desired) {
        return refuse(
            "ValidationError",
            format!(
                "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
            ),
        );
    }
    world.counter += 1;
    let arn = world.arn(
        "autoscaling",
        &format!(
            "autoScalingGroup:{:08x}:autoScalingGroupName/{name}",
            world.counter
        ),
    );
    let row = json!({
        "AutoScalingGroupName": name, "AutoScalingGroupARN": arn, "LaunchTemplate": template, "MinSize": min, "MaxSize": max,
        "DesiredCapacity": desired, "DefaultCooldown": 300, "VPCZoneIdentifier": asked["VPCZoneIdentifier"],
        "TargetGroupARNs": texts(asked, "TargetGroupARNs"), "HealthCheckType": asked["HealthCheckType"].as_str().unwrap_or("EC2"),
        "HealthCheckGracePeriod": size("HealthCheckGracePeriod"), "DefaultInstanceWarmup": number(asked, "DefaultInstanceWarmup"),
        "CreatedTime": world.date(), "Tags": asked["Tags"], "Status": null, "AvailabilityZones": [],
    });
    world.table("asgs").insert(name, row);
    converge(world);
    Ok(json!({}))
}

/// The template of a group as it is shown: id, name and version.
fn template(world: &mut World, asked: &Value) -> Reply {
    let (id, name) = (
        asked["LaunchTemplateId"].as_str(),
        asked["LaunchTemplateName"].as_str(),
    );
    let wanted = |row: &&Value| {
        row["launchTemplateId"].as_str() == id || row["launchTemplateName"].as_str() == name
    };
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

/// The data that a group's instances are launched from.
fn data(world: &World, template: &Value) -> Value {
    let row = world.row(
        "templates",
        template["LaunchTemplateId"].as_str().unwrap_or_default(),
    );
    let Some(row) = row else { return Value::Null };
    let version = match template["Version"].as_str() {
        Some("$Latest") => row["latestVersionNumber"].as_i64(),
        Some("$Default") | None => row["defaultVersionNumber"].as_i64(),
        Some(number) => number.parse().ok(),
    };
    let found = list(row, "_versions")
        .iter()
        .find(|one| one["versionNumber"].as_i64() == version);
    found
        .map(|one| one["launchTemplateData"].clone())
        .unwrap_or_default()
}

fn checked_profile(world: &World, template: &Value) -> Result<(), Refusal> {
    let data = data(world, template);
    match data["iamInstanceProfile"]["name"].as_str() {
        Some(profile) if world.row("profiles", profile).is_none() => refuse(
            "ValidationError",
            format!(
                "You must use a valid fully-formed launch template. Value ({profile}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
            ),
        ),
        _ => Ok(()),
    }
}

fn describe(world: &mut World, asked: &Value) -> Reply {
    let names = texts(asked, "AutoScalingGroupNames");
    let wanted = |row: &&Value| {
        names.is_empty()
            || names
                .iter()
                .any(|name| row["AutoScalingGroupName"] == name.as_str())
    };
    let shown = world.rows("asgs").filter(wanted).map(|row| {
        let mut row = row.clone();
        row["Instances"] = alive(world, row["AutoScalingGroupName"].as_str().unwrap_or_default())
            .map(|one| {
                let ending = !one["_ending"].is_null();
                let state = match one["instanceState"]["name"].as_str() {
                    _ if ending => "Terminating",
                    Some("running") => "InService",
                    _ => "Pending",
                };
                json!({
                    "InstanceId": one["instanceId"], "InstanceType": one["instanceType"], "LifecycleState": state,
                    "AvailabilityZone": world.row("subnets", one["subnetId"].as_str().unwrap_or_default()).map(|s| s["availabilityZone"].clone()),
                    "HealthStatus": "Healthy", "LaunchTemplate": one["_template"], "ProtectedFromScaleIn": false,
                })
            })
            .collect();
        row
    });
    Ok(json!({"AutoScalingGroups": shown.collect::<Vec<_>>()}))
}

fn alive<'a>(world: &'a World, group: &str) -> impl Iterator<Item = &'a Value> {
    let group = group.to_owned();
    let of_group = move |row: &&Value| {
        row["_group"] == group.as_str() && row["instanceState"]["name"] != "terminated"
    };
    world.rows("instances").filter(of_group)
}

/// Patches; a new size pulls the desired capacity along (API reference, UpdateAutoScalingGroup).
fn update(world: &mut World, asked: &Value) -> Reply {
    group(world, asked)?;
    if asked["LaunchTemplate"].is_object() {
        let template = template(world, &asked["LaunchTemplate"])?;
        checked_profile(world, &template)?;
        group(world, asked)?["LaunchTemplate"] = template;
    }
    let row = group(world, asked)?;
    for field in ["VPCZoneIdentifier", "HealthCheckType"] {
        if asked[field].is_string() {
            row[field] = asked[field].clone();
        }
    }
    for field in [
        "MinSize",
        "MaxSize",
        "DesiredCapacity",
        "HealthCheckGracePeriod",
        "DefaultInstanceWarmup",
    ] {
        if let Some(value) = number(asked, field) {
            row[field] = json!(value);
        }
    }
    let size = |name: &str| row[name].as_i64().unwrap_or_default();
    let desired = size("DesiredCapacity")
        .max(size("MinSize"))
        .min(size("MaxSize"));
    row["DesiredCapacity"] = json!(desired);
    converge(world);
    Ok(json!({}))
}

fn delete(world: &mut World, asked: &Value) -> Reply {
    group(world, asked)?;
    let name = name(asked)?;
    let ids: Vec<String> = alive(world, name)
        .filter_map(|row| row["instanceId"].as_str().map(str::to_owned))
        .collect();
    if asked["ForceDelete"] != "true" && !ids.is_empty() {
        return refuse(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        );
    }
    ids.iter().for_each(|id| world.terminate(id));
    let row = group(world, asked)?;
    row["Status"] = json!("Delete in progress");
    world
        .table("policies_of_groups")
        .retain(|_, row| row["AutoScalingGroupName"] != name);
    converge(world);
    Ok(json!({}))
}

fn put_policy(world: &mut World, asked: &Value) -> Reply {
    let group = group(world, asked)?["AutoScalingGroupName"].clone();
    let (group, policy) = (
        group.as_str().unwrap_or_default().to_owned(),
        need(asked, "PolicyName")?.to_owned(),
    );
    let arn = world.arn(
        "autoscaling",
        &format!("scalingPolicy:0:autoScalingGroupName/{group}:policyName/{policy}"),
    );
    let alarms = ["AlarmHigh", "AlarmLow"]
        .map(|kind| json!({"AlarmName": format!("TargetTracking-{group}-{kind}")}));
    let row = json!({
        "AutoScalingGroupName": group, "PolicyName": policy, "PolicyARN": arn, "PolicyType": asked["PolicyType"], "Alarms": alarms,
        "EstimatedInstanceWarmup": number(asked, "EstimatedInstanceWarmup"), "Enabled": true,
        "TargetTrackingConfiguration": asked["TargetTrackingConfiguration"],
    });
    world
        .table("policies_of_groups")
        .insert(format!("{group}/{policy}"), row);
    Ok(json!({"PolicyARN": arn, "Alarms": alarms}))
}

fn tag(world: &mut World, asked: &Value) -> Reply {
    for tag in list(asked, "Tags") {
        let id = tag["ResourceId"].as_str().unwrap_or_default();
        let Some(row) = world.row_mut("asgs", id) else {
            return refuse(
                "ValidationError",
                format!("AutoScalingGroup name not found - null: {id}"),
            );
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

/// Every group launches what it lacks, ends what it has too much, and registers what it has; a dying one goes when its
/// last instance has.
pub fn converge(world: &mut World) {
    let groups: Vec<Value> = world.rows("asgs").cloned().collect();
    for group in groups {
        let name = group["AutoScalingGroupName"].as_str().unwrap_or_default();
        let running: Vec<String> = alive(world, name)
            .filter(|row| row["_ending"].is_null())
            .filter_map(|row| row["instanceId"].as_str().map(str::to_owned))
            .collect();
        if group["Status"].is_string() {
            if alive(world, name).next().is_none() {
                world.table("asgs").remove(name);
            }
        } else {
            let desired = usize::try_from(group["DesiredCapacity"].as_i64().unwrap_or_default())
                .unwrap_or_default();
            running
                .iter()
                .skip(desired)
                .for_each(|id| world.terminate(id));
            (running.len()..desired).for_each(|index| launch(world, &group, index));
        }
    }
    register(world);
}

fn launch(world: &mut World, group: &Value, index: usize) {
    let subnets: Vec<&str> = group["VPCZoneIdentifier"]
        .as_str()
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .collect();
    let Some(subnet) = subnets.get(index % subnets.len().max(1)) else {
        return;
    };
    let data = data(world, &group["LaunchTemplate"]);
    let spread = list(group, "Tags")
        .iter()
        .filter(|tag| tag["PropagateAtLaunch"] == "true");
    let mut tags: Vec<Value> = spread
        .map(|tag| json!({"key": tag["Key"], "value": tag["Value"]}))
        .collect();
    tags.push(json!({"key": "aws:autoscaling:groupName", "value": group["AutoScalingGroupName"]}));
    let id = world.launch(subnet, &data, tags);
    if let Some(row) = world.row_mut("instances", &id) {
        (row["_group"], row["_template"]) = (
            group["AutoScalingGroupName"].clone(),
            group["LaunchTemplate"].clone(),
        );
    }
}

/// Target groups hold the living instances of the groups that are attached to them.
fn register(world: &mut World) {
    let now = world.now;
    let groups: Vec<Value> = world.rows("asgs").cloned().collect();
    let living: Vec<(String, String)> = world
        .rows("instances")
        .filter(|row| row["_ending"].is_null())
        .filter_map(|row| {
            Some((
                row["_group"].as_str()?.to_owned(),
                row["instanceId"].as_str()?.to_owned(),
            ))
        })
        .collect();
    for (arn, row) in world.table("target_groups").iter_mut() {
        let attached = |group: &&Value| texts(group, "TargetGroupARNs").contains(arn);
        let names: Vec<&str> = groups
            .iter()
            .filter(attached)
            .filter_map(|g| g["AutoScalingGroupName"].as_str())
            .collect();
        let old = list(row, "_targets").to_vec();
        let members = living
            .iter()
            .filter(|(group, _)| names.contains(&group.as_str()));
        let targets: Vec<Value> = members
            .map(|(_, id)| {
                old.iter()
                    .find(|one| one["Id"] == id.as_str())
                    .cloned()
                    .unwrap_or(json!({"Id": id, "_since": now}))
            })
            .collect();
        row["_targets"] = Value::Array(targets);
    }
}
