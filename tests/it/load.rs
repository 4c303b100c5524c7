//! `deploy liveness --repeat`: many calls of one capture, measured.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ends::send;
use crate::support::{Answer, Home, LoopbackService, Run};
use crate::terminal::AtTerminal;

/// The numbers of the document, with what is wrong in words.
fn load_of(run: &Run) -> Value {
    let load = run.json()["load"].clone();
    run.demand(load.is_object(), || "the document has figures".to_owned());
    load
}

#[test]
fn two_hundred_calls_are_counted_exactly_and_twenty_are_under_way_at_once() {
    let service = LoopbackService::new();
    // Long enough that twenty stand in one line even where the machine is busy.
    service.script(|script| script.liveness = Answer::Slow(Duration::from_millis(250)));
    let run = service.run("liveness capture.json --base-url URL --repeat 200 --concurrency 20 --yes --json");
    run.exits(0).ends_as("accepted");
    let load = load_of(&run);
    for (name, count) in [("planned", 200), ("calls", 200), ("accepted", 200), ("failed", 0), ("declined", 0)] {
        run.demand(load[name] == count, || format!("{name} must be {count}"));
    }
    assert_eq!((service.calls(), service.most_under_way(), &load["most_in_flight"]), (200, 20, &json!(20)), "{run}");
    let [min, p50, p95, p99, max] = ["min", "p50", "p95", "p99", "max"].map(|name| load["duration_ms"][name].as_f64());
    assert!(min >= Some(250.0) && min <= p50 && p50 <= p95 && p95 <= p99 && p99 <= max, "{run}");
    let counted: u64 = load["histogram"].as_array().unwrap().iter().map(|one| one["calls"].as_u64().unwrap()).sum();
    assert_eq!(counted, 200, "{run}");
    let rate = load["calls_per_second"].as_f64().unwrap();
    assert!((rate * load["seconds"].as_f64().unwrap() - 200.0).abs() < 1.0, "{run}");
    // All of them carried the same.
    let requests = service.requests();
    assert!(requests.iter().all(|seen| seen.payload == requests[0].payload && seen.parts == requests[0].parts));
    let told = run.stderr().lines().filter(|line| line.contains(" of 200 calls")).count();
    run.demand((1..=30).contains(&told), || format!("how far it is was told {told} times"));
}

#[test]
fn decisions_and_failures_have_their_codes_and_failures_their_kinds() {
    let service = LoopbackService::new();
    let ends = |answer: &Answer, line: &str, code: i32, outcome: &str| {
        service.script(|script| script.liveness = answer.clone());
        let run =
            service.run(&format!("liveness capture.json --base-url URL --repeat 4 --concurrency 2 --json {line}"));
        run.exits(code).ends_as(outcome);
        load_of(&run)
    };
    assert_eq!(ends(&Answer::Declined, "", 7, "declined")["declined"], 4);
    assert_eq!(ends(&Answer::Declined, "--expect declined", 0, "declined")["declined"], 4);
    assert_eq!(ends(&Answer::Judged, "--expect declined", 7, "accepted")["accepted"], 4);
    assert_eq!(ends(&Answer::OperatorRequired, "", 7, "operator_required")["operator_required"], 4);
    let kinds = [
        (Answer::Html(503), "http_503"),
        (Answer::Error(400, 4, "bad media"), "http_400"),
        (Answer::Failed, "undecided"),
        (Answer::Cut, "no_answer"),
        (Answer::Raw(200, "text/html", b"<html>".to_vec()), "not_json"),
        (Answer::Slow(Duration::from_secs(60)), "timeout"),
    ];
    for (answer, kind) in kinds {
        let load = ends(&answer, "--timeout 1s", 6, "failed");
        assert_eq!((&load["failed"], &load["failed_by_kind"]), (&json!(4), &json!({ kind: 4 })), "{answer:?}");
        assert_eq!((&load["duration_ms"]["p50"], &load["histogram"]), (&Value::Null, &json!([])), "{answer:?}");
    }
    service.script(|script| script.liveness = Answer::Html(503));
    let run = service.run("liveness capture.json --base-url URL --repeat 2");
    run.exits(6).prints("2 calls: 0 accepted, 2 failed (2 http_503)").prints("because: http_503: HTTP 503 from");
}

