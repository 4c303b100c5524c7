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
    assert_eq!(stage.plan().await, "");
    stage.succeeds("status").await;
    stage.succeeds("verify").await;
    stage.succeeds("up --set scaling.max=50").await.changed(&["auto_scaling_group"]);
    let refused = stage.run("up --set scaling.max=50 --set instance.type=c7i.4xlarge").await;
    refused.exits(Exit::Refused).writes_nothing().says("no image");
    stage.run("diagnose").await.finds("needs", Status::Fail);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_certificate_stops_a_changed_listener_alone() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.delete_certificate());
    assert_eq!(stage.plan().await, "");
    stage.succeeds("up --set scaling.max=50").await.changed(&["auto_scaling_group"]);
    stage.edit(|aws| aws.delete_listener(443));
    stage.run("up --set scaling.max=50").await.exits(Exit::Refused).writes_nothing().says("no ISSUED certificate");
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
