//! A changed launch template reaches the instances by an instance refresh: followed, verified on the way, resumed, taken
//! back, and never tried twice by itself.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    Answer, Cloud, Exit, Outcome, Sandbox, Signal, Stage, Stop, World, plan_text, rows, sample_capture, words,
};

const NEXT: &str = "--set instance.image=api-instant-next";
const NEXT_IMAGE: &str = "ami-0c0ffee0c0ffee0c1";

/// Images of the instances that are not on their way out.
fn images(stage: &Stage) -> Vec<String> {
    let world = stage.sandbox.world();
    let staying = world.rows("instances").filter(|row| row["_ending"].is_null());
    staying.map(|row| row["imageId"].as_str().unwrap().to_owned()).collect()
}

fn pinned(stage: &Stage) -> String {
    let world = stage.sandbox.world();
    world.row("asgs", "app-asg").unwrap()["LaunchTemplate"]["Version"].as_str().unwrap().to_owned()
}

/// States of every refresh so far, oldest first.
fn refreshes(stage: &Stage) -> Vec<String> {
    let world = stage.sandbox.world();
    world.rows("refreshes").map(|row| row["Status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_image_reaches_every_instance() {
    let stage = Stage::standing().await;
    let outcome = stage.succeeds(&format!("up {NEXT}")).await;
    let changed: Vec<&str> = outcome.changes.iter().map(|change| change.resource).collect();
    assert_eq!(changed, ["launch_template", "auto_scaling_group"]);
    assert_eq!((images(&stage), pinned(&stage)), (vec![NEXT_IMAGE.to_owned(); 2], "2".to_owned()));
    let world = stage.sandbox.world();
    let refresh = world.rows("refreshes").next().unwrap();
    assert_eq!(refresh["Status"], "Successful");
    let preferences = &refresh["Preferences"];
    let wanted = json!({
        "MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "SkipMatching": true, "AutoRollback": true,
        "CheckpointPercentages": [1, 100], "CheckpointDelay": 60,
    });
    assert_eq!(*preferences, wanted);
    stage.writes();
    assert_eq!(stage.succeeds(&format!("up {NEXT}")).await.changes, vec![]);
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn capacity_that_scaling_set_is_kept() {
    let stage = Stage::standing().await;
    stage
        .other_client()
        .await
        .autoscaling
        .set_desired_capacity()
        .auto_scaling_group_name("app-asg")
        .desired_capacity(5)
        .send()
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    stage.writes();
    stage.succeeds(&format!("up {NEXT} --set scaling.max=50")).await;
    assert_eq!(images(&stage), vec![NEXT_IMAGE.to_owned(); 5]);
    assert!(!stage.writes().contains(&"SetDesiredCapacity".to_owned()));

    let outcome = stage.run(&format!("up {NEXT} --set scaling.max=3")).await;
    assert_eq!((outcome.exit, stage.writes()), (Exit::Refused, vec![]));
    assert!(
        words(&outcome).contains("below the 5 instances") && words(&outcome).contains("--allow-scale-in"),
        "{}",
        words(&outcome)
    );
    stage.succeeds(&format!("up {NEXT} --set scaling.max=3 --allow-scale-in")).await;
    assert_eq!(images(&stage).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_group_is_not_rolled_without_force() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| world.weather.dead.push("ami-0c0ffee0c0ffee0c0".to_owned()));
    let outcome = stage.run(&format!("up {NEXT}")).await;
    assert_eq!((outcome.exit, stage.writes()), (Exit::Refused, vec![]));
    assert!(
        words(&outcome).contains("0 of 2 targets healthy") && words(&outcome).contains("--force"),
        "{}",
        words(&outcome)
    );
    stage.succeeds(&format!("up {NEXT} --force")).await;
    assert_eq!(images(&stage), vec![NEXT_IMAGE.to_owned(); 2]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_not_rolled_without_force() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| world.weather.mute.push("ami-0c0ffee0c0ffee0c0".to_owned()));
    let outcome = stage.run(&format!("up {NEXT}")).await;
    assert_eq!((outcome.exit, stage.writes()), (Exit::Refused, vec![]));
    assert!(words(&outcome).contains("does not answer"), "{}", words(&outcome));
    stage.succeeds(&format!("up {NEXT} --no-verify")).await;
}

/// What made the group unhealthy is mended first, then the rollout is judged.
#[tokio::test(start_paused = true)]
async fn a_group_that_the_same_run_mends_is_rolled() {
    let stage = Stage::standing().await;
    stage
        .sandbox
        .change(|world| rows(world, "target_groups").for_each(|row| row["Matcher"]["HttpCode"] = json!("200")));
    stage.succeeds(&format!("up {NEXT}")).await;
    assert_eq!(images(&stage), vec![NEXT_IMAGE.to_owned(); 2]);
}

/// What was mended is told, and the rollout that was not begun is no refusal before any change.
#[tokio::test(start_paused = true)]
async fn a_group_that_stays_ill_is_not_rolled_after_something_else_was_mended() {
    let ill = |world: &mut World| world.weather.mute.push("ami-0c0ffee0c0ffee0c0".to_owned());
    let line = format!("up {NEXT} --set scaling.warm_up_seconds=60 --set load_balancer.listener=http");
    for (signal, timeout, exit) in [
        (None, "", Exit::Unverified),
        (None, " --timeout 1m", Exit::Deadline),
        (Some(Signal::Terminate), "", Exit::Terminated),
    ] {
        let (sender, stop) = Stop::channel();
        let stage = Stage { stop, ..Stage::standing().await };
        stage.sandbox.change(ill);
        let later = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            sender.send(signal).unwrap();
        };
        let line = format!("{line}{timeout}");
        let (outcome, ()) = tokio::join!(stage.run(&line), later);
        let told = words(&outcome);
        assert_eq!((outcome.exit, refreshes(&stage)), (exit, vec![]), "{told}");
        assert!(told.contains("does not answer") && outcome.summary.contains("was not begun"), "{told}");
        let changed: Vec<&str> = outcome.changes.iter().map(|change| change.resource).collect();
        assert!(changed.contains(&"http_listener"), "{changed:?}");
    }
}

/// After a rollback the stack is as it was, and the version is remembered by AWS alone.
async fn taken_back(stage: &Stage, outcome: &Outcome) {
    assert_eq!((outcome.exit, outcome.outcome), (Exit::Unverified, "rolled_back"), "{}", words(outcome));
    assert_eq!((pinned(stage), refreshes(stage)), ("1".to_owned(), vec!["RollbackSuccessful".to_owned()]));
    assert_eq!(images(stage), vec!["ami-0c0ffee0c0ffee0c0".to_owned(); 2]);
    stage.writes();
    let again = stage.run(&format!("up {NEXT}")).await;
    assert_eq!((again.exit, stage.writes()), (Exit::Refused, vec![]), "{}", words(&again));
    assert!(words(&again).contains("was rolled back") && words(&again).contains("--force"), "{}", words(&again));
    let again = stage.run(&format!("up {NEXT} --set scaling.max=50")).await;
    assert_eq!((again.exit, stage.writes()), (Exit::Refused, vec![]));
    assert_eq!(again.summary, "refused; nothing was changed");
    // What else differs is mended, and told: that is no refusal before any change.
    stage
        .sandbox
        .change(|world| rows(world, "target_groups").for_each(|row| row["Matcher"]["HttpCode"] = json!("404,405")));
    let again = stage.run(&format!("up {NEXT}")).await;
    assert_eq!(again.exit, Exit::Failed, "{}", words(&again));
    assert_eq!(again.changes.len(), 1, "{:?}", again.changes);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_never_gets_healthy_is_rolled_back_by_aws() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| world.weather.dead.push(NEXT_IMAGE.to_owned()));
    let outcome = stage.run(&format!("up {NEXT} --timeout 2h")).await;
    taken_back(&stage, &outcome).await;
    stage.sandbox.change(|world| world.weather.dead.clear());
    stage.succeeds(&format!("up {NEXT} --force")).await;
    assert_eq!(images(&stage), vec![NEXT_IMAGE.to_owned(); 2]);
}

#[tokio::test(start_paused = true)]
async fn a_version_whose_api_is_dead_is_rolled_back_by_us() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| world.weather.mute.push(NEXT_IMAGE.to_owned()));
    let outcome = stage.run(&format!("up {NEXT}")).await;
    assert!(words(&outcome).contains("502"), "{}", words(&outcome));
    taken_back(&stage, &outcome).await;
    // The old configuration is nothing to do but the template's default.
    let back = stage.succeeds("up").await;
    assert_eq!(back.changes.iter().map(|change| change.resource).collect::<Vec<_>>(), ["launch_template"]);
}

