//! Instance refreshes (Auto Scaling user guide, "How an instance refresh works", "Undo changes with a rollback"):
//! launch before terminate, checkpoints, skip matching, rollback.

use serde_json::{Value, json};

use super::fleet::{
    end as end_instance, is_from, launch, row as group_row, size, staying, suspended, take_out, target_state,
};
use super::template;
use crate::sandbox::wire::{Refusal, Reply, number, refuse, texts};
use crate::sandbox::world::World;

/// The states of a refresh that is not over.
const ACTIVE: [&str; 5] = ["Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"];
/// Seconds that a refresh waits for instances that are protected from scale-in or in standby (API reference,
/// RefreshPreferences: "waits one hour").
const KEPT_PATIENCE: f64 = 3600.0;
/// The words are assumed.
const KEPT_WORDS: &str = "instances are protected from scale in or in standby";

/// StartInstanceRefresh.
pub fn start(world: &mut World, asked: &Value) -> Reply {
    let group = super::group(world, asked)?.clone();
    let name = group["AutoScalingGroupName"].as_str().unwrap_or_default().to_owned();
    refuse_while_active(world, &name)?;
    let preferences = &asked["Preferences"];
    let wanted = &asked["DesiredConfiguration"];
    if preferences["AutoRollback"] == "true" && !wanted.is_object() {
        return refuse(
            "ValidationError",
            "The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is empty.",
        );
    }
    if preferences["AutoRollback"] == "true" && follows(&group) {
        return refuse(
            "ValidationError",
            "The AutoRollback parameter cannot be set to true when the group uses the $Latest or $Default version.",
        );
    }
    let source = if wanted.is_object() {
        template::source(world, wanted)?
    } else {
        (group["LaunchTemplate"].clone(), group["MixedInstancesPolicy"].clone())
    };
    let source = json!({"LaunchTemplate": source.0, "MixedInstancesPolicy": source.1});
    let template = template::of(&source);
    if super::data(world, &template).is_null() {
        return refuse(
            "ValidationError",
            "You must use a valid fully-formed launch template. The specified launch template version does not exist.",
        );
    }
    super::checked_profile(world, &template)?;
    let outdated = staying(world, &group).iter().filter(|one| !is_from(one, &template)).count();
    world.counter += 1;
    let id = format!("{:08x}-0000-4000-8000-000000000000", world.counter);
    let checkpoints: Vec<i64> =
        texts(preferences, "CheckpointPercentages").iter().filter_map(|one| one.parse().ok()).collect();
    let row = json!({
        "InstanceRefreshId": id, "AutoScalingGroupName": name, "Status": "Pending", "StartTime": world.date(),
        "PercentageComplete": 0, "InstancesToUpdate": outdated,
        "DesiredConfiguration": source,
        "Preferences": {
            "MinHealthyPercentage": number(preferences, "MinHealthyPercentage").unwrap_or(90),
            "MaxHealthyPercentage": number(preferences, "MaxHealthyPercentage"),
            "SkipMatching": preferences["SkipMatching"] == "true",
            "AutoRollback": preferences["AutoRollback"] == "true",
            "CheckpointPercentages": checkpoints, "CheckpointDelay": number(preferences, "CheckpointDelay"),
            "ScaleInProtectedInstances": preferences["ScaleInProtectedInstances"].as_str().unwrap_or("Wait"),
            "StandbyInstances": preferences["StandbyInstances"].as_str().unwrap_or("Wait"),
        },
        "_from": {"LaunchTemplate": group["LaunchTemplate"], "MixedInstancesPolicy": group["MixedInstancesPolicy"]},
        "_total": outdated.max(1), "_since": world.now, "_passed": 0, "_until": null,
    });
    world.table("refreshes").insert(id.clone(), row);
    Ok(json!({"InstanceRefreshId": id}))
}

/// DescribeInstanceRefreshes: newest first.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let name = super::group(world, asked)?["AutoScalingGroupName"].clone();
    let ids = texts(asked, "InstanceRefreshIds");
    let wanted = |row: &&Value| {
        row["AutoScalingGroupName"] == name
            && (ids.is_empty() || ids.iter().any(|id| row["InstanceRefreshId"] == id.as_str()))
    };
    let mut all: Vec<&Value> = world.rows("refreshes").filter(wanted).collect();
    all.reverse();
    Ok(json!({ "InstanceRefreshes": all }))
}

