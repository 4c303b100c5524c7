//! A changed launch template reaches the instances by an instance refresh: followed, verified on the way, resumed,
//! rolled back, and never tried twice by itself.

use std::time::Duration;

use aws_sdk_autoscaling::types as asg;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Answer, Cancel, Ended, Exit, OtherClient, Sandbox, Signal, Stage, sample_capture, tables};

const IMAGE: &str = "ami-0c0ffee0c0ffee0c0";
const NEXT: &str = "--set instance.image=api-instant-next";
const NEXT_IMAGE: &str = "ami-0c0ffee0c0ffee0c1";

fn pinned(stage: &Stage) -> String {
    let world = stage.sandbox.world();
    world.row(tables::ASGS, "app-asg").unwrap()["LaunchTemplate"]["Version"].as_str().unwrap().to_owned()
}

/// The first refresh.
fn refresh(stage: &Stage) -> Value {
    stage.sandbox.world().rows(tables::REFRESHES).next().unwrap().clone()
}

/// States of every refresh so far, oldest first.
fn refreshes(stage: &Stage) -> Vec<String> {
    let world = stage.sandbox.world();
    world.rows(tables::REFRESHES).map(|row| row["Status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_image_reaches_every_instance() {
    let stage = Stage::up().await;
    stage.succeeds(&format!("up {NEXT}")).await.changed(&["launch_template", "auto_scaling_group"]);
    assert_eq!((stage.images(), pinned(&stage)), (vec![NEXT_IMAGE.to_owned(); 2], "2".to_owned()));
    assert_eq!(refreshes(&stage), ["Successful"]);
    let wanted = json!({
        "MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "SkipMatching": true, "AutoRollback": true,
        "CheckpointPercentages": [1, 100], "CheckpointDelay": 60,
        "ScaleInProtectedInstances": "Wait", "StandbyInstances": "Wait",
    });
    assert_eq!(refresh(&stage)["Preferences"], wanted);
    stage.succeeds(&format!("up {NEXT}")).await.changed(&[]).writes_nothing();
}

#[tokio::test(start_paused = true)]
async fn capacity_that_scaling_set_is_kept() {
    let stage = Stage::up().await;
    set_desired(&stage, 5).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let rolled = stage.succeeds(&format!("up {NEXT} --set scaling.max=50")).await;
    rolled.has_not_called("SetDesiredCapacity");
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 5]);

    let refused = stage.run(&format!("up {NEXT} --set scaling.max=3")).await;
    refused.refused_before_any_write().says("below the 5 instances").says("--allow-scale-in");
    stage.succeeds(&format!("up {NEXT} --set scaling.max=3 --allow-scale-in")).await;
    assert_eq!(stage.images().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_group_is_not_rolled_without_force() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.dead.push(IMAGE.to_owned()));
    let refused = stage.run(&format!("up {NEXT}")).await;
    refused.refused_before_any_write().says("0 of 2 targets healthy").says("--force");
    stage.succeeds(&format!("up {NEXT} --force")).await;
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 2]);
}

/// A group that is growing: an instance that boots is `unhealthy` after two checks, and no reason against a rollout.
#[tokio::test(start_paused = true)]
async fn a_group_whose_new_instances_are_still_booting_is_rolled() {
    let stage = Stage::up().await;
    tokio::time::sleep(Duration::from_secs(1000)).await; // the first two are old
    stage.weather(|weather| weather.boot_seconds = 150.0);
    set_desired(&stage, 4).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    stage.succeeds(&format!("up {NEXT}")).await;
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 4]);
}

/// A group that was made a moment ago: nothing is healthy yet, and will be.
#[tokio::test(start_paused = true)]
async fn a_group_that_is_about_to_be_healthy_is_waited_for_before_a_rollout() {
    let stage = Stage::under(|weather| weather.boot_seconds = 170.0);
    stage.succeeds("up --no-verify").await;
    tokio::time::sleep(Duration::from_secs(200)).await;
    stage.succeeds(&format!("up {NEXT}")).await;
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 2]);
    // One whose instances are replaced again and again is always young: not for ever.
    let dead = Stage::under(|weather| weather.dead.push(IMAGE.to_owned()));
    dead.succeeds("up --no-verify").await;
    tokio::time::sleep(Duration::from_secs(400)).await;
    let (start, refused) = (Instant::now(), dead.run(&format!("up {NEXT}")).await);
    refused.refused_before_any_write().says("0 of 2 targets healthy").says("--force");
    assert!(start.elapsed().as_secs() < 700, "{:?}", start.elapsed());
}