#[tokio::test]
async fn a_version_that_declines_living_people_is_rolled_back_by_us() {
    for (answer, exit) in [(Answer::Declined, Exit::Negative), (Answer::Failed, Exit::Unverified)] {
        let home = tempfile::tempdir().unwrap();
        let capture = home.path().join("capture.json");
        std::fs::write(&capture, sample_capture().to_string()).unwrap();
        let mut stage = Stage::with(&format!("verify: {{ capture: {} }}\n", capture.display()));
        stage.sandbox = Sandbox::seeded(400.0);
        stage.succeeds("up").await;
        stage.sandbox.oz().script(|script| script.liveness = answer.clone());
        let outcome = stage.run(&format!("up {NEXT}")).await;
        assert_eq!((outcome.exit, outcome.outcome), (exit, "rolled_back"), "{}", words(&outcome));
        assert!(outcome.checks.iter().any(|check| check.id == "liveness"));
        let posts = stage.sandbox.oz().requests().into_iter().filter(|seen| seen.method == "POST");
        assert_eq!(posts.count(), 1, "a metered call, made once");
        assert_eq!(pinned(&stage), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_rollout_is_found_and_followed() {
    for signal in [None, Some(Signal::Interrupt)] {
        let (sender, stop) = Stop::channel();
        let stage = Stage { stop, ..Stage::new() };
        stage.succeeds("up").await;
        let line = format!("up {NEXT}");
        let later = async {
            tokio::time::sleep(Duration::from_secs(100)).await;
            if let Some(signal) = signal {
                sender.send(Some(signal)).unwrap();
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            outcome = stage.run(&line) => {
                assert_eq!(outcome.exit, Exit::Interrupted);
                assert!(outcome.summary.contains("goes on by itself"), "{}", outcome.summary);
            }
            () = later => {} // as if it were killed
        }
        assert_eq!(refreshes(&stage), ["InProgress"]);
        let again = stage.as_config(stage.config.clone());
        let plan = again.plan().await;
        assert!(plan.contains("instance refresh to version 2"), "{plan}");
        again.writes();
        again.succeeds(&line).await;
        assert_eq!(again.writes(), Vec::<String>::new(), "only followed");
        assert_eq!(
            (images(&stage), refreshes(&stage)),
            (vec![NEXT_IMAGE.to_owned(); 2], vec!["Successful".to_owned()])
        );
    }
}

/// A refresh that nobody wants any more is ended, and the wanted one begun.
#[tokio::test(start_paused = true)]
async fn another_version_under_way_gives_way() {
    for (line, image) in
        [("up --set instance.type=c7i.4xlarge", "ami-0c0ffee0c0ffee0c0"), ("up", "ami-0c0ffee0c0ffee0c0")]
    {
        let (stage, next) = (Stage::standing().await, format!("up {NEXT}"));
        tokio::select! {
            _ = stage.run(&next) => panic!("it takes longer"),
            () = tokio::time::sleep(Duration::from_secs(250)) => {}
        }
        assert_eq!(refreshes(&stage), ["InProgress"], "{line}");
        stage.succeeds(line).await;
        assert_eq!(images(&stage), vec![image.to_owned(); 2], "{line}");
        assert_eq!(stage.run(&line.replace("up", "plan --exit-code")).await.exit, Exit::Done, "{line}");
        assert_eq!(refreshes(&stage)[0], "Cancelled", "{line}");
    }
}

/// The same where reads lag behind: what a look shows of the refresh, the template or the group may be over.
#[tokio::test(start_paused = true)]
async fn another_version_gives_way_where_reads_lag() {
    for seed in 0..6 {
        let (stage, next) = (Stage::standing().await, format!("up {NEXT}"));
        stage.sandbox.seed(seed);
        stage.sandbox.change(|world| world.weather.describe_lag = 8.0);
        tokio::select! {
            _ = stage.run(&next) => panic!("it takes longer"),
            () = tokio::time::sleep(Duration::from_secs(100 + seed)) => {}
        }
        stage.succeeds("up --set instance.type=c7i.4xlarge --set scaling.max=50").await;
        assert_eq!(pinned(&stage), "3", "seed {seed}");
        assert_eq!(images(&stage), vec!["ami-0c0ffee0c0ffee0c0".to_owned(); 2]);
    }
}

async fn pin(cloud: &Cloud, version: &str) {
    let world = cloud.ec2.describe_launch_templates().send().await.unwrap();
    let id = world.launch_templates()[0].launch_template_id().unwrap();
    let template =
        aws_sdk_autoscaling::types::LaunchTemplateSpecification::builder().launch_template_id(id).version(version);
    cloud
        .autoscaling
        .update_auto_scaling_group()
        .auto_scaling_group_name("app-asg")
        .launch_template(template.build())
        .send()
        .await
        .unwrap();
}

/// A group that was pinned by hand, or whose refresh was cancelled: its number is right, and its instances are not.
#[tokio::test(start_paused = true)]
async fn instances_that_were_left_behind_are_brought_along() {
    let (stage, next) = (Stage::standing().await, format!("up {NEXT}"));
    tokio::select! {
        _ = stage.run(&next) => panic!("it takes longer"),
        () = tokio::time::sleep(Duration::from_secs(5)) => {}
    }
    let client = stage.other_client().await;
    client.autoscaling.cancel_instance_refresh().auto_scaling_group_name("app-asg").send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    pin(&client, "2").await;
    let plan = plan_text(&stage.run(&format!("plan {NEXT}")).await.changes);
    assert!(plan.contains("outdated_instances: 2 -> (absent)"), "{plan}");
    stage.succeeds(&format!("up {NEXT}")).await;
    assert_eq!((images(&stage), pinned(&stage)), (vec![NEXT_IMAGE.to_owned(); 2], "2".to_owned()));
}

/// AWS has no way back from `$Latest`: the group is pinned by its number, without replacing what is right already.
#[tokio::test(start_paused = true)]
async fn a_group_on_latest_is_pinned_by_number() {
    let stage = Stage::standing().await;
    stage
        .sandbox
        .change(|world| rows(world, "asgs").for_each(|row| row["LaunchTemplate"]["Version"] = json!("$Latest")));
    stage.writes();
    stage.succeeds("up").await;
    assert_eq!((stage.writes(), pinned(&stage)), (vec!["UpdateAutoScalingGroup".to_owned()], "1".to_owned()));
}

/// As the console's wizard leaves it. AWS goes back to a numbered version only: the group gets its number first.
#[tokio::test(start_paused = true)]
async fn a_group_on_default_is_rolled_with_a_way_back() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| {
        rows(world, "asgs").for_each(|row| row["LaunchTemplate"]["Version"] = json!("$Default"));
        world.weather.mute.push(NEXT_IMAGE.to_owned());
    });
    let outcome = stage.run(&format!("up {NEXT}")).await;
    taken_back(&stage, &outcome).await;
    let world = stage.sandbox.world();
    let refresh = world.rows("refreshes").next().unwrap();
    assert_eq!(refresh["Preferences"]["AutoRollback"], true);
}

/// Nothing numbered to go back to: the refresh is made without a promise, and cancelled where the service breaks.
#[tokio::test(start_paused = true)]
async fn a_version_that_cannot_be_taken_back_reaches_no_more_instances() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| {
        rows(world, "asgs").for_each(|row| row["LaunchTemplate"]["Version"] = json!("$Default"));
        rows(world, "instances").for_each(|row| row["_template"] = json!(null));
        world.weather.mute.push(NEXT_IMAGE.to_owned());
    });
    let outcome = stage.run(&format!("up {NEXT}")).await;
    let told = words(&outcome);
    assert_eq!((outcome.exit, outcome.outcome), (Exit::Unverified, "failed"), "{told}");
    assert!(told.contains("version 2 does not work") && told.contains("ended in Cancelled"), "{told}");
    assert_eq!(refreshes(&stage), ["Cancelled"]);
    assert!(images(&stage).contains(&"ami-0c0ffee0c0ffee0c0".to_owned()), "{:?}", images(&stage));
}

/// What instances came from is gone: there is no number to give the group first, and the rollout is made all the same.
#[tokio::test(start_paused = true)]
async fn a_template_that_was_deleted_is_no_way_back_and_no_hindrance() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| {
        rows(world, "asgs").for_each(|row| row["LaunchTemplate"]["Version"] = json!("$Default"));
        world.table("templates").clear();
    });
    stage.succeeds("up").await;
    let world = stage.sandbox.world();
    let refresh = world.rows("refreshes").next().unwrap();
    assert_eq!(refresh["Status"], "Successful");
    assert_eq!(refresh["Preferences"]["AutoRollback"], false);
    assert_eq!(pinned(&stage), "1");
}
