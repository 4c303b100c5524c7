//! What time does to groups: they launch what they lack, end what they have too much or what is unhealthy, and keep
//! their target groups up to date.

use serde_json::{Value, json};

use super::activities::{Entry, record};
use super::refresh;
use super::template::{self, hidden_profile};
use crate::sandbox::health;
use crate::sandbox::weather::launch_words;
use crate::sandbox::wire::{list, texts};
use crate::sandbox::world::World;

/// Seconds until a group tries again when no zone took a launch.
const RETRY: f64 = 60.0;

/// Brings every group to where it is now.
pub fn converge(world: &mut World) {
    register(world);
    let groups: Vec<Value> = world.rows("asgs").cloned().collect();
    for group in &groups {
        match group["Status"].is_string() {
            true => dissolve(world, group),
            false if refresh::step(world, group) => {}
            false => {
                replace_unhealthy(world, group);
                resize(world, group);
            }
        }
    }
    register(world);
}

/// The instances of a group that are not terminated yet.
pub fn alive<'a>(world: &'a World, group: &str) -> impl Iterator<Item = &'a Value> {
    let group = group.to_owned();
    let of_group = move |row: &&Value| row["_group"] == group.as_str() && row["instanceState"]["name"] != "terminated";
    world.rows("instances").filter(of_group)
}

/// Those of them that nobody told to go.
pub fn staying(world: &World, group: &Value) -> Vec<Value> {
    let name = group["AutoScalingGroupName"].as_str().unwrap_or_default();
    alive(world, name).filter(|row| row["_ending"].is_null()).cloned().collect()
}

/// Launches one instance from `template`, in the zone that has the fewest; where a launch fails another zone is tried
/// (Amazon EC2 Auto Scaling user guide, "Availability Zones"). Whether one was launched.
pub fn launch(world: &mut World, group: &Value, template: &Value) -> bool {
    if suspended(group, "Launch") || world.now < retry_at(world, group) {
        return false;
    }
    let members = staying(world, group);
    let mut subnets = subnets(group);
    subnets.sort_by_key(|subnet| members.iter().filter(|row| row["subnetId"] == subnet.as_str()).count());
    let mut data = super::data(world, template);
    // The first type of a policy: what AWS launches where the order is "prioritized" and there is capacity.
    let first = &group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"][0]["InstanceType"];
    if first.is_string() && data.is_object() {
        data["instanceType"] = first.clone();
    }
    for subnet in subnets {
        if let Some(words) = failure(world, &subnet, template, &data) {
            record(world, group, Entry::failed_launch(&subnet, words));
            continue;
        }
        let id = world.launch(&subnet, &data, spread_tags(group));
        let template = super::numbered(world, template);
        if let Some(row) = world.row_mut("instances", &id) {
            (row["_group"], row["_template"]) = (group["AutoScalingGroupName"].clone(), template);
            if group["NewInstancesProtectedFromScaleIn"] == true {
                row["_protected"] = json!(true);
            }
        }
        record(world, group, Entry::launch(&id, &subnet));
        return true;
    }
    let now = world.now;
    if let Some(row) = row(world, group) {
        row["_retry_at"] = json!(now + RETRY);
    }
    false
}

/// Why a launch there fails, in the words of its activity.
fn failure(world: &World, subnet: &str, template: &Value, data: &Value) -> Option<String> {
    if data.is_null() {
        let id = template["LaunchTemplateId"].as_str().unwrap_or_default();
        return Some(format!(
            "The specified launch template, with template ID {id}, does not exist. Launching EC2 instance failed."
        ));
    }
    let (profiles, roles) = (world.weather.iam_delay_seconds, world.weather.role_delay_in_launches_seconds);
    if let Some(words) = hidden_profile(world, template, profiles, roles) {
        return Some(format!("{words}. Launching EC2 instance failed."));
    }
    let zone = world.row("subnets", subnet)?["availabilityZone"].as_str()?;
    let fails = &world.weather.launch_fails;
    let code = fails.get(zone).or_else(|| fails.get("*"))?;
    let kind = data["instanceType"].as_str().unwrap_or_default();
    Some(launch_words(code, kind, zone))
}

/// Whether an instance was launched from this version of this template.
pub fn is_from(instance: &Value, template: &Value) -> bool {
    ["LaunchTemplateId", "Version"].iter().all(|part| instance["_template"][part] == template[part])
}

/// Ends one instance.
pub fn end(world: &mut World, group: &Value, instance: &Value) {
    let id = instance["instanceId"].as_str().unwrap_or_default();
    world.terminate(id);
    record(world, group, Entry::end(instance));
}

/// Whether a process of the group is suspended.
pub fn suspended(group: &Value, process: &str) -> bool {
    list(group, "SuspendedProcesses").iter().any(|one| one["ProcessName"] == process)
}

/// The health of an instance in the group's target groups; `None`: it is in none.
pub fn target_state(world: &World, instance: &Value) -> Option<&'static str> {
    world.rows("target_groups").find_map(|group| {
        let target = list(group, "_targets").iter().find(|one| one["Id"] == instance["instanceId"])?;
        Some(health::of(world, group, target).0)
    })
}

/// A dying group ends its instances, unless it may not, and is gone after the last one (or before).
fn dissolve(world: &mut World, group: &Value) {
    let name = group["AutoScalingGroupName"].as_str().unwrap_or_default();
    if !suspended(group, "Terminate") {
        // One that a hook holds goes when somebody lets it go.
        for one in staying(world, group).iter().filter(|one| one["_held"] != true) {
            world.terminate(one["instanceId"].as_str().unwrap_or_default());
        }
    }
    let over = if world.weather.instances_outlive_group {
        staying(world, group).is_empty()
    } else {
        alive(world, name).next().is_none()
    };
    if over {
        world.table("asgs").remove(name);
        let of_group = |row: &Value| row["AutoScalingGroupName"] == name;
        world.table("activities").retain(|_, row| !of_group(row));
        world.table("refreshes").retain(|_, row| !of_group(row));
    }
}

