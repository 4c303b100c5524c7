//! Every call of a run, disturbed in every way; then the same run again, in peace: it ends as if nothing had happened.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Fault, Outcome, Stage, World};

/// What happens to one call: it goes wrong, or the program is killed in that instant.
#[derive(Debug, Clone, Copy)]
pub enum Blow {
    Wrong(Fault),
    KilledBefore,
    KilledAfter,
}

fn blows() -> impl Iterator<Item = Blow> {
    Fault::ALL.into_iter().map(Blow::Wrong).chain([Blow::KilledBefore, Blow::KilledAfter])
}

/// Things of others, which nobody may touch.
pub fn strangers(world: &mut World) {
    let vpc = "vpc-0a1b2c3d4e5f60718";
    let rows = [
        (
            "groups",
            "sg-0theirs",
            json!({"groupId": "sg-0theirs", "groupName": "theirs", "vpcId": vpc, "tagSet": [], "_rules": []}),
        ),
        ("roles", "Theirs", json!({"RoleName": "Theirs", "Tags": [], "_attached": []})),
        (
            "volumes",
            "vol-0theirs",
            json!({"volumeId": "vol-0theirs", "status": "available", "tagSet": [], "attachmentSet": []}),
        ),
        (
            "templates",
            "lt-0theirs",
            json!({
                "launchTemplateId": "lt-0theirs", "launchTemplateName": "theirs", "defaultVersionNumber": 1, "latestVersionNumber": 1,
                "tagSet": [{"key": "oz-deploy:stack", "value": "another"}], "_versions": [],
            }),
        ),
    ];
    for (kind, id, row) in rows {
        world.table(kind).insert(id.to_owned(), row);
    }
    let record =
        json!({"Name": "other.example.com.", "Type": "A", "TTL": "300", "ResourceRecords": [{"Value": "192.0.2.1"}]});
    world.table("zones").values_mut().for_each(|zone| zone["_records"].as_array_mut().unwrap().push(record.clone()));
}

/// Those things as they are now.
pub fn theirs(world: &World) -> Vec<Value> {
    let mut rows: Vec<Value> =
        [("groups", "sg-0theirs"), ("roles", "Theirs"), ("volumes", "vol-0theirs"), ("templates", "lt-0theirs")]
            .iter()
            .map(|(kind, id)| world.row(kind, id).cloned().unwrap_or_default())
            .collect();
    let records = world.rows("zones").flat_map(|zone| zone["_records"].as_array().unwrap());
    rows.extend(records.filter(|record| record["Name"] == "other.example.com.").cloned());
    rows
}

/// How many of each kind there are, versions of templates too: a duplicate or a leak is one more.
pub fn census(world: &World) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for left in world.leftovers() {
        *count.entry(left.split(' ').next().unwrap().to_owned()).or_default() += 1;
    }
    let versions = world.rows("templates").map(|row| row["_versions"].as_array().unwrap().len());
    count.insert("versions".to_owned(), versions.sum());
    count
}

/// What is there when what is on its way out has gone.
pub async fn settled(stage: &Stage) -> World {
    tokio::time::sleep(Duration::from_secs(120)).await;
    stage.sandbox.world()
}

/// AWS's minutes as seconds: what is simulated is their order.
pub fn quick(world: &mut World) {
    let weather = &mut world.weather;
    (weather.provisioning, weather.linger, weather.launch, weather.end, weather.boot) = (5.0, 5.0, 2.0, 2.0, 2.0);
    for row in world.table("target_groups").values_mut() {
        (row["HealthCheckIntervalSeconds"], row["HealthyThresholdCount"]) = (json!("1"), json!("2"));
    }
}

