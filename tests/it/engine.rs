//! How the engine treats failures, interruptions, deadlines and replacements.

use std::time::Duration;

use crate::support::{Exit, Signal, Stage, Stop, golden, plain_record, plan_text, settling};

#[tokio::test(start_paused = true)]
async fn a_failure_skips_only_what_hangs_on_it_and_the_next_run_mends() {
    let arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    let stage = Stage::with(&format!("load_balancer: {{ certificate: '{arn}' }}\n"));
    let outcome = stage.run("up").await;
    assert_eq!(outcome.exit, Exit::Failed);
    let mut resources: Vec<_> = outcome.problems.iter().filter_map(|one| one.resource.clone()).collect();
    resources.sort();
    let hanging = [
        "auto_scaling_group app-asg",
        "http_listener app-alb:80",
        "https_listener app-alb:443",
        "scaling_policy app-asg-cpu",
    ];
    assert_eq!(resources.len(), hanging.len(), "{resources:?}");
    assert!(resources.iter().zip(hanging).all(|(resource, start)| resource.starts_with(start)), "{resources:?}");
    assert!(outcome.problems.iter().any(|one| one.message.contains("CertificateNotFound")));
    assert_eq!(outcome.changes.len(), 12, "everything else was made");

    let mended = Stage { sandbox: stage.sandbox.clone(), ..Stage::new() };
    assert_eq!(mended.succeeds("up").await.changes.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_says_so_and_the_next_one_goes_on() {
    for (signal, exit) in [(Signal::Interrupt, Exit::Interrupted), (Signal::Terminate, Exit::Terminated)] {
        let (sender, stop) = Stop::channel();
        let stage = Stage { stop, ..Stage::new() };
        let later = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            sender.send(Some(signal)).unwrap();
        };
        let (outcome, ()) = tokio::join!(stage.run("up"), later);
        assert_eq!(outcome.exit, exit);
        let again = stage.as_config(stage.config.clone());
        assert_eq!(again.succeeds("up").await.changes, vec![]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_before_it_starts_changes_nothing() {
    let (sender, stop) = Stop::channel();
    sender.send(Some(Signal::Interrupt)).unwrap();
    let stage = Stage { stop, ..Stage::new() };
    let outcome = stage.run("up").await;
    assert_eq!((outcome.exit, stage.writes()), (Exit::Interrupted, vec![]));
    assert!(outcome.summary.starts_with("interrupted; "));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_governs_everything() {
    let stage = Stage::new();
    let outcome = stage.run("up --timeout 100s").await;
    assert_eq!(outcome.exit, Exit::Deadline);
    assert!(outcome.problems[0].message.contains("0 of 2 targets healthy"), "{:?}", outcome.problems);
    stage.succeeds("up").await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_changed_in_place_is_refused_without_consent() {
    let stage = Stage::standing().await;
    let change = "--set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true";
    let outcome = stage.run(&format!("up {change}")).await;
    assert_eq!((outcome.exit, stage.writes()), (Exit::Refused, vec![]));
    assert!(outcome.problems[0].message.contains("scheme"), "{:?}", outcome.problems);
    let planned = stage.run(&format!("plan {change}")).await;
    golden("plan-replace.txt", &plan_text(&planned.changes));

    let old: Vec<String> = stage.sandbox.world().rows("balancers").map(|row| row["Scheme"].to_string()).collect();
    stage.succeeds(&format!("up --replace {change}")).await;
    let new: Vec<String> = stage.sandbox.world().rows("balancers").map(|row| row["Scheme"].to_string()).collect();
    assert_eq!((old, new), (vec!["\"internal\"".to_owned()], vec!["\"internet-facing\"".to_owned()]));
    assert_eq!(stage.run(&format!("plan --exit-code {change}")).await.exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn turning_https_off_and_on_again_converges() {
    let stage = Stage::standing().await;
    let plain = "--set load_balancer.listener=http";
    stage.succeeds(&format!("up {plain}")).await;
    assert_eq!(stage.run(&format!("plan --exit-code {plain}")).await.exit, Exit::Done);
    stage.succeeds("up").await;
    assert_eq!(stage.plan().await, "");
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_told_before_anything_is_made_all_at_once() {
    let stage = Stage::new();
    let outcome = stage.run("up --set instance.image=no-such --set dns.zone=example.org").await;
    assert_eq!((outcome.exit, stage.writes()), (Exit::Refused, vec![]));
    let told: Vec<&str> = outcome.problems.iter().map(|one| one.message.as_str()).collect();
    assert!(told[0].contains("no image \"no-such\""), "{told:?}");
    assert!(told.iter().any(|one| one.contains("no hosted zone example.org")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn route_53s_messages_are_told_and_looked_at_again() {
    let stage = Stage::standing().await;
    let refused = plain_record(&stage.other_client().await).await.unwrap_err();
    assert_eq!(refused.code(), "InvalidChangeBatch");
    assert!(refused.message().contains("already exists"), "{refused}");
    assert!(settling(&refused).is_some());
}
