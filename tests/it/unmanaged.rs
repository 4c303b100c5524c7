//! Settings that we do not manage and that decide what runs, or protect it: an update leaves them, or says what goes
//! and wants a flag for it.

use aws_sdk_autoscaling::types as asg;
use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::types as elb;
use serde_json::json;

use crate::support::{Exit, OtherClient, Stage, Status, tables};

const NEXT: &str = "--set instance.image=api-instant-next";
const NEXT_IMAGE: &str = "ami-0c0ffee0c0ffee0c1";
const PROTECTED: &str = "protected from scale-in";
const WITHOUT_TLS: &str = "--set load_balancer.listener=http";

/// A login at an identity provider.
fn login() -> elb::Action {
    let config = elb::AuthenticateOidcActionConfig::builder()
        .issuer("https://login.example.com")
        .authorization_endpoint("https://login.example.com/authorize")
        .token_endpoint("https://login.example.com/token")
        .user_info_endpoint("https://login.example.com/me")
        .client_id("oz")
        .client_secret("secret");
    let config = config.build();
    elb::Action::builder()
        .r#type(elb::ActionTypeEnum::AuthenticateOidc)
        .order(1)
        .authenticate_oidc_config(config)
        .build()
}

fn forward(target_group: &str) -> elb::Action {
    elb::Action::builder().r#type(elb::ActionTypeEnum::Forward).order(2).target_group_arn(target_group).build()
}

fn fixed_response(order: i32) -> elb::Action {
    let config = elb::FixedResponseActionConfig::builder().status_code("503").content_type("text/plain").build();
    let action = elb::Action::builder().r#type(elb::ActionTypeEnum::FixedResponse).order(order);
    action.fixed_response_config(config).build()
}

async fn set_actions(client: &OtherClient, actions: Vec<elb::Action>) {
    let request = client.elb.modify_listener().listener_arn(client.listener(443).await);
    request.set_default_actions(Some(actions)).send().await.unwrap();
}

