//! How the image of the instances is found: by its product, by a parameter, by its name; and what is never taken.

use serde_json::json;

use crate::support::{Exit, Stage, Status, tables};

/// The sandbox's product: its newest image is the next release.
const PRODUCT: &str = "ozsandbox0000000000000001";
const NEWEST: &str = "ami-0c0ffee0c0ffee0c1";
const FIRST: &str = "ami-0c0ffee0c0ffee0c0";

/// The image that the launch template names.
async fn launched(line: &str) -> String {
    let stage = Stage::new();
    stage.succeeds(line).await;
    let world = stage.sandbox.world();
    let template = world.rows(tables::TEMPLATES).next().unwrap();
    template["_versions"][0]["launchTemplateData"]["imageId"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_product_a_parameter_a_name_and_an_id_lead_to_an_image() {
    assert_eq!(launched(&format!("up --set instance.image=product:{PRODUCT}")).await, NEWEST);
    let parameter = "up --set instance.image=ssm:/aws/service/marketplace/prod-ozsandbox00001/latest";
    assert_eq!(launched(parameter).await, FIRST);
    assert_eq!(launched("up --set instance.image=api-instant").await, FIRST);
    assert_eq!(launched(&format!("up --set instance.image={NEWEST}")).await, NEWEST);
}

#[tokio::test(start_paused = true)]
async fn what_leads_to_no_image_is_refused_with_where_a_buyer_finds_it() {
    let asked =
        ["product:nobodys", "ssm:/aws/service/marketplace/prod-nobodys/latest", "ami-0123456789abcdef0", "no-such"];
    for asked in asked {
        let refused = Stage::new().run(&format!("up --set instance.image={asked}")).await;
        refused.exits(Exit::Refused).writes_nothing().says(&format!("no image {asked:?}")).says("describe-images");
    }
}

/// Anybody can share an image of any name with the account.
#[tokio::test(start_paused = true)]
async fn an_image_that_another_account_shares_is_offered_by_id_and_owner_and_never_taken_by_name() {
    let stage = Stage::new();
    stage.sandbox.change(|world| {
        let images = world.table(tables::IMAGES);
        let mut theirs = images[FIRST].clone();
        theirs["imageId"] = json!("ami-0ab5a4ed000000001");
        theirs["name"] = json!("oz-private");
        (theirs["imageOwnerAlias"], theirs["imageOwnerId"]) = (json!(null), json!("210987654321"));
        (theirs["isPublic"], theirs["productCodes"]) = (json!(false), json!([]));
        images.insert("ami-0ab5a4ed000000001".to_owned(), theirs);
    });
    let refused = stage.run("up --set instance.image=oz-private").await;
    refused.exits(Exit::Refused).writes_nothing().says("ami-0ab5a4ed000000001 (owner 210987654321)");
    stage.succeeds("up --set instance.image=ami-0ab5a4ed000000001").await;
}

/// Told before it is withdrawn.
#[tokio::test(start_paused = true)]
async fn a_deprecated_image_is_told_and_holds_nothing_up() {
    for (since, status) in [("2025-06-01T00:00:00.000Z", Status::Warn), ("2999-01-01T00:00:00.000Z", Status::Pass)] {
        let stage = Stage::new();
        stage.sandbox.change(|world| {
            world.table(tables::IMAGES).get_mut(FIRST).unwrap()["deprecationTime"] = json!(since);
        });
        stage.run("preflight").await.exits(Exit::Done).finds("image_fits", status);
        stage.succeeds("up").await;
    }
}
