//! `deploy export`: the live stack as code of others, with what imports it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use aws_sdk_ec2::types::{RequestLaunchTemplateData, Tag};
use serde_json::Value;

use crate::support::{AwsServer, Ended, Exit, Home, KEYS, PLUGINS, Report, Run, STACK, Stage, golden, left_out};

/// The run, and what it writes down in Terraform's language.
async fn terraform(stage: &Stage) -> (Ended, String) {
    let ended = Stage { report: Report::new(true, true), ..stage.again() }.run("export terraform").await;
    ended.exits(Exit::Done).writes_nothing();
    let text = ended.outputs.get("terraform").cloned().unwrap_or_else(|| panic!("no code: {ended}"));
    (ended, text)
}

/// The ids of a sandbox hang on the order in which things are made side by side.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() >= 16 && word.chars().all(|one| one.is_ascii_hexdigit());
    let mut rest = text;
    let mut plain = String::new();
    while let Some(start) = rest.find(|one: char| one.is_ascii_hexdigit()) {
        let (before, after) = rest.split_at(start);
        let (word, next) = after.split_at(after.find(|one: char| !one.is_ascii_hexdigit()).unwrap_or(after.len()));
        plain += before;
        plain += if is_id(word) { "ID" } else { word };
        rest = next;
    }
    plain + rest
}

#[tokio::test(start_paused = true)]
async fn the_stack_is_written_down_word_by_word() {
    let (_, text) = terraform(&Stage::up().await).await;
    golden("export.tf", &format!("{}\n", without_ids(&text)));
}

/// Rules are a part of their group's block; everything else that stands is imported by the id that AWS knows it by.
#[tokio::test(start_paused = true)]
async fn every_resource_is_imported_by_its_id() {
    let stage = Stage::up().await;
    let (_, text) = terraform(&stage).await;
    let standing = stage.json("status").await;
    let mut imported = 0;
    for one in standing["resources"].as_array().unwrap() {
        let (key, name) = (one["resource"].as_str().unwrap(), one["name"].as_str().unwrap());
        let id = match key {
            key if key.ends_with("_rules") => continue,
            "role_policy_attachment" => "OZMarketplace/arn:aws:iam::123456789012:policy/OZMarketplacePolicy",
            "scaling_policy" => "app-asg/app-asg-cpu",
            "dns_record" => "Z0SANDBOX0EXAMPLE_app.example.com_A",
            _ => one["id"].as_str().unwrap_or_else(|| panic!("{name} has no id")),
        };
        let import = text.split("import {").find(|block| block.contains(&format!(".{key}\n")));
        let import = import.unwrap_or_else(|| panic!("no import of {key}\n{text}"));
        assert!(import.contains(&format!("  id = \"{id}\"\n}}")), "{key}: {id}\n{import}");
        assert!(text.contains(&format!("\" \"{key}\" {{\n")), "no block of {key}\n{text}");
        imported += 1;
    }
    assert_eq!(imported, STACK.len() - "rules, volumes, interfaces".split(',').count() - 1, "both groups' rules");
    assert_eq!(text.matches("import {").count(), imported, "nothing else is imported\n{text}");
}