/// The kinds of actions of the listener on 443, in their order.
async fn kinds(client: &OtherClient) -> Vec<String> {
    let reply = client.elb.describe_listeners().listener_arns(client.listener(443).await).send().await.unwrap();
    let actions = reply.listeners()[0].default_actions().iter();
    actions.map(|action| action.r#type().unwrap().as_str().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_login_in_front_of_the_service_is_left_alone() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    set_actions(&client, vec![login(), forward(&client.target_group().await)]).await;
    assert_eq!(stage.plan().await, "");
    // Something else of the listener differs: the login stays.
    let request = client.elb.modify_listener().listener_arn(client.listener(443).await);
    request.ssl_policy("ELBSecurityPolicy-2016-08").send().await.unwrap();
    stage.succeeds("up --no-verify").await.writes(&["ModifyListener"]);
    assert_eq!(kinds(&client).await, ["authenticate-oidc", "forward"]);
    assert_eq!(stage.plan().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_login_stays_when_what_is_behind_it_is_put_right() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    set_actions(&client, vec![login(), fixed_response(2)]).await;
    let plan = stage.plan().await;
    assert!(plan.contains(r#"action: "fixed-response" -> "forward""#), "{plan}");
    assert!(plan.contains(r#"to: "503 text/plain" -> "arn:"#), "{plan}");
    stage.succeeds("up --no-verify").await.writes(&["ModifyListener"]);
    assert_eq!(kinds(&client).await, ["authenticate-oidc", "forward"]);
    assert_eq!(stage.plan().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_login_goes_with_its_listener_only_by_a_flag_that_names_it() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    set_actions(&client, vec![login(), forward(&client.target_group().await)]).await;
    let plan = stage.plan_of(&format!("plan {WITHOUT_TLS}")).await;
    assert!(plan.contains("! refused: authenticate-oidc (https://login.example.com)"), "{plan}");
    let refused = stage.run(&format!("up {WITHOUT_TLS}")).await;
    refused.refused_before_any_write().says("authenticate-oidc (https://login.example.com)");
    refused.says("--remove-authentication");
    stage.succeeds(&format!("up {WITHOUT_TLS} --remove-authentication")).await.has_called("DeleteListener");
    assert_eq!(stage.plan_of(&format!("plan {WITHOUT_TLS}")).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_login_goes_with_a_load_balancer_that_is_replaced_only_by_a_flag_that_names_it() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    set_actions(&client, vec![login(), forward(&client.target_group().await)]).await;
    let line = "up --replace --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true \
                --set network.public_subnets=[subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2]";
    stage.run(line).await.refused_before_any_write().says("--remove-authentication");
    stage.succeeds(&format!("{line} --remove-authentication")).await.has_called("DeleteLoadBalancer");
}

/// Nobody has signed in: the answer is the login's, and `up` says so.
#[tokio::test(start_paused = true)]
async fn a_version_that_does_not_come_through_a_login_is_blamed_on_the_login() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    set_actions(&client, vec![login(), forward(&client.target_group().await)]).await;
    let asked = stage.run("up").await;
    asked.exits(Exit::Unverified).writes_nothing().says("HTTP 302");
    asked.says("authenticate-oidc (https://login.example.com) stands in front of the service").says("--no-verify");
}

/// Requests that are shared between target groups, in words.
#[tokio::test(start_paused = true)]
async fn a_weighted_forward_is_shown_with_its_weights() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let (ours, theirs) = (client.target_group().await, client.create_target_group("theirs").await);
    let share = |arn: &str, weight| elb::TargetGroupTuple::builder().target_group_arn(arn).weight(weight).build();
    let config = elb::ForwardActionConfig::builder().target_groups(share(&ours, 90)).target_groups(share(&theirs, 10));
    let action = elb::Action::builder().r#type(elb::ActionTypeEnum::Forward).forward_config(config.build()).build();
    set_actions(&client, vec![action]).await;
    let plan = stage.plan().await;
    assert!(plan.contains("app-tg/") && plan.contains("(weight 90)") && plan.contains("(weight 10)"), "{plan}");
}

/// Policies that are newer or stricter than ours stay; those that take older ciphers or versions do not.
#[tokio::test(start_paused = true)]
async fn a_tls_policy_that_is_as_good_stays() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    for (policy, stays) in [
        ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", true),
        ("ELBSecurityPolicy-TLS13-1-3-2021-06", true),
        ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", true),
        ("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", false),
        ("ELBSecurityPolicy-TLS13-1-0-2021-06", false),
        ("ELBSecurityPolicy-2016-08", false),
    ] {
        let request = client.elb.modify_listener().listener_arn(client.listener(443).await);
        request.ssl_policy(policy).send().await.unwrap();
        let planned = stage.run("plan --exit-code").await;
        planned.exits(if stays { Exit::Done } else { Exit::Changes });
    }
}

/// Spot and other types, from this version of the stack's template.
async fn mix(client: &OtherClient, version: &str) {
    let reply = client.ec2.describe_launch_templates().send().await.unwrap();
    let id = reply.launch_templates()[0].launch_template_id().unwrap();
    let from = asg::LaunchTemplateSpecification::builder().launch_template_id(id).version(version).build();
    let kind = |name: &str| asg::LaunchTemplateOverrides::builder().instance_type(name).build();
    let types = vec![kind("c7i-flex.4xlarge"), kind("c7i.4xlarge")];
    let template = asg::LaunchTemplate::builder().launch_template_specification(from).set_overrides(Some(types));
    let shares = asg::InstancesDistribution::builder().on_demand_percentage_above_base_capacity(50).build();
    let policy = asg::MixedInstancesPolicy::builder().launch_template(template.build()).instances_distribution(shares);
    let request = client.autoscaling.update_auto_scaling_group().auto_scaling_group_name("app-asg");
    request.mixed_instances_policy(policy.build()).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_mixed_instances_policy_of_the_wanted_version_is_left_alone() {
    let stage = Stage::up().await;
    mix(&stage.other_client().await, "1").await;
    assert_eq!(stage.plan().await, "");
    stage.unchanged_by("up").await;
    let verified = stage.over_sockets("verify").await;
    verified.succeeds();
    verified.finds("launch_template_version", Status::Pass).sees("launch_template_version", "version 1 on 2");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_keeps_a_mixed_instances_policy_and_changes_its_version_alone() {
    let stage = Stage::up().await;
    mix(&stage.other_client().await, "1").await;
    let rolled = stage.succeeds(&format!("up {NEXT}")).await;
    rolled.writes(&["CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "StartInstanceRefresh"]);
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 2]);
    let group = stage.sandbox.world().row(tables::ASGS, "app-asg").unwrap().clone();
    let policy = &group["MixedInstancesPolicy"];
    assert_eq!(policy["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"], "2");
    assert_eq!(policy["LaunchTemplate"]["Overrides"][1]["InstanceType"], "c7i.4xlarge");
    assert_eq!(policy["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"], "50");
    assert!(group["LaunchTemplate"].is_null());
    assert_eq!(stage.plan_of(&format!("plan {NEXT}")).await, "");
}

/// `$Latest` becomes a number, and the rest of the policy stays.
#[tokio::test(start_paused = true)]
async fn a_mixed_instances_policy_on_latest_is_pinned_by_number() {
    let stage = Stage::up().await;
    mix(&stage.other_client().await, "$Latest").await;
    stage.succeeds("up").await.writes(&["UpdateAutoScalingGroup"]);
    let group = stage.sandbox.world().row(tables::ASGS, "app-asg").unwrap().clone();
    let template = &group["MixedInstancesPolicy"]["LaunchTemplate"];
    assert_eq!(template["LaunchTemplateSpecification"]["Version"], "1");
    assert_eq!(template["Overrides"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn protected_instances_are_replaced_only_by_a_flag_that_names_them() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.instances().protect_from_scale_in());
    let plan = stage.plan_of(&format!("plan {NEXT}")).await;
    assert!(plan.contains("! refused: i-") && plan.contains(PROTECTED), "{plan}");
    let refused = stage.run(&format!("up {NEXT}")).await;
    refused.refused_before_any_write().says(PROTECTED).says("--protected-instances");
    stage.succeeds(&format!("up {NEXT} --protected-instances refresh")).await;
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 2]);
    let refresh = stage.sandbox.world().rows(tables::REFRESHES).next().unwrap().clone();
    assert_eq!(refresh["Preferences"]["ScaleInProtectedInstances"], "Refresh");
}

#[tokio::test(start_paused = true)]
async fn a_protected_instance_is_left_where_that_was_asked() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.instance(0).protect_from_scale_in());
    let line = format!("up {NEXT} --protected-instances ignore");
    stage.succeeds(&line).await;
    let mut kept = stage.images();
    kept.sort();
    assert_eq!(kept, ["ami-0c0ffee0c0ffee0c0", NEXT_IMAGE]);
}

/// The refresh waits for an hour, and its version is not to blame.
#[tokio::test(start_paused = true)]
async fn a_version_is_not_refused_later_because_protected_instances_were_in_its_way() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.instance(0).protect_from_scale_in());
    let waited = stage.run(&format!("up {NEXT} --protected-instances wait --timeout 4h")).await;
    waited.exits(Exit::Unverified).ends_as("rolled_back").says(PROTECTED.replace('-', " ").as_str());
    let client = stage.other_client().await;
    let world = stage.sandbox.world();
    let protected = world.rows(tables::INSTANCES).filter(|row| row["_protected"] == true);
    let ids: Vec<String> = protected.map(|row| row["instanceId"].as_str().unwrap().to_owned()).collect();
    let request = client.autoscaling.set_instance_protection().auto_scaling_group_name("app-asg");
    request.set_instance_ids(Some(ids)).protected_from_scale_in(false).send().await.unwrap();
    stage.succeeds(&format!("up {NEXT}")).await;
    assert_eq!(stage.images(), vec![NEXT_IMAGE.to_owned(); 2]);
}

#[tokio::test(start_paused = true)]
async fn instances_in_standby_are_replaced_only_by_a_flag_that_names_them() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.instance(0).enter_standby());
    let refused = stage.run(&format!("up {NEXT}")).await;
    refused.refused_before_any_write().says("in standby").says("--standby-instances");
    stage.succeeds(&format!("up {NEXT} --standby-instances terminate")).await;
    assert!(!stage.images().contains(&"ami-0c0ffee0c0ffee0c0".to_owned()), "{:?}", stage.images());
    let refresh = stage.sandbox.world().rows(tables::REFRESHES).next().unwrap().clone();
    assert_eq!(refresh["Preferences"]["StandbyInstances"], json!("Terminate"));
}

