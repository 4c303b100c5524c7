//! `deploy conform`: each setting of the guide, and why what differs does.

use serde_json::Value;

use crate::support::{Aws, Exit, Home, Stage};

/// How a setting stands: its conformity and what it is.
fn setting<'a>(report: &'a Value, name: &str) -> (&'a str, Option<&'a str>) {
    let settings = report["settings"].as_array().unwrap();
    let one = settings.iter().find(|one| one["setting"] == name).unwrap_or_else(|| panic!("no setting {name}"));
    (one["conformity"].as_str().unwrap(), one["live"].as_str())
}

#[tokio::test(start_paused = true)]
async fn a_stack_by_the_guide_is_equal_but_for_two_decisions() {
    let stage = Stage::up().await;
    stage.run("conform").await.exits(Exit::Done).ends_as("conforms").writes_nothing();
    let report = stage.json("conform").await;
    let all = report["settings"].as_array().unwrap();
    let not_equal: Vec<_> = all.iter().filter(|one| one["conformity"] != "equal").collect();
    assert_eq!(not_equal.len(), 2, "{not_equal:?}");
    assert!(not_equal.iter().all(|one| one["conformity"] == "decided" && one["why"].is_string()), "{not_equal:?}");
    assert!(all.len() > 45, "{}", all.len());
}

/// What deploy.yaml has otherwise is chosen, what somebody changed differs, what is not there is absent.
#[tokio::test(start_paused = true)]
async fn what_differs_has_its_reason() {
    type Edit = fn(&mut Aws<'_>);
    let edits: [(Edit, &str, &str); 6] = [
        (|aws| aws.target_group().matcher("200"), "health check: success codes", "200"),
        (|aws| aws.target_group().algorithm("round_robin"), "target group: attributes", "\"round_robin\""),
        (|aws| aws.auto_scaling_group().max_size(50), "group: max", "50"),
        (|aws| aws.launch_template().name_profile("Other"), "template: instance profile", "Other"),
        (
            |aws| aws.load_balancer().carry_security_group("sg-0theirs"),
            "load balancer: security group",
            "[\"sg-0theirs\"]",
        ),
        (|aws| aws.auto_scaling_group().heed_ec2_only(), "group: health checks", "EC2"),
    ];
    for (edit, name, live) in edits {
        let stage = Stage::up().await.noting(name);
        stage.edit(edit);
        assert_eq!(setting(&stage.json("conform").await, name), ("differs", Some(live)));
        stage.run("conform").await.exits(Exit::Changes).ends_as("differs");
    }
    let stage = Stage::up().await;
    let line = "--set scaling.max=50 --set instance.type=c7i.4xlarge --set health_check.port=8502";
    stage.succeeds(&format!("up {line}")).await;
    let report = stage.json(&format!("conform {line}")).await;
    for (name, live) in
        [("group: max", "50"), ("template: instance type", "c7i.4xlarge"), ("health check: port", "8502")]
    {
        assert_eq!(setting(&report, name), ("chosen", Some(live)));
    }
    let nothing = Stage::new().json("conform").await;
    assert_eq!(setting(&nothing, "load balancer: name"), ("absent", None));
    let without = Stage::up().await;
    without.edit(|aws| aws.delete_record());
    assert_eq!(setting(&without.json("conform").await, "record: type"), ("absent", None));
}

#[test]
fn it_is_a_table_a_page_and_a_suite() {
    let home = Home::new();
    home.run("--sandbox up").exits(0);
    let run = home.run("--sandbox conform --html guide.html --junit guide.xml");
    run.exits(0).prints("equal    step 3  template: IOPS").prints("guide: CNAME; ").prints("51 equal");
    assert_eq!(run.stdout().matches("template: IOPS").count(), 1, "each setting once\n{run}");
    let looked = home.run("--sandbox preflight");
    assert_eq!(looked.stdout().matches("OZ101").count(), 1, "each check once\n{looked}");
    let read = |name: &str| std::fs::read_to_string(home.path(name)).unwrap();
    assert!(read("guide.html").contains("template: IOPS") && read("guide.xml").contains("template: IOPS"));
    home.write("deploy.yaml", "");
    home.run("--sandbox conform --html deploy.yaml").exits(2).says("a file that this run reads");
}
