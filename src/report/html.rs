//! The checks as one self-contained page: the way of a request as a picture, red where it is broken.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::json;

use crate::outcome::{Finding, Frame, Outcome, Status};

/// A thing on the way, the checks that judge it, and those of the way to it.
struct Place {
    key: &'static str,
    title: &'static str,
    own: &'static [&'static str],
    way: &'static [&'static str],
}

#[rustfmt::skip]
const WAY: [Place; 6] = [
    Place { key: "client", title: "Client", own: &[], way: &[] },
    Place { key: "record", title: "DNS record", own: &["record_authoritative", "record_resolved"], way: &["record_resolved"] },
    Place { key: "load_balancer", title: "Load balancer", own: &["load_balancer", "listeners", "certificate", "redirect"], way: &["reach_load_balancer"] },
    Place { key: "target_group", title: "Target group", own: &["targets"], way: &["listeners"] },
    Place { key: "instances", title: "Instances", own: &["instance_profile", "launch_template_version", "scaling_policy"], way: &["targets"] },
    Place { key: "service", title: "Service", own: &["version", "liveness", "biometry"], way: &["version", "reach_record"] },
];

#[derive(Serialize)]
struct Node {
    key: &'static str,
    title: &'static str,
    status: &'static str,
    /// The way to it.
    edge: &'static str,
    x: usize,
    from: Option<usize>,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct Bar {
    title: &'static str,
    status: &'static str,
    left: f64,
    width: f64,
    duration: u64,
}

/// The page: it loads nothing, and can be read without a script, in dark and light, and printed.
pub fn html(frame: &Frame, outcome: &Outcome) -> String {
    let mut pages = Environment::new();
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    let nodes = nodes(&outcome.checks);
    let lines = nodes.iter().map(|node| node.lines.len()).max().unwrap_or_default();
    let (bars, total) = bars(&outcome.checks);
    let shown = json!({
        "frame": { "command": frame.command, "stack": frame.stack, "region": frame.region, "seconds": frame.seconds },
        "outcome": {
            "outcome": outcome.outcome, "summary": outcome.summary, "checks": outcome.checks,
            "problems": outcome.problems, "outputs": outcome.outputs,
        },
        "exit_code": outcome.exit as u8,
        "version": env!("CARGO_PKG_VERSION"),
        "worst": if outcome.exit as u8 == 0 { "pass" } else { "fail" },
        "marks": { "pass": "✓", "warn": "!", "fail": "✕", "unknown": "?", "skip": "–", "none": "–" },
        "words": {
            "pass": "good", "warn": "look at it", "fail": "broken", "unknown": "not known",
            "skip": "not looked at", "none": "not judged",
        },
        "nodes": nodes, "height": 124 + lines * 17, "bars": bars, "total": total,
    });
    pages.render_str(include_str!("../../templates/report.html"), Serde(&shown)).expect("the bundled template renders")
}

fn nodes(checks: &[Finding]) -> Vec<Node> {
    const PITCH: usize = 165;
    let places = WAY.iter().enumerate();
    let node = |(index, place): (usize, &Place)| {
        let own: Vec<&Finding> = checks.iter().filter(|check| place.own.contains(&check.id)).collect();
        let wrong = own.iter().filter(|check| !matches!(check.status, Status::Pass | Status::Skip));
        Node {
            key: place.key,
            title: place.title,
            status: worst(checks, place.own),
            edge: worst(checks, place.way),
            x: 2 + index * PITCH,
            from: (index > 0).then(|| 2 + (index - 1) * PITCH + 132),
            lines: wrong.map(|check| short(check.title)).collect(),
        }
    };
    places.map(node).collect()
}

/// The status that matters most of these checks; none: nobody looked.
fn worst(checks: &[Finding], ids: &[&str]) -> &'static str {
    let order = [Status::Fail, Status::Unknown, Status::Warn, Status::Pass, Status::Skip];
    let these: Vec<Status> = checks.iter().filter(|check| ids.contains(&check.id)).map(|check| check.status).collect();
    order.into_iter().find(|status| these.contains(status)).map_or("none", Status::word)
}

/// What fits below a node.
fn short(title: &str) -> String {
    match title.char_indices().nth(20) {
        Some((end, _)) => format!("{}…", &title[..end]),
        None => title.to_owned(),
    }
}

fn bars(checks: &[Finding]) -> (Vec<Bar>, u64) {
    let total = checks.iter().map(|check| check.started_ms + check.duration_ms).max().unwrap_or_default().max(1);
    let share = |part: u64| (part as f64 * 1000.0 / total as f64).round() / 10.0;
    let bar = |check: &Finding| Bar {
        title: check.title,
        status: check.status.word(),
        left: share(check.started_ms).min(99.5),
        width: share(check.duration_ms),
        duration: check.duration_ms,
    };
    (checks.iter().map(bar).collect(), total)
}