/// A plan promises nothing that `up` refuses.
#[tokio::test(start_paused = true)]
async fn a_plan_says_what_up_refuses() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.mute.push(NEXT_IMAGE.to_owned()));
    stage.run(&format!("up {NEXT}")).await.ends_as("rolled_back");
    let planned = stage.run(&format!("plan {NEXT}")).await;
    planned.sums_up("would refuse");
    let plan = stage.plan_of(&format!("plan {NEXT}")).await;
    assert!(plan.contains("! refused: version 2 was rolled back") && plan.contains("--force"), "{plan}");
    stage.edit(|aws| aws.auto_scaling_group().desired_capacity(5));
    let plan = stage.plan_of("plan --set scaling.max=3").await;
    assert!(plan.contains("! refused: scaling.max 3 is below the 5 instances"), "{plan}");
    assert!(plan.contains("--allow-scale-in"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_group_in_a_rollout_is_rolling_and_not_leaving() {
    let stage = Stage::up().await;
    stage.killed_after(200, &format!("up {NEXT}")).await;
    let status = stage.succeeds(&format!("status {NEXT}")).await;
    let group = status.standing.iter().find(|one| one.resource == "auto_scaling_group").unwrap();
    assert_eq!(group.state, "rolling");
}

/// Those that a rollout has just replaced are not drift.
#[tokio::test(start_paused = true)]
async fn instances_on_their_way_out_are_left_out_of_the_versions() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.instance(0).come_from_version("7"));
    let id = stage.sandbox.world().rows(tables::INSTANCES).next().unwrap()["instanceId"].as_str().unwrap().to_owned();
    stage.edit(|aws| aws.terminate(&id));
    stage.run("verify").await.finds("launch_template_version", Status::Pass);
}

