//! What someone changed by hand: `plan` shows exactly that, `up` puts exactly that right.

use aws_sdk_autoscaling::types as asg;
use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::types as elb;
use expect_test::expect;

use crate::support::{Frame, OtherClient, POLICY_ARN, Stage, Status, status_text};

/// After this edit, `up` makes these writes, and then nothing is left to do. The plan before it.
async fn drift(edit: impl AsyncFnOnce(&OtherClient), writes: &[&str]) -> String {
    let stage = Stage::up().await;
    edit(&stage.other_client().await).await;
    let plan = stage.plan().await;
    stage.succeeds("up").await.writes(writes);
    assert_eq!(stage.plan().await, "");
    plan
}

fn tcp(port: i32) -> ec2::IpPermission {
    let range = ec2::IpRange::builder().cidr_ip("0.0.0.0/0").build();
    ec2::IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range).build()
}

fn matcher(codes: &str) -> elb::Matcher {
    elb::Matcher::builder().http_code(codes).build()
}

#[tokio::test(start_paused = true)]
async fn a_removed_rule_is_put_back() {
    let edit = async |client: &OtherClient| {
        let id = client.security_group("alb-sg").await;
        client.ec2.revoke_security_group_ingress().group_id(id).ip_permissions(tcp(443)).send().await.unwrap();
    };
    let plan = drift(edit, &["AuthorizeSecurityGroupIngress"]).await;
    expect![[r#"
          ~ update   load_balancer_security_group_rules  alb-sg  (guide step 1)
                ingress."tcp 443 from 0.0.0.0/0": (absent) -> "Allow HTTPS traffic"

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn an_added_rule_is_taken_out() {
    let edit = async |client: &OtherClient| {
        let id = client.security_group("app-sg").await;
        client.ec2.authorize_security_group_ingress().group_id(id).ip_permissions(tcp(22)).send().await.unwrap();
    };
    let plan = drift(edit, &["RevokeSecurityGroupIngress"]).await;
    expect![[r#"
          ~ update   instance_security_group_rules  app-sg  (guide step 1)
                ingress."tcp 22 from 0.0.0.0/0": "" -> (absent)

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_target_group_as_the_consoles_wizard_makes_it_is_corrected() {
    let edit = async |client: &OtherClient| {
        let arn = client.target_group().await;
        let request = client.elb.modify_target_group().target_group_arn(&arn).matcher(matcher("200"));
        request.health_check_port("traffic-port").send().await.unwrap();
        let key = "load_balancing.algorithm.type";
        let attribute = elb::TargetGroupAttribute::builder().key(key).value("round_robin").build();
        let request = client.elb.modify_target_group_attributes().target_group_arn(arn);
        request.attributes(attribute).send().await.unwrap();
    };
    let plan = drift(edit, &["ModifyTargetGroup", "ModifyTargetGroupAttributes"]).await;
    expect![[r#"
          ~ update   target_group  app-tg  (guide step 5)
                health_check.port: "traffic-port" -> "8501"
                health_check.success_codes: "200" -> "404"
                algorithm: "round_robin" -> "least_outstanding_requests"

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_matcher_back_to_200_is_one_call() {
    let edit = async |client: &OtherClient| {
        let request = client.elb.modify_target_group().target_group_arn(client.target_group().await);
        request.matcher(matcher("200")).send().await.unwrap();
    };
    let plan = drift(edit, &["ModifyTargetGroup"]).await;
    expect![[r#"
          ~ update   target_group  app-tg  (guide step 5)
                health_check.success_codes: "200" -> "404"

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_policy_document_that_was_edited_goes_back_to_the_version_that_is_right() {
    let edit = async |client: &OtherClient| {
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        client.replace_policy(document).await;
    };
    let plan = drift(edit, &["SetDefaultPolicyVersion"]).await;
    expect![[r#"
          ~ update   policy  OZMarketplacePolicy  (guide step 2)
                document.Statement:
                  - Allow * on *
                  + Allow aws-marketplace:BatchMeterUsage on *
                  + Allow aws-marketplace:GetEntitlements on *
                  + Allow aws-marketplace:MeterUsage on *

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_policy_with_five_versions_loses_the_oldest() {
    let edit = async |client: &OtherClient| {
        let document = |effect: &str, action: &str| {
            let statement = format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}"#);
            format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
        };
        for action in ["a:A", "a:B", "a:C", "a:D"] {
            client.replace_policy(&document("Allow", action)).await;
        }
        client.iam.delete_policy_version().policy_arn(POLICY_ARN).version_id("v1").send().await.unwrap();
        client.replace_policy(&document("Deny", "a:E")).await;
    };
    let plan = drift(edit, &["DeletePolicyVersion", "CreatePolicyVersion"]).await;
    expect![[r#"
          ~ update   policy  OZMarketplacePolicy  (guide step 2)
                document.Statement:
                  - Deny a:E on *
                  + Allow aws-marketplace:BatchMeterUsage on *
                  + Allow aws-marketplace:GetEntitlements on *
                  + Allow aws-marketplace:MeterUsage on *

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_template_whose_default_was_moved_gets_it_back() {
    let edit = async |client: &OtherClient| {
        let data = ec2::RequestLaunchTemplateData::builder().instance_type(ec2::InstanceType::T3Micro);
        client.replace_launch_template(data.build(), None).await;
    };
    let plan = drift(edit, &["ModifyLaunchTemplate"]).await;
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
                imds_hops: (absent) -> 2
                launched.network-interface.Name: (absent) -> "app-asg"
                launched.network-interface.oz-deploy:stack: (absent) -> "oz-liveness"
                launched.volume.Name: (absent) -> "app-asg"
                launched.volume.oz-deploy:stack: (absent) -> "oz-liveness"
          ~ update   auto_scaling_group  app-asg              (guide step 4)
                launch_template_version: "1" -> (known after apply)
                an instance refresh brings it to the instances: launch before terminate, back by itself when it fails

        Plan: 2 to update.
    "#]]
    .assert_eq(&plan);
}

/// A copy of our version with more in it.
#[tokio::test(start_paused = true)]
async fn settings_that_a_new_template_version_would_be_without_are_named() {
    let edit = async |client: &OtherClient| {
        let disk = ec2::LaunchTemplateEbsBlockDeviceRequest::builder().volume_type(ec2::VolumeType::Gp3);
        let disk = disk.volume_size(50).iops(12000).throughput(500).delete_on_termination(true).encrypted(true);
        let device = ec2::LaunchTemplateBlockDeviceMappingRequest::builder().device_name("/dev/xvda");
        let interface = ec2::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder().device_index(0);
        let data = ec2::RequestLaunchTemplateData::builder().user_data("IyEvYmluL3No").disable_api_termination(true);
        let data = data.block_device_mappings(device.ebs(disk.build()).build()).network_interfaces(interface.build());
        client.replace_launch_template(data.build(), Some("1")).await;
    };
    // Encryption is kept: a new version has it.
    let writes = ["CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "StartInstanceRefresh"];
    let plan = drift(edit, &writes).await;
    expect![[r#"
          ~ update   launch_template     app-launch-template  (guide step 3)
                others: ["network_interfaces","user_data"] -> (absent)
          ~ update   auto_scaling_group  app-asg              (guide step 4)
                launch_template_version: "1" -> (known after apply)
                an instance refresh brings it to the instances: launch before terminate, back by itself when it fails

        Plan: 2 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_changed_cpu_target_is_put_back() {
    let edit = async |client: &OtherClient| {
        let cpu = asg::MetricType::AsgAverageCpuUtilization;
        let metric = asg::PredefinedMetricSpecification::builder().predefined_metric_type(cpu).build();
        let tracking = asg::TargetTrackingConfiguration::builder().predefined_metric_specification(metric);
        let request = client.autoscaling.put_scaling_policy().auto_scaling_group_name("app-asg");
        let request = request.policy_name("app-asg-cpu").policy_type("TargetTrackingScaling");
        request.target_tracking_configuration(tracking.target_value(80.0).build()).send().await.unwrap();
    };
    let plan = drift(edit, &["PutScalingPolicy"]).await;
    expect![[r#"
          ~ update   scaling_policy  app-asg-cpu  (guide step 4)
                target_percent: 80.0 -> 30.0

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_was_switched_off_scales_again() {
    let edit = async |client: &OtherClient| {
        let cpu = asg::MetricType::AsgAverageCpuUtilization;
        let metric = asg::PredefinedMetricSpecification::builder().predefined_metric_type(cpu).build();
        let tracking = asg::TargetTrackingConfiguration::builder().predefined_metric_specification(metric);
        let request = client.autoscaling.put_scaling_policy().auto_scaling_group_name("app-asg").enabled(false);
        let request = request.policy_name("app-asg-cpu").policy_type("TargetTrackingScaling");
        request.target_tracking_configuration(tracking.target_value(30.0).build()).send().await.unwrap();
    };
    let plan = drift(edit, &["PutScalingPolicy"]).await;
    expect![[r#"
          ~ update   scaling_policy  app-asg-cpu  (guide step 4)
                enabled: false -> true

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

/// A set of health checks that has the load balancer's is as wanted: further ones are not ours to take off.
#[tokio::test(start_paused = true)]
async fn further_health_checks_of_the_group_stay() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let request = client.autoscaling.update_auto_scaling_group().auto_scaling_group_name("app-asg");
    request.health_check_type("EBS,ELB").send().await.unwrap();
    assert_eq!(stage.plan().await, "");
    stage.unchanged_by("up").await;
}

/// The quota is 60 rules: two ports from 25 networks fit, and beside 50 others they do not.
#[tokio::test(start_paused = true)]
async fn rules_that_do_not_fit_beside_the_old_ones_take_their_place() {
    let networks = |second: u8| {
        let networks: Vec<String> = (0..25).map(|third| format!("10.{second}.{third}.0/24")).collect();
        format!("up --set load_balancer.ingress_cidrs=[{}]", networks.join(","))
    };
    let stage = Stage::new();
    stage.succeeds(&networks(1)).await;
    let replaced = stage.succeeds(&networks(2)).await;
    replaced.was_refused("RulesPerSecurityGroupLimitExceeded").changed(&["load_balancer_security_group_rules"]);
    stage.unchanged_by(&networks(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_resized_group_gets_its_limits_back_and_keeps_its_desired_capacity() {
    let edit = async |client: &OtherClient| {
        let request = client.autoscaling.update_auto_scaling_group().auto_scaling_group_name("app-asg");
        request.max_size(50).desired_capacity(5).health_check_grace_period(0).send().await.unwrap();
    };
    let plan = drift(edit, &["UpdateAutoScalingGroup"]).await;
    expect![[r#"
          ~ update   auto_scaling_group  app-asg  (guide step 4)
                max: 50 -> 91
                grace_period_seconds: 0 -> 300

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_changed_redirect_is_put_back() {
    let edit = async |client: &OtherClient| {
        let listener = client.listener(80).await;
        let action = elb::Action::builder().r#type(elb::ActionTypeEnum::Forward);
        let action = action.target_group_arn(client.target_group().await).build();
        client.elb.modify_listener().listener_arn(listener).default_actions(action).send().await.unwrap();
    };
    let plan = drift(edit, &["ModifyListener"]).await;
    expect![[r#"
          ~ update   http_listener  app-alb:80  (guide step 4)
                action: "forward" -> "redirect"
                to: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/app-tg/0000000000000001" -> "https://#{host}:443/#{path}?#{query}"

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_points_at_another_load_balancer_of_ours_is_pointed_back() {
    let edit = async |client: &OtherClient| {
        let ours = client.load_balancer().await;
        let subnets = ours.availability_zones().iter().map(|zone| zone.subnet_id().unwrap().to_owned()).collect();
        let tag = elb::Tag::builder().key("oz-deploy:stack").value("oz-liveness").build();
        let request = client.elb.create_load_balancer().name("old-alb").set_subnets(Some(subnets)).tags(tag);
        let old = request.send().await.unwrap().load_balancers()[0].dns_name().unwrap().to_owned();
        client.point_record(&old, true).await;
    };
    let plan = drift(edit, &["ChangeResourceRecordSets"]).await;
    expect![[r#"
          ~ update   dns_record  app.example.com  (guide step 7)
                alias: "old-alb-000000030.eu-central-1.elb.amazonaws.com" -> "internal-app-alb-000000005.eu-central-1.elb.amazonaws.com"

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_ignores_the_targets_health_heeds_it_again() {
    let edit = async |client: &OtherClient| {
        client.point_record(client.load_balancer().await.dns_name().unwrap(), false).await;
    };
    let plan = drift(edit, &["ChangeResourceRecordSets"]).await;
    expect![[r#"
          ~ update   dns_record  app.example.com  (guide step 7)
                evaluate_target_health: false -> true

        Plan: 1 to update.
    "#]]
    .assert_eq(&plan);
}

#[tokio::test(start_paused = true)]
async fn a_role_taken_out_of_its_profile_and_a_detached_policy_are_put_back() {
    let edit = async |client: &OtherClient| {
        let request = client.iam.remove_role_from_instance_profile().instance_profile_name("OZMarketplace");
        request.role_name("OZMarketplace").send().await.unwrap();
        client.iam.detach_role_policy().role_name("OZMarketplace").policy_arn(POLICY_ARN).send().await.unwrap();
    };
    let plan = drift(edit, &["AddRoleToInstanceProfile", "AttachRolePolicy"]).await;
    expect![[r#"
          + create   role_policy_attachment  OZMarketplace/OZMarketplacePolicy  (guide step 2)
                role: "OZMarketplace"
                policy: "arn:aws:iam::123456789012:policy/OZMarketplacePolicy"
          ~ update   instance_profile        OZMarketplace                      (guide step 2)
                role: (absent) -> "OZMarketplace"

        Plan: 1 to create, 1 to update.
    "#]]
    .assert_eq(&plan);
}

/// A template that was deleted and made again counts its versions from 1 again.
#[tokio::test(start_paused = true)]
async fn the_same_version_of_another_template_is_another_version() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.instance(0).come_from_template("lt-0before"));
    let found = stage.run("verify").await;
    found.finds("launch_template_version", Status::Warn).sees("launch_template_version", "run version 1 of lt-0before");
    let status = stage.run("status").await;
    let screen = status_text(&Frame::default(), &status, 60);
    assert!(screen.contains("other template") && screen.contains("version 1  "), "{screen}");
    stage.succeeds("up").await.changed(&["auto_scaling_group"]);
    stage.run("verify").await.finds("launch_template_version", Status::Pass);
}
