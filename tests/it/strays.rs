//! What carries our tag under another name, and every record that leads to our load balancer: found and told by each
//! verb, and where it could not be looked for, that is told.

use aws_sdk_ec2::types::{self as ec2, ResourceType};
use aws_sdk_elasticloadbalancingv2::types as elb;
use serde_json::{Value, json};

use crate::support::{Exit, Stage, tables};

const NOT_LOOKED_FOR: &str = "further records that lead to our load balancer were not looked for";

/// The name that the record points at.
fn target(stage: &Stage) -> String {
    let world = stage.sandbox.world();
    let zone = world.rows(tables::ZONES).next().unwrap();
    zone["_records"][0]["AliasTarget"]["DNSName"].as_str().unwrap().to_owned()
}

fn add_record(stage: &Stage, record: &Value) {
    stage.edit(|aws| aws.add_record(record));
}

/// Another name in deploy.yaml leaves the old alias: it is told until it goes.
#[tokio::test(start_paused = true)]
async fn a_record_of_an_earlier_name_is_told_by_every_verb() {
    let stage = Stage::up().await;
    let renamed = "--set dns.record=api";
    let old = "A alias app.example.com in the zone";
    stage.succeeds(&format!("plan {renamed}")).await.says(old);
    stage.succeeds(&format!("up {renamed}")).await.says(old).says("deploy teardown");
    for line in ["plan", "up", "status"] {
        stage.succeeds(&format!("{line} {renamed}")).await.writes_nothing().says(old);
    }
    stage.edit(|aws| aws.delete_record());
    let told = stage.succeeds(&format!("plan {renamed}")).await;
    told.demand(told.problems.is_empty(), || "nothing is left to tell".to_owned());
}

/// A CNAME, and one of several weighted aliases.
#[tokio::test(start_paused = true)]
async fn every_kind_of_record_that_leads_to_our_load_balancer_is_told() {
    let stage = Stage::up().await;
    let to = target(&stage);
    add_record(
        &stage,
        &json!({"Name": "www.example.com.", "Type": "CNAME", "TTL": "300", "ResourceRecords": [{"Value": to}]}),
    );
    let alias = json!({"HostedZoneId": "Z215JYRZR1TBD5", "DNSName": to, "EvaluateTargetHealth": false});
    add_record(
        &stage,
        &json!({
            "Name": "shared.example.com.", "Type": "A", "SetIdentifier": "blue", "Weight": "10", "AliasTarget": alias,
        }),
    );
    for line in ["plan", "up", "status"] {
        let told = stage.succeeds(line).await;
        told.says("CNAME record www.example.com").says("A alias shared.example.com");
    }
    let removed = stage.run("teardown --yes").await;
    removed.exits(Exit::Incomplete).says("CNAME record www.example.com").says("A alias shared.example.com");
}

/// The name that verify.name gives leads where clients should go: nothing to tell.
#[tokio::test(start_paused = true)]
async fn a_record_that_is_kept_by_hand_under_verify_name_is_no_stray() {
    let stage = Stage::up().await;
    let to = target(&stage);
    add_record(
        &stage,
        &json!({"Name": "www.example.com.", "Type": "CNAME", "TTL": "300", "ResourceRecords": [{"Value": to}]}),
    );
    stage.edit(|aws| aws.delete_record());
    let told = stage.run("plan --set dns=null --set verify.name=www.example.com").await;
    told.demand(told.problems.is_empty(), || "it is deploy.yaml's".to_owned());
}

/// Before a replacement begins, and at its end: what leads to the load balancer that goes.
#[tokio::test(start_paused = true)]
async fn a_replacement_names_the_records_that_it_leaves_behind() {
    let stage = Stage::up().await;
    let to = target(&stage);
    add_record(
        &stage,
        &json!({"Name": "www.example.com.", "Type": "CNAME", "TTL": "300", "ResourceRecords": [{"Value": to}]}),
    );
    let line = "up --replace --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true \
                --set network.public_subnets=[subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2]";
    stage.succeeds(line).await.has_called("DeleteLoadBalancer").says("CNAME record www.example.com");
}