/// Settings of a template's version that deploy.yaml does not name.
#[tokio::test(start_paused = true)]
async fn a_new_template_version_takes_over_what_we_do_not_manage() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let market = ec2::LaunchTemplateInstanceMarketOptionsRequest::builder().market_type(ec2::MarketType::Spot).build();
    let data = ec2::RequestLaunchTemplateData::builder().user_data("IyEvYmluL3No").disable_api_termination(true);
    client.replace_launch_template(data.instance_market_options(market).build(), Some("1")).await;
    // What is extra is no difference of the template; its default version is what the group gets.
    stage.succeeds("up").await.changed(&["auto_scaling_group"]);
    let rolled = stage.succeeds(&format!("up {NEXT}")).await;
    rolled.changed(&["launch_template", "auto_scaling_group"]);
    let templates = client.ec2.describe_launch_template_versions().launch_template_name("app-launch-template");
    let reply = templates.versions("$Default").send().await.unwrap();
    let data = reply.launch_template_versions()[0].launch_template_data().unwrap().clone();
    assert_eq!((data.image_id(), data.user_data()), (Some(NEXT_IMAGE), Some("IyEvYmluL3No")));
    assert_eq!(data.disable_api_termination(), Some(true));
    assert_eq!(data.instance_market_options().unwrap().market_type(), Some(&ec2::MarketType::Spot));
    assert_eq!(stage.plan_of(&format!("plan {NEXT}")).await, "");
}

