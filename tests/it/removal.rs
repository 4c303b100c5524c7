//! A removal lifts what protects the stack only when told to, names what blocks it, keeps what others use, takes along what
//! was left over, and looks twice, by name and by tag.

use std::time::Duration;

use aws_sdk_ec2::types::{IpPermission, RequestLaunchTemplateData, ResourceType, UserIdGroupPair};
use serde_json::json;

use crate::support::{Exit, Fault, Signal, Stage, Stop, World, rows, words};

/// With this protection, a removal is refused and changes nothing; `--lift-protection` takes it off and removes all.
async fn protected(protect: impl FnOnce(&mut World), told: &str, lifted: &str) {
    let stage = Stage::standing().await;
    stage.sandbox.change(protect);
    for line in ["teardown --yes", "teardown --dry-run"] {
        let outcome = stage.run(line).await;
        assert!(words(&outcome).contains(told), "{line}: {}", words(&outcome));
        assert_eq!(stage.writes(), Vec::<String>::new(), "{line}");
        let exit = if line.contains("dry") { Exit::Done } else { Exit::Refused };
        assert_eq!(outcome.exit, exit, "{line}");
    }
    stage.succeeds("teardown --yes --lift-protection").await;
    assert!(stage.writes().contains(&lifted.to_owned()), "{lifted}");
    assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn deletion_protection_of_the_load_balancer() {
    let on =
        |world: &mut World| rows(world, "balancers").for_each(|row| row["_attributes"][0]["Value"] = json!("true"));
    protected(on, "deletion protection is on", "ModifyLoadBalancerAttributes").await;
}

#[tokio::test(start_paused = true)]
async fn deletion_protection_of_the_group() {
    let on = |world: &mut World| {
        rows(world, "asgs").for_each(|row| row["DeletionProtection"] = json!("prevent-all-deletion"))
    };
    protected(on, "prevent-all-deletion", "UpdateAutoScalingGroup").await;
}

#[tokio::test(start_paused = true)]
async fn protection_from_scale_in() {
    let on = |world: &mut World| rows(world, "instances").for_each(|row| row["_protected"] = json!(true));
    protected(on, "protected from scale-in", "SetInstanceProtection").await;
}

#[tokio::test(start_paused = true)]
async fn standby() {
    let on = |world: &mut World| rows(world, "instances").take(1).for_each(|row| row["_standby"] = json!(true));
    protected(on, "in standby", "ExitStandby").await;
}

#[tokio::test(start_paused = true)]
async fn suspended_processes() {
    let on = |world: &mut World| {
        rows(world, "asgs").for_each(|row| row["SuspendedProcesses"] = json!([{"ProcessName": "Terminate"}]))
    };
    protected(on, "suspended processes: Terminate", "ResumeProcesses").await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_holds_an_instance() {
    let on = |world: &mut World| {
        let hook =
            json!([{"LifecycleHookName": "drain", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}]);
        rows(world, "asgs").for_each(|row| row["_hooks"] = hook.clone());
        rows(world, "instances").take(1).for_each(|row| row["_held"] = json!(true));
    };
    protected(on, "held by a lifecycle hook", "CompleteLifecycleAction").await;
}

#[tokio::test(start_paused = true)]
async fn volumes_and_interfaces_that_outlived_their_instances_go_too() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| world.weather.leaks = true);
    stage.succeeds("teardown --yes").await;
    let writes = stage.writes();
    assert!(
        writes.contains(&"DeleteVolume".to_owned()) && writes.contains(&"DeleteNetworkInterface".to_owned()),
        "{writes:?}"
    );
    assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new());
}

/// Leaks of an earlier life of the stack, with nothing of its names left.
#[tokio::test(start_paused = true)]
async fn leaks_alone_are_found_and_removed() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| {
        let tags = json!([{"key": "oz-deploy:stack", "value": "oz-liveness"}]);
        world.table("volumes").insert(
            "vol-0".to_owned(),
            json!({"volumeId": "vol-0", "status": "available", "tagSet": tags, "attachmentSet": []}),
        );
        let others = json!([{"key": "oz-deploy:stack", "value": "another"}]);
        world.table("volumes").insert(
            "vol-1".to_owned(),
            json!({"volumeId": "vol-1", "status": "available", "tagSet": others, "attachmentSet": []}),
        );
    });
    stage.succeeds("teardown --yes").await;
    assert_eq!(stage.sandbox.world().leftovers(), ["volumes vol-1"], "another stack's stays");
}

#[tokio::test(start_paused = true)]
async fn instances_that_outlive_their_group_are_waited_for() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| world.weather.instances_outlive_group = true);
    stage.succeeds("teardown --yes").await;
    assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new());
}

