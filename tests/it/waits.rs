//! What `up` waits for, how it says so, when it stops waiting; what AWS is late with, and what it refuses on the way.

use std::time::Duration;

use aws_sdk_autoscaling::types::ScalingActivityStatusCode;
use tokio::time::Instant;

use crate::support::{Exit, Stage, Status, Throttle, Weather, tables};

/// A sandbox in which no launch in these zones succeeds, for this reason.
fn launches_fail(zones: &[&str], code: &str) -> Stage {
    let failing = zones.iter().map(|zone| ((*zone).to_owned(), code.to_owned()));
    Stage::under(|weather| weather.launch_fails.extend(failing))
}

#[tokio::test(start_paused = true)]
async fn launches_that_can_never_succeed_end_the_wait() {
    for (code, cause) in [
        ("OptInRequired", "not subscribed"),
        ("VcpuLimitExceeded", "vCPU quota"),
        ("InvalidKMSKey", "AWSServiceRoleForAutoScaling"),
        ("Unsupported", "not offered"),
    ] {
        let stage = launches_fail(&["*"], code).noting(code);
        let start = Instant::now();
        stage.run("up").await.exits(Exit::Failed).says(cause);
        assert!(start.elapsed() < Duration::from_secs(60), "{code}: {:?}", start.elapsed());
        // Once it is fixed outside, the next run goes on.
        stage.weather(|weather| weather.launch_fails.clear());
        stage.succeeds("up").await;
    }
}

/// A target group is in use for up to two minutes after its load balancer went.
#[tokio::test(start_paused = true)]
async fn a_target_group_that_is_in_use_after_its_load_balancer_is_waited_for() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.target_group_linger_seconds = 100.0);
    stage.succeeds("teardown --yes").await.was_refused("ResourceInUse");
    stage.nothing_is_left();
}

/// Nothing that can be read says so beforehand: AWS's words are explained.
#[tokio::test(start_paused = true)]
async fn a_zone_that_takes_no_load_balancer_is_explained() {
    let stage = Stage::under(|weather| weather.constrained = vec!["eu-central-1a".to_owned()]);
    stage.run("up").await.exits(Exit::Failed).says("eu-central-1a cannot be associated").says("constrained zone");
}

