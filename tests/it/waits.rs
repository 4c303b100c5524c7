//! What `up` waits for, how it says so, and when it stops waiting; what AWS is late with, and what it refuses on the way.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Exit, Stage, Throttle, Weather, record_of_others, words};

fn under(weather: impl FnOnce(&mut Weather)) -> Stage {
    let stage = Stage::new();
    stage.sandbox.change(|world| weather(&mut world.weather));
    stage
}

fn launches_fail(zones: &[&str], code: &str) -> Stage {
    under(|weather| {
        for zone in zones {
            weather.launch_fails.insert((*zone).to_owned(), code.to_owned());
        }
    })
}

#[tokio::test(start_paused = true)]
async fn launches_that_can_never_succeed_end_the_wait() {
    for (code, cause) in [
        ("OptInRequired", "not subscribed"),
        ("VcpuLimitExceeded", "vCPU quota"),
        ("InvalidKMSKey", "AWSServiceRoleForAutoScaling"),
        ("Unsupported", "not offered"),
    ] {
        let stage = launches_fail(&["*"], code);
        let start = Instant::now();
        let outcome = stage.run("up").await;
        assert_eq!(outcome.exit, Exit::Failed, "{code}: {}", words(&outcome));
        assert!(words(&outcome).contains(cause), "{code}: {}", words(&outcome));
        assert!(start.elapsed() < Duration::from_secs(60), "{code}: {:?}", start.elapsed());
        // Mended outside, the next run goes on.
        stage.sandbox.change(|world| world.weather.launch_fails.clear());
        stage.succeeds("up").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_without_capacity_is_not_the_end_while_another_serves() {
    let stage = launches_fail(&["eu-central-1a"], "InsufficientInstanceCapacity");
    stage.succeeds("up").await;
    let every = launches_fail(&["eu-central-1a", "eu-central-1b"], "InsufficientInstanceCapacity");
    let outcome = every.run("up").await;
    assert_eq!(outcome.exit, Exit::Failed);
    assert!(words(&outcome).contains("no more of this instance type"), "{}", words(&outcome));
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_cannot_be_made_ends_the_wait() {
    let stage = under(|weather| weather.provisioning_fails = Some("no free addresses".to_owned()));
    let outcome = stage.run("up --timeout 2h").await;
    assert_eq!(outcome.exit, Exit::Failed);
    assert!(words(&outcome).contains("the load balancer failed: no free addresses"), "{}", words(&outcome));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_starts_is_the_deadlines_and_named() {
    let stage = under(|weather| weather.dead.push("c7i-flex.4xlarge".to_owned()));
    let start = Instant::now();
    let outcome = stage.run("up --timeout 15m").await;
    assert_eq!(outcome.exit, Exit::Deadline);
    assert!(words(&outcome).contains("0 of 2 targets healthy"), "{}", words(&outcome));
    assert_eq!(start.elapsed().as_secs(), 900, "one deadline governs");
}

#[tokio::test(start_paused = true)]
async fn what_iam_has_and_ec2_does_not_see_yet_is_waited_for() {
    let stage = under(|weather| weather.iam_delay = 20.0);
    stage.succeeds("up").await;
    let refused: Vec<_> = stage.sandbox.calls().into_iter().filter_map(|call| call.code).collect();
    assert!(refused.contains(&"ValidationError".to_owned()), "{refused:?}");
    // For ever is not waited for.
    let never = under(|weather| weather.iam_delay = 1e9);
    let outcome = never.run("up").await;
    assert_eq!(outcome.exit, Exit::Failed);
    assert!(words(&outcome).contains("EC2 does not see the instance profile yet"), "{}", words(&outcome));
}

#[tokio::test(start_paused = true)]
async fn reads_that_lag_behind_make_no_duplicate() {
    for seed in 0..10 {
        let stage = under(|weather| weather.describe_lag = 12.0);
        stage.sandbox.seed(seed);
        stage.succeeds("up").await;
        stage.writes();
        tokio::time::sleep(Duration::from_secs(60)).await;
        stage.succeeds("up").await;
        assert_eq!(stage.writes(), Vec::<String>::new(), "seed {seed}");
        stage.succeeds("teardown --yes").await;
        assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn few_calls_a_second_are_enough() {
    let stage = under(|weather| weather.throttle = Some(Throttle { burst: 2.0, per_second: 0.5 }));
    stage.succeeds("up --timeout 2h").await;
    assert!(stage.sandbox.calls().iter().any(|call| call.code.as_deref() == Some("RequestLimitExceeded")));
    stage.succeeds("teardown --yes --timeout 2h").await;
    assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_busy_zone_is_waited_for() {
    let stage = under(|weather| weather.zone_busy = 40.0);
    record_of_others(&stage.other_client().await, "other.example.com").await.unwrap();
    stage.succeeds("up").await;
    let refused: Vec<_> = stage.sandbox.calls().into_iter().filter_map(|call| call.code).collect();
    assert!(refused.contains(&"PriorRequestNotComplete".to_owned()), "{refused:?}");
}

/// Credentials that expire in the middle: told as such, at once, and the next run goes on.
#[tokio::test(start_paused = true)]
async fn credentials_that_expire_in_the_middle() {
    for expire in [0.0, 30.0, 150.0] {
        let stage = under(|weather| weather.credentials_expire = Some(expire));
        let start = Instant::now();
        let outcome = stage.run("up").await;
        assert_eq!(outcome.exit, Exit::Failed);
        assert!(words(&outcome).contains("the credentials have expired"), "{}", words(&outcome));
        assert!(start.elapsed().as_secs_f64() < expire + 15.0, "never retried: {:?}", start.elapsed());
        stage.sandbox.change(|world| world.weather.credentials_expire = None);
        stage.succeeds("up").await;
    }
}

#[test]
fn switches_are_set_by_name() {
    let weather = Weather::default().with("iam_delay=15").unwrap();
    let weather = weather.with("launch_fails={\"*\": OptInRequired}").unwrap();
    assert_eq!((weather.iam_delay, weather.launch_fails["*"].as_str()), (15.0, "OptInRequired"));
    assert!(weather.with("iam_dealy=15").unwrap_err().contains("iam_dealy"));
    assert!(weather.with("iam_delay=soon").is_err());
    assert!(weather.with("iam_delay").is_err());
}

/// What a removal has taken is still seen for a while: an `up` at once must not build on it.
#[tokio::test(start_paused = true)]
async fn an_up_right_after_a_removal_does_not_believe_what_it_still_sees() {
    for seed in 0..12 {
        let stage = under(|weather| weather.describe_lag = 8.0);
        stage.sandbox.seed(seed);
        stage.succeeds("up").await;
        stage.succeeds("teardown --yes").await;
        stage.succeeds("up").await;
        stage.writes();
        tokio::time::sleep(Duration::from_secs(10)).await;
        stage.succeeds("up").await;
        assert_eq!(stage.writes(), Vec::<String>::new(), "seed {seed}");
    }
}

/// The group's instances have ended, and a look shows them running still: they are no users of the role besides the stack.
#[tokio::test(start_paused = true)]
async fn instances_of_the_group_that_are_still_seen_do_not_hold_the_role() {
    for seed in 0..20 {
        let stage = under(|weather| (weather.describe_lag, weather.end) = (8.0, 1.0));
        stage.sandbox.seed(seed);
        stage.succeeds("up").await;
        stage.succeeds("teardown --yes").await;
    }
}

/// The way to AWS is down for some minutes, whenever that is: the run bears it, and says what it waits for.
#[tokio::test(start_paused = true)]
async fn an_outage_in_the_middle_is_borne() {
    let stage = Stage::new();
    for line in ["up", "up --set instance.image=api-instant-next", "teardown --yes"] {
        for begins in [1, 3, 45, 150, 290] {
            let world = stage.sandbox.world();
            let copy = Stage::of(&world);
            let outage = async {
                for (seconds, down) in [(begins, true), (200, false)] {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    copy.sandbox.change(|world| world.weather.outage = down);
                }
            };
            let (outcome, ()) = tokio::join!(copy.run(line), outage);
            assert_eq!(outcome.exit, Exit::Done, "{line}, {begins}: {}", words(&outcome));
        }
        stage.succeeds(line).await;
    }
}

/// One that lasts ends the run in minutes, and in less when nothing was ever reached.
#[tokio::test(start_paused = true)]
async fn an_outage_that_lasts_is_told() {
    for (begins, ends) in [(0, 240), (30, 600)] {
        let stage = Stage::new();
        let start = Instant::now();
        let outage = async {
            tokio::time::sleep(Duration::from_secs(begins)).await;
            stage.sandbox.change(|world| world.weather.outage = true);
        };
        let (outcome, ()) = tokio::join!(stage.run("up"), outage);
        assert_eq!(outcome.exit, Exit::Failed, "{}", words(&outcome));
        assert!(words(&outcome).contains("AWS was not reached"), "{}", words(&outcome));
        assert!(start.elapsed().as_secs() < ends, "{:?}", start.elapsed());
    }
}

/// A pipeline verifies at once what `up` has just changed: a look that shows what was before is no drift.
#[tokio::test(start_paused = true)]
async fn a_verification_right_after_a_change_does_not_take_lag_for_drift() {
    let change = "--set scaling.max=9 --set load_balancer.ingress_cidrs=[10.0.0.0/8]";
    for seed in 0..10 {
        let stage = Stage::standing().await;
        stage.sandbox.seed(seed);
        stage.sandbox.change(|world| world.weather.describe_lag = 8.0);
        stage.succeeds("plan").await;
        tokio::time::sleep(Duration::from_secs(10)).await; // there is a past to lag behind
        stage.succeeds(&format!("up --no-verify {change}")).await;
        let outcome = stage.run(&format!("verify {change}")).await;
        assert_eq!(outcome.exit, Exit::Done, "seed {seed}: {} {}", outcome.summary, words(&outcome));
    }
}
