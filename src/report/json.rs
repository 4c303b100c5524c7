//! The envelope of `--json`.

use serde_json::{Value, json};

use super::schedule;
use crate::outcome::{Frame, Outcome};

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// One document, on failure too.
pub fn envelope(frame: &Frame, outcome: &Outcome) -> Value {
    json!({
        "schema": "deploy/v1",
        "command": frame.command,
        "account": some(&frame.account),
        "caller": some(&frame.caller),
        "stack": frame.stack,
        "region": frame.region,
        "outcome": outcome.outcome,
        "exit_code": outcome.exit as u8,
        "summary": outcome.summary,
        "changes": outcome.changes,
        "resources": outcome.standing,
        "outputs": outcome.outputs,
        "stacks": outcome.stacks,
        "settings": outcome.settings,
        "cost": outcome.cost,
        "document": outcome.document,
        "checks": outcome.checks,
        "verdict": outcome.verdict,
        "problems": outcome.problems,
        "timings": { "seconds": frame.seconds, "aws_calls": frame.calls, "steps": schedule::data(frame) },
    })
}