/// What somebody wrote into a tag is text in the code, not a template, and cannot end its string.
#[tokio::test(start_paused = true)]
async fn text_of_others_stays_text() {
    let stage = Stage::up().await;
    let group = stage.json("status").await["resources"][0]["id"].as_str().unwrap().to_owned();
    let note = Tag::builder().key("note").value("${file(\"/etc/passwd\")} %{ if } \\").build();
    stage.other_client().await.ec2.create_tags().resources(group).tags(note).send().await.unwrap();
    let (_, text) = terraform(&stage).await;
    let line = text.lines().find(|line| line.contains("\"note\"")).unwrap();
    assert_eq!(line.split_once("= ").unwrap().1, r#""$${file(\"/etc/passwd\")} %%{ if } \\""#);
}

/// What is not ours is not in it, what is absent is told, and the rest is there.
#[tokio::test(start_paused = true)]
async fn only_what_is_ours_and_there_is_written_down() {
    let stage = Stage::up().await.edited(|aws| {
        aws.security_group("alb-sg").lose_tags();
        aws.delete_record();
    });
    let (ended, text) = terraform(&stage).await;
    assert!(!text.contains("\"load_balancer_security_group\"") && !text.contains("aws_route53_record"), "{text}");
    assert!(text.contains("# Not in here: load_balancer_security_group: not ours"), "{text}");
    assert!(text.contains("# Not in here: dns_record: absent\n"), "{text}");
    assert!(text.contains("resource \"aws_lb\" \"load_balancer\""), "{text}");
    ended
        .says("dns_record is not in the code: absent")
        .says("load_balancer_security_group is not in the code: not ours");
    let nothing = Stage::new();
    nothing.run("export terraform").await.exits(Exit::Done).ends_as("absent").writes_nothing();
    nothing.run("export cloudformation").await.exits(Exit::Done).ends_as("absent");
}

/// Secrets that user data may hold are not written down, and Terraform leaves it alone.
#[tokio::test(start_paused = true)]
async fn what_is_not_written_down_is_told_and_left_alone() {
    let stage = Stage::up().await.edited(|aws| aws.auto_scaling_group().max_size(50));
    let (_, text) = terraform(&stage).await;
    assert!(text.contains("max_size                  = 50\n"), "what AWS has, not what deploy.yaml wants\n{text}");
    assert!(text.contains("# desired_capacity: scaling sets it\n"), "{text}");
    let standing = stage.json("status").await;
    let template = standing["resources"].as_array().unwrap().iter().find(|one| one["resource"] == "launch_template");
    let data = RequestLaunchTemplateData::builder().user_data("c2VjcmV0").build();
    let request = stage.other_client().await.ec2.create_launch_template_version().source_version("1");
    let request = request.launch_template_id(template.unwrap()["id"].as_str().unwrap()).launch_template_data(data);
    request.send().await.unwrap();
    let (_, text) = terraform(&stage).await;
    assert!(text.contains("# This is version 2, the newest, by which Terraform goes; what runs is the default, 1."));
    assert!(
        text.contains("# user_data: it may hold secrets") && text.contains("ignore_changes = [user_data]"),
        "{text}"
    );
    let template = stage.run("export cloudformation").await.document.clone().unwrap().to_string();
    assert!(
        !text.contains("c2VjcmV0") && !template.contains("c2VjcmV0") && template.contains("user data"),
        "{template}"
    );
    let stage = Stage::up().await.edited(|aws| aws.load_balancer().protect());
    assert!(terraform(&stage).await.1.contains("enable_deletion_protection                  = true\n"));
}

#[tokio::test(start_paused = true)]
async fn a_template_keeps_everything_and_names_what_it_imports() {
    let stage = Stage::up().await;
    let ended = stage.run("export cloudformation").await;
    ended.exits(Exit::Done).ends_as("printed").writes_nothing();
    let document = ended.document.as_ref().unwrap();
    let resources = document["template"]["Resources"].as_object().unwrap();
    for (name, resource) in resources {
        assert_eq!([&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]], ["Retain", "Retain"], "{name}");
    }
    let imported = document["resources_to_import"].as_array().unwrap();
    let names: BTreeSet<&str> = imported.iter().map(|one| one["LogicalResourceId"].as_str().unwrap()).collect();
    assert_eq!(names, resources.keys().map(String::as_str).collect::<BTreeSet<_>>());
    assert_eq!(names.len(), 12, "{names:?}");
    let of = |name: &str| imported.iter().find(|one| one["LogicalResourceId"] == name).unwrap();
    assert_eq!(of("Role")["ResourceIdentifier"]["RoleName"], "OZMarketplace");
    assert!(of("HttpsListener")["ResourceIdentifier"]["ListenerArn"].as_str().unwrap().starts_with("arn:aws:"));
    let group = &resources["AutoScalingGroup"]["Properties"];
    assert_eq!(group["LaunchTemplate"]["LaunchTemplateId"]["Ref"], "LaunchTemplate");
    let sources = &resources["InstanceSecurityGroup"]["Properties"]["SecurityGroupIngress"];
    let reference = &sources[0]["SourceSecurityGroupId"]["Fn::GetAtt"];
    assert_eq!(*reference, serde_json::json!(["LoadBalancerSecurityGroup", "GroupId"]), "{sources}");
    let notes = document["template"]["Metadata"]["Notes"].to_string();
    assert!(notes.contains("does not import records"), "{notes}");
}