#[test]
fn figures_are_shown_to_a_person_with_a_histogram() {
    let service = LoopbackService::new();
    let run = service.run("liveness capture.json --base-url URL --repeat 5");
    run.exits(0).says("5 metered calls, 1 at once").prints("5 calls: 5 accepted").prints("at most 1 at once");
    run.prints("p95").prints(" ms ").prints("####");
    assert_eq!((service.calls(), service.most_under_way()), (5, 1));
}

#[test]
fn time_ends_it_and_a_cap_holds_what_time_would_cost() {
    let service = LoopbackService::new();
    service.script(|script| script.liveness = Answer::Slow(Duration::from_millis(100)));
    let line = "liveness capture.json --base-url URL --yes --json --concurrency 2";
    let run = service.run(&format!("{line} --for 1s"));
    let load = load_of(run.exits(0));
    assert_eq!(load["planned"], 1000, "the cap is told");
    let calls = load["calls"].as_u64().unwrap();
    run.demand((2..=22).contains(&calls), || "what was under way ends, and nothing else begins".to_owned());
    let run = service.run(&format!("{line} --for 1h --max-calls 7"));
    assert_eq!(load_of(run.exits(0))["calls"], 7, "{run}");
    let before = service.calls();
    service.run(&format!("{line} --repeat 8 --max-calls 7")).exits(2).ends_as("refused");
    for alone in ["--max-calls 7", "--concurrency 2", "--yes", "--repeat 0", "--repeat 2 --concurrency 501"] {
        service.run(&format!("liveness capture.json --base-url URL {alone}")).exits(2);
    }
    service.run("liveness capture.json --base-url URL --repeat 2 --best-shot best.jpg").exits(2);
    assert_eq!(service.calls(), before);
}

#[test]
fn more_than_ten_calls_are_asked_about() {
    let service = LoopbackService::new();
    let line = format!("liveness capture.json --base-url {} --concurrency 3 --json", service.url);
    let run = service.run(&format!("{line} --repeat 11"));
    run.exits(2).ends_as("refused").says("11 metered calls").says("--yes");
    service.run(&format!("{line} --for 1s")).exits(2).says("at most 1000 metered calls");
    assert_eq!(service.calls(), 0);
    service.run(&format!("{line} --repeat 10")).exits(0);

    let home = Home::new();
    home.run("sandbox sample").exits(0);
    for (typed, code, calls) in [("no", 4, 0), ("yes", 0, 11)] {
        let before = service.calls();
        let mut at_terminal = AtTerminal::start(&home, &format!("{line} --repeat 11"));
        at_terminal.shows("11 metered calls, 3 at once. Type yes");
        at_terminal.types(typed);
        at_terminal.end().exits(code);
        assert_eq!(service.calls() - before, calls, "{typed}");
    }
}

#[test]
fn a_signal_ends_it_with_what_was_measured_and_calls_under_way_finish() {
    let service = LoopbackService::new();
    service.script(|script| script.liveness = Answer::Slow(Duration::from_millis(400)));
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let before = service.calls();
        let mut command =
            service.command("liveness capture.json --base-url URL --repeat 500 --concurrency 5 --yes --json");
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while service.calls() < before + 8 {
            std::thread::sleep(Duration::from_millis(20));
        }
        send(signal, &child);
        let run = Run::end_of(child);
        run.exits(code).ends_as("interrupted");
        let (load, made) = (load_of(&run), service.calls() - before);
        run.demand(load["calls"] == made && load["accepted"] == made, || format!("all {made} calls must be told"));
        run.demand(made < 50, || "no more of them may begin".to_owned());
    }
}
