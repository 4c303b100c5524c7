//! `deploy diagnose`: each row of the guide's troubleshooting table, brought about in the world; the cause comes first.

use crate::support::{Aws, Ended, Exit, Fault, Stage, Status, Weather};

const CERTIFICATE: &str = "arn:aws:acm:eu-central-1:123456789012:certificate/0";

/// What this line of `diagnose` says of the stack after this edit.
async fn diagnosed(edit: impl FnOnce(&mut Aws<'_>), line: &str) -> Ended {
    let outcome = Stage::up().await.edited(edit).over_sockets(line).await;
    outcome.writes_nothing();
    outcome
}

/// What it says in this weather.
async fn diagnosed_under(weather: impl FnOnce(&mut Weather)) -> Ended {
    let stage = Stage::up().await;
    stage.weather(weather);
    let outcome = stage.edited(|_| {}).over_sockets("diagnose").await;
    outcome.writes_nothing();
    outcome
}

/// The first finding is this one, with these words and a fix.
#[track_caller]
fn blames_first(outcome: &Ended, id: &str, words: &str) {
    outcome.exits(Exit::Unverified);
    outcome.demand(outcome.checks[0].id == id, || format!("the first finding must be {id}"));
    outcome.finds(id, Status::Fail).check_says(id, words);
    outcome
        .demand(outcome.checks[0].fix.as_ref().is_some_and(|fix| !fix.is_empty()), || "it must have a fix".to_owned());
    let failed = outcome.checks.iter().filter(|check| check.status == Status::Fail).count();
    let among = if failed == 1 { String::new() } else { format!(" (1 of {failed})") };
    let (name, evidence) = (outcome.checks[0].name(), &outcome.checks[0].evidence);
    outcome.sums_up(&format!("Most likely{among}: {name}: {}", evidence.trim_end_matches('.'))).sums_up("Next: ");
}

/// After this edit, the first finding is this one.
async fn first(id: &str, words: &str, edit: impl FnOnce(&mut Aws<'_>)) -> Ended {
    let outcome = diagnosed(edit, "diagnose").await;
    blames_first(&outcome, id, words);
    outcome
}

/// In this weather, the first finding is this one.
async fn first_under(id: &str, words: &str, weather: impl FnOnce(&mut Weather)) -> Ended {
    let outcome = diagnosed_under(weather).await;
    blames_first(&outcome, id, words);
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_healthy_stack_has_no_findings() {
    diagnosed(|_| {}, "diagnose").await.succeeds().ends_as("healthy").every_check_passes();
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_was_never_made_does_not_stand() {
    let stage = Stage::new();
    let outcome = stage.run("diagnose").await;
    outcome.exits(Exit::Unverified);
    assert_eq!(outcome.checks[0].id, "stands", "{outcome}");
    stage.other_client().await.create_record("app.example.com").await.unwrap();
    stage.run("diagnose").await.sees("stands", "nothing of this stack");
}

#[tokio::test(start_paused = true)]
async fn what_was_removed_and_what_is_not_ours_is_named() {
    first("stands", "dns_record app.example.com", |aws| aws.delete_record()).await;
    first("stands", "not ours", |aws| aws.security_groups().lose_tags()).await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_port_explains_unhealthy_targets() {
    let outcome = first("health_check_port", "app-sg", |aws| aws.security_group("app-sg").close(8501)).await;
    outcome.sees("health_check_port", "opens 8501 from nowhere");
    outcome.finds("targets", Status::Fail); // the symptom comes after its cause
    first("traffic_port", "opens 80 from nowhere", |aws| aws.security_group("app-sg").close(80)).await;
    first("entrance", "alb-sg opens 443 from nowhere", |aws| aws.security_group("alb-sg").close(443)).await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_whose_source_is_not_the_groups_id_explains_unhealthy_targets() {
    let words = "from 10.9.0.0/16, not from sg-";
    let edit = |aws: &mut Aws<'_>| aws.security_group("app-sg").open_to_addresses(8501, "10.9.0.0/16");
    first("health_check_port", words, edit).await;
}

#[tokio::test(start_paused = true)]
async fn the_wizards_health_check_explains_unhealthy_targets() {
    let words = "wanted: HTTP GET / on 8501, 404";
    first("health_check", words, |aws| aws.target_group().matcher("200")).await;
    first("health_check", "traffic-port", |aws| aws.target_group().health_check_port("traffic-port")).await;
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_forwards_elsewhere_explains_unused_targets() {
    let elsewhere = |aws: &mut Aws<'_>| {
        aws.listeners().redirect();
        aws.target_group().leave_load_balancer();
    };
    first("listener_path", "none forwards to app-tg", elsewhere).await.sees("targets", "Target.NotInUse");
}

#[tokio::test(start_paused = true)]
async fn instances_in_a_zone_without_the_load_balancer_are_named() {
    first("zones", "instances run in eu-central-1b", |aws| aws.load_balancer().leave_last_zone()).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_comes_up_is_the_only_finding() {
    let dead = |weather: &mut Weather| weather.dead.push("c7i-flex.4xlarge".to_owned());
    let outcome = first_under("targets", "refused or cut", dead).await;
    let failed = outcome.checks.iter().filter(|check| check.status == Status::Fail).count();
    outcome.demand(failed == 1, || "nothing else may fail".to_owned());
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_does_not_serve_is_named() {
    first("certificate", "PENDING_VALIDATION", |aws| aws.certificate().status("PENDING_VALIDATION")).await;
    first("certificate", "EXPIRED", |aws| aws.certificate().status("EXPIRED")).await;
    let short = |aws: &mut Aws<'_>| aws.certificate().key_algorithm("RSA-1024");
    first("certificate", "do not take a key of RSA_1024", short).await;
    first("certificate", "none covers app.example.com", |aws| aws.certificate().cover_only("example.org")).await;
    let abroad = |aws: &mut Aws<'_>| aws.certificate().arn("arn:aws:acm:us-east-1:123456789012:certificate/0");
    first("certificate", "is in us-east-1", abroad).await;
    first("certificate", "has no certificate", |aws| aws.delete_certificate()).await;
    let given = format!("diagnose --set load_balancer.certificate={CERTIFICATE}");
    diagnosed(|_| {}, &given).await.sees("certificate", "does not exist");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_does_not_scale_out_is_explained() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.cpu = 80.0);
    let full = stage.edited(|aws| {
        aws.auto_scaling_group().max_size(2);
        aws.auto_scaling_group().desired_capacity(2);
    });
    full.over_sockets("diagnose --set scaling.max=2").await.writes_nothing().blames("scale_out", "at scaling.max");
    first("scale_out", "no alarms", |aws| aws.scaling_policy().lose_alarms()).await;
    first("scale_out", "suspended", |aws| aws.auto_scaling_group().suspend("AlarmNotification")).await;
    first("scale_out", "disabled", |aws| aws.scaling_policy().disable()).await;
    let busy = diagnosed_under(|weather| weather.cpu = 80.0).await;
    busy.succeeds().finds("scale_out", Status::Warn); // it is about to grow
    assert_eq!(busy.checks[0].id, "scale_out", "{busy}");
}

#[tokio::test(start_paused = true)]
async fn instances_without_the_role_are_explained() {
    let another = |aws: &mut Aws<'_>| aws.launch_template().name_profile("Another");
    first("role", "names Another, not OZMarketplace", another).await;
    first("role", "holds no role", |aws| aws.instance_profile().lose_role()).await;
    first("instance_profile", "has none", |aws| aws.instances().lose_profile()).await;
    let outcome = diagnosed(|aws| aws.instances().come_from_version("0"), "diagnose").await;
    outcome.finds("launch_template_version", Status::Warn);
}

#[tokio::test(start_paused = true)]
async fn missing_capacity_is_named() {
    let not_offered = |weather: &mut Weather| weather.not_offered.push("eu-central-1b".to_owned());
    first_under("capacity", "not offered in eu-central-1b", not_offered).await;
    first_under("capacity", "even the least", |weather| weather.vcpus = 8.0).await;
    diagnosed_under(|weather| weather.vcpus = 64.0).await.succeeds().finds("capacity", Status::Warn);
}

/// Each failure of a launch, as Auto Scaling words it.
#[tokio::test(start_paused = true)]
async fn launches_that_fail_are_explained() {
    for (code, words) in [
        ("InsufficientInstanceCapacity", "no more of this instance type"),
        ("VcpuLimitExceeded", "vCPU quota"),
        ("OptInRequired", "not subscribed"),
        ("InvalidKMSKey", "AWSServiceRoleForAutoScaling"),
        ("Unsupported", "not offered"),
    ] {
        let stage = Stage::under(|weather| weather.launch_fails.extend([("*".to_owned(), code.to_owned())]));
        stage.succeeds("up --no-verify").await;
        blames_first(&stage.noting(code).over_sockets("diagnose").await, "launches", words);
    }
    first("launches", "resume-processes", |aws| aws.auto_scaling_group().suspend("Launch")).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_and_missing_is_named() {
    let outcome = diagnosed(|_| {}, "diagnose --set instance.image=no-such").await;
    outcome.exits(Exit::Unverified).sees("needs", "no-such");
    assert_eq!(outcome.checks[0].id, "needs", "{outcome}");
}

/// Without a way out, instances cannot meter their use.
#[tokio::test(start_paused = true)]
async fn private_subnets_have_a_way_out() {
    let ways = diagnosed(|_| {}, "diagnose").await;
    ways.finds("way_out", Status::Pass).sees("way_out", "goes out by nat-");
    diagnosed(|aws| aws.route_table().become_the_main_one(), "diagnose").await.finds("way_out", Status::Pass);
    first("way_out", "blackhole", |aws| aws.route_table().lead_into_a_hole()).await.advises("way_out", "NAT gateway");
    let none = diagnosed(|aws| aws.route_table().lose_default_route(), "diagnose").await;
    none.finds("way_out", Status::Warn).sees("way_out", "has no route for 0.0.0.0/0").blames("way_out", "meter");
    let denied = Stage::up().await;
    let asked = ways.calls.iter().position(|call| call.operation == "DescribeRouteTables").unwrap();
    denied.sandbox.disturb(asked, Fault::Refuse);
    denied.over_sockets("diagnose").await.finds("way_out", Status::Unknown);
}
