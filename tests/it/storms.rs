//! Random weather: faults, delays and another hand's edits, all from one seed; then calm, and one more run mends it all.
//!
//! `DEPLOY_SIMULATION_SEEDS=20000` looks longer, `DEPLOY_SIMULATION_SEED=17` replays one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::support::{
    Call, Disturbance, Exit, Outcome, Stage, Throttle, Weather, World, add_things_of_others, count_by_kind,
    fast_timers, run_disturbed, settled, things_of_others,
};

/// What a pipeline may ask for, one after the other.
const WANTED: [&str; 4] = [
    "up",
    "up --set instance.volume.iops=9000 --set scaling.max=9",
    "up --set instance.image=api-instant-next --set load_balancer.listener=http",
    "teardown --yes",
];

/// Consents that a run after a storm may need: instances that are not healthy, a protection that another hand set.
fn with_consent(line: &str) -> String {
    match line.starts_with("up") {
        true => format!("{line} --force --allow-scale-in"),
        false => format!("{line} --lift-protection"),
    }
}

/// What another hand does to things of the stack.
type Edit = fn(&mut World, &mut Rng);

const EDITS: [(&str, Edit); 20] = [
    ("a rule is removed", |world, random| {
        for rules in of_ours(world, "groups", "_rules") {
            if !rules.is_empty() {
                rules.remove(random.usize(..rules.len()));
            }
        }
    }),
    ("a rule is added", |world, _| {
        let ssh = json!({
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0", "isEgress": false,
            "securityGroupRuleId": "sgr-0byhand",
        });
        of_ours(world, "groups", "_rules").into_iter().for_each(|rules| rules.push(ssh.clone()));
    }),
    ("the matcher is 200", |world, _| {
        set(world, "target_groups", "Matcher", &json!({"HttpCode": "200"}));
    }),
    ("the maximum is 50", |world, _| {
        set(world, "asgs", "MaxSize", &json!(50));
    }),
    ("the template's default is its first version", |world, _| {
        for row in ours(world, "templates") {
            row["defaultVersionNumber"] = json!(1);
            for version in row["_versions"].as_array_mut().unwrap() {
                version["defaultVersion"] = json!(version["versionNumber"] == 1);
            }
        }
    }),
    ("the group follows its template", |world, random| {
        let version = random.choice(["$Default", "$Latest"]).unwrap();
        ours(world, "asgs").for_each(|row| row["LaunchTemplate"]["Version"] = json!(version));
    }),
    ("the group serves nobody", |world, _| {
        set(world, "asgs", "TargetGroupARNs", &json!([]));
    }),
    ("health is what EC2 says", |world, _| {
        set(world, "asgs", "HealthCheckType", &json!("EC2"));
        set(world, "asgs", "HealthCheckGracePeriod", &json!(0));
    }),
    ("targets take turns", |world, _| {
        for row in ours(world, "target_groups") {
            row["_attributes"][0]["Value"] = json!("round_robin");
        }
    }),
    ("the load balancer has another's group", |world, _| {
        set(world, "balancers", "SecurityGroups", &json!(["sg-0theirs"]));
    }),
    ("the record is gone", |world, _| {
        for records in of_zones(world) {
            records.retain(|record| record["Name"] != "app.example.com.");
        }
    }),
    ("the record points elsewhere", |world, _| {
        for records in of_zones(world) {
            for record in records.iter_mut().filter(|one| one["Name"] == "app.example.com.") {
                record["AliasTarget"]["EvaluateTargetHealth"] = json!("false");
            }
        }
    }),
    ("an instance is terminated", |world, random| {
        let ids: Vec<String> = world.table("instances").keys().cloned().collect();
        if let Some(id) = random.choice(ids) {
            world.terminate(&id);
        }
    }),
    ("the scaling policy is gone", |world, _| {
        world.table("policies_of_groups").clear();
    }),
    ("the role has no policy", |world, _| {
        ours(world, "roles").for_each(|row| row["_attached"] = json!([]));
    }),
    ("the profile has no role", |world, _| {
        set(world, "profiles", "_role", &Value::Null);
    }),
    ("a listener is gone", |world, random| {
        let arns: Vec<String> = world.table("listeners").keys().cloned().collect();
        if let Some(arn) = random.choice(arns) {
            world.table("listeners").remove(&arn);
        }
    }),
    ("the load balancer is protected", |world, _| {
        for row in ours(world, "balancers") {
            for attribute in row["_attributes"].as_array_mut().unwrap() {
                if attribute["Key"] == "deletion_protection.enabled" {
                    attribute["Value"] = json!("true");
                }
            }
        }
    }),
    ("the auto scaling group is gone", |world, _| {
        for kind in ["asgs", "policies_of_groups", "activities", "refreshes"] {
            world.table(kind).clear();
        }
        let instances: Vec<String> = world.table("instances").keys().cloned().collect();
        instances.iter().for_each(|id| world.terminate(id));
    }),
    ("the launch template is gone", |world, _| {
        world.table("templates").retain(|_, row| row["launchTemplateName"] != "app-launch-template");
    }),
];

