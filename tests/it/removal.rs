//! A removal takes protections off only with consent, names what blocks it, keeps what others use, takes along what was
//! left over, and looks afterwards, by name and by tag.

use std::time::Duration;

use aws_sdk_ec2::types::{self as ec2, ResourceType};
use serde_json::json;

use crate::support::{Aws, Cancel, Exit, Fault, Signal, Stage, VPC, tables};

/// With this protection, a removal is refused and changes nothing; `--lift-protection` takes it off and removes all.
async fn is_kept_until_lifted(protect: impl FnOnce(&mut Aws<'_>), protection: &str, lifted_by: &str) {
    let stage = Stage::up().await;
    stage.edit(protect);
    stage.run("teardown --yes").await.exits(Exit::Refused).writes_nothing().says(protection);
    stage.succeeds("teardown --dry-run").await.writes_nothing().says(protection);
    stage.succeeds("teardown --yes --lift-protection").await.has_called(lifted_by);
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn deletion_protection_of_the_load_balancer_keeps_the_stack() {
    let protect = |aws: &mut Aws<'_>| aws.load_balancer().protect();
    is_kept_until_lifted(protect, "deletion protection is on", "ModifyLoadBalancerAttributes").await;
}

/// AWS ends the association with the load balancer: no call takes it off.
#[tokio::test(start_paused = true)]
async fn a_web_acl_before_the_load_balancer_keeps_the_stack() {
    let protect = |aws: &mut Aws<'_>| aws.load_balancer().stand_behind_web_acl();
    is_kept_until_lifted(protect, "the web ACL no-bots (AWS WAF)", "DeleteLoadBalancer").await;
}

#[tokio::test(start_paused = true)]
async fn deletion_protection_of_the_group_keeps_the_stack() {
    let protect = |aws: &mut Aws<'_>| aws.auto_scaling_group().protect();
    is_kept_until_lifted(protect, "prevent-all-deletion", "UpdateAutoScalingGroup").await;
}

#[tokio::test(start_paused = true)]
async fn protection_from_scale_in_keeps_the_stack() {
    let protect = |aws: &mut Aws<'_>| aws.instances().protect_from_scale_in();
    is_kept_until_lifted(protect, "protected from scale-in", "SetInstanceProtection").await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_in_standby_keeps_the_stack() {
    let protect = |aws: &mut Aws<'_>| aws.instance(0).enter_standby();
    is_kept_until_lifted(protect, "in standby", "ExitStandby").await;
}

#[tokio::test(start_paused = true)]
async fn suspended_processes_keep_the_stack() {
    let protect = |aws: &mut Aws<'_>| aws.auto_scaling_group().suspend("Terminate");
    is_kept_until_lifted(protect, "suspended processes: Terminate", "ResumeProcesses").await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_holds_an_instance_keeps_the_stack() {
    let protect = |aws: &mut Aws<'_>| {
        aws.auto_scaling_group().hook_on_termination("drain");
        aws.instance(0).wait_for_hook();
    };
    is_kept_until_lifted(protect, "held by a lifecycle hook", "CompleteLifecycleAction").await;
}

#[tokio::test(start_paused = true)]
async fn volumes_and_interfaces_that_outlived_their_instances_go_too() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.leaks = true);
    let removed = stage.succeeds("teardown --yes").await;
    removed.has_called("DeleteVolume").has_called("DeleteNetworkInterface");
    stage.nothing_is_left();
}

/// The root snapshot of the image that the stack launches.
const SNAPSHOT: &str = "snap-0c0ffee0c0ffee0c0";

/// Leaks of an earlier life of the stack, with the template there and with nothing of its names left.
#[tokio::test(start_paused = true)]
async fn leaks_alone_are_found_and_removed() {
    for stage in [Stage::up().await, Stage::new()] {
        stage.edit(|aws| {
            aws.add_volume("vol-0", "oz-liveness", SNAPSHOT);
            aws.add_volume("vol-1", "another", SNAPSHOT);
        });
        stage.succeeds("teardown --yes").await;
        assert_eq!(stage.sandbox.world().leftovers(), ["volumes vol-1"], "another stack's stays");
    }
}

/// A tag is copied with a backup: it alone gives nothing away.
#[tokio::test(start_paused = true)]
async fn a_volume_that_no_launch_of_ours_made_stays_and_is_named() {
    for (snapshot, backup) in [("snap-0backup", None), ("", None), (SNAPSHOT, Some("aws:backup:source-resource"))] {
        let stage = Stage::up().await.noting(snapshot);
        stage.edit(|aws| {
            aws.add_volume("vol-0restored", "oz-liveness", snapshot);
            if let Some(key) = backup {
                aws.tag_volume("vol-0restored", key);
            }
        });
        stage.run("teardown --dry-run").await.writes_nothing().says("volume vol-0restored (50 GiB, made ");
        let removed = stage.run("teardown --yes").await;
        removed.exits(Exit::Incomplete).says("volume vol-0restored (50 GiB, made ").has_not_called("DeleteVolume");
        assert_eq!(stage.sandbox.world().leftovers(), ["volumes vol-0restored"]);
    }
}

/// Each instance, and each volume and network interface that goes with it, too.
#[tokio::test(start_paused = true)]
async fn a_dry_run_names_every_single_thing() {
    let stage = Stage::up().await;
    let mut ids = Vec::new();
    stage.edit(|aws| ids = [aws.ids(tables::VOLUMES), aws.ids(tables::INTERFACES)].concat());
    ids.retain(|id| stage.sandbox.world().row(tables::INTERFACES, id).is_none_or(|row| row["requesterId"].is_null()));
    stage.edit(|aws| ids.extend(aws.ids(tables::INSTANCES)));
    let planned = stage.succeeds("teardown --dry-run").await;
    let named: Vec<&str> = planned.changes.iter().flat_map(|one| &one.fields).map(|one| one.field.as_str()).collect();
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| named.contains(&id.as_str())), "{ids:?}: {named:?}");
    let names: Vec<&str> = planned.changes.iter().map(|change| change.name.as_str()).collect();
    for id in ["alb-sg (sg-", "app-launch-template (lt-", "app-tg (arn:", "app-alb (arn:", "OZMarketplacePolicy (arn:"]
    {
        assert!(names.iter().any(|name| name.starts_with(id)), "{id}: {names:?}");
    }
}

