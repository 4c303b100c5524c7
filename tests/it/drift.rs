//! What somebody changed by hand: `plan` shows exactly that, `up` mends exactly that.

use aws_sdk_autoscaling::types as asg;
use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::types as elb;
use aws_sdk_route53::types as dns;
use expect_test::{Expect, expect};

use crate::support::{Cloud, Stage};

/// After this edit the plan is that, the mending writes are those, and then nothing is left to do.
async fn drift(edit: impl AsyncFnOnce(&Cloud), plan: Expect, writes: &[&str]) {
    let stage = Stage::standing().await;
    edit(&stage.other_client().await).await;
    stage.writes();
    plan.assert_eq(&stage.plan().await);
    assert_eq!(stage.writes(), Vec::<String>::new(), "a plan only reads");
    stage.succeeds("up").await;
    assert_eq!(stage.writes(), writes);
    assert_eq!(stage.plan().await, "");
}

async fn group_id(cloud: &Cloud, name: &str) -> String {
    let all = cloud.ec2.describe_security_groups().send().await.unwrap().security_groups.unwrap();
    all.into_iter().find(|group| group.group_name() == Some(name)).unwrap().group_id.unwrap()
}

async fn make_default(cloud: &Cloud, template: &str, version: &str) {
    let request = cloud.ec2.modify_launch_template().launch_template_name(template);
    request.default_version(version).send().await.unwrap();
}

async fn target_group(cloud: &Cloud) -> String {
    let reply = cloud.elb.describe_target_groups().names("app-tg").send().await.unwrap();
    reply.target_groups()[0].target_group_arn().unwrap().to_owned()
}

async fn load_balancer(cloud: &Cloud) -> elb::LoadBalancer {
    let reply = cloud.elb.describe_load_balancers().names("app-alb").send().await.unwrap();
    reply.load_balancers()[0].clone()
}

fn ssh() -> ec2::IpPermission {
    let range = ec2::IpRange::builder().cidr_ip("0.0.0.0/0").build();
    ec2::IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(range).build()
}

