//! What has our name and is not ours stays as it is: the special cases. The common one is in `every_resource.rs`.

use aws_sdk_elasticloadbalancingv2::types as elb;
use serde_json::{Value, json};

use crate::support::{Exit, Fault, POLICY_ARN, Stage, VPC, tables};

#[tokio::test(start_paused = true)]
async fn another_stacks_things_are_never_adopted() {
    let stage = Stage::up().await;
    let other = stage.as_config(format!("stack: other\n{}", stage.config));
    let before = stage.sandbox.world().tables;
    other.run("up --adopt").await.exits(Exit::Foreign).writes_nothing();
    other.run("teardown --yes").await.exits(Exit::Incomplete).writes_nothing();
    assert_eq!(stage.sandbox.world().tables, before);
}

#[tokio::test(start_paused = true)]
async fn a_second_stack_with_a_prefix_stands_beside_the_first() {
    let stage = Stage::up().await;
    let lines = "stack: second\nnames: { prefix: second- }\n";
    let config = format!("{lines}{}", stage.config.replace("record: app", "record: second"));
    let second = stage.as_config(config);
    second.succeeds("up").await;
    second.succeeds("teardown --yes").await;
    assert_eq!(stage.plan().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_others_use_stays_and_is_named() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    client.create_role("theirs").await;
    client.iam.attach_role_policy().role_name("theirs").policy_arn(POLICY_ARN).send().await.unwrap();
    stage.run("teardown --yes").await.exits(Exit::Incomplete).says("role theirs");
    let left = stage.sandbox.world().leftovers();
    assert_eq!(left, [format!("policies {POLICY_ARN}"), "roles theirs".to_owned()]);
}

#[tokio::test(start_paused = true)]
async fn the_target_of_anothers_rule_on_our_listener_stays_and_is_named() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let theirs = client.create_target_group("theirs").await;
    let condition = elb::RuleCondition::builder().field("path-pattern").values("/theirs").build();
    let action = elb::Action::builder().r#type(elb::ActionTypeEnum::Forward).target_group_arn(&theirs).build();
    let request = client.elb.create_rule().listener_arn(client.listener(443).await).priority(1);
    request.conditions(condition).actions(action).send().await.unwrap();
    let removed = stage.run("teardown --yes").await;
    removed.exits(Exit::Incomplete);
    let is_named = removed.problems.iter().any(|problem| problem.resource.as_deref() == Some(&theirs));
    removed.demand(is_named, || format!("a problem must be about {theirs}"));
    assert_eq!(stage.sandbox.world().leftovers(), [format!("target_groups {theirs}")]);
}

/// The stack's load balancer and its listeners, deleted by hand; the record still points there.
async fn without_load_balancer() -> Stage {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let arn = client.load_balancer().await.load_balancer_arn.unwrap();
    client.elb.delete_load_balancer().load_balancer_arn(arn).send().await.unwrap();
    stage
}

/// The records of the zone.
fn records(stage: &Stage) -> Value {
    stage.sandbox.world().rows(tables::ZONES).next().unwrap()["_records"].clone()
}