/// Runs until it ends, or until it is killed. Whether the blow struck, and how it ended.
pub async fn struck(stage: &Stage, line: &str, after: usize, blow: Blow) -> (bool, Option<Outcome>) {
    let (fault, killed) = match blow {
        Blow::Wrong(fault) => (fault, false),
        Blow::KilledBefore => (Fault::Hang, true),
        Blow::KilledAfter => (Fault::HangAfter, true),
    };
    stage.sandbox.disturb(after, fault);
    let outcome = tokio::select! {
        biased; // by chance, a kill would come before or after the calls that are made side by side
        outcome = stage.run(line) => Some(outcome),
        () = async { match killed {
            true => stage.sandbox.hangs().await,
            false => std::future::pending().await,
        } } => None,
    };
    (stage.sandbox.calm(), outcome)
}

/// Strikes every call of `line`, begun on this ground, in every way, and asks that running it again mends everything.
async fn every_call_every_blow(ground: &World, line: &str) {
    let undisturbed = Stage::of(ground);
    let foreign = theirs(ground);
    undisturbed.succeeds(line).await;
    let (wanted, calls) = (census(&settled(&undisturbed).await), undisturbed.sandbox.calls().len());
    let (mut count, mut missed) = (0, 0);
    for blow in blows() {
        for after in 0..calls {
            let stage = Stage::of(ground);
            let place = format!("{line}: {blow:?} after {after} calls");
            let (has_struck, outcome) = struck(&stage, line, after, blow).await;
            if !has_struck {
                missed += 1; // waits took fewer looks this time
                continue;
            }
            count += 1;
            // Anything that happens once and is not a denial is no reason to give up.
            if let (Blow::Wrong(fault), Some(outcome)) = (blow, outcome)
                && fault != Fault::Refuse
            {
                assert_eq!(outcome.exit as u8, 0, "{place}: {:?}", outcome.problems);
            }
            let again = stage.run(line).await;
            assert_eq!(again.exit as u8, 0, "{place}: {:?}", again.problems);
            let world = settled(&stage).await;
            assert_eq!((census(&world), theirs(&world)), (wanted.clone(), foreign.clone()), "{place}");
            stage.writes();
            stage.succeeds(line).await;
            assert_eq!(stage.writes(), Vec::<String>::new(), "{place}");
        }
    }
    println!("{line}: {count} runs disturbed, {missed} places not reached");
    assert!(count >= calls * 10, "{count} of {} blows struck", calls * blows().count());
}

async fn ground(lines: &[&str]) -> World {
    let stage = Stage::new();
    stage.sandbox.change(strangers);
    stage.sandbox.change(quick);
    for line in lines {
        stage.succeeds(line).await;
        stage.sandbox.change(quick);
    }
    stage.sandbox.world()
}

const UP: &str = "up --no-verify --set scaling.warm_up_seconds=1";

#[tokio::test(start_paused = true)]
async fn up_on_an_empty_account() {
    every_call_every_blow(&ground(&[]).await, UP).await;
}

/// Rules, health check, listeners and sizes, and a new template version that is rolled out.
#[tokio::test(start_paused = true)]
async fn up_with_changes() {
    let line = "up --set scaling.warm_up_seconds=1 --set scaling.max=9 --set health_check.port=80 \
                --set instance.volume.iops=9000 --set load_balancer.ingress_cidrs=[10.0.0.0/8] \
                --set load_balancer.listener=http";
    let standing = "up --set scaling.warm_up_seconds=1";
    every_call_every_blow(&ground(&[standing]).await, line).await;
}

#[tokio::test(start_paused = true)]
async fn teardown() {
    every_call_every_blow(&ground(&["up"]).await, "teardown --yes").await;
}

#[tokio::test(start_paused = true)]
async fn up_after_half_a_teardown() {
    let whole = Stage::of(&ground(&["up"]).await);
    let world = whole.sandbox.world();
    whole.succeeds("teardown --yes").await;
    let half = Stage::of(&world);
    let (has_struck, _) = struck(&half, "teardown --yes", whole.sandbox.calls().len() / 2, Blow::KilledAfter).await;
    assert!(has_struck);
    every_call_every_blow(&half.sandbox.world(), UP).await;
}