/// Of a large fleet the text names the first, and the document all.
#[tokio::test(start_paused = true)]
async fn a_dry_run_of_a_large_fleet_counts_and_its_document_names_all() {
    let mut stage = Stage::new();
    stage.config += "scaling: { min: 30, desired: 30 }\n";
    stage.succeeds("up").await;
    let shown = stage.plan_of("teardown --dry-run").await;
    assert!(shown.contains("and 10 more (--json has all)") && shown.lines().count() < 120, "{shown}");
    let document = stage.json("teardown --dry-run").await;
    let group = document["changes"].as_array().unwrap().iter().find(|one| one["resource"] == "auto_scaling_group");
    assert_eq!(group.unwrap()["fields"].as_array().unwrap().len(), 30);
}

/// A network interface that carries our tag and was not made by a launch of ours: in no group of the stack, or a
/// service's.
#[tokio::test(start_paused = true)]
async fn an_interface_that_no_launch_of_ours_made_stays_and_is_named() {
    for (group, manager) in [("sg-0theirs", None), ("app-sg", Some("amazon-rds"))] {
        let stage = Stage::up().await.noting(group);
        let client = stage.other_client().await;
        let group = if group == "app-sg" { client.security_group(group).await } else { group.to_owned() };
        let interface = json!({
            "networkInterfaceId": "eni-0copied", "description": "kept for later",
            "subnetId": "subnet-0bbbbbbbbbbbbbbb1", "status": "available", "groupSet": [{"groupId": group}],
            "requesterId": manager, "tagSet": [{"key": "oz-deploy:stack", "value": "oz-liveness"}],
        });
        stage.edit(|aws| aws.add(tables::INTERFACES, "eni-0copied", interface));
        let words = "network interface eni-0copied (in subnet-0bbbbbbbbbbbbbbb1, \"kept for later\")";
        stage.run("teardown --dry-run").await.writes_nothing().says(words);
        let start = tokio::time::Instant::now();
        let removed = stage.run("teardown --yes").await;
        removed.exits(Exit::Incomplete).says("eni-0copied").has_not_called("DeleteNetworkInterface");
        assert!(start.elapsed().as_secs() < 300, "{:?}", start.elapsed());
    }
}

