//! The schedule of a run, as text and as data.

use std::fmt::Write;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::outcome::{Frame, Step, critical_path, few};

/// Each step in a line, in the order in which their turns came: when, for how long, what, and what it waited for. Those
/// on the critical path are marked, and follow one another in the last line.
pub fn text(frame: &Frame) -> String {
    let steps = &frame.steps;
    let critical = critical_path(steps);
    let resources = steps.iter().map(|step| step.resource.len()).max().unwrap_or_default();
    let verbs = steps.iter().map(|step| step.verb.len()).max().unwrap_or_default();
    let mut text = "  start s   took s  (* on the critical path)\n".to_owned();
    for (at, step) in steps.iter().enumerate() {
        let mark = if critical.contains(&at) { '*' } else { ' ' };
        let (started, took) = (seconds(step.started_ms), seconds(step.duration_ms));
        let after = if step.after.is_empty() { String::new() } else { format!("after {}", few(&step.after, ", ")) };
        let line =
            format!("{mark} {started:>7}  {took:>7}  {:verbs$}  {:resources$}  {after}", step.verb, step.resource);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let on_path: Vec<&Step> = critical.iter().filter_map(|at| steps.get(*at)).collect();
    let names: Vec<&str> = on_path.iter().map(|step| step.resource).collect();
    let took: u64 = on_path.iter().map(|step| step.duration_ms).sum();
    let _ = writeln!(text, "critical path: {} s of {:.1} s: {}", seconds(took), frame.seconds, names.join(", "));
    text
}

/// One step, as data.
#[derive(Serialize, JsonSchema)]
pub struct Timed<'a> {
    /// The resource's key, or another noun of what was waited for.
    resource: &'a str,
    /// What was done: Terraform's verb, or how a wait ended.
    verb: &'a str,
    /// When its turn came, in milliseconds since the run began.
    started_ms: u64,
    /// How long it took, in milliseconds.
    duration_ms: u64,
    /// The steps that it waited for.
    after: &'a [&'static str],
    /// Whether it is one of those that made the run as long as it was.
    critical: bool,
}

/// The steps as data.
pub fn data(frame: &Frame) -> Vec<Timed<'_>> {
    let critical = critical_path(&frame.steps);
    let timed = |at: usize| {
        let step = &frame.steps[at];
        Timed {
            resource: step.resource,
            verb: step.verb,
            started_ms: step.started_ms,
            duration_ms: step.duration_ms,
            after: &step.after,
            critical: critical.contains(&at),
        }
    };
    (0..frame.steps.len()).map(timed).collect()
}

/// Seconds with one decimal.
fn seconds(milliseconds: u64) -> String {
    format!("{:.1}", Duration::from_millis(milliseconds).as_secs_f64())
}