/// CancelInstanceRefresh and RollbackInstanceRefresh.
pub fn end(world: &mut World, asked: &Value, status: &str) -> Reply {
    let group = super::group(world, asked)?;
    let (name, follows) = (group["AutoScalingGroupName"].clone(), follows(group));
    let (now, date) = (world.now, world.date());
    let Some(row) = active(world, name.as_str().unwrap_or_default()) else {
        return refuse(
            "ActiveInstanceRefreshNotFound",
            "No in progress or pending Instance Refresh found for Auto Scaling group",
        );
    };
    let id = row["InstanceRefreshId"].clone();
    if row["Status"] == "RollbackInProgress" && status == "RollbackInProgress" {
        // Assumed: neither the reference nor the user guide says what a second rollback answers.
        return refuse("ActiveInstanceRefreshNotFound", "The instance refresh is already being rolled back.");
    }
    if follows && status == "RollbackInProgress" {
        return refuse(
            "IrreversibleInstanceRefresh",
            "The Auto Scaling group uses the launch template's $Latest or $Default version.",
        );
    }
    row["Status"] = json!(status);
    row["_since"] = json!(now);
    if status == "RollbackInProgress" {
        row["RollbackDetails"] = json!({
            "RollbackReason": "A rollback was requested manually.", "RollbackStartTime": date,
            "PercentageCompleteOnRollback": row["PercentageComplete"],
            "InstancesToUpdateOnRollback": row["InstancesToUpdate"],
        });
    }
    Ok(json!({"InstanceRefreshId": id}))
}

/// Whether the group names its version by `$Latest` or `$Default`: there is no way back to either.
fn follows(group: &Value) -> bool {
    let template = template::of(group);
    let version = template["Version"].as_str();
    version.is_some_and(|version| version.starts_with('$'))
}

/// One refresh at a time, and no target group is attached meanwhile.
pub fn refuse_while_active(world: &mut World, group: &str) -> Result<(), Refusal> {
    if active(world, group).is_some() {
        refuse(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this operation.",
        )
    } else {
        Ok(())
    }
}

/// The template of a group may not be updated while a refresh with a desired configuration is active (user guide, "How
/// an instance refresh works").
pub fn refuse_template_while_active(world: &mut World, group: &str) -> Result<(), Refusal> {
    if active(world, group).is_some_and(|row| row["DesiredConfiguration"].is_object()) {
        refuse(
            "ValidationError",
            "An active instance refresh with a desired configuration exists. All configuration options derived from \
         the desired configuration are not available for update while the instance refresh is active.",
        )
    } else {
        Ok(())
    }
}

/// Takes the group's refresh a step further; whether one is active.
pub fn step(world: &mut World, group: &Value) -> bool {
    let name = group["AutoScalingGroupName"].as_str().unwrap_or_default().to_owned();
    let Some(refresh) = active(world, &name).cloned() else {
        return false;
    };
    match refresh["Status"].as_str() {
        Some("Pending") => change(world, &refresh, |row| row["Status"] = json!("InProgress")),
        Some("InProgress") => replace(world, group, &refresh, &refresh["DesiredConfiguration"]),
        Some("RollbackInProgress") => replace(world, group, &refresh, &refresh["_from"]),
        _ => finish(world, &refresh, "Cancelled", "Cancelled due to user request."),
    }
    true
}

fn active<'a>(world: &'a mut World, group: &str) -> Option<&'a mut Value> {
    world.table("refreshes").values_mut().find(|row| {
        row["AutoScalingGroupName"] == group && row["Status"].as_str().is_some_and(|status| ACTIVE.contains(&status))
    })
}

fn change(world: &mut World, refresh: &Value, how: impl FnOnce(&mut Value)) {
    if let Some(row) = world.row_mut("refreshes", refresh["InstanceRefreshId"].as_str().unwrap_or_default()) {
        how(row);
    }
}

fn finish(world: &mut World, refresh: &Value, status: &str, why: &str) {
    let date = world.date();
    let why = Some(why).filter(|why| !why.is_empty());
    change(world, refresh, |row| {
        (row["Status"], row["EndTime"], row["StatusReason"]) = (json!(status), json!(date), json!(why));
    });
}

