//! Random weather: faults, delays and edits by someone else, all from one seed; then calm, and one run repairs it all.
//!
//! `DEPLOY_SIMULATION_SEEDS=20000` looks longer, `DEPLOY_SIMULATION_SEED=17` replays one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;

use crate::support::{
    Aws, Call, Disturbance, Ended, Exit, Stage, Throttle, Weather, World, add_things_of_others, count_by_kind,
    fast_timers, run_disturbed, settled, tables, things_of_others,
};

/// What a pipeline may ask for, one after the other.
const WANTED: [&str; 4] = [
    "up",
    "up --set instance.volume.iops=9000 --set scaling.max=9",
    "up --set instance.image=api-instant-next --set load_balancer.listener=http",
    "teardown --yes",
];

/// Consents that a run after a storm may need: instances that are not healthy, a protection that someone set.
fn with_consent(line: &str) -> String {
    if line.starts_with("up") {
        format!("{line} --force --allow-scale-in")
    } else {
        format!("{line} --lift-protection")
    }
}

/// What someone else does to things of the stack.
type Edit = fn(&mut Aws<'_>, &mut Rng);

const EDITS: [(&str, Edit); 20] = [
    ("a rule is removed", |aws, random| {
        aws.security_groups().each_rules(|rules| {
            if !rules.is_empty() {
                rules.remove(random.usize(..rules.len()));
            }
        });
    }),
    ("a rule is added", |aws, _| aws.security_groups().open_ssh()),
    ("the matcher is 200", |aws, _| aws.target_group().matcher("200")),
    ("the maximum is 50", |aws, _| aws.auto_scaling_group().max_size(50)),
    ("the template's default is its first version", |aws, _| aws.launch_template().default_version(1)),
    ("the group follows its template", |aws, random| {
        aws.auto_scaling_group().follow(random.choice(["$Default", "$Latest"]).unwrap());
    }),
    ("the group serves no target group", |aws, _| aws.auto_scaling_group().leave_target_group()),
    ("health is what EC2 says", |aws, _| aws.auto_scaling_group().heed_ec2_only()),
    ("targets take turns", |aws, _| aws.target_group().algorithm("round_robin")),
    ("the load balancer has another's group", |aws, _| aws.load_balancer().carry_security_group("sg-0theirs")),
    ("the record is gone", |aws, _| aws.delete_record()),
    ("the record ignores the targets' health", |aws, _| aws.record().ignore_targets_health()),
    ("an instance is terminated", |aws, random| {
        if let Some(id) = random.choice(aws.ids(tables::INSTANCES)) {
            aws.terminate(&id);
        }
    }),
    ("the scaling policy is gone", |aws, _| aws.delete_scaling_policy()),
    ("the role has no policy", |aws, _| aws.role().detach_policies()),
    ("the profile has no role", |aws, _| aws.instance_profile().lose_role()),
    ("a listener is gone", |aws, random| {
        if let Some(arn) = random.choice(aws.ids(tables::LISTENERS)) {
            aws.delete_one(tables::LISTENERS, &arn);
        }
    }),
    ("the load balancer is protected", |aws, _| aws.load_balancer().protect()),
    ("the auto scaling group is gone", |aws, _| aws.delete_auto_scaling_group()),
    ("the launch template is gone", |aws, _| aws.delete_launch_template()),
];

fn weather(random: &mut Rng) -> Weather {
    let seconds = |random: &mut Rng, most: f64| if random.bool() { random.f64() * most } else { 0.0 };
    Weather {
        iam_delay_seconds: seconds(random, 20.0),
        describe_lag_seconds: seconds(random, 8.0),
        zone_busy_seconds: seconds(random, 30.0),
        provisioning_seconds: random.f64() * 240.0,
        linger_seconds: random.f64() * 120.0,
        launch_seconds: random.f64() * 40.0,
        termination_seconds: random.f64() * 60.0,
        boot_seconds: random.f64() * 90.0,
        instances_outlive_group: random.bool(),
        leaks: random.bool(),
        fault_rate: random.f64() * 0.08,
        launch_fails: if random.bool() {
            BTreeMap::from([("eu-central-1a".into(), "InsufficientInstanceCapacity".into())])
        } else {
            BTreeMap::new()
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
    let mut stage = Stage::new().seeded(seed);
    stage.sandbox.change(add_things_of_others);
    let foreign = things_of_others(&stage.sandbox.world());
    let mut calls = Vec::new();
    for _ in 0..random.usize(2..5) {
        let next = weather(&mut random);
        stage.weather(|weather| *weather = next);
        let ended = runs_in_a_storm(&stage, &mut random).await;
        stage.note += &format!("\n- {ended}");
        assert_eq!(things_of_others(&stage.sandbox.world()), foreign, "{}", stage.note);
        let edits = random.usize(0..3);
        for _ in 0..edits {
            let (words, edit) = EDITS[random.usize(..EDITS.len())];
            stage.sandbox.change(|world| edit(&mut Aws::if_there(world), &mut random));
            stage.note += &format!("\n- {words}");
        }
        // What someone else did is seen by then; what a run did may not be.
        let pause = if edits > 0 { 10..90 } else { 0..20 };
        tokio::time::sleep(Duration::from_secs(random.u64(pause))).await;
        calls.append(&mut stage.sandbox.calls());
        stage.sandbox.clear_calls();
    }
    stage.sandbox.change(|world| {
        world.weather = Weather::default();
        fast_timers(world);
    });
    one_calm_run_repairs_it(&stage, WANTED[random.usize(..WANTED.len())], clean).await;
    assert_eq!(things_of_others(&stage.sandbox.world()), foreign, "{}", stage.note);
    calls.append(&mut stage.sandbox.calls());
    calls
}

/// A run or two at once, perhaps killed at one of their calls; in words.
async fn runs_in_a_storm(stage: &Stage, random: &mut Rng) -> String {
    let line = with_consent(WANTED[random.usize(..WANTED.len())]);
    let (killed, other) = (random.usize(..80), WANTED[random.usize(..WANTED.len())]);
    let (how, ended) = match random.u8(..4) {
        0 => {
            let (happened, ended) = run_disturbed(stage, &line, killed, Disturbance::KilledAfter).await;
            (format!("killed after {killed} calls: {happened}"), ended)
        }
        1 => {
            let beside = stage.again();
            let (ended, _) = tokio::join!(stage.run(&line), beside.run(other));
            (format!("beside {other}"), Some(ended))
        }
        _ => {
            let ended = stage.run(&line).await;
            let ends_well = ended.exit == Exit::Done || is_given_up(&ended);
            ended.demand(ends_well, || "alone, it must end well or give its version up".to_owned());
            ("alone".to_owned(), Some(ended))
        }
    };
    let Some(ended) = ended else { return format!("{line}, {how}") };
    // Nothing in a storm makes ours another's, or deploy.yaml wrong.
    let is_sane = !matches!(ended.exit, Exit::Foreign | Exit::Usage);
    ended.demand(is_sane, || format!("{how}: it must take nothing for another's, nor deploy.yaml for wrong"));
    format!("{line}, {how}: {:?} {}", ended.exit, ended.summary)
}

/// A version that failed: taken back, or cancelled where nothing leads back any more.
fn is_given_up(ended: &Ended) -> bool {
    ended.outcome == "rolled_back" || ended.summary.ends_with("the version was not taken back")
}

/// One run of what is wanted ends in a clean stack, or in none; the next one has nothing to do.
async fn one_calm_run_repairs_it(stage: &Stage, wanted: &str, clean: &BTreeMap<&str, BTreeMap<String, usize>>) {
    let mut ended = stage.run(&with_consent(wanted)).await;
    if is_given_up(&ended) {
        // A rollout that began in the storm was spoiled by it.
        ended = stage.run(&with_consent(wanted)).await;
    }
    ended.succeeds();
    assert_eq!(lasting(&settled(stage).await), clean[wanted], "{ended}");
    stage.sandbox.clear_calls();
    stage.unchanged_by(wanted).await;
}

/// How many of each kind there are. A template keeps its former versions; what instances leaked goes with the stack.
fn lasting(world: &World) -> BTreeMap<String, usize> {
    let mut world = world.clone();
    if world.rows(tables::ASGS).next().is_some() {
        world.table(tables::VOLUMES).retain(|id, row| id.ends_with("theirs") || row["status"] == "in-use");
        world.table(tables::INTERFACES).retain(|_, row| row["status"] == "in-use");
    }
    let mut count = count_by_kind(&world);
    count.remove("versions");
    count
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
            clean.insert(line, lasting(&settled(&stage).await));
        }
        clean
    })
}

#[test]
fn whatever_the_weather_one_calm_run_repairs_it() {
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
            if let Ok(made) = catch_unwind(AssertUnwindSafe(|| on_a_paused_clock(storm(seed, &clean)))) {
                calls.fetch_add(made.len() as u64, Ordering::Relaxed);
            } else {
                failed.store(true, Ordering::Relaxed);
                eprintln!("that was seed {seed}: DEPLOY_SIMULATION_SEED={seed} cargo test whatever_the_weather");
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
