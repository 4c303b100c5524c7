//! What has our name and is not ours stops the run; `--adopt` makes it ours; a removal leaves it.

use aws_sdk_ec2::types::RequestLaunchTemplateData;
use aws_sdk_elasticloadbalancingv2::types as elb;
use serde_json::json;

use crate::support::{Cloud, Exit, Stage, plain_record, rows};

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:A","Resource":"*"}]}"#;

/// With this made by another hand, `up` stops before it changes anything and names it; then `--adopt` converges.
async fn stranger(make: impl AsyncFnOnce(&Cloud), resource: &str) {
    let stage = Stage::new();
    make(&stage.other_client().await).await;
    stage.writes();
    for line in ["up", "plan"] {
        let outcome = stage.run(line).await;
        assert_eq!(outcome.exit, Exit::Foreign, "{line}");
        assert_eq!(stage.writes(), Vec::<String>::new(), "{line}");
    }
    let outcome = stage.run("up").await;
    let named: Vec<_> = outcome.problems.iter().filter_map(|one| one.resource.clone()).collect();
    assert!(named.iter().any(|name| name.starts_with(resource)), "{named:?}");
    assert!(outcome.problems.iter().all(|one| one.cure.as_ref().unwrap().contains("--adopt")));

    let left = stage.sandbox.world().leftovers();
    let removed = stage.run("teardown --yes").await;
    assert_eq!((removed.exit, stage.writes()), (Exit::Incomplete, vec![]), "{:?}", removed.problems);
    assert_eq!(stage.sandbox.world().leftovers(), left);

    stage.succeeds("up --adopt").await;
    assert_eq!(stage.plan().await, "");
    stage.succeeds("teardown --yes").await;
}

#[tokio::test(start_paused = true)]
async fn a_security_group() {
    let make = async |cloud: &Cloud| {
        let request = cloud.ec2.create_security_group().group_name("alb-sg").description("theirs");
        request.vpc_id("vpc-0a1b2c3d4e5f60718").send().await.unwrap();
    };
    stranger(make, "load_balancer_security_group alb-sg").await;
}

#[tokio::test(start_paused = true)]
async fn a_policy() {
    let make = async |cloud: &Cloud| {
        let request = cloud.iam.create_policy().policy_name("OZMarketplacePolicy");
        request.policy_document(DOCUMENT).send().await.unwrap();
    };
    stranger(make, "policy OZMarketplacePolicy").await;
}

