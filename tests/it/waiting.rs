//! AWS's own times: a run ends soon after what it waits for, and asks seldom.

use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use tokio::time::Instant;

use crate::support::{Ended, Stage};

/// What AWS takes, in seconds, as users report it.
const IAM: f64 = 10.0;
const LOAD_BALANCER: f64 = 150.0;
const LAUNCH: f64 = 20.0;
const BOOT: f64 = 90.0;
const TERMINATION: f64 = 30.0;
const INTERFACES: f64 = 180.0;
/// How long Elastic Load Balancing reports targets as unused after that.
const UNUSED: f64 = 5.0;

fn of_aws() -> Stage {
    Stage::under(|weather| {
        weather.iam_delay_seconds = IAM;
        weather.provisioning_seconds = LOAD_BALANCER;
        weather.launch_seconds = LAUNCH;
        weather.boot_seconds = BOOT;
        weather.termination_seconds = TERMINATION;
        weather.linger_seconds = INTERFACES;
        weather.unused_seconds = UNUSED;
        weather.zone_busy_seconds = 40.0;
    })
}

/// How a command line ended, and after how long on AWS's clock.
async fn timed(stage: &Stage, line: &str) -> (Ended, Duration) {
    let start = Instant::now();
    (stage.succeeds(line).await, start.elapsed())
}

/// Within a twentieth of these seconds, and not sooner.
#[track_caller]
fn close_to(took: Duration, path: f64) {
    let share = took.as_secs_f64() / path;
    assert!((1.0..=1.05).contains(&share), "{took:?} where AWS takes {path} s");
}

fn polls(ended: &Ended, operations: &[&str]) -> usize {
    ended.calls.iter().filter(|call| operations.contains(&call.operation.as_str())).count()
}

#[tokio::test(start_paused = true)]
async fn up_and_teardown_end_with_what_aws_takes() {
    let stage = of_aws();
    let (made, took) = timed(&stage, "up").await;
    close_to(took, LOAD_BALANCER + UNUSED);
    let asked = polls(&made, &["DescribeTargetHealth"]);
    assert!(asked <= 32, "{asked} looks at the targets");

    let (removed, took) = timed(&stage, "teardown --yes").await;
    close_to(took, INTERFACES);
    let asked = polls(&removed, &["DescribeNetworkInterfaces", "DescribeAutoScalingGroups", "DescribeInstances"]);
    assert!(asked <= 50, "{asked} looks at what goes");
    stage.nothing_is_left();
}

/// A rollout ends when AWS's instance refresh does.
#[tokio::test(start_paused = true)]
async fn a_rollout_ends_with_its_refresh() {
    let stage = of_aws();
    stage.succeeds("up").await;
    let (rolled, took) = timed(&stage, "up --set instance.volume.iops=9000").await;
    let refresh = stage.sandbox.world().rows("refreshes").last().cloned().unwrap();
    let at = |field: &str| DateTime::from_str(refresh[field].as_str().unwrap(), Format::DateTime).unwrap().secs();
    let path = Duration::from_secs((at("EndTime") - at("StartTime")).unsigned_abs());
    close_to(took, path.as_secs_f64());
    let asked = polls(&rolled, &["DescribeInstanceRefreshes"]);
    assert!(asked <= 75, "{asked} looks at the refresh");
}

/// The schedule has every step, and its critical path leads to the end of the run.
#[tokio::test(start_paused = true)]
async fn the_schedule_of_a_run_has_its_critical_path() {
    let stage = of_aws();
    for (line, first, last) in [
        ("up", "load_balancer_security_group", "target_health"),
        ("teardown --yes", "auto_scaling_group", "load_balancer_security_group"),
    ] {
        let envelope = stage.json(line).await;
        let steps = envelope["timings"]["steps"].as_array().unwrap();
        let changed = envelope["changes"].as_array().unwrap();
        for change in changed {
            assert!(steps.iter().any(|step| step["resource"] == change["resource"]), "{line}: {change}");
        }
        let critical: Vec<_> = steps.iter().filter(|step| step["critical"] == true).collect();
        let ends = critical.first().zip(critical.last()).map(|(a, b)| (&a["resource"], &b["resource"])).unwrap();
        assert_eq!((ends.0.as_str(), ends.1.as_str()), (Some(first), Some(last)), "{line}: {critical:?}");
        let took: u64 = critical.iter().filter_map(|step| step["duration_ms"].as_u64()).sum();
        let whole = Duration::from_secs_f64(envelope["timings"]["seconds"].as_f64().unwrap());
        assert!(Duration::from_millis(took) >= whole.mul_f64(0.95), "{line}: {took} ms of {whole:?}");
    }
}
