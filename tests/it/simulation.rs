//! Every call of a run, disturbed in every way; then the same run again, in peace: it ends as if nothing had happened.

use crate::support::{
    Disturbance, Fault, Stage, World, add_things_of_others, count_by_kind, fast_timers, run_disturbed, settled,
    things_of_others,
};

/// Disturbs every call of `line`, run on this baseline, in every way, and asks that running it again repairs everything.
async fn disturb_every_call(baseline: &World, line: &str) {
    let undisturbed = Stage::of(baseline);
    let foreign = things_of_others(baseline);
    undisturbed.succeeds(line).await;
    let (wanted, calls) = (count_by_kind(&settled(&undisturbed).await), undisturbed.sandbox.calls().len());
    let (mut count, mut missed) = (0, 0);
    for disturbance in Disturbance::all() {
        for after in 0..calls {
            let stage = Stage::of(baseline);
            let place = format!("{line}: {disturbance:?} after {after} calls");
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
                assert_eq!(outcome.exit as u8, 0, "{place}: {:?}", outcome.problems);
            }
            let again = stage.run(line).await;
            assert_eq!(again.exit as u8, 0, "{place}: {:?}", again.problems);
            let world = settled(&stage).await;
            assert_eq!((count_by_kind(&world), things_of_others(&world)), (wanted.clone(), foreign.clone()), "{place}");
            stage.writes();
            stage.succeeds(line).await;
            assert_eq!(stage.writes(), Vec::<String>::new(), "{place}");
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
async fn up_on_an_empty_account() {
    disturb_every_call(&baseline(&[]).await, UP).await;
}

/// Rules, health check, listeners and sizes, and a new template version that is rolled out.
#[tokio::test(start_paused = true)]
async fn up_with_changes() {
    let line = "up --set scaling.warm_up_seconds=1 --set scaling.max=9 --set health_check.port=80 \
                --set instance.volume.iops=9000 --set load_balancer.ingress_cidrs=[10.0.0.0/8] \
                --set load_balancer.listener=http";
    let standing = "up --set scaling.warm_up_seconds=1";
    disturb_every_call(&baseline(&[standing]).await, line).await;
}

#[tokio::test(start_paused = true)]
async fn teardown() {
    disturb_every_call(&baseline(&["up"]).await, "teardown --yes").await;
}

#[tokio::test(start_paused = true)]
async fn up_after_half_a_teardown() {
    let whole = Stage::of(&baseline(&["up"]).await);
    let world = whole.sandbox.world();
    whole.succeeds("teardown --yes").await;
    let half = Stage::of(&world);
    let (happened, _) =
        run_disturbed(&half, "teardown --yes", whole.sandbox.calls().len() / 2, Disturbance::KilledAfter).await;
    assert!(happened);
    disturb_every_call(&half.sandbox.world(), UP).await;
}