/// After the grace period an instance that its load balancer finds unhealthy is ended, and another launched.
fn replace_unhealthy(world: &mut World, group: &Value) {
    let by_load_balancer = group["HealthCheckType"].as_str().is_some_and(|kinds| kinds.contains("ELB"));
    if !by_load_balancer || suspended(group, "HealthCheck") || suspended(group, "ReplaceUnhealthy") {
        return;
    }
    let grace = group["HealthCheckGracePeriod"].as_f64().unwrap_or_default();
    for one in staying(world, group) {
        let age = world.now - one["_launched"].as_f64().unwrap_or_default() - world.weather.launch_seconds;
        if age > grace && one["_standby"] != true && target_state(world, &one) == Some("unhealthy") {
            take_out(world, group, &one);
        }
    }
}

/// Ends an instance that its load balancer finds unhealthy.
pub fn take_out(world: &mut World, group: &Value, instance: &Value) {
    world.terminate(instance["instanceId"].as_str().unwrap_or_default());
    let words = "an instance was taken out of service in response to an ELB system health check failure.";
    let cause = format!("At {} {words}", world.date());
    record(world, group, Entry::end(instance).because(cause).saying(words));
}

fn resize(world: &mut World, group: &Value) {
    let desired = size(group, "DesiredCapacity");
    let in_standby = |row: &Value| row["_standby"] == true;
    let mut members: Vec<Value> = staying(world, group).into_iter().filter(|row| !in_standby(row)).collect();
    let own = template::of(group);
    let template = super::numbered(world, &own);
    // Of an outdated template first, then the youngest; those that are protected stay.
    members.sort_by_key(|row| (!is_from(row, &template), row["instanceId"].to_string()));
    let surplus = members.len().saturating_sub(desired);
    let going: Vec<Value> = members
        .iter()
        .rev()
        .filter(|row| row["_protected"] != true)
        .take(if suspended(group, "Terminate") { 0 } else { surplus })
        .cloned()
        .collect();
    going.iter().for_each(|one| end(world, group, one));
    for _ in members.len()..desired {
        if !launch(world, group, &own) {
            break;
        }
    }
}

/// A size of a group.
pub fn size(group: &Value, name: &str) -> usize {
    group[name].as_u64().and_then(|size| size.try_into().ok()).unwrap_or_default()
}

/// The group's row, to change.
pub fn row<'a>(world: &'a mut World, group: &Value) -> Option<&'a mut Value> {
    world.row_mut("asgs", group["AutoScalingGroupName"].as_str().unwrap_or_default())
}

fn retry_at(world: &World, group: &Value) -> f64 {
    let row = world.row("asgs", group["AutoScalingGroupName"].as_str().unwrap_or_default());
    row.and_then(|row| row["_retry_at"].as_f64()).unwrap_or_default()
}

/// Where a group launches.
pub fn subnets(group: &Value) -> Vec<String> {
    let all = group["VPCZoneIdentifier"].as_str().unwrap_or_default();
    all.split(',').map(|subnet| subnet.trim().to_owned()).filter(|subnet| !subnet.is_empty()).collect()
}

fn spread_tags(group: &Value) -> Vec<Value> {
    let spread = list(group, "Tags").iter().filter(|tag| tag["PropagateAtLaunch"] == "true");
    let mut tags: Vec<Value> = spread.map(|tag| json!({"key": tag["Key"], "value": tag["Value"]})).collect();
    tags.push(json!({"key": "aws:autoscaling:groupName", "value": group["AutoScalingGroupName"]}));
    tags
}

/// Target groups hold the living instances of the groups that are attached to them.
fn register(world: &mut World) {
    let (now, draining) = (world.now, world.weather.draining_seconds);
    let groups: Vec<Value> = world.rows("asgs").cloned().collect();
    let living: Vec<(String, String)> = world
        .rows("instances")
        .filter(|row| row["_ending"].is_null() && row["_standby"] != true)
        .filter_map(|row| Some((row["_group"].as_str()?.to_owned(), row["instanceId"].as_str()?.to_owned())))
        .collect();
    for (arn, row) in world.table("target_groups").iter_mut() {
        let attached = |group: &&Value| texts(group, "TargetGroupARNs").contains(arn);
        let names: Vec<&str> =
            groups.iter().filter(attached).filter_map(|g| g["AutoScalingGroupName"].as_str()).collect();
        let old = list(row, "_targets").to_vec();
        let members = living.iter().filter(|(group, _)| names.contains(&group.as_str()));
        let by_hand = old.iter().filter(|one| one["_by_hand"] == true).cloned();
        let is_member =
            |one: &Value| living.iter().any(|(group, id)| one["Id"] == id.as_str() && names.contains(&group.as_str()));
        let drained = old.iter().filter(|one| one["_by_hand"] != true && !is_member(one)).filter_map(|one| {
            let mut one = one.clone();
            let until = one["_draining_until"].as_f64().unwrap_or(now + draining);
            one["_draining_until"] = json!(until);
            (now < until).then_some(one)
        });
        // One that is registered again while it drains is as good as new.
        let known = |id: &str| old.iter().find(|one| one["Id"] == id && one["_draining_until"].is_null()).cloned();
        let targets: Vec<Value> = members
            .map(|(_, id)| known(id).unwrap_or(json!({"Id": id, "_since": now})))
            .chain(by_hand)
            .chain(drained)
            .collect();
        row["_targets"] = Value::Array(targets);
    }
}