async fn set_desired(stage: &Stage, size: i32) {
    let client = stage.other_client().await;
    let request = client.autoscaling.set_desired_capacity().auto_scaling_group_name("app-asg").desired_capacity(size);
    request.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_not_rolled_without_force() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.mute.push(IMAGE.to_owned()));
    stage.run(&format!("up {NEXT}")).await.refused_before_any_write().says("does not answer");
    stage.succeeds(&format!("up {NEXT} --no-verify")).await;
}

/// What made the group unhealthy is put right first, then the rollout is judged.
#[tokio::test(start_paused = true)]
async fn a_group_that_the_same_run_puts_right_is_rolled() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.target_group().matcher("200"));
    stage.succeeds(&format!("up {NEXT}")).await;
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 2]);
}

/// What was put right is reported, and the rollout that was not begun is no refusal before any change.
#[tokio::test(start_paused = true)]
async fn a_group_that_stays_ill_is_not_rolled_after_something_else_was_put_right() {
    let line = format!("up {NEXT} --set scaling.warm_up_seconds=60 --set load_balancer.listener=http");
    for (signal, timeout, exit) in [
        (None, "", Exit::Unverified),
        (None, " --timeout 1m", Exit::Deadline),
        (Some(Signal::Terminate), "", Exit::Terminated),
    ] {
        let (sender, cancel) = Cancel::channel();
        let stage = Stage { cancel, ..Stage::up().await };
        stage.weather(|weather| weather.mute.push(IMAGE.to_owned()));
        let later = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            sender.send(signal).unwrap();
        };
        let line = format!("{line}{timeout}");
        let (outcome, ()) = tokio::join!(stage.run(&line), later);
        outcome.exits(exit).says("does not answer").sums_up("was not begun");
        assert_eq!(refreshes(&stage), Vec::<String>::new());
        let has_listener = outcome.changes.iter().any(|change| change.resource == "http_listener");
        outcome.demand(has_listener, || "it must have changed http_listener".to_owned());
    }
}

/// After a rollback the stack is as it was, and the version is remembered by AWS alone.
async fn is_rolled_back(stage: &Stage, outcome: &Ended) {
    outcome.exits(Exit::Unverified).ends_as("rolled_back");
    assert_eq!((pinned(stage), refreshes(stage)), ("1".to_owned(), vec!["RollbackSuccessful".to_owned()]));
    assert_eq!(stage.images(), vec![IMAGE.to_owned(); 2]);
    let again = stage.run(&format!("up {NEXT}")).await;
    again.refused_before_any_write().says("was rolled back").says("--force");
    let again = stage.run(&format!("up {NEXT} --set scaling.max=50")).await;
    again.refused_before_any_write();
    assert_eq!(again.summary, "refused; nothing was changed");
    // What else differs is put right, and reported: that is no refusal before any change.
    stage.edit(|aws| aws.target_group().matcher("404,405"));
    stage.run(&format!("up {NEXT}")).await.exits(Exit::Failed).changed(&["target_group"]);
}

/// AWS itself would replace its instances for an hour.
#[tokio::test(start_paused = true)]
async fn a_version_that_never_gets_healthy_is_rolled_back_by_us() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.dead.push(NEXT_IMAGE.to_owned()));
    let outcome = stage.run(&format!("up {NEXT}")).await;
    outcome.says("failed their health checks 300 s after their launch").has_called("RollbackInstanceRefresh");
    is_rolled_back(&stage, &outcome).await;
    stage.weather(|weather| weather.dead.clear());
    stage.succeeds(&format!("up {NEXT} --force")).await;
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 2]);
}

/// Nobody follows it.
#[tokio::test(start_paused = true)]
async fn a_version_that_never_gets_healthy_is_rolled_back_by_aws_after_an_hour() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.dead.push(NEXT_IMAGE.to_owned()));
    stage.killed_after(100, &format!("up {NEXT}")).await;
    tokio::time::sleep(Duration::from_secs(3000)).await;
    assert_eq!(refreshes(&stage), ["InProgress"]);
    tokio::time::sleep(Duration::from_secs(3000)).await;
    assert_eq!((refreshes(&stage), pinned(&stage)), (vec!["RollbackSuccessful".to_owned()], "1".to_owned()));
    let again = stage.run(&format!("up {NEXT}")).await;
    again.refused_before_any_write().says("was rolled back").says("failed their health checks");
}

