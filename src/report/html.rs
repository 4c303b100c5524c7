//! What was done and found as one self-contained page: the way of a request as a picture, red where it is broken, what
//! was changed, and the schedule of the run.

use minijinja::value::{Serde, Value as Safe};
use minijinja::{AutoEscape, Environment, HtmlEscape};
use serde::Serialize;
use serde_json::{Value, json};

use super::policy;
use crate::checks::{Node, Place, abouts};
use crate::outcome::{Action, Change, FieldChange, Finding, Frame, Outcome, Status, Step, critical_path, shown};
use crate::text::times;

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
    title: String,
    status: &'static str,
    /// Whether the run was as long as it was because of it.
    critical: bool,
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
    pages.add_filter("code", |words: String| Safe::from_safe_string(code(&words)));
    pages.add_filter("took", |milliseconds: f64| took(milliseconds));
    let mut checks: Vec<&Finding> = outcome.checks.iter().collect();
    // Stable: what is broken first, and the order of a request within.
    checks.sort_by_key(|check| ORDER.iter().position(|status| *status == check.status));
    let nodes = nodes(&outcome.checks);
    let lines = nodes.iter().map(|node| node.lines.len()).max().unwrap_or_default();
    let is_work = !frame.steps.is_empty() && outcome.checks.len() < frame.steps.len();
    let bars = if is_work { steps(&frame.steps) } else { times(&outcome.checks) };
    let total = bars.iter().map(|bar| bar.from + bar.duration).max().unwrap_or_default().max(1);
    // A picture of which most is not judged says nothing.
    let is_judged = nodes.iter().filter(|node| node.status != "none").count() > WAY.len() / 2;
    let shown = json!({
        "frame": { "command": frame.command, "stack": frame.stack, "region": frame.region, "seconds": frame.seconds,
            "account": frame.account, "caller": frame.caller, "started_at": frame.started_at, "host": frame.host,
            "sandbox": frame.sandbox,
        },
        "outcome": {
            "outcome": outcome.outcome, "summary": outcome.summary, "checks": checks,
            "problems": outcome.problems, "outputs": outcome.outputs, "planned": outcome.planned,
        },
        "failed": outcome.checks.iter().filter(|check| !check.is_good()).collect::<Vec<_>>(),
        "changes": outcome.changes.iter().map(changed).collect::<Vec<_>>(),
        "is_judged": is_judged, "is_work": is_work,
        "exit_code": outcome.exit as u8,
        "version": env!("CARGO_PKG_VERSION"),
        "worst": if outcome.exit as u8 == 0 { "pass" } else { "fail" },
        // Where a content policy takes the style away, these attributes still tell.
        "colours": {
            "pass": "#1c7a4a", "warn": "#9a6200", "fail": "#b3261e", "unknown": "#b3261e", "skip": "#6b7179",
            "none": "#6b7179",
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

/// `17 ms`; what is longer than a second as people say it: AWS's minutes in milliseconds are read by nobody.
fn took(milliseconds: f64) -> String {
    if milliseconds < 1000.0 { format!("{milliseconds:.0} ms") } else { times::took(milliseconds / 1000.0) }
}

/// Words with what stands between backticks as code.
fn code(words: &str) -> String {
    let escaped = |part: &str| HtmlEscape(part).to_string();
    let parts: Vec<String> = words.split('`').map(escaped).collect();
    // A mark without its partner is a mark.
    let pairs = parts.len().saturating_sub(1) / 2 * 2;
    let mut text = parts[0].clone();
    for (at, part) in parts.iter().enumerate().skip(1) {
        text += match at {
            at if at > pairs => "`",
            at if at % 2 == 1 => "<code>",
            _ => "</code>",
        };
        text += part;
    }
    text
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
            lines: wrong.flat_map(|finding| below(finding.title)).collect(),
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

/// A title in lines that fit below a node.
fn below(title: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in title.split(' ') {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= 22) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// One change, with what differs in lines.
fn changed(change: &Change) -> Value {
    let is_made = change.action == Action::Create;
    let field = |field: &FieldChange| match policy::lines(field) {
        Some(lines) => std::iter::once(format!("{}:", field.field)).chain(lines).collect(),
        None if is_made => vec![format!("{}: {}", field.field, shown(&field.new))],
        None => vec![field.to_string()],
    };
    json!({
        "action": change.action.word(), "resource": change.resource, "name": change.name, "step": change.step,
        "why": change.why, "refused": change.refused,
        "fields": change.fields.iter().flat_map(field).collect::<Vec<String>>(),
    })
}

fn times(checks: &[Finding]) -> Vec<Bar> {
    let bar = |check: &Finding| Bar {
        title: check.title.to_owned(),
        status: check.status.word(),
        critical: false,
        left: 0.0,
        width: 0.0,
        from: check.started_ms,
        duration: check.duration_ms,
    };
    // What was not looked at took no time.
    placed(checks.iter().filter(|check| check.status != Status::Skip).map(bar).collect())
}

fn steps(steps: &[Step]) -> Vec<Bar> {
    let critical = critical_path(steps);
    let bar = |(at, step): (usize, &Step)| Bar {
        title: format!("{} {}", step.verb, step.resource),
        status: if step.verb == "failed" { "fail" } else { "pass" },
        critical: critical.contains(&at),
        left: 0.0,
        width: 0.0,
        from: step.started_ms,
        duration: step.duration_ms,
    };
    placed(steps.iter().enumerate().map(bar).collect())
}

/// Each bar at its place on the whole.
fn placed(mut bars: Vec<Bar>) -> Vec<Bar> {
    let total = bars.iter().map(|bar| bar.from + bar.duration).max().unwrap_or_default().max(1);
    let share = |part: u64| (part as f64 * 1000.0 / total as f64).round();
    for bar in &mut bars {
        (bar.left, bar.width) = (share(bar.from).min(995.0), share(bar.duration).max(4.0));
    }
    bars
}
