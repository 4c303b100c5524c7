//! How the engine treats failures, interruptions, deadlines and replacements.

use std::time::Duration;

use crate::support::{Cancel, Exit, Signal, Stage, golden, plan_text, retryable, tables};

#[tokio::test(start_paused = true)]
async fn a_failure_skips_only_what_depends_on_it_and_the_next_run_makes_the_rest() {
    let arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    let stage = Stage::with(&format!("load_balancer: {{ certificate: '{arn}' }}\n"));
    let failed = stage.run("up --set preflight.ignore=[OZ401]").await;
    failed.exits(Exit::Failed).says("CertificateNotFound");
    let resources: Vec<&str> = failed.problems.iter().filter_map(|problem| problem.resource.as_deref()).collect();
    failed.demand(resources == ["https_listener app-alb:443 (guide step 4)"], || "one cause is told".to_owned());
    failed.says("not tried after that: http_listener, auto_scaling_group, scaling_policy\n");
    assert_eq!(failed.changes.len(), 12, "everything else was made");

    let corrected = Stage { sandbox: stage.sandbox.clone(), ..Stage::new() };
    assert_eq!(corrected.succeeds("up").await.changes.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_says_so_and_the_next_one_goes_on() {
    for (signal, exit) in [(Signal::Interrupt, Exit::Interrupted), (Signal::Terminate, Exit::Terminated)] {
        let (sender, cancel) = Cancel::channel();
        let stage = Stage { cancel, ..Stage::new() };
        let later = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            sender.send(Some(signal)).unwrap();
        };
        let (outcome, ()) = tokio::join!(stage.run("up"), later);
        outcome.exits(exit);
        stage.again().succeeds("up").await.changed(&[]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_before_it_starts_changes_nothing() {
    let (sender, cancel) = Cancel::channel();
    sender.send(Some(Signal::Interrupt)).unwrap();
    let stage = Stage { cancel, ..Stage::new() };
    let outcome = stage.run("up").await;
    outcome.exits(Exit::Interrupted).writes_nothing();
    outcome.demand(outcome.summary.starts_with("interrupted; "), || "its summary must say that first".to_owned());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_governs_everything() {
    let stage = Stage::new();
    stage.run("up --timeout 100s").await.exits(Exit::Deadline).says("0 of 2 targets healthy");
    stage.succeeds("up").await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_changed_in_place_is_refused_without_consent() {
    let stage = Stage::up().await;
    let change = "--set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true";
    stage.run(&format!("up {change}")).await.refused_before_any_write().says("scheme");
    let planned = stage.run(&format!("plan {change}")).await;
    golden("plan-replace.txt", &plan_text(&planned.changes));

    let schemes = || -> Vec<String> {
        stage.sandbox.world().rows(tables::BALANCERS).map(|row| row["Scheme"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(schemes(), ["internal"]);
    stage.succeeds(&format!("up --replace {change}")).await;
    assert_eq!(schemes(), ["internet-facing"]);
    stage.succeeds(&format!("plan --exit-code {change}")).await;
}

/// What comes first is told: a refusal after changes is no "nothing was changed".
#[tokio::test(start_paused = true)]
async fn a_refusal_after_changes_lists_them_and_is_a_failure() {
    // The group waits for its instance profile when the load balancer stands already.
    let stage = Stage::under(|weather| weather.iam_delay_seconds = 15.0);
    let another = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stage.edit(|aws| aws.load_balancer().stand_in_another_vpc());
    };
    let (outcome, ()) = tokio::join!(stage.run("up"), another);
    outcome.exits(Exit::Failed).ends_as("failed").sums_up("what was changed before stays").says("vpc");
    outcome.demand(outcome.changes.len() >= 15, || "what was made is listed".to_owned());
}

#[tokio::test(start_paused = true)]
async fn turning_https_off_and_on_again_converges() {
    let stage = Stage::up().await;
    let plain = "--set load_balancer.listener=http";
    stage.succeeds(&format!("up {plain}")).await;
    stage.succeeds(&format!("plan --exit-code {plain}")).await;
    stage.succeeds("up").await;
    assert_eq!(stage.plan().await, "");
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_missing_is_reported_at_once_before_anything_is_made() {
    let stage = Stage::new();
    let outcome = stage.run("up --set instance.image=no-such --set dns.zone=example.org").await;
    outcome.refused_before_any_write().says("no image \"no-such\"").says("no hosted zone example.org");
    let comes_first = outcome.problems[0].message.contains("no image");
    outcome.demand(comes_first, || "the image must be the first problem".to_owned());
}

#[tokio::test(start_paused = true)]
async fn route_53s_messages_are_reported_and_looked_at_again() {
    let stage = Stage::up().await;
    let refused = stage.other_client().await.create_record("app.example.com").await.unwrap_err();
    assert_eq!(refused.code(), "InvalidChangeBatch");
    assert!(refused.message().contains("already exists"), "{refused}");
    assert!(retryable(&refused).is_some());
}
