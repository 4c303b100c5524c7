//! A rollback that says nothing of what is wanted, or that leads nowhere.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Aws, Exit, Stage, tables};

const NEXT_IMAGE: &str = "ami-0c0ffee0c0ffee0c1";
const NEXT: &str = "--set instance.image=api-instant-next";

/// A rollout that was killed, which someone takes back; then what else is done to the stack meanwhile.
async fn taken_back(meanwhile: fn(&mut Aws<'_>)) -> Stage {
    let stage = Stage::up().await;
    stage.killed_after(5, &format!("up {NEXT}")).await;
    let client = stage.other_client().await;
    let request = client.autoscaling.rollback_instance_refresh().auto_scaling_group_name("app-asg");
    request.send().await.unwrap();
    stage.edit(meanwhile);
    stage
}

/// What is wanted is what the rollback leads to: the same run goes on with all that is left to do.
#[tokio::test(start_paused = true)]
async fn the_end_of_another_versions_rollback_is_not_the_end_of_the_run() {
    let meanwhile: [fn(&mut Aws<'_>); 3] = [
        |aws| aws.auto_scaling_group().leave_target_group(),
        |aws| aws.delete_listener(443),
        |aws| {
            aws.delete_listener(443);
            aws.delete_listener(80);
            aws.ids(tables::TARGET_GROUPS).iter().for_each(|arn| aws.delete_one(tables::TARGET_GROUPS, arn));
        },
    ];
    for meanwhile in meanwhile {
        let stage = taken_back(meanwhile).await;
        stage.succeeds("up").await;
        stage.succeeds("up").await.changed(&[]).writes_nothing();
    }
}

/// What is wanted is what is taken back: the run says so, and does not try again by itself.
#[tokio::test(start_paused = true)]
async fn the_rollback_of_the_wanted_version_ends_the_run() {
    let stage = taken_back(|_| {}).await;
    stage.run(&format!("up {NEXT}")).await.ends_as("rolled_back").says("version 2 was not taken");
}

/// What the instances came from is deleted, before the rollout or while it is under way: nothing can be launched from
/// it, and AWS would try for an hour. The rollout is cancelled, and the next run begins it anew.
#[tokio::test(start_paused = true)]
async fn a_rollback_to_what_was_deleted_is_cancelled() {
    for is_before in [true, false] {
        let stage = Stage::up().await;
        stage.weather(|weather| weather.mute.push(NEXT_IMAGE.to_owned()));
        if is_before {
            stage.edit(|aws| aws.delete_launch_template());
        }
        let (next, start) = (format!("up {NEXT}"), Instant::now());
        let meanwhile = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            if !is_before {
                stage.edit(|aws| aws.launch_template().lose_version(1));
            }
        };
        let (ended, ()) = tokio::join!(stage.run(&next), meanwhile);
        ended.exits(Exit::Unverified).ends_as("failed").says("does not work").says("ended in Cancelled");
        assert!(start.elapsed() < Duration::from_mins(15), "{:?}", start.elapsed());
        stage.weather(|weather| weather.mute.clear());
        stage.succeeds(&format!("{next} --force")).await;
        stage.succeeds(&next).await.changed(&[]).writes_nothing();
    }
}
