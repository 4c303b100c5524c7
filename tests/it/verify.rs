//! `deploy verify` on a stack: each check, broken by someone or in the world itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::support::{
    Aws, BaseUrl, Cancel, CheckContext, Clock, Dns, Ended, Endpoint, Exit, Fault, Sandbox, Signal, Stage, Status, Wait,
    Way, Web, config, configuration, explain_reason, seed, verify,
};

/// After `up`, and from now on in real time: what follows goes over real sockets.
async fn up_in_real_time() -> Stage {
    let stage = Stage::up().await;
    tokio::time::resume();
    stage
}

/// What `verify` says of the stack after this edit, and that this check fails.
async fn broken(id: &str, edit: impl FnOnce(&mut Aws<'_>)) -> Ended {
    let outcome = up_in_real_time().await.edited(edit).run("verify").await;
    outcome.finds(id, Status::Fail);
    let check = outcome.check(id);
    outcome.demand(check.cause.is_some() && check.fix.is_some(), || format!("{id} must have a cause and a fix"));
    outcome.demand(outcome.verdict.is_none(), || "no metered call when something is wrong".to_owned());
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_good_stack_passes_every_check_without_a_write() {
    let stage = up_in_real_time().await;
    let outcome = stage.run("verify --count 2").await;
    outcome.succeeds().every_check_passes().writes_nothing();
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
        "delegation",
        "record_resolved",
        "reach_record",
        "drift",
        "liveness",
        "biometry",
    ];
    assert_eq!(ids, all);
    let posts = stage.sandbox.oz().requests().into_iter().filter(|seen| seen.method == "POST");
    assert_eq!(posts.count(), 2, "liveness and biometry once, however often the rest");
    assert_eq!(outcome.verdict.as_ref().unwrap().score, Some(0.99));
}

#[tokio::test(start_paused = true)]
async fn a_closed_health_check_port_is_named() {
    let outcome = broken("targets", |aws| aws.security_group("app-sg").close(8501)).await;
    outcome.exits(Exit::Unverified);
    outcome.sees("targets", "Target.Timeout").blames("targets", "app-sg does not open 8501 from alb-sg");
    outcome.finds("version", Status::Fail); // 503: nobody is healthy
}

#[tokio::test(start_paused = true)]
async fn a_matcher_that_was_changed_is_named() {
    let outcome = broken("targets", |aws| aws.target_group().matcher("200")).await;
    outcome.sees("targets", "Target.ResponseCodeMismatch").blames("targets", "[404]");
}

#[tokio::test(start_paused = true)]
async fn a_missing_listener_is_named_at_every_place_where_it_shows() {
    let outcome = broken("listeners", |aws| aws.delete_listener(443)).await;
    outcome.finds("certificate", Status::Fail).finds("version", Status::Fail).finds("redirect", Status::Pass);
}

#[tokio::test(start_paused = true)]
async fn a_missing_redirect_is_named() {
    let outcome = broken("redirect", |aws| aws.delete_listener(80)).await;
    outcome.exits(Exit::Unverified).finds("version", Status::Pass);
}

/// A portal's login page redirects too.
#[tokio::test(start_paused = true)]
async fn a_redirect_to_another_name_is_no_redirect_of_this_stack() {
    let outcome = broken("redirect", |aws| aws.redirect("portal.example.net")).await;
    outcome.sees("redirect", "HTTP 301 to https://portal.example.net").blames("redirect", "to another name");
}

#[tokio::test(start_paused = true)]
async fn a_missing_record_is_reported_by_the_zones_own_servers() {
    let outcome = broken("record_authoritative", |aws| aws.delete_record()).await;
    outcome.sees("record_authoritative", "no such name");
    // The service is judged before DNS.
    outcome.finds("version", Status::Pass).finds("certificate", Status::Pass);
    outcome.finds("record_resolved", Status::Fail).finds("reach_record", Status::Skip);
}

/// A stack whose certificate is given, not found by its name; then edited.
async fn verified_with(edit: impl FnOnce(&mut Aws<'_>)) -> Ended {
    let stage = Stage::with(&format!("load_balancer: {{ certificate: \"{}\" }}\n", seed().certificate));
    stage.succeeds("up").await;
    tokio::time::resume();
    let outcome = stage.edited(edit).run("verify").await;
    tokio::time::pause();
    outcome
}

#[tokio::test(start_paused = true)]
async fn certificates_are_judged_by_name_and_days() {
    for (days, status, words) in
        [(400, Status::Pass, "days left"), (5, Status::Warn, "days left"), (-5, Status::Fail, "expired")]
    {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let outcome = verified_with(|aws| aws.certificate().not_after(now + days * 86_400)).await;
        outcome.finds("certificate", status).check_says("certificate", words);
    }
    let outcome = verified_with(|aws| aws.certificate().cover_only("other.example.com")).await;
    outcome.exits(Exit::Unverified).blames("certificate", "does not cover app.example.com");
}

#[tokio::test(start_paused = true)]
async fn the_version_is_compared_when_one_is_wanted() {
    let stage = up_in_real_time().await;
    stage.succeeds("verify --set verify.version=0.0.0-sandbox").await;
    let outcome = stage.run("verify --set verify.version=6.0.1").await;
    outcome.exits(Exit::Unverified).finds("version", Status::Fail);
    outcome.sees("version", "0.0.0-sandbox"); // it is shown whole
}

#[tokio::test(start_paused = true)]
async fn instances_are_looked_at_themselves() {
    let outcome = broken("instance_profile", |aws| aws.instances().lose_profile()).await;
    outcome.exits(Exit::Unverified).finds("drift", Status::Pass).sees("instance_profile", "has none");
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_alarms_never_scales() {
    broken("scaling_policy", |aws| aws.scaling_policy().lose_alarms()).await.exits(Exit::Unverified);
}

#[tokio::test(start_paused = true)]
async fn drift_alone_is_exit_3() {
    broken("drift", |aws| aws.security_groups().lose_tag("Name")).await.exits(Exit::Changes).ends_as("drift");
}

#[tokio::test(start_paused = true)]
async fn nothing_that_stands_is_unverified() {
    let stage = Stage::new();
    tokio::time::resume();
    let outcome = stage.run("verify").await;
    outcome.exits(Exit::Unverified).advises("load_balancer", "deploy up");
}

#[tokio::test]
async fn what_heals_is_waited_for() {
    let stage = Stage { sandbox: Sandbox::seeded(400.0), ..Stage::new() };
    stage.succeeds("up --no-verify").await;
    stage.succeeds("verify").await;
}

#[tokio::test(start_paused = true)]
async fn the_deadline_governs_what_may_heal() {
    let stage = Stage::new();
    stage.succeeds("up --no-verify").await;
    tokio::time::resume();
    stage.run("verify --timeout 2s").await.exits(Exit::Deadline).ends_as("timeout");
}

/// The time is over, or a signal comes, in the middle of a reading of AWS.
#[tokio::test(start_paused = true)]
async fn a_reading_that_hangs_keeps_what_the_look_before_found() {
    let stage = Stage::new();
    stage.succeeds("up --no-verify").await;
    tokio::time::resume();
    let hangs = async {
        stage.sandbox.clear_calls();
        let mut calls = 0;
        while calls == 0 || calls != stage.sandbox.calls().len() {
            calls = stage.sandbox.calls().len();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        stage.sandbox.disturb(0, Fault::Hang);
    };
    let (ended, ()) = tokio::join!(stage.run("verify --timeout 5s"), hangs);
    assert!(stage.sandbox.clear_fault(), "a call hangs");
    ended.exits(Exit::Deadline).ends_as("timeout").says("did not answer in time").finds("targets", Status::Fail);

    let (sender, cancel) = Cancel::channel();
    let stage = Stage { cancel, ..Stage::new() };
    stage.sandbox.disturb(0, Fault::Hang);
    let signal = async {
        stage.sandbox.hangs().await;
        sender.send(Some(Signal::Interrupt)).unwrap();
    };
    let (ended, ()) = tokio::join!(stage.run("verify"), signal);
    ended.exits(Exit::Interrupted).says("before a check had its answer");
}

#[tokio::test]
async fn what_needs_the_load_balancer_is_skipped_when_it_is_not_reached() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (clock, cancel, web) = (Clock::new(Duration::from_secs(60), 1.0), Cancel::never(), Web::new(None).unwrap());
    let endpoint = Endpoint {
        web: &web,
        dns: Dns::System,
        base: BaseUrl::parse(&format!("https://app.example.com:{free}"), false).unwrap(),
        token: None,
        way: Some(Way::new("127.0.0.1", None, true, None)), // nobody listens on this port of a private address
    };
    let wait = Wait { clock, cancel: &cancel, watch: &|_| {} };
    let found = verify(&CheckContext::new(None, Some(endpoint), Instant::now(), wait)).await.whole().unwrap();
    let statuses: Vec<Status> = found.iter().map(|finding| finding.status).collect();
    assert_eq!(statuses, [Status::Fail, Status::Skip, Status::Skip, Status::Skip]);
    assert!(!found[0].heals, "no use in waiting");
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
    let stage = up_in_real_time().await;
    let names = Dns::Server(stage.sandbox.serve_loopback().await.unwrap().names);
    let (here, gone) = ("app.example.com", "app-alb-1.eu-central-1.elb.amazonaws.com");
    assert!(names.deny(gone, here).await);
    assert!(!names.deny(here, here).await);
    assert!(!names.deny(gone, gone).await, "they deny everything");
}

/// The record is kept elsewhere: the name that clients use leads to the load balancer whatever DNS says of it.
#[tokio::test(start_paused = true)]
async fn a_name_whose_record_is_elsewhere_is_verified_at_the_load_balancer() {
    const CERTIFICATE: &str = "arn:aws:acm:eu-central-1:123456789012:certificate/0f0f0f0f-1111-2222-3333-444444444444";
    let line =
        format!("--set dns=null --set load_balancer.certificate={CERTIFICATE} --set verify.name=login.example.com");
    let stage = Stage::new();
    let made = stage.run(&format!("up {line}")).await;
    made.succeeds();
    tokio::time::resume();
    assert_eq!(made.outputs["endpoint"], "https://login.example.com");
    let record = &made.outputs["record_to_make"];
    assert!(record.starts_with("login.example.com: an alias (A) to internal-app-alb-"), "{record}");
    let good = stage.run(&format!("verify {line}")).await;
    good.succeeds().finds("certificate", Status::Pass).finds("version", Status::Pass);
    // The certificate is found by that name too.
    let found = "--set dns=null --set verify.name=login.example.com";
    tokio::time::pause();
    Stage::new().run(&format!("up {found}")).await.succeeds();
    let none = Stage::new().run("up --set dns=null --set verify.name=login.example.org").await;
    none.exits(Exit::Refused).writes_nothing().says("no ISSUED certificate").says("login.example.org");
    // A name that the certificate does not cover is not good.
    tokio::time::resume();
    let other = line.replace("login.example.com", "login.example.org");
    stage.run(&format!("verify {other}")).await.exits(Exit::Unverified).finds("certificate", Status::Fail);
}