#[test]
fn files_are_written_and_none_is_written_over() {
    let home = Home::new();
    home.run("--sandbox up").exits(0);
    home.run("--sandbox export terraform").exits(0).prints("resource \"aws_autoscaling_group\"");
    home.run("--sandbox export terraform --output infra").exits(0).says("Wrote infra/main.tf.");
    let read = |name: &str| std::fs::read_to_string(home.path(name)).unwrap();
    assert!(read("infra/main.tf").contains("import {"));
    home.write("infra/main.tf", "theirs");
    home.run("--sandbox export terraform --output infra").exits(2).says("infra/main.tf is there already");
    assert_eq!(read("infra/main.tf"), "theirs");
    home.run("--sandbox export terraform --output infra --force").exits(0);
    assert!(read("infra/main.tf").contains("import {"));
    home.run("--sandbox export cloudformation --output infra").exits(0).says("resources-to-import.json");
    let template: Value = serde_json::from_str(&read("infra/template.json")).unwrap();
    assert_eq!(template["AWSTemplateFormatVersion"], "2010-09-09");
    home.run("--sandbox export pulumi").exits(2).says("terraform, cloudformation");
}

/// Terraform takes the code, changes nothing when it imports it, and has nothing to do afterwards.
#[test]
fn terraform_imports_the_stack_and_finds_no_change() {
    let Some(plugins) = std::env::var_os(PLUGINS) else {
        return left_out("export::terraform_imports_the_stack_and_finds_no_change");
    };
    let server = AwsServer::sandbox_at(30);
    Run::of(&mut server.command("up --no-verify")).exits(0);
    Run::of(&mut server.command("export terraform --output infra")).exits(0);
    let folder = server.path("infra");
    std::fs::write(folder.join("endpoint_override.tf"), endpoint(&server.url)).unwrap();
    let terraform = |line: &str| {
        let mut command = Command::new("terraform");
        command.current_dir(&folder).args(line.split_whitespace()).envs(KEYS);
        command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
        command.env_remove("HTTP_PROXY").env_remove("http_proxy").env_remove("TF_CLI_CONFIG_FILE");
        command
    };
    Run::of(terraform("init -no-color -input=false").arg("-plugin-dir").arg(Path::new(&plugins))).exits(0);
    Run::of(&mut terraform("validate -no-color")).exits(0);
    Run::of(&mut terraform("fmt -check -no-color main.tf")).exits(0);
    let planned = Run::of(&mut terraform("plan -no-color -input=false"));
    planned.exits(0).prints("Plan: 14 to import, 0 to add, 0 to change, 0 to destroy.");
    Run::of(&mut terraform("apply -no-color -input=false -auto-approve")).exits(0);
    Run::of(&mut terraform("plan -no-color -input=false -detailed-exitcode")).exits(0);
    Run::of(&mut server.command("plan --exit-code")).exits(0);
}

/// The provider of the code, at the sandbox.
fn endpoint(url: &str) -> String {
    let services = ["acm", "autoscaling", "ec2", "elbv2", "iam", "route53", "ssm", "sts"];
    let endpoints: String = services.map(|service| format!("    {service} = \"{url}\"\n")).concat();
    format!(
        "provider \"aws\" {{\n  region = \"eu-central-1\"\n  access_key = \"sandbox\"\n  secret_key = \"sandbox\"\n  \
         skip_metadata_api_check = true\n  skip_region_validation = true\n  endpoints {{\n{endpoints}  }}\n}}\n"
    )
}