/// One round: launches while there is room, ends an old instance for each new one that is ready.
fn replace(world: &mut World, group: &Value, refresh: &Value, source: &Value) {
    let template = &template::of(source);
    let all = staying(world, group);
    let is_kept = |one: &Value, how: &str| kept(one, refresh).is_some_and(|kept| kept == how);
    let ignored = all.iter().filter(|one| !is_from(one, template) && is_kept(one, "Ignore")).count();
    let desired = size(group, "DesiredCapacity").saturating_sub(ignored);
    let members: Vec<Value> = all.into_iter().filter(|one| is_from(one, template) || !is_kept(one, "Ignore")).collect();
    let (new, old): (Vec<&Value>, Vec<&Value>) = members.iter().partition(|one| is_from(one, template));
    let (ready, coming): (Vec<&Value>, Vec<&Value>) = new.iter().copied().partition(|one| is_ready(world, group, one));
    progress(world, refresh, old.len());
    if old.is_empty() && coming.is_empty() && ready.len() >= desired {
        return succeed(world, group, refresh, source);
    }
    if waits_at_checkpoint(world, refresh) {
        return;
    }
    let reason = coming.first().map(|one| {
        let id = one["instanceId"].as_str().unwrap_or_default();
        format!(
            "Waiting for remaining instances to be available. For example: {id} has insufficient data to evaluate its \
             health with ELB."
        )
    });
    change(world, refresh, |row| row["StatusReason"] = json!(reason));
    let most = refresh["Preferences"]["MaxHealthyPercentage"].as_u64().unwrap_or(100);
    let room = (desired * most as usize / 100).max(desired + usize::from(most > 100));
    let mut moved = false;
    if new.len() < desired && members.len() < room {
        moved = launch(world, group, template);
    }
    let surplus = (ready.len() + old.len()).saturating_sub(desired);
    if !suspended(group, "Terminate") {
        for one in old.iter().filter(|one| !is_kept(one, "Wait")).take(surplus) {
            end_instance(world, group, one);
            moved = true;
        }
        // A rollback ends what is unhealthy without waiting for more.
        let back = refresh["Status"] == "RollbackInProgress";
        let broken: Vec<&Value> = old.iter().copied().filter(|one| back && !is_ready(world, group, one)).collect();
        for one in broken {
            end_instance(world, group, one);
            moved = true;
        }
    }
    if moved {
        let now = world.now;
        change(world, refresh, |row| row["_since"] = json!(now));
    }
    let waits = old.iter().any(|one| is_kept(one, "Wait"));
    let patience = if waits { KEPT_PATIENCE } else { world.weather.refresh_retry_seconds };
    let stuck = world.now - refresh["_since"].as_f64().unwrap_or_default() > patience;
    let lost: Vec<Value> = coming.iter().filter(|one| is_lost(world, group, one)).map(|one| (*one).clone()).collect();
    let failed = !lost.is_empty();
    if failed && replaces_again(world, refresh) {
        return lost.iter().for_each(|one| take_out(world, group, one));
    }
    if !moved && (stuck || failed) {
        give_up(
            world,
            refresh,
            match (failed, waits) {
                (true, _) => "instances failed their health checks",
                (false, true) => KEPT_WORDS,
                (false, false) => "no instance could be launched",
            },
        );
    }
}

/// What a refresh does with an old instance that is protected from scale-in or in standby; `None`: it is neither. AWS
/// waits where nothing is said (API reference, RefreshPreferences). On the way back nothing is waited for.
fn kept(one: &Value, refresh: &Value) -> Option<String> {
    let (preferences, back) = (&refresh["Preferences"], refresh["Status"] == "RollbackInProgress");
    let how = |name: &str| preferences[name].as_str().unwrap_or("Wait").to_owned();
    let protected = (one["_protected"] == true).then(|| how("ScaleInProtectedInstances"));
    let standby = || (one["_standby"] == true).then(|| how("StandbyInstances"));
    protected.or_else(standby).filter(|_| !back)
}

/// Whether a refresh tries again with other instances: AWS does for an hour after the first one that failed.
fn replaces_again(world: &mut World, refresh: &Value) -> bool {
    let (now, patience) = (world.now, world.weather.refresh_retry_seconds);
    let since = refresh["_failing_since"].as_f64().unwrap_or(now);
    change(world, refresh, |row| row["_failing_since"] = json!(since));
    now - since < patience
}