/// A rule of others that names our group never goes by itself: it is named at once, not after half an hour.
#[tokio::test(start_paused = true)]
async fn a_rule_of_others_that_names_our_group() {
    let stage = Stage::standing().await;
    let client = stage.other_client().await;
    let theirs = client
        .ec2
        .create_security_group()
        .group_name("theirs")
        .description("theirs")
        .vpc_id("vpc-0a1b2c3d4e5f60718")
        .send()
        .await
        .unwrap()
        .group_id
        .unwrap();
    let groups = client.ec2.describe_security_groups().send().await.unwrap();
    let ours =
        groups.security_groups().iter().find(|group| group.group_name() == Some("app-sg")).unwrap().group_id().unwrap();
    let pair = UserIdGroupPair::builder().group_id(ours).build();
    let rule = IpPermission::builder().ip_protocol("tcp").from_port(5432).to_port(5432).user_id_group_pairs(pair);
    client.ec2.authorize_security_group_ingress().group_id(&theirs).ip_permissions(rule.build()).send().await.unwrap();
    let start = tokio::time::Instant::now();
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Incomplete);
    assert!(
        words(&outcome).contains(&format!("a rule of the security group {theirs} (theirs)")),
        "{}",
        words(&outcome)
    );
    assert!(start.elapsed().as_secs() < 300, "{:?}", start.elapsed());
    client.ec2.delete_security_group().group_id(&theirs).send().await.unwrap();
    stage.succeeds("teardown --yes").await;
}

#[tokio::test(start_paused = true)]
async fn an_interface_of_others_that_carries_our_group() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| {
        let group = world.rows("groups").find(|row| row["groupName"] == "alb-sg").unwrap()["groupId"].clone();
        let row = json!({
            "networkInterfaceId": "eni-0theirs", "description": "RDSNetworkInterface", "status": "in-use", "tagSet": [],
            "groupSet": [{"groupId": group}], "requesterId": "amazon-rds",
        });
        world.table("interfaces").insert("eni-0theirs".to_owned(), row);
    });
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Incomplete);
    assert!(words(&outcome).contains("eni-0theirs (RDSNetworkInterface)"), "{}", words(&outcome));
}

/// IAM is one for the account: what runs elsewhere with the role keeps it, and is named.
#[tokio::test(start_paused = true)]
async fn a_role_that_others_use_is_kept() {
    let region = |world: &mut World| {
        let profile = json!({"arn": "arn:aws:iam::123456789012:instance-profile/OZMarketplace"});
        let row = json!({
            "instanceId": "i-0abroad", "_region": "us-east-1", "iamInstanceProfile": profile, "tagSet": [],
            "_launched": 0.0, "_ending": null, "instanceState": {"name": "running"}, "groupSet": [],
        });
        world.table("instances").insert("i-0abroad".to_owned(), row);
    };
    let stage = Stage::standing().await;
    stage.sandbox.change(region);
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Incomplete, "{}", words(&outcome));
    assert!(words(&outcome).contains("the instance i-0abroad in us-east-1"), "{}", words(&outcome));
    let mut left = stage.sandbox.world().leftovers();
    left.sort();
    let kept = [
        "instances i-0abroad",
        "policies arn:aws:iam::123456789012:policy/OZMarketplacePolicy",
        "profiles OZMarketplace",
        "roles OZMarketplace",
    ];
    assert_eq!(left, kept);
    let attached = stage.sandbox.world().row("roles", "OZMarketplace").unwrap()["_attached"].as_array().unwrap().len();
    assert_eq!(attached, 1, "and its policy stays on it");
    stage.sandbox.change(|world| drop(world.table("instances").remove("i-0abroad")));
    stage.succeeds("teardown --yes").await;
    assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_role_in_another_launch_template_is_kept() {
    let stage = Stage::standing().await;
    let profile = aws_sdk_ec2::types::LaunchTemplateIamInstanceProfileSpecificationRequest::builder()
        .name("OZMarketplace")
        .build();
    let data = RequestLaunchTemplateData::builder().iam_instance_profile(profile).build();
    stage
        .other_client()
        .await
        .ec2
        .create_launch_template()
        .launch_template_name("another-stack")
        .launch_template_data(data)
        .send()
        .await
        .unwrap();
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Incomplete);
    assert!(words(&outcome).contains("the launch template another-stack"), "{}", words(&outcome));
}