/// What a person set on the metadata service, beside what we decide of it: no difference, and kept by a new version,
/// also by one that is made from nothing.
#[tokio::test(start_paused = true)]
async fn options_of_the_metadata_service_that_are_not_ours_stay() {
    let interface = ec2::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder().device_index(0).build();
    for (from_nothing, hops) in [(false, 3), (true, 3), (false, 2)] {
        let stage = Stage::up().await.noting(format!("{from_nothing}, {hops}"));
        let client = stage.other_client().await;
        let options = ec2::LaunchTemplateInstanceMetadataOptionsRequest::builder()
            .http_tokens(ec2::LaunchTemplateHttpTokensState::Required)
            .http_put_response_hop_limit(hops)
            .http_endpoint(ec2::LaunchTemplateInstanceMetadataEndpointState::Disabled)
            .instance_metadata_tags(ec2::LaunchTemplateInstanceMetadataTagsState::Enabled);
        let data = ec2::RequestLaunchTemplateData::builder().metadata_options(options.build());
        let data = data.set_network_interfaces(from_nothing.then(|| vec![interface.clone()]));
        client.replace_launch_template(data.build(), Some("1")).await;
        if !from_nothing {
            stage.succeeds("up").await.changed(&["auto_scaling_group"]);
        }
        stage.succeeds(&format!("up {NEXT}")).await;
        let templates = client.ec2.describe_launch_template_versions().launch_template_name("app-launch-template");
        let reply = templates.versions("$Default").send().await.unwrap();
        let data = reply.launch_template_versions()[0].launch_template_data().unwrap().clone();
        assert_eq!(data.image_id(), Some(NEXT_IMAGE));
        let options = data.metadata_options().unwrap();
        assert_eq!(options.http_put_response_hop_limit(), Some(hops), "{options:?}");
        assert_eq!(options.http_endpoint().unwrap().as_str(), "disabled");
        assert_eq!(options.instance_metadata_tags().unwrap().as_str(), "enabled");
        assert_eq!(stage.plan_of(&format!("plan {NEXT}")).await, "");
    }
}

/// Protection against termination stays also where a version cannot be a copy of the one before.
#[tokio::test(start_paused = true)]
async fn a_template_version_made_from_nothing_keeps_its_protections() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let interface = ec2::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder().device_index(0).build();
    let data = ec2::RequestLaunchTemplateData::builder().network_interfaces(interface).disable_api_termination(true);
    client.replace_launch_template(data.build(), Some("1")).await;
    stage.succeeds(&format!("up {NEXT}")).await;
    let templates = client.ec2.describe_launch_template_versions().launch_template_name("app-launch-template");
    let reply = templates.versions("$Default").send().await.unwrap();
    let data = reply.launch_template_versions()[0].launch_template_data().unwrap().clone();
    assert_eq!(data.disable_api_termination(), Some(true));
    assert!(data.network_interfaces().is_empty());
}

/// What someone set on target group and load balancer, and deploy.yaml does not name.
#[tokio::test(start_paused = true)]
async fn attributes_of_target_group_and_load_balancer_are_left_alone() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let of_group = [
        ("stickiness.enabled", "true"),
        ("slow_start.duration_seconds", "0"),
        ("deregistration_delay.timeout_seconds", "60"),
        ("load_balancing.cross_zone.enabled", "true"),
    ];
    let group = of_group.map(|(key, value)| elb::TargetGroupAttribute::builder().key(key).value(value).build());
    let request = client.elb.modify_target_group_attributes().target_group_arn(client.target_group().await);
    request.set_attributes(Some(group.to_vec())).send().await.unwrap();
    let of_balancer = [
        ("deletion_protection.enabled", "true"),
        ("waf.fail_open.enabled", "true"),
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
        ("idle_timeout.timeout_seconds", "120"),
    ];
    let balancer = of_balancer.map(|(key, value)| elb::LoadBalancerAttribute::builder().key(key).value(value).build());
    let arn = client.load_balancer().await.load_balancer_arn.unwrap();
    let request = client.elb.modify_load_balancer_attributes().load_balancer_arn(&arn);
    request.set_attributes(Some(balancer.to_vec())).send().await.unwrap();
    assert_eq!(stage.plan().await, "");
    // An update of either leaves them too.
    stage.edit(|aws| {
        aws.target_group().matcher("200");
        aws.target_group().algorithm("round_robin");
    });
    stage.succeeds("up").await.changed(&["target_group"]);
    let reply = client.elb.describe_load_balancer_attributes().load_balancer_arn(&arn).send().await.unwrap();
    for (key, value) in of_balancer {
        let found = reply.attributes().iter().find(|one| one.key() == Some(key)).unwrap();
        assert_eq!(found.value(), Some(value), "{key}");
    }
    let request = client.elb.describe_target_group_attributes().target_group_arn(client.target_group().await);
    let reply = request.send().await.unwrap();
    for (key, value) in of_group {
        let found = reply.attributes().iter().find(|one| one.key() == Some(key)).unwrap();
        assert_eq!(found.value(), Some(value), "{key}");
    }
}
