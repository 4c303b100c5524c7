//! Every call of a run, disturbed in every way; then the same run again, in peace: it ends as if nothing had happened.

use crate::support::{
    Disturbance, Fault, Stage, World, add_things_of_others, count_by_kind, fast_timers, run_disturbed, settled,
    things_of_others,
};

/// Disturbs every call of `line`, run on this baseline, in every way, and demands that another run repairs everything.
async fn disturb_every_call(baseline: &World, line: &str) {
    let undisturbed = Stage::of(baseline);
    let foreign = things_of_others(baseline);
    let calls = undisturbed.succeeds(line).await.calls.len();
    let wanted = count_by_kind(&settled(&undisturbed).await);
    let (mut count, mut missed) = (0, 0);
    for disturbance in Disturbance::all() {
        for after in 0..calls {
            let stage = Stage::of(baseline).noting(format!("{disturbance:?} after {after} calls"));
            let (happened, outcome) = run_disturbed(&stage, line, after, disturbance).await;
            if !happened {
                missed += 1; // waits took fewer looks this time
                continue;
            }
            count += 1;
            // Anything that happens once and is not a denial is no reason to give up.
            if let (Disturbance::Failed(fault), Some(outcome)) = (disturbance, outcome)
                && fault != Fault::Refuse
            {
                outcome.succeeds();
            }
            stage.succeeds(line).await;
            let world = settled(&stage).await;
            let found = (count_by_kind(&world), things_of_others(&world));
            assert_eq!(found, (wanted.clone(), foreign.clone()), "{line}: {}", stage.note);
            stage.unchanged_by(line).await;
        }
    }
    println!("{line}: {count} runs disturbed, {missed} places not reached");
    assert!(count >= calls * 10, "{count} of {} disturbances happened", calls * Disturbance::all().count());
}

async fn baseline(lines: &[&str]) -> World {
    let stage = Stage::new();
    stage.sandbox.change(add_things_of_others);
    stage.sandbox.change(fast_timers);
    for line in lines {
        stage.succeeds(line).await;
        stage.sandbox.change(fast_timers);
    }
    stage.sandbox.world()
}

const UP: &str = "up --no-verify --set scaling.warm_up_seconds=1";

#[tokio::test(start_paused = true)]
async fn an_up_on_an_empty_account_survives_every_disturbance() {
    disturb_every_call(&baseline(&[]).await, UP).await;
}

/// Rules, health check, listeners and sizes, and a new template version that is rolled out.
#[tokio::test(start_paused = true)]
async fn an_up_with_changes_survives_every_disturbance() {
    let line = "up --set scaling.warm_up_seconds=1 --set scaling.max=9 --set health_check.port=80 \
                --set instance.volume.iops=9000 --set load_balancer.ingress_cidrs=[10.0.0.0/8] \
                --set load_balancer.listener=http";
    let standing = "up --set scaling.warm_up_seconds=1";
    disturb_every_call(&baseline(&[standing]).await, line).await;
}

#[tokio::test(start_paused = true)]
async fn a_teardown_survives_every_disturbance() {
    disturb_every_call(&baseline(&["up"]).await, "teardown --yes").await;
}

#[tokio::test(start_paused = true)]
async fn an_up_after_half_a_teardown_survives_every_disturbance() {
    let whole = Stage::of(&baseline(&["up"]).await);
    let world = whole.sandbox.world();
    let half_of_it = whole.succeeds("teardown --yes").await.calls.len() / 2;
    let half = Stage::of(&world);
    let (happened, _) = run_disturbed(&half, "teardown --yes", half_of_it, Disturbance::KilledAfter).await;
    assert!(happened);
    disturb_every_call(&half.sandbox.world(), UP).await;
}
