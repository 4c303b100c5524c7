//! The checks as one self-contained page: the way of a request as a picture, red where it is broken.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::json;

use crate::checks::{Node, Place, abouts};
use crate::outcome::{Finding, Frame, Outcome, Status};

/// What a request meets: its name in the page, its title; the client is what no check judges.
const WAY: [(&str, &str, Option<Node>); 6] = [
    ("client", "Client", None),
    ("record", "DNS record", Some(Node::DnsRecord)),
    ("load_balancer", "Load balancer", Some(Node::LoadBalancer)),
    ("target_group", "Target group", Some(Node::TargetGroup)),
    ("instances", "Instances", Some(Node::Instances)),
    ("service", "Service", Some(Node::Service)),
];

#[derive(Serialize)]
struct Drawn {
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
    /// In thousandths of the whole.
    left: f64,
    width: f64,
    from: u64,
    duration: u64,
}

/// The page: it loads nothing, and can be read without a script, in dark and light, and printed.
///
/// # Panics
/// When the page's own template is broken, which a test would show.
pub fn html(frame: &Frame, outcome: &Outcome) -> String {
    let mut pages = Environment::new();
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    let mut checks: Vec<&Finding> = outcome.checks.iter().collect();
    // Stable: what is broken first, and the order of a request within.
    checks.sort_by_key(|check| ORDER.iter().position(|status| *status == check.status));
    let nodes = nodes(&outcome.checks);
    let lines = nodes.iter().map(|node| node.lines.len()).max().unwrap_or_default();
    let (bars, total) = bars(&outcome.checks);
    let shown = json!({
        "frame": { "command": frame.command, "stack": frame.stack, "region": frame.region, "seconds": frame.seconds,
            "account": frame.account, "caller": frame.caller,
        },
        "outcome": {
            "outcome": outcome.outcome, "summary": outcome.summary, "checks": checks,
            "problems": outcome.problems, "outputs": outcome.outputs,
        },
        "exit_code": outcome.exit as u8,
        "version": env!("CARGO_PKG_VERSION"),
        "worst": if outcome.exit as u8 == 0 { "pass" } else { "fail" },
        // Where a content policy takes the style away, these attributes still tell.
        "colours": {
            "pass": "#1c7a4a", "warn": "#9a6200", "fail": "#b3261e", "unknown": "#b3261e", "skip": "#80868f",
            "none": "#80868f",
        },
        "marks": { "pass": "✓", "warn": "!", "fail": "✕", "unknown": "?", "skip": "–", "none": "–" },
        "words": {
            "pass": "good", "warn": "look at it", "fail": "broken", "unknown": "not known",
            "skip": "not looked at", "none": "not judged",
        },
        "nodes": nodes, "height": 124 + lines * 17, "bars": bars, "total": total,
    });
    pages.render_str(include_str!("../../templates/report.html"), Serde(&shown)).expect("the bundled template renders")
}

fn nodes(checks: &[Finding]) -> Vec<Drawn> {
    const PITCH: usize = 165;
    let node = |(index, (key, title, node)): (usize, &(&'static str, &'static str, Option<Node>))| {
        let own = node.map(|node| judging(checks, Place::At(node))).unwrap_or_default();
        let way = node.map(|node| judging(checks, Place::WayTo(node))).unwrap_or_default();
        let wrong = own.iter().filter(|finding| !matches!(finding.status, Status::Pass | Status::Skip));
        Drawn {
            key,
            title,
            status: worst(&own),
            edge: worst(&way),
            x: 2 + index * PITCH,
            from: (index > 0).then(|| 2 + (index - 1) * PITCH + 132),
            lines: wrong.map(|finding| short(finding.title)).collect(),
        }
    };
    WAY.iter().enumerate().map(node).collect()
}

/// What matters most first.
const ORDER: [Status; 5] = [Status::Fail, Status::Unknown, Status::Warn, Status::Pass, Status::Skip];

/// The findings that judge this place.
fn judging(checks: &[Finding], place: Place) -> Vec<&Finding> {
    let ids: Vec<&str> = abouts().filter(|about| about.places.contains(&place)).map(|about| about.id).collect();
    checks.iter().filter(|finding| ids.contains(&finding.id)).collect()
}

/// The status that matters most of these findings; none: no check looked.
fn worst(findings: &[&Finding]) -> &'static str {
    let has = |status: &Status| findings.iter().any(|finding| finding.status == *status);
    ORDER.into_iter().find(has).map_or("none", Status::word)
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
    let share = |part: u64| (part as f64 * 1000.0 / total as f64).round();
    let bar = |check: &Finding| Bar {
        title: check.title,
        status: check.status.word(),
        left: share(check.started_ms).min(995.0),
        width: share(check.duration_ms).max(4.0),
        from: check.started_ms,
        duration: check.duration_ms,
    };
    (checks.iter().map(bar).collect(), total)
}