/// Of the new version nothing can be launched: that is known at once.
#[tokio::test(start_paused = true)]
async fn a_version_that_can_never_be_launched_is_rolled_back_by_us() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.launch_fails.extend([("*".to_owned(), "OptInRequired".to_owned())]));
    let (start, outcome) = (Instant::now(), stage.run(&format!("up {NEXT}")).await);
    outcome.says("accept terms and subscribe").says("not subscribed");
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
    is_rolled_back(&stage, &outcome).await;
}

#[tokio::test(start_paused = true)]
async fn a_version_whose_api_is_dead_is_rolled_back_by_us() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.mute.push(NEXT_IMAGE.to_owned()));
    let outcome = stage.run(&format!("up {NEXT}")).await;
    outcome.says("502");
    is_rolled_back(&stage, &outcome).await;
    // The old configuration is nothing to do but the template's default.
    stage.succeeds("up").await.changed(&["launch_template"]);
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
        outcome.exits(exit).ends_as("rolled_back").check("liveness");
        let posts = stage.sandbox.oz().requests().into_iter().filter(|seen| seen.method == "POST");
        assert_eq!(posts.count(), 1, "a metered call, made once");
        assert_eq!(pinned(&stage), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_rollout_is_found_and_followed() {
    for signal in [None, Some(Signal::Interrupt)] {
        let (sender, cancel) = Cancel::channel();
        let stage = Stage { cancel, ..Stage::new() };
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
                outcome.exits(Exit::Interrupted).sums_up("goes on by itself");
            }
            () = later => {} // as if it were killed
        }
        assert_eq!(refreshes(&stage), ["InProgress"]);
        let again = stage.again();
        let plan = again.plan().await;
        assert!(plan.contains("instance refresh to version 2"), "{plan}");
        again.succeeds(&line).await.writes_nothing(); // it only follows the refresh
        assert_eq!(
            (stage.images(), refreshes(&stage)),
            (vec![NEXT_IMAGE.to_owned(); 2], vec!["Successful".to_owned()])
        );
    }
}

/// A refresh that nobody wants any more is ended, and the wanted one begun.
#[tokio::test(start_paused = true)]
async fn a_refresh_to_another_version_gives_way() {
    for line in ["up --set instance.type=c7i.4xlarge", "up"] {
        let stage = Stage::up().await;
        stage.killed_after(250, &format!("up {NEXT}")).await;
        assert_eq!(refreshes(&stage), ["InProgress"], "{line}");
        stage.succeeds(line).await;
        assert_eq!(stage.images(), vec![IMAGE.to_owned(); 2], "{line}");
        stage.succeeds(&line.replace("up", "plan --exit-code")).await;
        assert_eq!(refreshes(&stage)[0], "Cancelled", "{line}");
    }
}

/// The same where reads lag behind: what a look shows of the refresh, the template or the group may be over.
#[tokio::test(start_paused = true)]
async fn a_refresh_to_another_version_gives_way_where_reads_lag() {
    for seed in 0..6 {
        let stage = Stage::up().await.seeded(seed);
        stage.weather(|weather| weather.describe_lag_seconds = 8.0);
        stage.killed_after(100 + seed, &format!("up {NEXT}")).await;
        stage.succeeds("up --set instance.type=c7i.4xlarge --set scaling.max=50").await;
        assert_eq!(pinned(&stage), "3", "seed {seed}");
        assert_eq!(stage.images(), vec![IMAGE.to_owned(); 2]);
    }
}

/// Somebody else's refresh keeps the group's template from being changed, and a look that lags behind does not show it.
#[tokio::test(start_paused = true)]
async fn a_refresh_that_was_begun_meanwhile_is_waited_for() {
    let stage = Stage::up().await.seeded(1);
    stage.edit(|aws| aws.auto_scaling_group().follow("$Latest"));
    stage.weather(|weather| weather.describe_lag_seconds = 8.0);
    stage.succeeds("plan").await;
    tokio::time::sleep(Duration::from_secs(10)).await; // there is a past to lag behind
    let group = stage.sandbox.world().row(tables::ASGS, "app-asg").unwrap().clone();
    let id = group["LaunchTemplate"]["LaunchTemplateId"].as_str().unwrap();
    let template = asg::LaunchTemplateSpecification::builder().launch_template_id(id).version("1");
    let wanted = asg::DesiredConfiguration::builder().launch_template(template.build()).build();
    let client = stage.other_client().await;
    let request = client.autoscaling.start_instance_refresh().auto_scaling_group_name("app-asg");
    request.desired_configuration(wanted).send().await.unwrap();
    let outcome = stage.succeeds("up").await;
    outcome.was_refused("ValidationError");
    assert_eq!((refreshes(&stage), pinned(&stage)), (vec!["Successful".to_owned()], "1".to_owned()));
}