/// The name that the record points at.
fn alias(stage: &Stage) -> String {
    records(stage)[0]["AliasTarget"]["DNSName"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_record_to_a_load_balancer_of_ours_that_is_no_more_is_ours() {
    let stage = without_load_balancer().await;
    let old = alias(&stage);
    stage.succeeds("up").await;
    let new = stage.other_client().await.load_balancer().await.dns_name.unwrap().to_lowercase();
    assert_ne!(old.trim_end_matches('.'), new);
    assert_eq!(alias(&stage).trim_end_matches('.'), new);

    let stage = without_load_balancer().await;
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn a_record_to_a_load_balancer_of_another_name_or_region_is_not() {
    for other in [
        "internal-app-alb-two-123.eu-central-1.elb.amazonaws.com.",
        "internal-app-alb-123.eu-west-1.elb.amazonaws.com.",
        "app-alb-.eu-central-1.elb.amazonaws.com.",
        "app-alb.example.com.",
        "other-123.eu-central-1.elb.amazonaws.com.",
    ] {
        let stage = Stage::up().await.noting(other);
        stage.edit(|aws| aws.record().alias(other));
        stage.run("up").await.exits(Exit::Foreign);
        stage.run("teardown --yes").await.exits(Exit::Incomplete);
        assert_eq!(alias(&stage), other);
    }
}

/// ELBv2 answers a create with another's target group of the same settings, which a lagging look has not shown.
#[tokio::test(start_paused = true)]
async fn a_target_group_that_a_create_gave_us_is_not_ours() {
    let mut given = 0;
    for seed in 0..20 {
        let stage = Stage::under(|weather| (weather.describe_lag_seconds, weather.tags_are_settings) = (5.0, false));
        let stage = stage.seeded(seed);
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        let client = stage.other_client().await;
        let matcher = elb::Matcher::builder().http_code("404").build();
        let request = client.elb.create_target_group().name("app-tg").vpc_id(VPC).protocol(elb::ProtocolEnum::Http);
        let request = request.port(80).target_type(elb::TargetTypeEnum::Instance).health_check_port("8501");
        let request = request.health_check_protocol(elb::ProtocolEnum::Http).health_check_path("/").matcher(matcher);
        request.send().await.unwrap();
        let row = || stage.sandbox.world().rows(tables::TARGET_GROUPS).next().cloned();
        let theirs = row();
        let outcome = stage.run("up").await;
        outcome.exits(Exit::Foreign);
        given += usize::from(outcome.written().contains(&"CreateTargetGroup"));
        assert_eq!(row(), theirs);
    }
    assert!(given > 5, "{given} of 20 looks came too early");
}

/// Someone makes the record after our look and before our create, which must not write over it.
#[tokio::test(start_paused = true)]
async fn a_record_made_meanwhile_stays() {
    let stage = Stage::new();
    let theirs =
        json!({"Name": "app.example.com.", "Type": "A", "TTL": "300", "ResourceRecords": [{"Value": "192.0.2.1"}]});
    let other = async {
        while stage.sandbox.world().rows(tables::BALANCERS).next().is_none() {
            tokio::task::yield_now().await;
        }
        stage.edit(|aws| aws.add_record(&theirs));
    };
    let (outcome, ()) = tokio::join!(stage.run("up"), other);
    outcome.exits(Exit::Foreign).ends_as("failed").has_called("ChangeResourceRecordSets");
    assert_eq!(records(&stage), json!([theirs]));
}

/// With other names, a second stack with the same tag would stand beside the first.
#[tokio::test(start_paused = true)]
async fn a_stack_of_the_same_tag_under_other_names_is_told_and_not_doubled() {
    let stage = Stage::up().await;
    let renamed = "--set names.prefix=v2-";
    for line in ["plan", "status"] {
        stage.run(&format!("{line} {renamed}")).await.writes_nothing().says("launch template app-launch-template");
    }
    let refused = stage.run(&format!("up {renamed}")).await;
    refused.refused_before_any_write().says("auto scaling group app-asg").says("names");
    stage.unchanged_by("up").await;
}

/// Whichever question is not answered: what is not known is no permission.
#[tokio::test(start_paused = true)]
async fn no_second_stack_is_made_where_the_look_for_strays_is_refused() {
    let whole = Stage::up().await;
    let world = whole.sandbox.world();
    let reads = whole.run("up --set names.prefix=v2-").await.calls.len();
    for after in 0..reads {
        let stage = Stage::of(&world).noting(format!("call {after}"));
        stage.sandbox.disturb(after, Fault::Refuse);
        let ended = stage.run("up --set names.prefix=v2-").await;
        ended.writes_nothing().demand(ended.exit as u8 != 0, || "it must not succeed".to_owned());
    }
}

/// Every alias to our load balancer goes with it, of any name, type and zone; what else leads there is named.
#[tokio::test(start_paused = true)]
async fn no_record_is_left_to_lead_to_a_load_balancer_that_went_in_silence() {
    let stage = Stage::up().await;
    stage.succeeds("up --set dns.record=api").await;
    let target = alias(&stage);
    let cname =
        json!({"Name": "www.example.com.", "Type": "CNAME", "TTL": "300", "ResourceRecords": [{"Value": target}]});
    stage.edit(|aws| aws.add_record(&cname));
    stage.run("teardown --dry-run").await.writes_nothing().says("CNAME record www.example.com");
    let removed = stage.run("teardown --yes").await;
    removed.exits(Exit::Incomplete).says("CNAME record www.example.com");
    assert_eq!(records(&stage), json!([cname]), "both aliases went");
    let place = |operation: &str| removed.written().iter().position(|written| *written == operation).unwrap();
    assert!(place("ChangeResourceRecordSets") < place("DeleteLoadBalancer"));
}

#[tokio::test(start_paused = true)]
async fn a_cname_to_our_load_balancer_is_told_as_such_and_adopted() {
    let stage = Stage::up().await;
    let target = alias(&stage);
    let cname =
        json!({"Name": "app.example.com.", "Type": "CNAME", "TTL": "300", "ResourceRecords": [{"Value": target}]});
    stage.edit(|aws| {
        aws.delete_record();
        aws.add_record(&cname);
    });
    let why = "it is a CNAME to our load balancer";
    let planned = stage.run("plan").await;
    planned.exits(Exit::Foreign);
    assert!(planned.changes.iter().any(|change| change.why.as_ref().is_some_and(|words| words.contains(why))));
    stage.run("up").await.exits(Exit::Foreign).says(why);
    let removed = stage.again();
    removed.run("teardown --dry-run").await.says(why);
    stage.succeeds("up --adopt").await.writes(&["ChangeResourceRecordSets"]);
    assert_eq!(records(&stage)[0]["Type"], "A");
    assert_eq!(stage.plan().await, "");
}
