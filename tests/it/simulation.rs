//! Every call of a run, disturbed in every way; then the same run again, in peace: it ends as if nothing had happened.

use std::collections::BTreeMap;

use deploy::report::Outcome;
use deploy::sandbox::{Fault, Sandbox};

use crate::stage::Stage;

const FAULTS: [Fault; 5] = [
    Fault::Refuse,
    Fault::Fail,
    Fault::Lose,
    Fault::Hang,
    Fault::HangAfter,
];

/// How many of each kind there are: a duplicate or a leak is one more.
fn census(stage: &Stage) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for left in stage.sandbox.world().leftovers() {
        *count
            .entry(left.split(' ').next().unwrap().to_owned())
            .or_default() += 1;
    }
    count
}

/// Runs until it ends, or until a call hangs: then it is as if it were killed. Whether the fault struck, and how it ended.
async fn disturbed(
    stage: &Stage,
    line: &str,
    after: usize,
    fault: Fault,
) -> (bool, Option<Outcome>) {
    stage.sandbox.disturb(after, fault);
    let outcome = tokio::select! {
        outcome = stage.run(line) => Some(outcome),
        () = stage.sandbox.hangs() => None,
    };
    (stage.sandbox.calm(), outcome)
}

/// Disturbs every call of `line`, begun on `prepare`d ground, and asks that running it again mends everything.
async fn every_call_every_fault(prepare: &[&str], line: &str) {
    let prepared = Stage::new();
    for line in prepare {
        prepared.succeeds(line).await;
    }
    let world = prepared.sandbox.world();
    let ground = || Stage {
        sandbox: Sandbox::of(world.clone(), 1.0),
        ..Stage::new()
    };
    let undisturbed = ground();
    undisturbed.succeeds(line).await;
    let (wanted, calls) = (census(&undisturbed), undisturbed.sandbox.calls().len());
    let mut struck = 0;
    for fault in FAULTS {
        for after in 0..calls {
            let stage = ground();
            let place = format!("{line}: {fault:?} after {after} calls");
            let (has_struck, outcome) = disturbed(&stage, line, after, fault).await;
            if !has_struck {
                continue; // waits took fewer looks this time
            }
            // One failure, one lost answer: no reason to give up.
            if let (Fault::Fail | Fault::Lose, Some(outcome)) = (fault, outcome) {
                assert_eq!(outcome.exit as u8, 0, "{place}: {:?}", outcome.problems);
            }
            struck += 1;
            let again = stage.run(line).await;
            assert_eq!(again.exit as u8, 0, "{place}: {:?}", again.problems);
            assert_eq!(census(&stage), wanted, "{place}");
            stage.writes();
            stage.succeeds(line).await;
            assert_eq!(stage.writes(), Vec::<String>::new(), "{place}");
        }
    }
    println!("{line}: {struck} disturbed runs");
    assert!(
        struck >= calls * 4,
        "{struck} of {} disturbances struck",
        calls * FAULTS.len()
    );
}

#[tokio::test(start_paused = true)]
async fn up_on_an_empty_account() {
    every_call_every_fault(&[], "up --no-verify").await;
}

#[tokio::test(start_paused = true)]
async fn up_with_changes() {
    let line = "up --no-verify --set scaling.max=9 --set health_check.port=80 --set instance.volume.iops=9000 \
                --set load_balancer.ingress_cidrs=[10.0.0.0/8] --set load_balancer.listener=http";
    every_call_every_fault(&["up"], line).await;
}

#[tokio::test(start_paused = true)]
async fn teardown() {
    every_call_every_fault(&["up"], "teardown --yes").await;
}
