//! The policy of `deploy iam-policy`: what it keeps out, and how a lack of permissions is told.

use aws_sdk_ec2::types as ec2;
use serde_json::{Value, json};

use crate::support::{Error, Exit, Home, Need, Stage, Status, VPC, policy, without};

const IMAGE: &str = "ami-0c0ffee0c0ffee0c0";

/// IAM refuses longer ones (IAM user guide, "IAM and AWS STS quotas"): a managed policy, a role's inline policies.
#[test]
fn each_policy_fits_where_it_is_put() {
    let length = |needs: &[Need]| policy("", needs).to_string().chars().filter(|one| !one.is_whitespace()).count();
    for needs in [&[Need::Up], &[Need::Verify], &[Need::Teardown]] {
        assert!(length(needs) <= 6144, "{needs:?} has {}", length(needs));
    }
    assert!(length(&[Need::Up, Need::Verify, Need::Teardown, Need::Adopt]) <= 10240);
}

/// The policy of all verbs lets nobody touch what is not this stack's.
#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_out_of_its_reach() {
    let stage = Stage::up().await;
    let root = stage.other_client().await;
    let theirs = root.create_security_group("theirs").await;
    root.create_role("Theirs").await;
    let target_group = root.create_target_group("theirs").await;
    stage.allow(policy("", &[Need::Up, Need::Verify, Need::Teardown]));
    let caller = stage.other_client().await;
    let denied = |what: &str, error: Error| assert!(error.is_denied(), "{what} is let through: {error}");

    let deleted = caller.ec2.delete_security_group().group_id(&theirs).send().await;
    denied("a security group without our tag", deleted.unwrap_err().into());
    let tag = ec2::Tag::builder().key("oz-deploy:stack").value("oz-liveness").build();
    let tagged = caller.ec2.create_tags().resources(&theirs).tags(tag).send().await;
    denied("our tag on what is not ours", tagged.unwrap_err().into());
    let made = caller.ec2.create_security_group().group_name("x").description("x").vpc_id(VPC).send().await;
    denied("a security group without a tag", made.unwrap_err().into());
    let launched = caller.ec2.run_instances().image_id(IMAGE).min_count(1).max_count(1).send().await;
    denied("an instance without a launch template", launched.unwrap_err().into());
    let deleted = caller.elb.delete_target_group().target_group_arn(&target_group).send().await;
    denied("a target group of another name", deleted.unwrap_err().into());
    let deleted = caller.iam.delete_role().role_name("Theirs").send().await;
    denied("a role of another name", deleted.unwrap_err().into());
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let attached = caller.iam.attach_role_policy().role_name("OZMarketplace").policy_arn(admin).send().await;
    denied("another policy on our role", attached.unwrap_err().into());
    let request = caller.iam.add_role_to_instance_profile().instance_profile_name("OZMarketplace");
    let passed = request.role_name("Theirs").send().await;
    denied("another role in our profile", passed.unwrap_err().into());
    let recorded = caller.create_record("www.example.com").await;
    denied("another record", recorded.unwrap_err());
}

/// Who lacks a permission is told all that is missing, before anything is made.
#[tokio::test(start_paused = true)]
async fn a_caller_who_may_not_is_told_everything_before_the_first_write() {
    let missing = ["iam:CreateRole", "iam:PassRole", "elasticloadbalancing:CreateListener", "ec2:CreateTags"];
    let whole = policy("", &[Need::Up, Need::Verify, Need::Teardown]);
    let stage = Stage::new();
    stage.allow(missing.iter().fold(whole.clone(), |policy, action| without(policy, action)));
    let refused = stage.run("up").await;
    refused.refused_before_any_write().says("deploy iam-policy");
    for action in missing {
        refused.says(action);
    }
    stage.run("preflight").await.exits(Exit::Refused).finds("permissions", Status::Fail);

    // Somebody else may be the one who removes it.
    let stage = Stage::new();
    stage.allow(policy("", &[Need::Up]));
    let warned = stage.run("preflight").await;
    warned.exits(Exit::Done).finds("permissions", Status::Warn);
    warned.check_says("permissions", "teardown needs");
    stage.succeeds("up").await;

    // A condition that only the call itself could satisfy is no denial.
    let stage = Stage::new();
    let mut office = whole.clone();
    for statement in office["Statement"].as_array_mut().unwrap() {
        if statement["Sid"] == "AttachPolicy" {
            statement["Condition"] = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
        }
    }
    stage.allow(office);
    stage.run("preflight").await.exits(Exit::Done).finds("permissions", Status::Unknown);

    let stage = Stage::new();
    stage.allow(without(whole, "iam:SimulatePrincipalPolicy"));
    stage.run("preflight").await.exits(Exit::Done).finds("permissions", Status::Unknown);
    stage.succeeds("up").await;
}

/// Whatever is denied in the middle of a run names the action and where all of them are.
#[tokio::test(start_paused = true)]
async fn a_denial_names_its_action_and_the_cure() {
    for action in ["elasticloadbalancing:ModifyTargetGroup", "ec2:CreateLaunchTemplateVersion", "iam:PassRole"] {
        let stage = Stage::up().await.noting(action);
        stage.allow(without(policy("", &[Need::Up]), action));
        let line = "up --set health_check.path=/x --set instance.type=c7i.4xlarge";
        stage.run(line).await.exits(Exit::Failed).says(action).says("`deploy iam-policy`");
    }
}

#[test]
fn the_document_is_all_of_stdout() {
    let home = Home::new();
    let run = home.run("iam-policy --for verify");
    run.exits(0).says("there is no deploy.yaml here");
    let document: Value = serde_json::from_str(&run.stdout()).unwrap();
    assert_eq!(document["Version"], "2012-10-17");
    let envelope = home.run("iam-policy --json --for teardown").exits(0).json();
    assert_eq!(envelope["document"]["Statement"][0]["Effect"], "Allow");
    let subnets = "[subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2]";
    let network = format!("network: {{ vpc: vpc-0a1b2c3d4e5f60718, private_subnets: {subnets} }}");
    let rest =
        "account: '123456789012'\nregion: cn-north-1\nnames: { prefix: b- }\nload_balancer: { listener: http }\n";
    home.write("deploy.yaml", format!("{rest}{network}\n"));
    let run = home.run("iam-policy");
    run.exits(0).prints("arn:aws-cn:iam::123456789012:role/b-OZMarketplace").prints("ec2.amazonaws.com.cn");
    assert!(!run.stdout().contains("ChangeResourceRecordSets"), "it has no record");
    home.run("iam-policy --for nobody").exits(2);
}
