//! `deploy verify` on a stack: each check, broken by another hand or in the world itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::support::{
    BaseUrl, Check, Clock, Endpoint, Exit, Names, Outcome, Sandbox, Stage, Status, Stop, Web, World, config,
    configuration, explain_reason, rows, seed,
};

/// A stack that stands, from now on in real time: what follows goes over real sockets.
async fn standing() -> Stage {
    let stage = Stage::standing().await;
    tokio::time::resume();
    stage
}

fn statuses(outcome: &Outcome) -> BTreeMap<&str, Status> {
    outcome.checks.iter().map(|check| (check.id, check.status)).collect()
}

fn check<'a>(outcome: &'a Outcome, id: &str) -> &'a Check {
    outcome.checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no check {id}"))
}

/// A standing stack in a world that was changed; what `verify` says, and that this check fails.
async fn broken(id: &str, change: impl FnOnce(&mut World)) -> Outcome {
    let mut stage = standing().await;
    let mut world = stage.sandbox.world();
    change(&mut world);
    stage.sandbox = Sandbox::of(world, 1.0);
    let outcome = stage.run("verify").await;
    let failed = check(&outcome, id);
    assert_eq!(failed.status, Status::Fail, "{:#?}", outcome.checks);
    assert!(failed.cause.is_some() && failed.fix.is_some(), "{failed:?}");
    assert!(outcome.verdict.is_none(), "no metered call when something is wrong");
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_good_stack_passes_every_check_without_a_write() {
    let stage = standing().await;
    let outcome = stage.run("verify --count 2").await;
    assert_eq!(outcome.exit, Exit::Done, "{:#?}", outcome.checks);
    let ids: Vec<&str> = outcome.checks.iter().map(|check| check.id).collect();
    let all = [
        "load_balancer",
        "listeners",
        "targets",
        "instance_profile",
        "launch_template_version",
        "scaling_policy",
        "reach_load_balancer",
        "certificate",
        "redirect",
        "version",
        "record_authoritative",
        "record_resolved",
        "reach_record",
        "drift",
        "liveness",
        "biometry",
    ];
    assert_eq!(ids, all);
    assert!(outcome.checks.iter().all(|check| check.status == Status::Pass), "{:#?}", outcome.checks);
    assert_eq!(stage.writes(), Vec::<String>::new());
    let posts = stage.sandbox.oz().requests().into_iter().filter(|seen| seen.method == "POST");
    assert_eq!(posts.count(), 2, "liveness and biometry once, however often the rest");
    assert_eq!(outcome.verdict.unwrap().score, Some(0.99));
}

#[tokio::test(start_paused = true)]
async fn a_closed_health_check_port_is_named() {
    let outcome = broken("targets", |world| {
        for group in rows(world, "groups").filter(|row| row["groupName"] == "app-sg") {
            group["_rules"].as_array_mut().unwrap().retain(|rule| rule["fromPort"] != 8501);
        }
    })
    .await;
    assert_eq!(outcome.exit, Exit::Unverified);
    let targets = check(&outcome, "targets");
    assert!(targets.evidence.contains("Target.Timeout"), "{targets:?}");
    assert!(targets.cause.as_ref().unwrap().contains("app-sg does not open 8501 from alb-sg"), "{targets:?}");
    assert_eq!(statuses(&outcome)["version"], Status::Fail, "503: nobody is healthy");
}

#[tokio::test(start_paused = true)]
async fn a_matcher_that_was_changed_is_named() {
    let outcome = broken("targets", |world| {
        rows(world, "target_groups").for_each(|group| group["Matcher"]["HttpCode"] = json!("200"));
    })
    .await;
    let targets = check(&outcome, "targets");
    assert!(targets.evidence.contains("Target.ResponseCodeMismatch"), "{targets:?}");
    assert!(targets.cause.as_ref().unwrap().contains("[404]"), "{targets:?}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_listener_is_named_at_every_place_where_it_shows() {
    let outcome = broken("listeners", |world| world.table("listeners").retain(|_, row| row["Port"] != 443)).await;
    let statuses = statuses(&outcome);
    assert_eq!(
        (statuses["certificate"], statuses["version"], statuses["redirect"]),
        (Status::Fail, Status::Fail, Status::Pass)
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_redirect_is_named() {
    let outcome = broken("redirect", |world| world.table("listeners").retain(|_, row| row["Port"] != 80)).await;
    assert_eq!((outcome.exit, statuses(&outcome)["version"]), (Exit::Unverified, Status::Pass));
}

#[tokio::test(start_paused = true)]
async fn a_missing_record_is_told_by_the_zones_own_servers() {
    let outcome = broken("record_authoritative", |world| {
        rows(world, "zones").for_each(|zone| zone["_records"] = json!([]));
    })
    .await;
    let statuses = statuses(&outcome);
    assert_eq!(
        (statuses["version"], statuses["certificate"]),
        (Status::Pass, Status::Pass),
        "the service is judged before DNS"
    );
    assert_eq!((statuses["record_resolved"], statuses["reach_record"]), (Status::Fail, Status::Skip));
    assert!(check(&outcome, "record_authoritative").evidence.contains("no such name"));
}

#[tokio::test(start_paused = true)]
async fn certificates_are_judged_by_name_and_days() {
    // The certificate is given, not found by its name.
    let certificate = seed().certificate;
    for (days, status, word) in
        [(400, Status::Pass, "days left"), (5, Status::Warn, "days left"), (-5, Status::Fail, "expired")]
    {
        let mut stage = Stage::with(&format!("load_balancer: {{ certificate: \"{certificate}\" }}\n"));
        stage.succeeds("up").await;
        tokio::time::resume();
        let mut world = stage.sandbox.world();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
        rows(&mut world, "certificates").for_each(|row| row["NotAfter"] = json!(now + days * 86_400));
        stage.sandbox = Sandbox::of(world, 1.0);
        let outcome = stage.run("verify").await;
        let found = check(&outcome, "certificate");
        assert_eq!(found.status, status, "{found:?}");
        assert!(format!("{found:?}").contains(word), "{found:?}");
        tokio::time::pause();
    }
    let mut stage = Stage::with(&format!("load_balancer: {{ certificate: \"{certificate}\" }}\n"));
    stage.succeeds("up").await;
    tokio::time::resume();
    let mut world = stage.sandbox.world();
    for row in rows(&mut world, "certificates") {
        row["DomainName"] = json!("other.example.com");
        row["SubjectAlternativeNameSummaries"] = json!([]);
    }
    stage.sandbox = Sandbox::of(world, 1.0);
    let outcome = stage.run("verify").await;
    assert!(check(&outcome, "certificate").cause.as_ref().unwrap().contains("does not cover app.example.com"));
    assert_eq!(outcome.exit, Exit::Unverified);
}

#[tokio::test(start_paused = true)]
async fn the_version_is_compared_when_one_is_wanted() {
    let stage = standing().await;
    assert_eq!(stage.run("verify --set verify.version=0.0.0-sandbox").await.exit, Exit::Done);
    let outcome = stage.run("verify --set verify.version=6.0.1").await;
    assert_eq!((outcome.exit, statuses(&outcome)["version"]), (Exit::Unverified, Status::Fail));
    assert!(check(&outcome, "version").evidence.contains("0.0.0-sandbox"), "it is shown whole");
}

#[tokio::test(start_paused = true)]
async fn instances_are_looked_at_themselves() {
    let outcome = broken("instance_profile", |world| {
        rows(world, "instances").for_each(|instance| instance["iamInstanceProfile"] = json!(null));
    })
    .await;
    assert_eq!((outcome.exit, statuses(&outcome)["drift"]), (Exit::Unverified, Status::Pass));
    assert!(check(&outcome, "instance_profile").evidence.contains("has none"));
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_alarms_never_scales() {
    let outcome = broken("scaling_policy", |world| {
        rows(world, "policies_of_groups").for_each(|policy| policy["Alarms"] = json!([]));
    })
    .await;
    assert_eq!(outcome.exit, Exit::Unverified);
}

#[tokio::test(start_paused = true)]
async fn drift_alone_is_exit_3() {
    let outcome = broken("drift", |world| {
        rows(world, "groups")
            .for_each(|group| group["tagSet"].as_array_mut().unwrap().retain(|tag| tag["key"] != "Name"));
    })
    .await;
    assert_eq!((outcome.exit, outcome.outcome), (Exit::Changes, "drift"), "{:#?}", outcome.checks);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_stands_is_verified() {
    let stage = Stage::new();
    tokio::time::resume();
    let outcome = stage.run("verify").await;
    assert_eq!(outcome.exit, Exit::Unverified);
    assert!(check(&outcome, "load_balancer").fix.as_ref().unwrap().contains("deploy up"));
}

#[tokio::test]
async fn what_heals_is_waited_for() {
    let mut stage = Stage::new();
    stage.sandbox = Sandbox::seeded(400.0);
    stage.succeeds("up --no-verify").await;
    let outcome = stage.run("verify").await;
    assert_eq!(outcome.exit, Exit::Done, "{:#?}", outcome.checks);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_governs_what_may_heal() {
    let stage = Stage::new();
    stage.succeeds("up --no-verify").await;
    tokio::time::resume();
    let outcome = stage.run("verify --timeout 2s").await;
    assert_eq!((outcome.exit, outcome.outcome), (Exit::Deadline, "timeout"), "{:#?}", outcome.checks);
}

#[tokio::test]
async fn an_internal_load_balancer_out_of_reach_is_told_with_the_ways_round() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (clock, stop, web) = (Clock::new(Duration::from_secs(60), 1.0), Stop::never(), Web::new(None).unwrap());
    let endpoint = Endpoint {
        web: &web,
        names: Names::System,
        balancer: "127.0.0.1", // nobody listens on this port of a private address
        base: BaseUrl::parse(&format!("https://app.example.com:{free}"), false).unwrap(),
        record: None,
        redirects: true,
        token: None,
        version: None,
        start: Instant::now(),
        time: (&clock, &stop),
    };
    let found = endpoint.checks().await.unwrap();
    let statuses: Vec<Status> = found.iter().map(|found| found.check.status).collect();
    assert_eq!(statuses, [Status::Fail, Status::Skip, Status::Skip, Status::Skip]);
    assert!(!found[0].heals, "no use in waiting");
    let fix = found[0].check.fix.as_ref().unwrap();
    assert!(fix.contains("inside the VPC") && fix.contains("--base-url"), "{fix}");
}

#[test]
fn every_reason_code_is_explained_in_this_stacks_words() {
    let config = config::parse(&configuration(), "deploy.yaml", &[]).unwrap();
    let rows = [
        ("Elb.RegistrationInProgress", "taking the target in", true),
        ("Elb.InitialHealthChecking", "under way", true),
        ("Elb.InternalError", "inside the load balancer", true),
        ("Target.ResponseCodeMismatch", "did not answer 404", true),
        ("Target.Timeout", "app-sg does not open 8501 from alb-sg", true),
        ("Target.FailedHealthChecks", "refused or cut", true),
        ("Target.NotRegistered", "not in app-tg", true),
        ("Target.NotInUse", "no listener", false),
        ("Target.DeregistrationInProgress", "leaving", true),
        ("Target.InvalidState", "stopped or terminated", true),
        ("Target.IpUnusable", "in use", false),
        ("Target.HealthCheckDisabled", "switched off", false),
        ("Target.Whatever", "Target.Whatever", true),
    ];
    for (code, words, heals) in rows {
        let explained = explain_reason(code, None, &config);
        assert!(explained.cause.contains(words), "{code}: {}", explained.cause);
        assert_eq!(explained.heals, heals, "{code}");
        assert!(!explained.fix.is_empty());
    }
    let seen =
        explain_reason("Target.ResponseCodeMismatch", Some("Health checks failed with these codes: [200]"), &config);
    assert!(seen.cause.contains("[200]"));
}

#[tokio::test(start_paused = true)]
async fn a_name_is_denied_only_by_servers_that_know_its_witness() {
    let stage = standing().await;
    let names = Names::Sandbox(stage.sandbox.front().await.unwrap().names);
    let (here, gone) = ("app.example.com", "app-alb-1.eu-central-1.elb.amazonaws.com");
    assert!(names.deny(gone, here).await);
    assert!(!names.deny(here, here).await);
    assert!(!names.deny(gone, gone).await, "they deny everything");
}