/// What the caller may not look at is said, by every verb, and stops none of them.
#[tokio::test(start_paused = true)]
async fn where_records_may_not_be_looked_for_that_is_told() {
    for denied in ["route53:ListHostedZones", "route53:ListResourceRecordSets"] {
        let stage = Stage::up().await.noting(denied);
        // The one of deploy.yaml cannot be told from none where its zone may not be read.
        let given = if denied.ends_with("Sets") { "--set dns=null --set verify.name=app.example.com" } else { "" };
        stage.weather(|weather| weather.denied = vec![denied.to_owned()]);
        for line in ["plan", "up --no-verify", "status", "teardown --dry-run", "teardown --yes"] {
            let told = stage.succeeds(&format!("{line} {given}")).await;
            told.says(NOT_LOOKED_FOR).says("AccessDenied");
        }
    }
}

/// Whether the record of deploy.yaml exists is no small thing: that is a failure, and no silence either.
#[tokio::test(start_paused = true)]
async fn where_the_record_itself_may_not_be_looked_for_that_is_a_failure() {
    let (zones, by_name) = ("route53:ListHostedZones", "route53:ListHostedZonesByName");
    for (refused, denied) in
        [(vec![zones, by_name], by_name), (vec!["route53:ListResourceRecordSets"], "route53:ListResourceRecordSets")]
    {
        let stage = Stage::up().await.noting(denied);
        stage.weather(|weather| weather.denied = refused.iter().map(|one| (*one).to_owned()).collect());
        for line in ["plan", "up", "status", "teardown --yes"] {
            stage.run(line).await.exits(Exit::Failed).writes_nothing().says(denied);
        }
    }
}

/// The zone of deploy.yaml is looked at all the same where only the list of zones is refused.
#[tokio::test(start_paused = true)]
async fn without_the_list_of_zones_the_records_own_zone_is_looked_at() {
    let stage = Stage::up().await;
    stage.succeeds("up --set dns.record=api").await;
    stage.weather(|weather| weather.denied = vec!["route53:ListHostedZones".to_owned()]);
    stage.succeeds("plan --set dns.record=api").await.says("A alias app.example.com").says(NOT_LOOKED_FOR);
    stage.succeeds("teardown --yes").await.says(NOT_LOOKED_FOR);
    stage.nothing_is_left();
}

/// Parts of the stack that an earlier name left: one of each noun that can be listed with its tags.
#[tokio::test(start_paused = true)]
async fn what_carries_our_tag_under_another_name_is_told_by_every_verb() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let (key, value) = ("oz-deploy:stack", "oz-liveness");
    client.create_load_balancer("old-alb", Some((key, value))).await;
    let group = client.create_target_group("old-tg").await;
    let tag = elb::Tag::builder().key(key).value(value).build();
    client.elb.add_tags().resource_arns(group).tags(tag).send().await.unwrap();
    client.create_target_group("theirs").await;
    let tag = ec2::Tag::builder().key(key).value(value).build();
    let tagged = ec2::TagSpecification::builder().resource_type(ResourceType::LaunchTemplate).tags(tag).build();
    let data = ec2::RequestLaunchTemplateData::builder().image_id("ami-0c0ffee0c0ffee0c0").build();
    let request = client.ec2.create_launch_template().launch_template_name("old-template").launch_template_data(data);
    request.tag_specifications(tagged).send().await.unwrap();
    for line in ["plan", "up", "status"] {
        let told = stage.succeeds(line).await;
        told.writes_nothing().says("load balancer old-alb").says("target group old-tg");
        told.says("launch template old-template");
        let theirs = told.problems.iter().any(|problem| format!("{problem:?}").contains("theirs"));
        told.demand(!theirs, || "what has no tag of ours is not told".to_owned());
    }
}