#[tokio::test(start_paused = true)]
async fn what_carries_our_tag_under_another_name_is_told() {
    let stage = Stage::standing().await;
    let tag = aws_sdk_ec2::types::Tag::builder().key("oz-deploy:stack").value("oz-liveness").build();
    let tagged =
        aws_sdk_ec2::types::TagSpecification::builder().resource_type(ResourceType::SecurityGroup).tags(tag).build();
    let client = stage.other_client().await;
    let id = client
        .ec2
        .create_security_group()
        .group_name("renamed")
        .description("x")
        .vpc_id("vpc-0a1b2c3d4e5f60718")
        .tag_specifications(tagged)
        .send()
        .await
        .unwrap()
        .group_id
        .unwrap();
    for line in ["teardown --yes", "teardown --yes"] {
        let outcome = stage.run(line).await;
        assert_eq!(outcome.exit, Exit::Incomplete);
        assert!(words(&outcome).contains(&format!("security group {id}")), "{}", words(&outcome));
    }
    client.ec2.delete_security_group().group_id(id).send().await.unwrap();
    assert_eq!(stage.succeeds("teardown --yes").await.outcome, "unchanged");
}

/// While it waits, it names what it waits for.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_removal_names_what_blocks_it() {
    let stage = Stage::standing().await;
    stage.sandbox.change(|world| world.weather.linger = 4_000.0);
    let outcome = stage.run("teardown --yes --timeout 10m").await;
    assert_eq!(outcome.exit, Exit::Deadline, "{}", words(&outcome));
    assert!(words(&outcome).contains("eni-") && words(&outcome).contains("ELB app/app-alb/"), "{}", words(&outcome));
    // AWS's own patience ends too: the names stay.
    let outcome = stage.run("teardown --yes --timeout 4h").await;
    assert_eq!(outcome.exit, Exit::Incomplete, "{}", words(&outcome));
    assert!(words(&outcome).contains("held by eni-"), "{}", words(&outcome));
    stage.succeeds("teardown --yes --timeout 4h").await;
    assert_eq!(stage.sandbox.world().leftovers(), Vec::<String>::new());
}

/// Another run makes something of this stack, under another name, between the two looks by tag: those by name are made
/// when the last resource has gone and a second later, together with the first by tag.
#[tokio::test(start_paused = true)]
async fn what_appears_meanwhile_is_seen_by_the_second_look() {
    let stage = Stage::standing().await;
    let other = async {
        while !stage.sandbox.world().leftovers().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
        stage.sandbox.change(|world| {
            let tag = json!({"key": "oz-deploy:stack", "value": "oz-liveness"});
            let group = json!({
                "groupId": "sg-0meanwhile", "groupName": "meanwhile", "vpcId": "vpc-0a1b2c3d4e5f60718", "_rules": [],
                "tagSet": [tag],
            });
            world.table("groups").insert("sg-0meanwhile".to_owned(), group);
        });
    };
    let (outcome, ()) = tokio::join!(stage.run("teardown --yes"), other);
    assert_eq!(outcome.exit, Exit::Incomplete, "{}", words(&outcome));
    assert!(words(&outcome).contains("sg-0meanwhile"), "{}", words(&outcome));
}

/// A load balancer of somebody else goes between the list and the question for its tags: what is behind it in the list is
/// seen all the same.
#[tokio::test(start_paused = true)]
async fn what_goes_during_the_last_look_hides_nothing() {
    let stage = Stage::new();
    stage.sandbox.change(|world| {
        let tag = json!({"Key": "oz-deploy:stack", "Value": "oz-liveness"});
        for (name, listed, tags) in [("gone", "arn:gone", json!([])), ("kept", "kept", json!([tag]))] {
            let group = json!({"TargetGroupArn": listed, "TargetGroupName": name, "_tags": tags});
            world.table("target_groups").insert(name.to_owned(), group);
        }
    });
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Incomplete, "{}", words(&outcome));
    assert!(words(&outcome).contains("kept"), "{}", words(&outcome));
}

/// A last look that did not come to its end proves nothing, and says so.
#[tokio::test(start_paused = true)]
async fn an_unfinished_last_look_proves_nothing() {
    let whole = Stage::standing().await;
    let world = whole.sandbox.world();
    whole.sandbox.clear_calls();
    let removed = whole.succeeds("teardown --yes").await.changes;
    let last = whole.sandbox.calls().len() - 1;

    let stage = Stage::of(&world);
    stage.sandbox.disturb(last, Fault::Refuse);
    let outcome = stage.run("teardown --yes").await;
    assert_eq!(outcome.exit, Exit::Failed, "{}", words(&outcome));
    assert!(outcome.summary.contains("is not known"), "{}", outcome.summary);
    assert_eq!(outcome.changes.len(), removed.len());

    let (sender, stop) = Stop::channel();
    let stage = Stage { stop, ..Stage::of(&world) };
    let interrupt = async {
        while !stage.sandbox.world().leftovers().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
        sender.send(Some(Signal::Interrupt)).unwrap();
    };
    let (outcome, ()) = tokio::join!(stage.run("teardown --yes"), interrupt);
    assert_eq!(outcome.exit, Exit::Interrupted, "{}", outcome.summary);
}