/// InService, healthy behind the load balancer, and warmed up.
fn is_ready(world: &World, group: &Value, one: &Value) -> bool {
    let warm_up =
        group["DefaultInstanceWarmup"].as_f64().or(group["HealthCheckGracePeriod"].as_f64()).unwrap_or_default();
    let age = world.now - one["_launched"].as_f64().unwrap_or_default() - world.weather.launch_seconds;
    age >= warm_up && matches!(target_state(world, one), None | Some("healthy"))
}

/// Unhealthy after its grace period.
fn is_lost(world: &World, group: &Value, one: &Value) -> bool {
    let grace = group["HealthCheckGracePeriod"].as_f64().unwrap_or_default();
    let age = world.now - one["_launched"].as_f64().unwrap_or_default() - world.weather.launch_seconds;
    age > grace && target_state(world, one) == Some("unhealthy")
}

fn progress(world: &mut World, refresh: &Value, old: usize) {
    let total = refresh["_total"].as_u64().unwrap_or(1) as usize;
    let share = 100 * total.saturating_sub(old) / total.max(1);
    let back = refresh["Status"] == "RollbackInProgress";
    change(world, refresh, |row| {
        row["PercentageComplete"] = json!(if back { 100 - share.min(100) } else { share.min(100) });
        if !back {
            row["InstancesToUpdate"] = json!(old);
        }
    });
}

/// At a checkpoint the refresh waits for its delay, once.
fn waits_at_checkpoint(world: &mut World, refresh: &Value) -> bool {
    let row =
        world.row("refreshes", refresh["InstanceRefreshId"].as_str().unwrap_or_default()).cloned().unwrap_or_default();
    if row["Status"] != "InProgress" {
        return false;
    }
    let (complete, passed) =
        (row["PercentageComplete"].as_i64().unwrap_or_default(), row["_passed"].as_i64().unwrap_or_default());
    let points = row["Preferences"]["CheckpointPercentages"].as_array().cloned().unwrap_or_default();
    let reached = points
        .iter()
        .filter_map(Value::as_i64)
        .filter(|point| *point < 100 && *point > passed && complete >= *point)
        .max();
    let now = world.now;
    if let Some(until) = row["_until"].as_f64() {
        if now < until {
            return true;
        }
        change(world, refresh, |row| (row["_until"], row["StatusReason"]) = (Value::Null, Value::Null));
        return false;
    }
    let Some(point) = reached else { return false };
    let delay = row["Preferences"]["CheckpointDelay"].as_f64().unwrap_or(3600.0);
    change(world, refresh, |row| {
        (row["_passed"], row["_until"]) = (json!(point), json!(now + delay));
        row["StatusReason"] = json!(format!("Waiting at the checkpoint of {point}% for {delay} seconds."));
    });
    true
}

fn succeed(world: &mut World, group: &Value, refresh: &Value, source: &Value) {
    if let Some(row) = group_row(world, group) {
        for part in ["LaunchTemplate", "MixedInstancesPolicy"] {
            row[part] = source[part].clone();
        }
    }
    if refresh["Status"] == "RollbackInProgress" {
        finish(world, refresh, "RollbackSuccessful", "The rollback completed.");
    } else {
        change(world, refresh, |row| {
            (row["PercentageComplete"], row["InstancesToUpdate"]) = (json!(100), json!(0));
        });
        finish(world, refresh, "Successful", "");
    }
}

fn give_up(world: &mut World, refresh: &Value, why: &str) {
    let (now, date) = (world.now, world.date());
    if refresh["Status"] == "RollbackInProgress" {
        return finish(world, refresh, "RollbackFailed", why);
    }
    if refresh["Preferences"]["AutoRollback"] != true {
        return finish(world, refresh, "Failed", why);
    }
    change(world, refresh, |row| {
        (row["Status"], row["_since"]) = (json!("RollbackInProgress"), json!(now));
        row["StatusReason"] = json!(format!("The instance refresh failed: {why}."));
        row["RollbackDetails"] = json!({
            "RollbackReason": format!("The instance refresh failed: {why}."), "RollbackStartTime": date,
            "PercentageCompleteOnRollback": row["PercentageComplete"],
            "InstancesToUpdateOnRollback": row["InstancesToUpdate"],
        });
    });
}
