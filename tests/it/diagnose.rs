//! `deploy diagnose`: each row of the guide's troubleshooting table, brought about in the world; the cause comes first.

use serde_json::{Value, json};

use crate::support::{Check, Exit, Outcome, Sandbox, Stage, Status, World, plain_record, rows};

/// A standing stack in a world that was changed, some minutes later: what `diagnose` says.
async fn diagnosed(change: impl FnOnce(&mut World), line: &str) -> Outcome {
    let mut stage = Stage::standing().await;
    let mut world = stage.sandbox.world();
    change(&mut world);
    stage.sandbox = Sandbox::of(world, 1.0);
    let outcome = stage.run(line).await;
    assert_eq!(stage.writes(), Vec::<String>::new(), "diagnose only reads");
    outcome
}

/// The first finding is this one, with these words.
async fn first(id: &str, words: &str, change: impl FnOnce(&mut World)) -> Outcome {
    let outcome = diagnosed(change, "diagnose").await;
    let check = &outcome.checks[0];
    assert_eq!((check.id, check.status), (id, Status::Fail), "{:#?}", outcome.checks);
    assert!(format!("{check:?}").contains(words), "{check:?}");
    assert!(check.fix.as_ref().is_some_and(|fix| !fix.is_empty()), "{check:?}");
    assert_eq!(outcome.exit, Exit::Unverified);
    assert!(outcome.summary.starts_with("Most likely: "), "{}", outcome.summary);
    outcome
}

fn check<'a>(outcome: &'a Outcome, id: &str) -> &'a Check {
    outcome.checks.iter().find(|check| check.id == id).unwrap()
}

