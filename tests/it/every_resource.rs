//! What is demanded of every resource in `STACK`: a change of it is put right, one of others under its name is not
//! touched without consent, and the last look of a removal sees it under any name. A new resource fails here until it
//! says how.

use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::types as elb;

use crate::support::{DOCUMENT, Exit, OtherClient, STACK, Site, Stage, TRUST_OF_LAMBDA, VPC, config, configuration};

/// `Err`: why it cannot be demanded of this resource.
type Demand<T> = Result<T, &'static str>;

const IS_A_PART: Demand<()> = Err("it is a part of another resource and has that one's owner");
const IS_NEVER_WANTED: &str = "it is never wanted: what is left over is found by our tag, and removed";

fn unknown<T>(key: &str) -> Demand<T> {
    panic!("{key} is new in STACK: say here how someone changes it, makes it, and tags one of another name")
}

/// Someone changes it.
pub async fn change(stage: &Stage, key: &str) -> Demand<()> {
    let client = stage.other_client().await;
    match key {
        "load_balancer_security_group" => stage.edit(|aws| aws.security_group("alb-sg").lose_tag("Name")),
        "load_balancer_security_group_rules" => stage.edit(|aws| aws.security_group("alb-sg").close(443)),
        "instance_security_group" => stage.edit(|aws| aws.security_group("app-sg").lose_tag("Name")),
        "instance_security_group_rules" => stage.edit(|aws| aws.security_group("app-sg").open_ssh()),
        "policy" => client.replace_policy(DOCUMENT).await,
        "role" => {
            let request = client.iam.update_assume_role_policy().role_name("OZMarketplace");
            request.policy_document(TRUST_OF_LAMBDA).send().await.unwrap();
        }
        "role_policy_attachment" => stage.edit(|aws| aws.role().detach_policies()),
        "instance_profile" => stage.edit(|aws| aws.instance_profile().lose_role()),
        "launch_template" => stage.edit(|aws| aws.launch_template().name_profile("Another")),
        "target_group" => stage.edit(|aws| aws.target_group().matcher("200")),
        "load_balancer" => stage.edit(|aws| aws.load_balancer().carry_security_group("sg-0theirs")),
        "https_listener" => stage.edit(|aws| aws.listener(443).redirect()),
        "http_listener" => stage.edit(|aws| aws.listener(80).redirect()),
        "auto_scaling_group" => stage.edit(|aws| aws.auto_scaling_group().max_size(50)),
        "scaling_policy" => stage.edit(|aws| aws.delete_scaling_policy()),
        "dns_record" => stage.edit(|aws| aws.record().ignore_targets_health()),
        "volumes" | "network_interfaces" => return Err(IS_NEVER_WANTED),
        _ => return unknown(key),
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_change_of_any_resource_is_planned_and_put_right() {
    for node in STACK {
        let stage = Stage::up().await.noting(node.key());
        if change(&stage, node.key()).await.is_err() {
            continue;
        }
        let planned = stage.run("plan").await;
        let is_planned = planned.changes.iter().any(|change| change.resource == node.key());
        planned.demand(is_planned, || format!("the plan must name {}", node.key()));
        stage.succeeds("up").await;
        assert_eq!(stage.plan().await, "", "{}", node.key());
    }
}

/// Someone else makes one of its name.
pub async fn make_foreign(client: &OtherClient, key: &str) -> Demand<()> {
    match key {
        "load_balancer_security_group" => drop(client.create_security_group("alb-sg").await),
        "instance_security_group" => drop(client.create_security_group("app-sg").await),
        "policy" => {
            let request = client.iam.create_policy().policy_name("OZMarketplacePolicy");
            request.policy_document(DOCUMENT).send().await.unwrap();
        }
        "role" => client.create_role("OZMarketplace").await,
        "instance_profile" => {
            let request = client.iam.create_instance_profile();
            request.instance_profile_name("OZMarketplace").send().await.unwrap();
        }
        "launch_template" => client.create_launch_template("app-launch-template").await,
        "target_group" => drop(client.create_target_group("app-tg").await),
        "load_balancer" => drop(client.create_load_balancer("app-alb", None).await),
        "auto_scaling_group" => {
            client.create_launch_template("app-launch-template").await;
            client.create_auto_scaling_group("app-asg", "app-launch-template", None).await;
        }
        "dns_record" => client.create_record("app.example.com").await.unwrap(),
        "load_balancer_security_group_rules"
        | "instance_security_group_rules"
        | "role_policy_attachment"
        | "scaling_policy"
        | "https_listener"
        | "http_listener" => return IS_A_PART,
        "volumes" | "network_interfaces" => return Err(IS_NEVER_WANTED),
        _ => return unknown(key),
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_has_our_name_and_is_not_ours_is_touched_only_with_consent() {
    let site = Site::blank(config::parse(&configuration(), "deploy.yaml", &[]).unwrap(), "eu-central-1");
    for node in STACK {
        let stage = Stage::new().noting(node.key());
        if make_foreign(&stage.other_client().await, node.key()).await.is_err() {
            continue;
        }
        stage.run("plan").await.exits(Exit::Foreign).writes_nothing();
        let refused = stage.run("up").await;
        refused.exits(Exit::Foreign).writes_nothing().says(&format!("{} {}", node.key(), node.name(&site)));
        let has_cure = |cure: &Option<String>| cure.as_ref().is_some_and(|cure| cure.contains("--adopt"));
        refused.demand(refused.problems.iter().all(|problem| has_cure(&problem.cure)), || "no cure".to_owned());

        let there = stage.sandbox.world().leftovers();
        stage.run("teardown --yes").await.exits(Exit::Incomplete).writes_nothing();
        assert_eq!(stage.sandbox.world().leftovers(), there, "{}", node.key());

        stage.succeeds("up --adopt").await;
        assert_eq!(stage.plan().await, "", "{}", node.key());
        stage.succeeds("teardown --yes").await;
    }
}

/// Someone makes one of another name with our tag. Its id.
async fn make_tagged(client: &OtherClient, key: &str) -> Demand<String> {
    let tag = ("oz-deploy:stack", "oz-liveness");
    let of_ec2 = |kind: ec2::ResourceType| {
        let tag = ec2::Tag::builder().key(tag.0).value(tag.1).build();
        ec2::TagSpecification::builder().resource_type(kind).tags(tag).build()
    };
    match key {
        "load_balancer_security_group" | "instance_security_group" => {
            let request = client.ec2.create_security_group().group_name("renamed").description("x").vpc_id(VPC);
            let request = request.tag_specifications(of_ec2(ec2::ResourceType::SecurityGroup));
            Ok(request.send().await.unwrap().group_id.unwrap())
        }
        "launch_template" => {
            let data = ec2::RequestLaunchTemplateData::builder().image_id("ami-0c0ffee0c0ffee0c0").build();
            let request =
                client.ec2.create_launch_template().launch_template_name("renamed").launch_template_data(data);
            let request = request.tag_specifications(of_ec2(ec2::ResourceType::LaunchTemplate));
            Ok(request.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap())
        }
        "target_group" => {
            let arn = client.create_target_group("renamed").await;
            let tag = elb::Tag::builder().key(tag.0).value(tag.1).build();
            client.elb.add_tags().resource_arns(&arn).tags(tag).send().await.unwrap();
            Ok(arn)
        }
        "load_balancer" => Ok(client.create_load_balancer("renamed", Some(tag)).await.load_balancer_arn.unwrap()),
        "auto_scaling_group" => {
            client.create_launch_template("theirs").await;
            client.create_auto_scaling_group("renamed", "theirs", Some(tag)).await;
            Ok("renamed".to_owned())
        }
        "policy" | "role" | "instance_profile" => Err("IAM has no search by tag"),
        "dns_record" => Err("a record carries no tags"),
        "load_balancer_security_group_rules"
        | "instance_security_group_rules"
        | "role_policy_attachment"
        | "scaling_policy"
        | "https_listener"
        | "http_listener" => Err("it goes with what it is a part of"),
        "volumes" | "network_interfaces" => Err(IS_NEVER_WANTED),
        _ => unknown(key),
    }
}

#[tokio::test(start_paused = true)]
async fn what_carries_our_tag_under_another_name_is_named_by_the_last_look() {
    for node in STACK {
        let stage = Stage::new().noting(node.key());
        let Ok(id) = make_tagged(&stage.other_client().await, node.key()).await else { continue };
        for _ in 0..2 {
            stage.run("teardown --yes").await.exits(Exit::Incomplete).writes_nothing().says(&id);
        }
    }
}