/// An instance that left the group, or that was launched by hand from the template: it does not go by itself.
#[tokio::test(start_paused = true)]
async fn an_instance_that_is_not_of_the_group_ends_a_removal_at_once() {
    let stage = Stage::up().await;
    let mut id = String::new();
    stage.edit(|aws| {
        id = aws.ids(tables::INSTANCES).remove(0);
        aws.instance(0).leave_group();
    });
    stage.run("teardown --dry-run").await.says(&format!("held by {id}, which has eni-"));
    let start = tokio::time::Instant::now();
    stage.run("teardown --yes").await.exits(Exit::Incomplete).says(&format!("{id}, which has eni-"));
    assert!(start.elapsed().as_secs() < 300, "{:?}", start.elapsed());
    stage.edit(|aws| aws.terminate(&id));
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn instances_that_outlive_their_group_are_waited_for() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.instances_outlive_group = true);
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}

/// It never goes by itself: it is named at once, not after half an hour.
#[tokio::test(start_paused = true)]
async fn a_rule_of_others_that_names_our_group_blocks_and_is_named_at_once() {
    let stage = Stage::up().await;
    let client = stage.other_client().await;
    let (theirs, ours) = (client.create_security_group("theirs").await, client.security_group("app-sg").await);
    let pair = ec2::UserIdGroupPair::builder().group_id(ours).build();
    let rule = ec2::IpPermission::builder().ip_protocol("tcp").from_port(5432).to_port(5432).user_id_group_pairs(pair);
    let request = client.ec2.authorize_security_group_ingress().group_id(&theirs).ip_permissions(rule.build());
    request.send().await.unwrap();
    let start = tokio::time::Instant::now();
    let removed = stage.run("teardown --yes").await;
    removed.exits(Exit::Incomplete).says(&format!("a rule of the security group {theirs} (theirs)"));
    assert!(start.elapsed().as_secs() < 300, "{:?}", start.elapsed());
    client.ec2.delete_security_group().group_id(&theirs).send().await.unwrap();
    stage.succeeds("teardown --yes").await;
}

#[tokio::test(start_paused = true)]
async fn an_interface_of_others_that_carries_our_group_blocks_and_is_named() {
    let stage = Stage::up().await;
    let group = stage.other_client().await.security_group("alb-sg").await;
    let interface = json!({
        "networkInterfaceId": "eni-0theirs", "description": "RDSNetworkInterface", "status": "in-use", "tagSet": [],
        "groupSet": [{"groupId": group}], "requesterId": "amazon-rds",
    });
    stage.edit(|aws| aws.add(tables::INTERFACES, "eni-0theirs", interface));
    stage.run("teardown --yes").await.exits(Exit::Incomplete).says("eni-0theirs (RDSNetworkInterface)");
}