/// Takes the rules of one port out of a group.
fn close(world: &mut World, group: &str, port: u16) {
    for row in rows(world, "groups").filter(|row| row["groupName"] == group) {
        let rules = row["_rules"].as_array_mut().unwrap();
        rules.retain(|rule| rule["fromPort"] != port);
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_stack_is_told_so() {
    let outcome = diagnosed(|_| {}, "diagnose").await;
    assert_eq!((outcome.exit, outcome.outcome), (Exit::Done, "healthy"), "{:#?}", outcome.checks);
    assert!(outcome.checks.iter().all(|check| check.status == Status::Pass));
}

#[tokio::test(start_paused = true)]
async fn nothing_that_stands() {
    let stage = Stage::new();
    let outcome = stage.run("diagnose").await;
    assert_eq!((outcome.exit, outcome.checks[0].id), (Exit::Unverified, "stands"));
    plain_record(&stage.other_client().await).await.unwrap();
    assert!(stage.run("diagnose").await.checks[0].evidence.contains("nothing of this stack"));
}

#[tokio::test(start_paused = true)]
async fn something_removed_and_something_foreign() {
    let gone = |world: &mut World| world.table("zones").values_mut().for_each(|zone| zone["_records"] = json!([]));
    first("stands", "dns_record app.example.com", gone).await;
    let untagged = |world: &mut World| rows(world, "groups").for_each(|row| row["tagSet"] = json!([]));
    first("stands", "not ours", untagged).await;
}

#[tokio::test(start_paused = true)]
async fn unhealthy_targets_by_a_closed_port() {
    let outcome = first("health_check_port", "app-sg", |world| close(world, "app-sg", 8501)).await;
    assert!(outcome.checks[0].evidence.contains("opens 8501 from nowhere"));
    assert_eq!(check(&outcome, "targets").status, Status::Fail, "the symptom comes after its cause");
    first("traffic_port", "opens 80 from nowhere", |world| close(world, "app-sg", 80)).await;
    first("entrance", "alb-sg opens 443 from nowhere", |world| close(world, "alb-sg", 443)).await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_whose_source_is_not_the_groups_id() {
    let by_address = |world: &mut World| {
        for row in rows(world, "groups").filter(|row| row["groupName"] == "app-sg") {
            for rule in row["_rules"].as_array_mut().unwrap().iter_mut().filter(|rule| rule["fromPort"] == 8501) {
                rule["referencedGroupInfo"] = Value::Null;
                rule["cidrIpv4"] = json!("10.9.0.0/16");
            }
        }
    };
    first("health_check_port", "from 10.9.0.0/16, not from sg-", by_address).await;
}

#[tokio::test(start_paused = true)]
async fn unhealthy_targets_by_the_wizards_health_check() {
    let matcher =
        |world: &mut World| rows(world, "target_groups").for_each(|row| row["Matcher"]["HttpCode"] = json!("200"));
    first("health_check", "wanted: HTTP GET / on 8501, 404", matcher).await;
    let port =
        |world: &mut World| rows(world, "target_groups").for_each(|row| row["HealthCheckPort"] = json!("traffic-port"));
    first("health_check", "traffic-port", port).await;
}

#[tokio::test(start_paused = true)]
async fn unused_targets_by_a_listener_that_forwards_elsewhere() {
    let elsewhere = |world: &mut World| {
        let redirect = json!([{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_302"}}]);
        rows(world, "listeners").for_each(|row| row["DefaultActions"] = redirect.clone());
        rows(world, "target_groups").for_each(|row| row["LoadBalancerArns"] = json!([]));
    };
    let outcome = first("listener_path", "none forwards to app-tg", elsewhere).await;
    assert!(check(&outcome, "targets").evidence.contains("Target.NotInUse"));
}

#[tokio::test(start_paused = true)]
async fn instances_in_a_zone_without_the_load_balancer() {
    let moved = |world: &mut World| {
        rows(world, "balancers").for_each(|row| drop(row["AvailabilityZones"].as_array_mut().unwrap().pop()));
    };
    first("zones", "instances run in eu-central-1b", moved).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_comes_up() {
    let outcome =
        first("targets", "refused or cut", |world| world.weather.dead.push("c7i-flex.4xlarge".to_owned())).await;
    assert!(outcome.checks.iter().filter(|check| check.status == Status::Fail).count() == 1);
}

#[tokio::test(start_paused = true)]
async fn the_certificate() {
    let with = |field: &'static str, value: &'static str| {
        move |world: &mut World| rows(world, "certificates").for_each(|row| row[field] = json!(value))
    };
    first("certificate", "PENDING_VALIDATION", with("Status", "PENDING_VALIDATION")).await;
    first("certificate", "EXPIRED", with("Status", "EXPIRED")).await;
    first("certificate", "do not take a key of RSA_1024", with("KeyAlgorithm", "RSA-1024")).await;
    let named = |world: &mut World| {
        for row in rows(world, "certificates") {
            row["DomainName"] = json!("example.org");
            row["SubjectAlternativeNames"] = json!(["example.org"]);
            row["SubjectAlternativeNameSummaries"] = json!(["example.org"]);
        }
    };
    first("certificate", "none covers app.example.com", named).await;
    let abroad = |world: &mut World| {
        for row in rows(world, "certificates") {
            row["CertificateArn"] = json!("arn:aws:acm:us-east-1:123456789012:certificate/0");
        }
    };
    first("certificate", "is in us-east-1", abroad).await;
    first("certificate", "has no certificate", |world| world.table("certificates").clear()).await;
    let given = "diagnose --set load_balancer.certificate=arn:aws:acm:eu-central-1:123456789012:certificate/0";
    let outcome = diagnosed(|_| {}, given).await;
    assert!(check(&outcome, "certificate").evidence.contains("does not exist"), "{:#?}", outcome.checks);
}

#[tokio::test(start_paused = true)]
async fn scale_out_that_does_not_trigger() {
    let full = |world: &mut World| {
        world.weather.cpu = 80.0;
        rows(world, "asgs").for_each(|row| (row["MaxSize"], row["DesiredCapacity"]) = (json!(2), json!(2)));
    };
    let outcome = diagnosed(full, "diagnose --set scaling.max=2").await;
    assert!(check(&outcome, "scale_out").cause.as_ref().unwrap().contains("at scaling.max"), "{:#?}", outcome.checks);
    first("scale_out", "no alarms", |world| {
        rows(world, "policies_of_groups").for_each(|row| row["Alarms"] = json!([]))
    })
    .await;
    let suspended = json!([{"ProcessName": "AlarmNotification"}]);
    first("scale_out", "suspended", |world| {
        rows(world, "asgs").for_each(|row| row["SuspendedProcesses"] = suspended.clone())
    })
    .await;
    first("scale_out", "disabled", |world| {
        rows(world, "policies_of_groups").for_each(|row| row["Enabled"] = json!(false))
    })
    .await;
    let busy = diagnosed(|world| world.weather.cpu = 80.0, "diagnose").await;
    assert_eq!(
        (busy.exit, busy.checks[0].id, busy.checks[0].status),
        (Exit::Done, "scale_out", Status::Warn),
        "it is about to grow"
    );
}

#[tokio::test(start_paused = true)]
async fn the_role_is_not_on_the_instances() {
    let template = |world: &mut World| {
        for row in rows(world, "templates") {
            row["_versions"][0]["launchTemplateData"]["iamInstanceProfile"] = json!({"name": "Another"});
        }
    };
    first("role", "names Another, not OZMarketplace", template).await;
    first("role", "holds no role", |world| rows(world, "profiles").for_each(|row| row["_role"] = Value::Null)).await;
    let instances =
        |world: &mut World| rows(world, "instances").for_each(|row| row["iamInstanceProfile"] = Value::Null);
    first("instance_profile", "has none", instances).await;
    let outdated =
        |world: &mut World| rows(world, "instances").for_each(|row| row["_template"]["Version"] = json!("0"));
    let outcome = diagnosed(outdated, "diagnose").await;
    assert_eq!(check(&outcome, "launch_template_version").status, Status::Warn);
}

#[tokio::test(start_paused = true)]
async fn no_capacity() {
    first("capacity", "not offered in eu-central-1b", |world| {
        world.weather.not_offered.push("eu-central-1b".to_owned())
    })
    .await;
    first("capacity", "even the least", |world| world.weather.vcpus = 8.0).await;
    let outcome = diagnosed(|world| world.weather.vcpus = 64.0, "diagnose").await;
    assert_eq!((outcome.exit, check(&outcome, "capacity").status), (Exit::Done, Status::Warn));
}

/// Each failure of a launch, as Auto Scaling words it.
#[tokio::test(start_paused = true)]
async fn launches_that_fail() {
    let rows = [
        ("InsufficientInstanceCapacity", "no more of this instance type"),
        ("VcpuLimitExceeded", "vCPU quota"),
        ("OptInRequired", "not subscribed"),
        ("InvalidKMSKey", "AWSServiceRoleForAutoScaling"),
        ("Unsupported", "not offered"),
    ];
    for (code, words) in rows {
        let stage = Stage::new();
        stage.sandbox.change(|world| drop(world.weather.launch_fails.insert("*".to_owned(), code.to_owned())));
        stage.succeeds("up --no-verify").await;
        let outcome = stage.run("diagnose").await;
        let launches = &outcome.checks[0];
        assert_eq!((launches.id, launches.status), ("launches", Status::Fail), "{code}: {:#?}", outcome.checks);
        assert!(format!("{launches:?}").contains(words), "{code}: {launches:?}");
    }
    let suspended = json!([{"ProcessName": "Launch"}]);
    first("launches", "resume-processes", |world| {
        self::rows(world, "asgs").for_each(|row| row["SuspendedProcesses"] = suspended.clone())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_and_missing() {
    let outcome = diagnosed(|_| {}, "diagnose --set instance.image=no-such").await;
    assert_eq!((outcome.exit, outcome.checks[0].id), (Exit::Unverified, "needs"));
    assert!(outcome.checks[0].evidence.contains("no-such"));
}