async fn pin(client: &OtherClient, version: &str) {
    let reply = client.ec2.describe_launch_templates().send().await.unwrap();
    let id = reply.launch_templates()[0].launch_template_id().unwrap();
    let template = asg::LaunchTemplateSpecification::builder().launch_template_id(id).version(version);
    let request = client.autoscaling.update_auto_scaling_group().auto_scaling_group_name("app-asg");
    request.launch_template(template.build()).send().await.unwrap();
}

/// A group that was pinned by hand, or whose refresh was cancelled: its number is right, and its instances are not.
#[tokio::test(start_paused = true)]
async fn instances_that_were_left_behind_are_brought_along() {
    let stage = Stage::up().await;
    stage.killed_after(5, &format!("up {NEXT}")).await;
    let client = stage.other_client().await;
    client.autoscaling.cancel_instance_refresh().auto_scaling_group_name("app-asg").send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    pin(&client, "2").await;
    let plan = stage.plan_of(&format!("plan {NEXT}")).await;
    assert!(plan.contains("outdated_instances: 2 -> (absent)"), "{plan}");
    stage.succeeds(&format!("up {NEXT}")).await;
    assert_eq!((stage.images(), pinned(&stage)), (vec![NEXT_IMAGE.to_owned(); 2], "2".to_owned()));
}

/// AWS has no way back from `$Latest`: the group is pinned by its number, without replacing what is right already.
#[tokio::test(start_paused = true)]
async fn a_group_on_latest_is_pinned_by_number() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.auto_scaling_group().follow("$Latest"));
    stage.succeeds("up").await.writes(&["UpdateAutoScalingGroup"]);
    assert_eq!(pinned(&stage), "1");
}

/// As the console's wizard leaves it. AWS goes back to a numbered version only: the group gets its number first.
#[tokio::test(start_paused = true)]
async fn a_group_on_default_is_rolled_with_a_way_back() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.auto_scaling_group().follow("$Default"));
    stage.weather(|weather| weather.mute.push(NEXT_IMAGE.to_owned()));
    let outcome = stage.run(&format!("up {NEXT}")).await;
    is_rolled_back(&stage, &outcome).await;
    assert_eq!(refresh(&stage)["Preferences"]["AutoRollback"], true);
}

/// Nothing numbered to go back to: the refresh is made without a promise, and cancelled where the service breaks.
#[tokio::test(start_paused = true)]
async fn a_version_that_cannot_be_taken_back_reaches_no_more_instances() {
    let stage = Stage::up().await;
    stage.edit(|aws| {
        aws.auto_scaling_group().follow("$Default");
        aws.instances().come_from_no_template();
    });
    stage.weather(|weather| weather.mute.push(NEXT_IMAGE.to_owned()));
    let outcome = stage.run(&format!("up {NEXT}")).await;
    outcome.exits(Exit::Unverified).ends_as("failed");
    outcome.says("version 2 does not work").says("ended in Cancelled");
    assert_eq!(refreshes(&stage), ["Cancelled"]);
    assert!(stage.images().contains(&IMAGE.to_owned()), "{:?}", stage.images());
}

/// What instances came from is gone: there is no number to give the group first, and the rollout is made all the same.
#[tokio::test(start_paused = true)]
async fn a_template_that_was_deleted_is_no_way_back_and_no_hindrance() {
    let stage = Stage::up().await;
    stage.edit(|aws| {
        aws.auto_scaling_group().follow("$Default");
        aws.delete_launch_template();
    });
    stage.succeeds("up").await;
    let refresh = refresh(&stage);
    assert_eq!((&refresh["Status"], &refresh["Preferences"]["AutoRollback"]), (&json!("Successful"), &json!(false)));
    assert_eq!(pinned(&stage), "1");
}