/// IAM is one for the account: what runs elsewhere with the role keeps it, and is named.
#[tokio::test(start_paused = true)]
async fn a_role_that_others_use_is_kept() {
    let stage = Stage::up().await;
    let profile = json!({"arn": "arn:aws:iam::123456789012:instance-profile/OZMarketplace"});
    let instance = json!({
        "instanceId": "i-0abroad", "_region": "us-east-1", "iamInstanceProfile": profile, "tagSet": [],
        "_launched": 0.0, "_ending": null, "instanceState": {"name": "running"}, "groupSet": [],
    });
    stage.edit(|aws| aws.add(tables::INSTANCES, "i-0abroad", instance));
    stage.run("teardown --yes").await.exits(Exit::Incomplete).says("the instance i-0abroad in us-east-1");
    let mut left = stage.sandbox.world().leftovers();
    left.sort();
    let kept = [
        "instances i-0abroad",
        "policies arn:aws:iam::123456789012:policy/OZMarketplacePolicy",
        "profiles OZMarketplace",
        "roles OZMarketplace",
    ];
    assert_eq!(left, kept);
    let world = stage.sandbox.world();
    let attached = world.row(tables::ROLES, "OZMarketplace").unwrap()["_attached"].as_array().unwrap();
    assert_eq!(attached.len(), 1, "and its policy stays on it");
    stage.edit(|aws| aws.delete_one(tables::INSTANCES, "i-0abroad"));
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn a_role_in_another_launch_template_is_kept() {
    let stage = Stage::up().await;
    let profile = ec2::LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name("OZMarketplace").build();
    let data = ec2::RequestLaunchTemplateData::builder().iam_instance_profile(profile).build();
    let client = stage.other_client().await;
    let request = client.ec2.create_launch_template().launch_template_name("another-stack").launch_template_data(data);
    request.send().await.unwrap();
    stage.run("teardown --yes").await.exits(Exit::Incomplete).says("the launch template another-stack");
}

#[tokio::test(start_paused = true)]
async fn what_carries_our_tag_under_another_name_keeps_a_removal_incomplete() {
    let stage = Stage::up().await;
    let tag = ec2::Tag::builder().key("oz-deploy:stack").value("oz-liveness").build();
    let tagged = ec2::TagSpecification::builder().resource_type(ResourceType::SecurityGroup).tags(tag).build();
    let client = stage.other_client().await;
    let request = client.ec2.create_security_group().group_name("renamed").description("x").vpc_id(VPC);
    let id = request.tag_specifications(tagged).send().await.unwrap().group_id.unwrap();
    for _ in 0..2 {
        stage.run("teardown --yes").await.exits(Exit::Incomplete).says(&format!("security group {id}"));
    }
    client.ec2.delete_security_group().group_id(id).send().await.unwrap();
    stage.succeeds("teardown --yes").await.ends_as("unchanged");
}

/// While it waits, it names what it waits for.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_removal_names_what_blocks_it() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.linger_seconds = 4_000.0);
    let outcome = stage.run("teardown --yes --timeout 10m").await;
    outcome.exits(Exit::Deadline).says("eni-").says("ELB app/app-alb/");
    // AWS's own patience ends too: the names stay.
    stage.run("teardown --yes --timeout 4h").await.exits(Exit::Incomplete).says("held by eni-");
    stage.succeeds("teardown --yes --timeout 4h").await;
    stage.nothing_is_left();
}

