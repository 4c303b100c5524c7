//! An image that was withdrawn, a certificate that was deleted: what exists is read and kept, and only a change of what
//! uses them is refused.

use crate::support::{Exit, Stage, Status, tables};

fn withdraw_image(stage: &Stage) {
    stage.sandbox.change(|world| world.table(tables::IMAGES).clear());
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_image_stops_a_changed_template_alone() {
    let stage = Stage::up().await;
    withdraw_image(&stage);
    for line in ["plan", "status", "up"] {
        stage.succeeds(line).await.says("no image").says("no new instance");
    }
    stage.over_sockets("verify").await.succeeds().finds("needs", Status::Warn);
    stage.succeeds("up --set scaling.max=50").await.changed(&["auto_scaling_group"]);
    let refused = stage.run("up --set scaling.max=50 --set instance.type=c7i.4xlarge").await;
    refused.exits(Exit::Refused).writes_nothing().says("no image");
    stage.over_sockets("diagnose").await.finds("needs", Status::Fail);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_certificate_stops_a_changed_listener_alone() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.delete_certificate());
    stage.succeeds("plan").await.says("no ISSUED certificate");
    stage.succeeds("up --set scaling.max=50").await.changed(&["auto_scaling_group"]);
    stage.edit(|aws| aws.delete_listener(443));
    stage.run("up --set scaling.max=50").await.exits(Exit::Refused).writes_nothing().says("no ISSUED certificate");
}

/// The records went with their zone. What stands is read, kept and changed, and asked at the load balancer itself.
#[tokio::test(start_paused = true)]
async fn a_zone_that_is_gone_stops_its_record_alone() {
    let stage = Stage::up().await;
    stage.sandbox.change(|world| world.table(tables::ZONES).clear());
    for line in ["plan", "status", "up"] {
        stage.succeeds(line).await.writes_nothing().says("no hosted zone example.com").says("goes on");
    }
    stage.over_sockets("verify").await.finds("needs", Status::Warn).finds("drift", Status::Pass);
    stage.succeeds("up --set scaling.max=50").await.changed(&["auto_scaling_group"]);
    stage.over_sockets("diagnose").await.finds("needs", Status::Fail);
    stage.succeeds("teardown --yes").await;
    let fresh = Stage::new();
    fresh.sandbox.change(|world| world.table(tables::ZONES).clear());
    fresh.run("up").await.refused_before_any_write().says("no hosted zone example.com");
}

/// An id that the template does not have was never this stack's image: a mistake is no withdrawal.
#[tokio::test(start_paused = true)]
async fn an_id_of_no_image_is_refused_though_the_stack_stands() {
    let stage = Stage::up().await;
    let refused = stage.run("up --set instance.image=ami-0123456789abcdef0").await;
    refused.exits(Exit::Refused).writes_nothing().says("no image \"ami-0123456789abcdef0\"");
}

/// Nothing exists that could be kept: it is a refusal, as before.
#[tokio::test(start_paused = true)]
async fn without_a_stack_a_missing_image_is_refused() {
    let stage = Stage::new();
    withdraw_image(&stage);
    for verb in ["up", "plan", "preflight"] {
        stage.run(verb).await.exits(Exit::Refused).writes_nothing().says("no image");
    }
}