#[tokio::test(start_paused = true)]
async fn a_zone_without_capacity_is_not_the_end_while_another_serves() {
    let stage = launches_fail(&["eu-central-1a"], "InsufficientInstanceCapacity");
    stage.succeeds("up").await;
    let every = launches_fail(&["eu-central-1a", "eu-central-1b"], "InsufficientInstanceCapacity");
    every.run("up").await.exits(Exit::Failed).says("no more of this instance type");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_cannot_be_made_ends_the_wait() {
    let stage = Stage::under(|weather| weather.provisioning_fails = Some("no free addresses".to_owned()));
    let outcome = stage.run("up --timeout 2h").await;
    outcome.exits(Exit::Failed).says("the load balancer failed: no free addresses");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_starts_is_the_deadlines_and_named() {
    let stage = Stage::under(|weather| weather.dead.push("c7i-flex.4xlarge".to_owned()));
    let start = Instant::now();
    let outcome = stage.run("up --timeout 10m").await;
    outcome.exits(Exit::Deadline).says("0 of 2 targets healthy").says("instances are being replaced: 2 so far");
    assert_eq!(start.elapsed().as_secs(), 600, "one deadline governs");
}

/// Instances that Auto Scaling replaces before they are ever healthy: the loop is named, and is the end.
#[tokio::test(start_paused = true)]
async fn instances_that_are_replaced_again_and_again_end_the_wait() {
    let stage = Stage::under(|weather| weather.boot_seconds = 400.0);
    let (start, outcome) = (Instant::now(), stage.run("up").await);
    outcome.exits(Exit::Unverified).says("has replaced 4 instances").says("Raise scaling.grace_period_seconds");
    assert!(start.elapsed().as_secs() < 900, "{:?}", start.elapsed());
    stage.succeeds("up --set scaling.grace_period_seconds=600").await;
}

/// Targets are `unused` until their load balancer is active, and for seconds afterwards.
#[tokio::test(start_paused = true)]
async fn targets_that_are_not_in_use_yet_are_waited_for() {
    let stage = Stage::under(|weather| weather.unused_seconds = 40.0);
    stage.succeeds("up").await;
    let stage = Stage::under(|weather| weather.unused_seconds = 40.0);
    stage.succeeds("up --no-verify").await;
    stage.succeeds("verify --wait 10m").await;
    // For ever is not waited for.
    let never = Stage::under(|weather| weather.unused_seconds = 1e9);
    let (start, outcome) = (Instant::now(), never.run("up").await);
    outcome.exits(Exit::Unverified).says("Target.NotInUse").says("no listener");
    assert!((180..240).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let (start, outcome) = (Instant::now(), never.run("verify").await);
    outcome.exits(Exit::Unverified).sees("targets", "Target.NotInUse");
    assert!((60..90).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_iam_has_and_ec2_does_not_see_yet_is_waited_for() {
    let stage = Stage::under(|weather| weather.iam_delay_seconds = 20.0);
    stage.succeeds("up").await.was_refused("ValidationError");
    // For ever is not waited for.
    let never = Stage::under(|weather| weather.iam_delay_seconds = 1e9);
    never.run("up").await.exits(Exit::Failed).says("EC2 does not see the instance profile yet");
}

/// A profile is seen before its role: when the group is made, or only when it launches.
#[tokio::test(start_paused = true)]
async fn a_profile_whose_role_is_not_seen_yet_is_waited_for() {
    let stage = Stage::under(|weather| weather.role_delay_seconds = 20.0);
    stage.succeeds("up").await.was_refused("ValidationError");
    let stage = Stage::under(|weather| weather.role_delay_in_launches_seconds = 90.0);
    stage.succeeds("up").await;
    let world = stage.sandbox.world();
    let words = "has no associated IAM Roles. Launching EC2 instance failed.";
    let failed = world.rows(tables::ACTIVITIES).filter(|row| row["StatusCode"] == "Failed");
    assert!(failed.filter_map(|row| row["StatusMessage"].as_str()).any(|message| message.ends_with(words)));
}

/// Targets that leave are `draining` for minutes, and their instances run so long.
#[tokio::test(start_paused = true)]
async fn targets_that_are_draining_are_no_fault() {
    let stage = Stage::under(|weather| weather.draining_seconds = 300.0);
    stage.succeeds("up").await;
    stage.succeeds("up --set instance.image=api-instant-next").await;
    let activities = stage.other_client().await.autoscaling.describe_scaling_activities().send().await.unwrap();
    let waits = ScalingActivityStatusCode::WaitingForElbConnectionDraining;
    assert!(activities.activities().iter().any(|one| one.status_code() == Some(&waits)));
    for line in ["verify", "up"] {
        let line = format!("{line} --set instance.image=api-instant-next");
        stage.succeeds(&line).await.writes_nothing();
    }
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn reads_that_lag_behind_make_no_duplicate() {
    for seed in 0..10 {
        let stage = Stage::under(|weather| weather.describe_lag_seconds = 12.0).seeded(seed);
        stage.succeeds("up").await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        stage.unchanged_by("up").await;
        stage.succeeds("teardown --yes").await;
        stage.nothing_is_left();
    }
}

#[tokio::test(start_paused = true)]
async fn few_calls_a_second_are_enough() {
    let stage = Stage::under(|weather| weather.throttle = Some(Throttle { burst: 2.0, per_second: 0.5 }));
    stage.succeeds("up --timeout 2h").await.was_refused("RequestLimitExceeded");
    stage.succeeds("teardown --yes --timeout 2h").await;
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn a_busy_zone_is_waited_for() {
    let stage = Stage::under(|weather| weather.zone_busy_seconds = 40.0);
    stage.other_client().await.create_record("other.example.com").await.unwrap();
    stage.succeeds("up").await.was_refused("PriorRequestNotComplete");
}

/// Credentials that expire in the middle: reported as such, at once, and the next run goes on.
#[tokio::test(start_paused = true)]
async fn credentials_that_expire_in_the_middle_end_the_run_at_once() {
    for expire in [0.0, 30.0, 100.0] {
        let stage = Stage::under(|weather| weather.credentials_expire_seconds = Some(expire));
        let stage = stage.noting(format!("expired after {expire} s"));
        let start = Instant::now();
        stage.run("up").await.exits(Exit::Failed).says("the credentials have expired");
        assert!(start.elapsed().as_secs_f64() < expire + 15.0, "never retried: {:?}", start.elapsed());
        stage.weather(|weather| weather.credentials_expire_seconds = None);
        stage.succeeds("up").await;
    }
}

#[test]
fn switches_are_set_by_name() {
    let weather = Weather::default().with("iam_delay_seconds=15").unwrap();
    let weather = weather.with("launch_fails={\"*\": OptInRequired}").unwrap();
    assert_eq!((weather.iam_delay_seconds, weather.launch_fails["*"].as_str()), (15.0, "OptInRequired"));
    assert!(weather.with("iam_dealy=15").unwrap_err().contains("iam_dealy"));
    assert!(weather.with("iam_delay=soon").is_err());
    assert!(weather.with("iam_delay").is_err());
}

/// What a removal has taken is still seen for a while: an `up` at once must not build on it.
#[tokio::test(start_paused = true)]
async fn an_up_right_after_a_removal_does_not_believe_what_it_still_sees() {
    for seed in 0..12 {
        let stage = Stage::under(|weather| weather.describe_lag_seconds = 8.0).seeded(seed);
        for line in ["up", "teardown --yes", "up"] {
            stage.succeeds(line).await;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        stage.unchanged_by("up").await;
    }
}

/// The group's instances have ended, and a look shows them still running: they are no users of the role besides the
/// stack.
#[tokio::test(start_paused = true)]
async fn instances_of_the_group_that_are_still_seen_do_not_hold_the_role() {
    for seed in 0..20 {
        let stage = Stage::under(|weather| (weather.describe_lag_seconds, weather.termination_seconds) = (8.0, 1.0))
            .seeded(seed);
        stage.succeeds("up").await;
        stage.succeeds("teardown --yes").await;
    }
}

/// The way to AWS is down for some minutes, whenever that is: the run waits, and says what it waits for.
#[tokio::test(start_paused = true)]
async fn an_outage_in_the_middle_is_waited_for() {
    let stage = Stage::new();
    for line in ["up", "up --set instance.image=api-instant-next", "teardown --yes"] {
        for begins in [1, 3, 45, 150, 290] {
            let copy = Stage::of(&stage.sandbox.world()).noting(format!("an outage after {begins} s"));
            let outage = async {
                for (seconds, down) in [(begins, true), (200, false)] {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    copy.weather(|weather| weather.outage = down);
                }
            };
            tokio::join!(copy.succeeds(line), outage);
        }
        stage.succeeds(line).await;
    }
}

/// One that lasts ends the run in minutes, and in less when nothing was ever reached.
#[tokio::test(start_paused = true)]
async fn an_outage_that_lasts_is_reported() {
    for (begins, ends) in [(0, 30), (30, 600)] {
        let stage = Stage::new();
        let start = Instant::now();
        let outage = async {
            tokio::time::sleep(Duration::from_secs(begins)).await;
            stage.weather(|weather| weather.outage = true);
        };
        let (outcome, ()) = tokio::join!(stage.run("up"), outage);
        outcome.exits(Exit::Failed).says("AWS was not reached");
        assert!(start.elapsed().as_secs() < ends, "{:?}", start.elapsed());
    }
}

/// A pipeline verifies at once what `up` has just changed: a look that shows what was before is no drift.
#[tokio::test(start_paused = true)]
async fn a_verification_right_after_a_change_does_not_take_lag_for_drift() {
    let change = "--set scaling.max=9 --set load_balancer.ingress_cidrs=[10.0.0.0/8]";
    for seed in 0..10 {
        let stage = Stage::up().await.seeded(seed);
        stage.weather(|weather| weather.describe_lag_seconds = 8.0);
        stage.succeeds("plan").await;
        tokio::time::sleep(Duration::from_secs(10)).await; // there is a past to lag behind
        stage.succeeds(&format!("up --no-verify {change}")).await;
        stage.succeeds(&format!("verify {change}")).await;
    }
}

/// A group that has just grown lists instances that EC2 does not know yet: that is no reason to doubt the others.
#[tokio::test(start_paused = true)]
async fn instances_that_ec2_does_not_know_yet_are_no_error() {
    for seed in 0..8 {
        let stage = Stage::up().await.seeded(seed);
        stage.weather(|weather| weather.describe_lag_seconds = 8.0);
        stage.succeeds("plan").await;
        tokio::time::sleep(Duration::from_secs(10)).await; // there is a past to lag behind
        let client = stage.other_client().await;
        let request = client.autoscaling.set_desired_capacity().auto_scaling_group_name("app-asg").desired_capacity(5);
        request.send().await.unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
        stage.succeeds("verify --wait 10m").await.finds("instance_profile", Status::Pass);
    }
}

/// A load balancer answers 502 or 503 for a moment while its targets are already healthy.
#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_is_not_ready_for_its_healthy_targets_is_asked_again() {
    let stage = Stage::under(|weather| weather.mute.push("ami-0c0ffee0c0ffee0c0".to_owned()));
    let meanwhile = async {
        let is_healthy = || {
            stage.sandbox.world().rows(tables::TARGET_GROUPS).any(|row| {
                let targets = row["_targets"].as_array().unwrap();
                targets.len() == 2 && targets.iter().all(|one| one["_health"] == "healthy")
            })
        };
        while !is_healthy() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(15)).await;
        stage.weather(|weather| weather.mute.clear());
    };
    let (ended, ()) = tokio::join!(stage.run("up"), meanwhile);
    ended.succeeds();
}
