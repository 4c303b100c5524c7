//! Rules that others put before the default action of a listener: they stay, they go only by hand or with the whole
//! stack, and one that takes the service's own requests is named.

use aws_sdk_elasticloadbalancingv2::types as elb;

use crate::support::{Exit, OtherClient, Stage, Status};

const WITHOUT_TLS: &str = "--set load_balancer.listener=http";
const REPLACED: &str = "--replace --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true \
                        --set network.public_subnets=[subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2]";

/// A rule that keeps clients from a path.
async fn forbid(client: &OtherClient, path: &str) -> String {
    let condition = elb::RuleCondition::builder().field("path-pattern").values(path).build();
    let request = client.elb.create_rule().listener_arn(client.listener(443).await).priority(10);
    let answer = elb::FixedResponseActionConfig::builder().status_code("503").content_type("text/plain").build();
    let action = elb::Action::builder().r#type(elb::ActionTypeEnum::FixedResponse).fixed_response_config(answer);
    let reply = request.conditions(condition).actions(action.build()).send().await.unwrap();
    reply.rules()[0].rule_arn().unwrap().to_owned()
}

/// Rules are read only where their listener is about to go.
#[tokio::test(start_paused = true)]
async fn a_rule_goes_with_its_listener_only_by_hand() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let rule = forbid(&client, "/admin/*").await;
    for line in ["plan", "up"] {
        stage.succeeds(line).await.ends_as("unchanged").has_not_called("DescribeRules");
    }
    let words = "rule 10 (path-pattern /admin/* -> fixed-response 503 text/plain) is not ours, and would go with it";
    for line in [WITHOUT_TLS, REPLACED] {
        let plan = stage.plan_of(&format!("plan {line}")).await;
        assert!(plan.contains(&format!("! refused: {words}")), "{plan}");
        stage.run(&format!("up {line}")).await.refused_before_any_write().says(words).says("take it off by hand");
    }
    client.elb.delete_rule().rule_arn(rule).send().await.unwrap();
    stage.succeeds(&format!("up {WITHOUT_TLS}")).await.has_called("DeleteListener");
}

/// What goes as a whole takes along what others put on it.
#[tokio::test(start_paused = true)]
async fn a_rule_goes_with_the_stack() {
    let stage = Stage::up().await;
    forbid(&stage.other_client().await, "/admin/*").await;
    stage.succeeds("teardown --yes").await.has_not_called("DescribeRules");
    stage.nothing_is_left();
}

/// What answers the service's requests is not this stack then, whatever it says.
#[tokio::test(start_paused = true)]
async fn a_rule_that_takes_the_services_requests_fails_the_verification() {
    let stage = Stage::up().await;
    let rule = forbid(&stage.other_client().await, "/api/*").await;
    let taken = stage.run("verify").await;
    taken.exits(Exit::Unverified).finds("listener_rules", Status::Fail);
    taken.check_says("listener_rules", "rule 10 (path-pattern /api/* -> fixed-response 503 text/plain)");
    assert!(taken.verdict.is_none(), "no metered call goes there");
    stage.run("diagnose").await.finds("listener_rules", Status::Fail);
    let client = stage.other_client().await;
    client.elb.delete_rule().rule_arn(rule).send().await.unwrap();
    forbid(&client, "/admin/*").await;
    stage.succeeds("verify").await.finds("listener_rules", Status::Pass);
}