#[tokio::test(start_paused = true)]
async fn a_rule_removed() {
    let edit = async |cloud: &Cloud| {
        let id = group_id(cloud, "alb-sg").await;
        let https = ec2::IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443);
        let https = https.ip_ranges(ec2::IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
        cloud.ec2.revoke_security_group_ingress().group_id(id).ip_permissions(https).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
          ~ update   load_balancer_security_group_rules  alb-sg  (guide step 1)
                ingress."tcp 443 0.0.0.0/0": (absent) -> "Allow HTTPS traffic"

        Plan: 1 to update.
    "#]],
        &["AuthorizeSecurityGroupIngress"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_added() {
    let edit = async |cloud: &Cloud| {
        let id = group_id(cloud, "app-sg").await;
        cloud.ec2.authorize_security_group_ingress().group_id(id).ip_permissions(ssh()).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
          ~ update   instance_security_group_rules  app-sg  (guide step 1)
                ingress."tcp 22 0.0.0.0/0": "" -> (absent)

        Plan: 1 to update.
    "#]],
        &["RevokeSecurityGroupIngress"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_target_group_of_the_consoles_wizard() {
    let edit = async |cloud: &Cloud| {
        let arn = target_group(cloud).await;
        let matcher = elb::Matcher::builder().http_code("200").build();
        let request = cloud.elb.modify_target_group().target_group_arn(&arn).matcher(matcher);
        request.health_check_port("traffic-port").send().await.unwrap();
        let key = "load_balancing.algorithm.type";
        let attribute = elb::TargetGroupAttribute::builder().key(key).value("round_robin").build();
        let request = cloud.elb.modify_target_group_attributes().target_group_arn(arn);
        request.attributes(attribute).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
              ~ update   target_group  app-tg  (guide step 5)
                    health_check.port: "traffic-port" -> "8501"
                    health_check.success_codes: "200" -> "404"
                    algorithm: "round_robin" -> "least_outstanding_requests"

            Plan: 1 to update.
        "#]],
        &["ModifyTargetGroup", "ModifyTargetGroupAttributes"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_matcher_back_to_200_is_one_call() {
    let edit = async |cloud: &Cloud| {
        let matcher = elb::Matcher::builder().http_code("200").build();
        let request = cloud.elb.modify_target_group().target_group_arn(target_group(cloud).await);
        request.matcher(matcher).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
          ~ update   target_group  app-tg  (guide step 5)
                health_check.success_codes: "200" -> "404"

        Plan: 1 to update.
    "#]],
        &["ModifyTargetGroup"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_document_edited_goes_back_to_the_version_that_is_right() {
    let edit = async |cloud: &Cloud| {
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let arn = "arn:aws:iam::123456789012:policy/OZMarketplacePolicy";
        let request = cloud.iam.create_policy_version().policy_arn(arn).policy_document(document);
        request.set_as_default(true).send().await.unwrap();
    };
    drift(edit, expect![[r#"
          ~ update   policy  OZMarketplacePolicy  (guide step 2)
                document.Statement: [{"Action":["*"],"Effect":"Allow","Resource":["*"]}] -> [{"Action":["aws-marketplace:batchmeterusage","aws-marketplace:getentitlements","aws-marketplace:meterusage"],"Effect":"Allow","Resource":["*"]}]

        Plan: 1 to update.
    "#]], &["SetDefaultPolicyVersion"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_with_five_versions_loses_the_oldest() {
    let edit = async |cloud: &Cloud| {
        let arn = "arn:aws:iam::123456789012:policy/OZMarketplacePolicy";
        for action in ["a:A", "a:B", "a:C", "a:D"] {
            let document = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
            );
            let request = cloud.iam.create_policy_version().policy_arn(arn).policy_document(document);
            request.set_as_default(true).send().await.unwrap();
        }
        cloud.iam.delete_policy_version().policy_arn(arn).version_id("v1").send().await.unwrap();
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"a:E","Resource":"*"}]}"#;
        let request = cloud.iam.create_policy_version().policy_arn(arn).policy_document(document);
        request.set_as_default(true).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
              ~ update   policy  OZMarketplacePolicy  (guide step 2)
                    document.Statement: [{"Action":["a:e"],"Effect":"Deny","Resource":["*"]}] -> [{"Action":["aws-marketplace:batchmeterusage","aws-marketplace:getentitlements","aws-marketplace:meterusage"],"Effect":"Allow","Resource":["*"]}]

            Plan: 1 to update.
        "#]],
        &["DeletePolicyVersion", "CreatePolicyVersion"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_templates_default_version_moved() {
    let edit = async |cloud: &Cloud| {
        let data = ec2::RequestLaunchTemplateData::builder();
        let data = data.instance_type(ec2::InstanceType::T3Micro).build();
        let name = "app-launch-template";
        let request = cloud.ec2.create_launch_template_version().launch_template_name(name);
        request.launch_template_data(data).send().await.unwrap();
        make_default(cloud, name, "2").await;
    };
    drift(
        edit,
        expect![[r#"
              ~ update   launch_template     app-launch-template  (guide step 3)
                    image: "" -> "ami-0c0ffee0c0ffee0c0"
                    instance_type: "t3.micro" -> "c7i-flex.4xlarge"
                    security_groups: [] -> ["sg-00000000000000008"]
                    instance_profile: "" -> "OZMarketplace"
                    volume.device: "" -> "/dev/xvda"
                    volume.kind: "" -> "gp3"
                    volume.size_gib: 0 -> 50
                    volume.iops: 0 -> 12000
                    volume.throughput_mibps: 0 -> 500
                    volume.delete_on_termination: false -> true
                    imds_tokens: "optional" -> "required"
                    launched.network-interface.Name: (absent) -> "app-asg"
                    launched.network-interface.oz-deploy:stack: (absent) -> "oz-liveness"
                    launched.volume.Name: (absent) -> "app-asg"
                    launched.volume.oz-deploy:stack: (absent) -> "oz-liveness"
              ~ update   auto_scaling_group  app-asg              (guide step 4)
                    launch_template_version: "1" -> (known after apply)
                    an instance refresh brings it to the instances: launch before terminate, back by itself when it fails

            Plan: 2 to update.
        "#]],
        &["ModifyLaunchTemplate"],
    )
    .await;
}

/// A copy of our version with more in it: what a new version would drop is named, and not dropped in silence.
#[tokio::test(start_paused = true)]
async fn a_template_with_settings_of_somebody_else() {
    let edit = async |cloud: &Cloud| {
        let device = ec2::LaunchTemplateBlockDeviceMappingRequest::builder()
            .device_name("/dev/xvda")
            .ebs(
                ec2::LaunchTemplateEbsBlockDeviceRequest::builder()
                    .volume_type(ec2::VolumeType::Gp3)
                    .volume_size(50)
                    .iops(12000)
                    .throughput(500)
                    .delete_on_termination(true)
                    .encrypted(true)
                    .build(),
            )
            .build();
        let data =
            ec2::RequestLaunchTemplateData::builder().user_data("IyEvYmluL3No").block_device_mappings(device).build();
        let name = "app-launch-template";
        let request = cloud.ec2.create_launch_template_version().launch_template_name(name).source_version("1");
        request.launch_template_data(data).send().await.unwrap();
        make_default(cloud, name, "2").await;
    };
    drift(
        edit,
        expect![[r#"
          ~ update   launch_template     app-launch-template  (guide step 3)
                others: ["user_data","volume.encrypted"] -> (absent)
          ~ update   auto_scaling_group  app-asg              (guide step 4)
                launch_template_version: "1" -> (known after apply)
                an instance refresh brings it to the instances: launch before terminate, back by itself when it fails

        Plan: 2 to update.
    "#]],
        &["ModifyLaunchTemplate"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cpu_target_changed() {
    let edit = async |cloud: &Cloud| {
        let metric = asg::PredefinedMetricSpecification::builder()
            .predefined_metric_type(asg::MetricType::AsgAverageCpuUtilization)
            .build();
        let tracking = asg::TargetTrackingConfiguration::builder().predefined_metric_specification(metric);
        let request = cloud.autoscaling.put_scaling_policy().auto_scaling_group_name("app-asg");
        let request = request.policy_name("app-asg-cpu").policy_type("TargetTrackingScaling");
        request.target_tracking_configuration(tracking.target_value(80.0).build()).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
          ~ update   scaling_policy  app-asg-cpu  (guide step 4)
                target_percent: 80.0 -> 30.0

        Plan: 1 to update.
    "#]],
        &["PutScalingPolicy"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_group_resized_and_its_desired_capacity_is_left_alone() {
    let edit = async |cloud: &Cloud| {
        let request = cloud.autoscaling.update_auto_scaling_group().auto_scaling_group_name("app-asg");
        request.max_size(50).desired_capacity(5).health_check_grace_period(0).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
          ~ update   auto_scaling_group  app-asg  (guide step 4)
                max: 50 -> 91
                grace_period_seconds: 0 -> 300

        Plan: 1 to update.
    "#]],
        &["UpdateAutoScalingGroup"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_redirect_changed() {
    let edit = async |cloud: &Cloud| {
        let balancer = load_balancer(cloud).await.load_balancer_arn.unwrap();
        let reply = cloud.elb.describe_listeners().load_balancer_arn(balancer).send().await.unwrap();
        let http =
            reply.listeners().iter().find(|one| one.port() == Some(80)).unwrap().listener_arn().unwrap().to_owned();
        let action = elb::Action::builder().r#type(elb::ActionTypeEnum::Forward);
        let action = action.target_group_arn(target_group(cloud).await).build();
        cloud.elb.modify_listener().listener_arn(http).default_actions(action).send().await.unwrap();
    };
    drift(edit, expect![[r#"
          ~ update   http_listener  app-alb:80  (guide step 4)
                action: "forward" -> "redirect"
                to: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/app-tg/0000000000000001" -> "https://#{host}:443/#{path}?#{query}"

        Plan: 1 to update.
    "#]], &["ModifyListener"]).await;
}

/// Points the record at this name, through the same door as the console.
async fn point(cloud: &Cloud, name: &str, evaluate: bool) {
    let alias = dns::AliasTarget::builder().hosted_zone_id("Z215JYRZR1TBD5").dns_name(name);
    let alias = alias.evaluate_target_health(evaluate).build().unwrap();
    let set = dns::ResourceRecordSet::builder().name("app.example.com").r#type(dns::RrType::A).alias_target(alias);
    let change = dns::Change::builder().action(dns::ChangeAction::Upsert).resource_record_set(set.build().unwrap());
    let batch = dns::ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
    let request = cloud.route53.change_resource_record_sets().hosted_zone_id("Z0SANDBOX0EXAMPLE");
    request.change_batch(batch).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_record_that_points_at_another_load_balancer_of_ours() {
    let edit = async |cloud: &Cloud| {
        let ours = load_balancer(cloud).await;
        let subnets = ours.availability_zones().iter().map(|zone| zone.subnet_id().unwrap().to_owned()).collect();
        let tag = elb::Tag::builder().key("oz-deploy:stack").value("oz-liveness").build();
        let request = cloud.elb.create_load_balancer().name("old-alb").set_subnets(Some(subnets)).tags(tag);
        let old = request.send().await.unwrap().load_balancers()[0].dns_name().unwrap().to_owned();
        point(cloud, &old, true).await;
    };
    drift(edit, expect![[r#"
          ~ update   dns_record  app.example.com  (guide step 7)
                alias: "old-alb-000000029.eu-central-1.elb.amazonaws.com" -> "internal-app-alb-000000005.eu-central-1.elb.amazonaws.com"

        Plan: 1 to update.
    "#]], &["ChangeResourceRecordSets"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_does_not_heed_the_targets_health() {
    let edit = async |cloud: &Cloud| point(cloud, load_balancer(cloud).await.dns_name().unwrap(), false).await;
    drift(
        edit,
        expect![[r#"
          ~ update   dns_record  app.example.com  (guide step 7)
                evaluate_target_health: false -> true

        Plan: 1 to update.
    "#]],
        &["ChangeResourceRecordSets"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_role_taken_out_of_its_profile_and_a_policy_detached() {
    let edit = async |cloud: &Cloud| {
        let request = cloud.iam.remove_role_from_instance_profile().instance_profile_name("OZMarketplace");
        request.role_name("OZMarketplace").send().await.unwrap();
        let arn = "arn:aws:iam::123456789012:policy/OZMarketplacePolicy";
        cloud.iam.detach_role_policy().role_name("OZMarketplace").policy_arn(arn).send().await.unwrap();
    };
    drift(
        edit,
        expect![[r#"
              + create   role_policy_attachment  OZMarketplace/OZMarketplacePolicy  (guide step 2)
                    role: "OZMarketplace"
                    policy: "arn:aws:iam::123456789012:policy/OZMarketplacePolicy"
              ~ update   instance_profile        OZMarketplace                      (guide step 2)
                    role: (absent) -> "OZMarketplace"

            Plan: 1 to create, 1 to update.
        "#]],
        &["AddRoleToInstanceProfile", "AttachRolePolicy"],
    )
    .await;
}