#[tokio::test(start_paused = true)]
async fn a_role() {
    let make = async |cloud: &Cloud| {
        let request = cloud.iam.create_role().role_name("OZMarketplace");
        request.assume_role_policy_document(DOCUMENT).send().await.unwrap();
    };
    stranger(make, "role OZMarketplace").await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_profile() {
    let make = async |cloud: &Cloud| {
        cloud.iam.create_instance_profile().instance_profile_name("OZMarketplace").send().await.unwrap();
    };
    stranger(make, "instance_profile OZMarketplace").await;
}

async fn template(cloud: &Cloud) {
    let request = cloud.ec2.create_launch_template().launch_template_name("app-launch-template");
    let data = RequestLaunchTemplateData::builder().image_id("ami-0c0ffee0c0ffee0c0").build();
    request.launch_template_data(data).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_launch_template() {
    stranger(async |cloud: &Cloud| template(cloud).await, "launch_template app-launch-template").await;
}

async fn console_target_group(cloud: &Cloud) {
    let request = cloud.elb.create_target_group().name("app-tg").protocol(elb::ProtocolEnum::Http).port(80);
    request.vpc_id("vpc-0a1b2c3d4e5f60718").send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_target_group_of_the_consoles_wizard() {
    stranger(async |cloud: &Cloud| console_target_group(cloud).await, "target_group app-tg").await;
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer() {
    let make = async |cloud: &Cloud| {
        let request = cloud.elb.create_load_balancer().name("app-alb").scheme(elb::LoadBalancerSchemeEnum::Internal);
        let request = request.subnets("subnet-0bbbbbbbbbbbbbbb1").subnets("subnet-0bbbbbbbbbbbbbbb2");
        request.send().await.unwrap();
    };
    stranger(make, "load_balancer app-alb").await;
}

#[tokio::test(start_paused = true)]
async fn an_auto_scaling_group() {
    let make = async |cloud: &Cloud| {
        template(cloud).await;
        let template = aws_sdk_autoscaling::types::LaunchTemplateSpecification::builder();
        let template = template.launch_template_name("app-launch-template").version("1").build();
        let request = cloud.autoscaling.create_auto_scaling_group().auto_scaling_group_name("app-asg");
        let request = request.launch_template(template).min_size(0).max_size(1);
        request.vpc_zone_identifier("subnet-0bbbbbbbbbbbbbbb1").send().await.unwrap();
    };
    stranger(make, "auto_scaling_group app-asg").await;
}

#[tokio::test(start_paused = true)]
async fn a_record() {
    let make = async |cloud: &Cloud| plain_record(cloud).await.unwrap();
    stranger(make, "dns_record app.example.com").await;
}

#[tokio::test(start_paused = true)]
async fn another_stacks_things_are_never_adopted() {
    let stage = Stage::standing().await;
    let other = stage.as_config(format!(
        "stack: other
{}",
        stage.config
    ));
    let before = stage.sandbox.world().tables;
    assert_eq!(other.run("up --adopt").await.exit, Exit::Foreign);
    assert_eq!(other.run("teardown --yes").await.exit, Exit::Incomplete);
    assert_eq!(stage.writes(), Vec::<String>::new());
    assert_eq!(stage.sandbox.world().tables, before);
}

#[tokio::test(start_paused = true)]
async fn a_second_stack_with_a_prefix_stands_beside_the_first() {
    let stage = Stage::standing().await;
    let lines = "stack: second\nnames: { prefix: second- }\n";
    let config = format!("{lines}{}", stage.config.replace("record: app", "record: second"));
    let second = stage.as_config(config);
    second.succeeds("up").await;
    second.succeeds("teardown --yes").await;
    assert_eq!(stage.plan().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_others_use_stays_and_is_named() {
    let stage = Stage::standing().await;
    let cloud = stage.other_client().await;
    let request = cloud.iam.create_role().role_name("theirs").assume_role_policy_document(DOCUMENT);
    request.send().await.unwrap();
    let arn = "arn:aws:iam::123456789012:policy/OZMarketplacePolicy";
    cloud.iam.attach_role_policy().role_name("theirs").policy_arn(arn).send().await.unwrap();
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Incomplete);
    assert!(outcome.problems.iter().any(|one| one.message.contains("role theirs")), "{:?}", outcome.problems);
    let left = stage.sandbox.world().leftovers();
    assert_eq!(left, [format!("policies {arn}"), "roles theirs".to_owned()]);
}

#[tokio::test(start_paused = true)]
async fn the_target_of_anothers_rule_on_our_listener_stays_and_is_named() {
    let stage = Stage::standing().await;
    let cloud = stage.other_client().await;
    let request = cloud.elb.create_target_group().name("theirs").protocol(elb::ProtocolEnum::Http).port(80);
    let theirs = request.vpc_id("vpc-0a1b2c3d4e5f60718").send().await.unwrap().target_groups()[0]
        .target_group_arn()
        .unwrap()
        .to_owned();
    let balancer = cloud.elb.describe_load_balancers().send().await.unwrap().load_balancers()[0]
        .load_balancer_arn()
        .unwrap()
        .to_owned();
    let listeners = cloud.elb.describe_listeners().load_balancer_arn(balancer).send().await.unwrap();
    let condition = elb::RuleCondition::builder().field("path-pattern").values("/theirs").build();
    let action = elb::Action::builder().r#type(elb::ActionTypeEnum::Forward).target_group_arn(&theirs).build();
    let request = cloud.elb.create_rule().listener_arn(listeners.listeners()[0].listener_arn().unwrap()).priority(1);
    request.conditions(condition).actions(action).send().await.unwrap();
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Incomplete, "{:?}", outcome.problems);
    assert!(outcome.problems.iter().any(|one| one.resource.as_deref() == Some(&theirs)));
    assert_eq!(stage.sandbox.world().leftovers(), [format!("target_groups {theirs}")]);
}

/// The stack's load balancer and its listeners, deleted by hand; the record still points there.
async fn without_load_balancer() -> Stage {
    let stage = Stage::standing().await;
    let cloud = stage.other_client().await;
    let found = cloud.elb.describe_load_balancers().send().await.unwrap();
    let arn = found.load_balancers()[0].load_balancer_arn().unwrap();
    let request = cloud.elb.delete_load_balancer().load_balancer_arn(arn);
    request.send().await.unwrap();
    stage.sandbox.clear_calls();
    stage
}

fn alias_of_the_record(stage: &Stage) -> Option<String> {
    let world = stage.sandbox.world();
    let records = world.rows("zones").next().unwrap()["_records"].clone();
    let name = records[0]["AliasTarget"]["DNSName"].as_str();
    name.map(|name| name.trim_end_matches('.').to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_record_to_a_load_balancer_of_ours_that_is_no_more_is_ours() {
    let stage = without_load_balancer().await;
    let old = alias_of_the_record(&stage);
    stage.succeeds("up").await;
    let cloud = stage.other_client().await;
    let found = cloud.elb.describe_load_balancers().send().await.unwrap();
    let new = found.load_balancers()[0].dns_name().unwrap().to_lowercase();
    assert_ne!(old.as_ref(), Some(&new));
    assert_eq!(alias_of_the_record(&stage), Some(new));

    let stage = without_load_balancer().await;
    stage.succeeds("teardown --yes").await;
    assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_record_to_a_load_balancer_of_another_name_or_region_is_not() {
    for alias in [
        "internal-app-alb-two-123.eu-central-1.elb.amazonaws.com.",
        "internal-app-alb-123.eu-west-1.elb.amazonaws.com.",
        "app-alb-.eu-central-1.elb.amazonaws.com.",
        "app-alb.example.com.",
        "other-123.eu-central-1.elb.amazonaws.com.",
    ] {
        let stage = Stage::standing().await;
        stage.sandbox.change(|world| {
            for zone in world.table("zones").values_mut() {
                zone["_records"][0]["AliasTarget"]["DNSName"] = alias.into();
            }
        });
        assert_eq!(stage.run("up").await.exit, Exit::Foreign, "{alias}");
        assert_eq!(stage.run("teardown --yes").await.exit, Exit::Incomplete);
        assert_eq!(alias_of_the_record(&stage).unwrap() + ".", alias);
    }
}

/// ELBv2 answers a create with a stranger's target group of the same settings, which a lagging look has not shown.
#[tokio::test(start_paused = true)]
async fn a_target_group_that_a_create_gave_us_is_not_ours() {
    let mut given = 0;
    for seed in 0..20 {
        let stage = Stage::new();
        stage.sandbox.seed(seed);
        stage.sandbox.change(|world| {
            (world.weather.describe_lag, world.weather.tags_are_settings) = (5.0, false);
        });
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        let cloud = stage.other_client().await;
        let matcher = elb::Matcher::builder().http_code("404").build();
        let request = cloud.elb.create_target_group().name("app-tg");
        let request = request
            .vpc_id("vpc-0a1b2c3d4e5f60718")
            .protocol(elb::ProtocolEnum::Http)
            .port(80)
            .target_type(elb::TargetTypeEnum::Instance)
            .health_check_protocol(elb::ProtocolEnum::Http)
            .health_check_port("8501")
            .health_check_path("/")
            .matcher(matcher);
        request.send().await.unwrap();
        let row = |stage: &Stage| stage.sandbox.world().rows("target_groups").next().cloned();
        let theirs = row(&stage);
        stage.sandbox.clear_calls();
        let outcome = stage.run("up").await;
        assert_eq!(outcome.exit, Exit::Foreign, "{:?}", outcome.problems);
        given += usize::from(stage.writes().contains(&"CreateTargetGroup".to_owned()));
        assert_eq!(row(&stage), theirs);
    }
    assert!(given > 5, "{given} of 20 looks came too early");
}

/// Somebody makes the record after our look and before our create, which must not write over it.
#[tokio::test(start_paused = true)]
async fn a_record_made_meanwhile_stays() {
    let stage = Stage::new();
    let theirs =
        json!({"Name": "app.example.com.", "Type": "A", "TTL": "300", "ResourceRecords": [{"Value": "192.0.2.1"}]});
    let other = async {
        while stage.sandbox.world().rows("balancers").next().is_none() {
            tokio::task::yield_now().await;
        }
        stage.sandbox.change(|world| {
            rows(world, "zones").for_each(|zone| zone["_records"] = json!([theirs]));
        });
    };
    let (outcome, ()) = tokio::join!(stage.run("up"), other);
    assert_eq!(outcome.exit, Exit::Foreign, "{:?}", outcome.problems);
    let world = stage.sandbox.world();
    assert_eq!(world.rows("zones").next().unwrap()["_records"], json!([theirs]));
    assert!(stage.writes().contains(&"ChangeResourceRecordSets".to_owned()));
}