/// Returns between the end of a removal and the look afterwards, which is made a moment later.
async fn until_the_last_look(stage: &Stage) {
    while !stage.sandbox.world().leftovers().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Another run makes something of this stack, under another name, when all is gone.
#[tokio::test(start_paused = true)]
async fn what_appears_meanwhile_is_seen_by_the_last_look() {
    let stage = Stage::up().await;
    let other = async {
        until_the_last_look(&stage).await;
        let tag = json!({"key": "oz-deploy:stack", "value": "oz-liveness"});
        let group = json!({
            "groupId": "sg-0meanwhile", "groupName": "meanwhile", "vpcId": VPC, "_rules": [], "tagSet": [tag],
        });
        stage.edit(|aws| aws.add(tables::GROUPS, "sg-0meanwhile", group));
    };
    let (outcome, ()) = tokio::join!(stage.run("teardown --yes"), other);
    outcome.exits(Exit::Incomplete).says("sg-0meanwhile");
}

/// A load balancer of someone else goes between the list and the question for its tags: what comes after it in the list
/// is seen all the same.
#[tokio::test(start_paused = true)]
async fn what_goes_during_the_last_look_hides_nothing() {
    let stage = Stage::new();
    stage.edit(|aws| {
        let tag = json!({"Key": "oz-deploy:stack", "Value": "oz-liveness"});
        let arn = |name| {
            format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{name}/0123456789abcdef")
        };
        for (name, key, tags) in [("gone", "another".to_owned(), json!([])), ("kept", arn("kept"), json!([tag]))] {
            let group = json!({"TargetGroupArn": arn(name), "TargetGroupName": name, "_tags": tags});
            aws.add(tables::TARGET_GROUPS, &key, group);
        }
    });
    stage.run("teardown --yes").await.exits(Exit::Incomplete).says("kept");
}

/// A last look that did not come to its end proves nothing, and says so.
#[tokio::test(start_paused = true)]
async fn an_unfinished_last_look_proves_nothing() {
    let whole = Stage::up().await;
    let world = whole.sandbox.world();
    let removed = whole.succeeds("teardown --yes").await;

    let stage = Stage::of(&world);
    stage.sandbox.disturb(removed.calls.len() - 1, Fault::Refuse);
    let outcome = stage.run("teardown --yes").await;
    outcome.exits(Exit::Failed).sums_up("is not known");
    assert_eq!(outcome.changes.len(), removed.changes.len());

    let (sender, cancel) = Cancel::channel();
    let stage = Stage { cancel, ..Stage::of(&world) };
    let interrupt = async {
        until_the_last_look(&stage).await;
        sender.send(Some(Signal::Interrupt)).unwrap();
    };
    let (outcome, ()) = tokio::join!(stage.run("teardown --yes"), interrupt);
    outcome.exits(Exit::Interrupted);
}

/// A replacement is a removal: nothing of it is begun while something that goes with it is protected.
#[tokio::test(start_paused = true)]
async fn a_replacement_asks_for_protections_before_it_removes_anything() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.load_balancer().protect());
    stage.edit(|aws| aws.load_balancer().stand_behind_web_acl());
    let line = "up --replace --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true";
    let refused = stage.run(line).await;
    refused.refused_before_any_write().says("deletion protection is on").says("load_balancer app-alb");
    refused.says("the web ACL no-bots (AWS WAF)");
    // A plan says so beforehand.
    let plan = line.replacen("up", "plan", 1);
    stage.run(&plan).await.exits(Exit::Done).writes_nothing().sums_up("something that it would remove is protected");
    assert!(stage.plan_of(&plan).await.contains("! refused: the web ACL no-bots (AWS WAF)"));
}

/// IAM is one for all regions. One that cannot be asked may have an instance with the role: it is named, and the role
/// kept.
#[tokio::test(start_paused = true)]
async fn a_region_that_cannot_be_looked_at_keeps_the_role_unless_that_is_allowed() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.token_refused_in = vec!["eu-south-1".to_owned()]);
    let kept = stage.run("teardown --yes").await;
    kept.exits(Exit::Incomplete).says("eu-south-1 (AuthFailure)").says("--allow-unseen-regions");
    kept.has_not_called("DeleteInstanceProfile").has_not_called("DeleteRole");
    stage.succeeds("teardown --yes --allow-unseen-regions").await;
    stage.nothing_is_left();
}

/// No way there, as where a network has endpoints for its own region alone: the same.
#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_answer_keeps_the_role_unless_that_is_allowed() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.no_way_to = vec!["eu-south-1".to_owned()]);
    let start = tokio::time::Instant::now();
    let kept = stage.run("teardown --yes").await;
    kept.exits(Exit::Incomplete).says("eu-south-1 (no answer)").says("--allow-unseen-regions");
    kept.has_not_called("DeleteInstanceProfile").has_not_called("DeleteRole");
    assert!(start.elapsed().as_secs() < 900, "{:?}", start.elapsed());
    stage.succeeds("teardown --yes --allow-unseen-regions").await;
    stage.nothing_is_left();
}
