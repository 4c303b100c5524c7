//! A parked stack: no instances for a while, every size kept, and nothing of it a difference.

use serde_json::json;

use crate::support::{Disturbance, Exit, Stage, run_disturbed};

#[tokio::test(start_paused = true)]
async fn a_parked_stack_has_no_instances_and_no_drift_and_comes_back() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.auto_scaling_group().desired_capacity(5));
    stage.succeeds("park").await.writes(&["CreateOrUpdateTags", "UpdateAutoScalingGroup"]).sums_up("2/5/91");
    stage.unchanged_by("park").await;
    for line in ["plan --exit-code", "conform", "status"] {
        stage.succeeds(line).await.writes_nothing();
    }
    stage.unchanged_by("up").await;
    stage.succeeds("up").await.sums_up("It is parked");
    let list = stage.json("list").await;
    assert_eq!((&list["stacks"][0]["parked"], &list["stacks"][0]["running"]), (&json!(true), &json!(0)));
    let status = stage.json("status").await;
    assert_eq!(status["outputs"]["parked"], json!({"min": 2, "desired": 5, "max": 91}));

    stage.succeeds("unpark").await.writes(&["UpdateAutoScalingGroup", "DeleteTags"]).sums_up("2/5/91");
    stage.unchanged_by("unpark").await;
    stage.succeeds("verify").await;
    let list = stage.json("list").await;
    assert_eq!((&list["stacks"][0]["parked"], &list["stacks"][0]["desired"]), (&json!(false), &json!(5)));
}

/// Why it does not answer is no riddle, and is not waited for.
#[tokio::test(start_paused = true)]
async fn verify_and_diagnose_say_that_it_is_parked() {
    let stage = Stage::up().await;
    stage.succeeds("park").await;
    let verified = stage.over_sockets("verify").await;
    verified.exits(Exit::Unverified).blames("targets", "deploy park").advises("targets", "deploy unpark");
    stage.over_sockets("diagnose").await.exits(Exit::Unverified).sums_up("parked");
}

/// What changes meanwhile is kept for the morning: sizes in the tag, the template by its number alone.
#[tokio::test(start_paused = true)]
async fn a_change_of_a_parked_stack_starts_no_instance() {
    let stage = Stage::up().await;
    stage.succeeds("park").await;
    let changed = "--set scaling.max=4 --set scaling.min=3 --set scaling.desired=3 --set instance.type=c7i.4xlarge";
    let up = stage.succeeds(&format!("up {changed}")).await;
    up.has_not_called("StartInstanceRefresh").sums_up("3/3/4");
    assert_eq!(stage.json("list").await["stacks"][0]["running"], 0);
    stage.succeeds(&format!("unpark {changed}")).await;
    stage.succeeds(&format!("plan --exit-code {changed}")).await;
}

#[tokio::test(start_paused = true)]
async fn what_someone_keeps_is_not_ended_by_the_night() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.instance(0).protect_from_scale_in());
    stage.run("park").await.refused_before_any_write().says("protected from scale-in");
    let stage = Stage::up().await;
    stage.edit(|aws| aws.auto_scaling_group().suspend("Terminate"));
    stage.run("park").await.refused_before_any_write().says("suspended processes: Terminate");
}

#[tokio::test(start_paused = true)]
async fn only_a_group_of_the_stack_is_parked() {
    let stage = Stage::new();
    stage.run("park").await.exits(Exit::Refused).writes_nothing().says("deploy list");
    let stage = Stage::up().await;
    let other = stage.as_config(format!("stack: other\n{}", stage.config));
    for line in ["park", "unpark"] {
        other.run(line).await.exits(Exit::Foreign).writes_nothing().says("is not of the stack other");
    }
}

/// Sizes that somebody gave it since count, whatever the tag says.
#[tokio::test(start_paused = true)]
async fn sizes_given_by_hand_end_it() {
    let stage = Stage::up().await;
    stage.succeeds("park").await;
    stage.edit(|aws| aws.auto_scaling_group().max_size(7));
    stage.run("plan --exit-code").await.exits(Exit::Changes);
    stage.succeeds("unpark").await.writes_nothing().sums_up("is not parked");
}

/// Killed anywhere, the same again ends in the same, and no size is lost.
#[tokio::test(start_paused = true)]
async fn a_killed_park_or_unpark_goes_on() {
    for after in 1..8 {
        let stage = Stage::up().await.noting(format!("killed after {after} calls"));
        run_disturbed(&stage, "park", after, Disturbance::KilledAfter).await;
        stage.succeeds("park").await;
        assert_eq!(stage.json("list").await["stacks"][0]["parked"], true, "{after}");
        run_disturbed(&stage, "unpark", after, Disturbance::KilledAfter).await;
        stage.succeeds("unpark").await;
        stage.succeeds("up").await.has_not_called("UpdateAutoScalingGroup");
        assert_eq!(stage.json("list").await["stacks"][0]["max"], 91, "{after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_parked_stack_is_removed_whole() {
    let stage = Stage::up().await;
    stage.succeeds("park").await;
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}