fn ours<'a>(world: &'a mut World, kind: &str) -> impl Iterator<Item = &'a mut Value> {
    let rows = world.table(kind).iter_mut();
    rows.filter(|(id, _)| !id.to_lowercase().contains("theirs")).map(|(_, row)| row)
}

fn set(world: &mut World, kind: &str, key: &str, value: &Value) {
    ours(world, kind).for_each(|row| row[key] = value.clone());
}

fn of_ours<'a>(world: &'a mut World, kind: &str, key: &str) -> Vec<&'a mut Vec<Value>> {
    ours(world, kind).filter_map(|row| row[key].as_array_mut()).collect()
}

fn of_zones(world: &mut World) -> Vec<&mut Vec<Value>> {
    of_ours(world, "zones", "_records")
}

fn weather(random: &mut Rng) -> Weather {
    let seconds = |random: &mut Rng, most: f64| match random.bool() {
        true => random.f64() * most,
        false => 0.0,
    };
    Weather {
        iam_delay: seconds(random, 20.0),
        describe_lag: seconds(random, 8.0),
        zone_busy: seconds(random, 30.0),
        provisioning: random.f64() * 240.0,
        linger: random.f64() * 120.0,
        launch: random.f64() * 40.0,
        end: random.f64() * 60.0,
        boot: random.f64() * 90.0,
        instances_outlive_group: random.bool(),
        leaks: random.bool(),
        fault_rate: random.f64() * 0.08,
        launch_fails: match random.bool() {
            true => BTreeMap::from([("eu-central-1a".into(), "InsufficientInstanceCapacity".into())]),
            false => BTreeMap::new(),
        },
        throttle: random
            .bool()
            .then(|| Throttle { burst: 5.0 + random.f64() * 20.0, per_second: 1.0 + random.f64() * 5.0 }),
        ..Weather::default()
    }
}

/// One seed: some runs in bad weather, then what the last line wants, in calm. Every call that was made.
async fn storm(seed: u64, clean: &BTreeMap<&str, BTreeMap<String, usize>>) -> Vec<Call> {
    // The SDK's retries draw from the thread's own numbers.
    fastrand::seed(seed);
    let mut random = Rng::with_seed(seed);
    let stage = Stage::new();
    stage.sandbox.seed(seed);
    stage.sandbox.change(add_things_of_others);
    let (foreign, mut told) = (things_of_others(&stage.sandbox.world()), Vec::new());
    let mut calls = Vec::new();
    for _ in 0..random.usize(2..5) {
        let next = weather(&mut random);
        stage.sandbox.change(|world| world.weather = next);
        told.push(disturbed(&stage, &mut random).await);
        assert_eq!(things_of_others(&stage.sandbox.world()), foreign, "{told:#?}");
        let edits = random.usize(0..3);
        for _ in 0..edits {
            let (words, edit) = EDITS[random.usize(..EDITS.len())];
            stage.sandbox.change(|world| edit(world, &mut random));
            told.push(words.to_owned());
        }
        // What another hand did is seen by then; what a run did may not be.
        let pause = if edits > 0 { 10..90 } else { 0..20 };
        tokio::time::sleep(Duration::from_secs(random.u64(pause))).await;
        calls.append(&mut stage.sandbox.calls());
        stage.sandbox.clear_calls();
    }
    stage.sandbox.change(|world| {
        world.weather = Weather::default();
        fast_timers(world);
    });
    let wanted = WANTED[random.usize(..WANTED.len())];
    mended(&stage, wanted, clean, &told).await;
    assert_eq!(things_of_others(&stage.sandbox.world()), foreign, "{told:#?}");
    calls.append(&mut stage.sandbox.calls());
    calls
}

