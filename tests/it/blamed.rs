//! What others do to the stack in a rollout is no fault of the new version: it is repaired, and the version stays. In
//! the wait for a new stack's health it is repaired too.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Aws, Exit, Stage, tables};

const NEXT: &str = "--set instance.image=api-instant-next";
const NEXT_IMAGE: &str = "ami-0c0ffee0c0ffee0c1";

type Edit = fn(&mut Aws<'_>);

/// What was done, whether the wait for health or for an answer shows it, and how.
const EDITS: [(&str, bool, Edit); 7] = [
    ("the group leaves its target group", true, |aws| aws.auto_scaling_group().leave_target_group()),
    ("the listener is deleted", true, |aws| aws.delete_listener(443)),
    ("listeners and target group are deleted", true, |aws| {
        aws.delete_listener(443);
        aws.delete_listener(80);
        aws.ids(tables::TARGET_GROUPS).iter().for_each(|arn| aws.delete_one(tables::TARGET_GROUPS, arn));
    }),
    ("the load balancer's group is closed", false, |aws| aws.security_group("alb-sg").close(443)),
    ("the instances' group is closed", false, |aws| aws.security_group("app-sg").close(80)),
    ("nothing answers health checks", true, |aws| aws.security_group("app-sg").close(8501)),
    ("health checks want another answer", true, |aws| aws.target_group().matcher("200")),
];

#[tokio::test(start_paused = true)]
async fn what_was_done_to_the_rest_of_a_stack_in_a_rollout_is_repaired() {
    let next = format!("up {NEXT}");
    for (what, _, edit) in EDITS {
        for seconds in [5, 60, 200] {
            let stage = Stage::up().await.noting(format!("{what} after {seconds} s"));
            stage.killed_after(seconds, &next).await;
            stage.edit(edit);
            stage.succeeds(&next).await;
            assert_eq!(stage.images(), [NEXT_IMAGE; 2], "{}", stage.note);
            stage.succeeds(&next).await.changed(&[]).writes_nothing();
        }
        for seconds in [60, 200] {
            let stage = Stage::up().await.noting(format!("{what} meanwhile, after {seconds} s"));
            let meanwhile = async {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                stage.edit(edit);
            };
            let (ended, ()) = tokio::join!(stage.run(&next), meanwhile);
            ended.exits(Exit::Done);
            assert_eq!(stage.images(), [NEXT_IMAGE; 2], "{}", stage.note);
            stage.succeeds(&next).await.changed(&[]).writes_nothing();
        }
    }
}

/// The wait for a new stack's health sees it too, before it is over.
#[tokio::test(start_paused = true)]
async fn what_was_done_to_the_rest_of_a_stack_in_the_wait_for_its_health_is_repaired() {
    for (what, _, edit) in EDITS.into_iter().filter(|(_, shows, _)| *shows) {
        let stage = Stage::under(|weather| weather.boot_seconds = 120.0).noting(what);
        let start = Instant::now();
        let meanwhile = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            stage.edit(edit);
        };
        let (ended, ()) = tokio::join!(stage.run("up"), meanwhile);
        ended.exits(Exit::Done);
        assert!(start.elapsed() < Duration::from_mins(20), "{what}: {:?}", start.elapsed());
        stage.succeeds("up").await.changed(&[]).writes_nothing();
    }
}

/// AWS attaches no target group while instances are replaced, and this rollout would come to no end by itself.
#[tokio::test(start_paused = true)]
async fn the_rollout_of_another_version_is_ended_before_the_group_has_its_target_group_again() {
    let stage = Stage::up().await;
    let start = Instant::now();
    stage.weather(|weather| weather.mute.push(NEXT_IMAGE.to_owned()));
    stage.killed_after(5, &format!("up {NEXT}")).await;
    stage.edit(|aws| aws.auto_scaling_group().leave_target_group());
    stage.succeeds("up").await.has_called("AttachLoadBalancerTargetGroups");
    assert!(start.elapsed() < Duration::from_mins(20), "{:?}", start.elapsed());
    stage.succeeds("up").await.changed(&[]).writes_nothing();
}

/// A version that does not work goes all the same: at once beside what its answers do not depend on, and after the rest
/// was repaired.
#[tokio::test(start_paused = true)]
async fn a_version_that_does_not_work_is_taken_back_whatever_else_was_changed() {
    let edits: [(&str, Edit); 3] = [
        ("the scaling policy is deleted", |aws| aws.delete_scaling_policy()),
        ("the record is deleted", |aws| aws.delete_record()),
        ("the listener is deleted", |aws| aws.delete_listener(443)),
    ];
    for (what, edit) in edits {
        let stage = Stage::up().await.noting(what);
        stage.weather(|weather| weather.mute.push(NEXT_IMAGE.to_owned()));
        let meanwhile = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            stage.edit(edit);
        };
        let next = format!("up {NEXT}");
        let (ended, ()) = tokio::join!(stage.run(&next), meanwhile);
        ended.ends_as("rolled_back").says("version 2 was not taken").says("502");
    }
}