/// A run or two at once, perhaps killed at one of their calls; in words.
async fn disturbed(stage: &Stage, random: &mut Rng) -> String {
    let line = with_consent(WANTED[random.usize(..WANTED.len())]);
    let (killed, other) = (random.usize(..80), WANTED[random.usize(..WANTED.len())]);
    let (how, outcome) = match random.u8(..4) {
        0 => {
            let (happened, outcome) = run_disturbed(stage, &line, killed, Disturbance::KilledAfter).await;
            (format!("killed after {killed} calls: {happened}"), outcome)
        }
        1 => {
            let beside = stage.as_config(stage.config.clone());
            let (outcome, _) = tokio::join!(stage.run(&line), beside.run(other));
            (format!("beside {other}"), Some(outcome))
        }
        _ => ("alone".to_owned(), Some(stage.run(&line).await)),
    };
    // Nothing in a storm makes ours a stranger's, or deploy.yaml wrong.
    let exit = outcome.as_ref().map(|outcome| outcome.exit);
    let told = format!("{line}, {how}: {}", brief(outcome.as_ref()));
    assert!(!matches!(exit, Some(Exit::Foreign | Exit::Usage)), "{told}");
    let ended = outcome.as_ref().is_none_or(|one| one.exit == Exit::Done || one.outcome == "rolled_back");
    assert!(how != "alone" || ended, "{told}");
    told
}

/// One run of what is wanted ends in a clean stack, or in none; the next one has nothing to do.
async fn mended(stage: &Stage, wanted: &str, clean: &BTreeMap<&str, BTreeMap<String, usize>>, told: &[String]) {
    let mut outcome = stage.run(&with_consent(wanted)).await;
    if outcome.outcome == "rolled_back" {
        // A rollout that began in the storm was spoiled by it.
        outcome = stage.run(&with_consent(wanted)).await;
    }
    let told = format!("{wanted} after {told:#?}: {}", brief(Some(&outcome)));
    assert_eq!(outcome.exit, Exit::Done, "{told}");
    assert_eq!(standing(&settled(stage).await), clean[wanted], "{told}");
    stage.sandbox.clear_calls();
    let again = stage.run(wanted).await;
    assert_eq!(again.exit, Exit::Done, "again, {told}: {}", brief(Some(&again)));
    assert_eq!(stage.writes(), Vec::<String>::new(), "again, {told}");
}

/// How many of each kind there are. A template keeps its former versions, and what instances leaked goes with the stack.
fn standing(world: &World) -> BTreeMap<String, usize> {
    let mut world = world.clone();
    if world.rows("asgs").next().is_some() {
        world.table("volumes").retain(|id, row| id.ends_with("theirs") || row["status"] == "in-use");
        world.table("interfaces").retain(|_, row| row["status"] == "in-use");
    }
    let mut count = count_by_kind(&world);
    count.remove("versions");
    count
}

fn brief(outcome: Option<&Outcome>) -> String {
    outcome.map_or_else(
        || "killed".to_owned(),
        |outcome| format!("{:?} {} {:#?}", outcome.exit, outcome.summary, outcome.problems),
    )
}

fn on_a_paused_clock<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(future)
}

/// The stack that each line makes where nothing disturbs it.
fn clean() -> BTreeMap<&'static str, BTreeMap<String, usize>> {
    on_a_paused_clock(async {
        let mut clean = BTreeMap::new();
        for line in WANTED {
            let stage = Stage::new();
            stage.sandbox.change(add_things_of_others);
            stage.succeeds(line).await;
            clean.insert(line, standing(&settled(&stage).await));
        }
        clean
    })
}

#[test]
fn whatever_the_weather_one_calm_run_mends_it() {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    let seeds = match number("DEPLOY_SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("DEPLOY_SIMULATION_SEEDS").unwrap_or(300),
    };
    let (clean, next, failed) = (clean(), AtomicU64::new(seeds.start), AtomicBool::new(false));
    let calls = AtomicU64::new(0);
    let search = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| on_a_paused_clock(storm(seed, &clean)))) {
                Ok(made) => drop(calls.fetch_add(made.len() as u64, Ordering::Relaxed)),
                Err(_) => {
                    failed.store(true, Ordering::Relaxed);
                    eprintln!("that was seed {seed}: DEPLOY_SIMULATION_SEED={seed} cargo test whatever_the_weather");
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(search)));
    });
    assert!(!failed.into_inner(), "a seed failed, see above");
    println!("{} seeds, {} calls", seeds.end - seeds.start, calls.into_inner());
}

#[test]
fn a_seed_replays_exactly() {
    let clean = clean();
    for seed in 0..5 {
        let once = || on_a_paused_clock(storm(seed, &clean));
        assert_eq!(once(), once(), "seed {seed}");
    }
}
