//! The only place that prints: the result on stdout, the story on stderr.

mod check;
mod html;
mod json;
mod junit;
mod progress;
mod text;

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use crate::cloud::Error;
use crate::engine::Event;
use crate::engine::diff::Change;
use crate::exit::Exit;
use crate::explain::explain;
use crate::oz::{Refused, Verdict};
pub use check::{Check, Status};
pub use html::html;
pub use junit::junit;
use progress::Progress;

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// Terraform's verb: create, update, replace, delete; adopt, wait or foreign.
    pub action: &'static str,
    /// The resource's key.
    pub resource: &'static str,
    /// AWS's name of it.
    pub name: String,
    /// The guide's step.
    pub step: u8,
    /// What differs, field by field; everything, for a create.
    pub fields: Vec<Change>,
    /// Why it must be replaced, or whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// One thing that stands, for `status`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub resource: &'static str,
    pub name: String,
    pub step: u8,
    /// AWS's id or ARN; empty when it has none.
    pub id: String,
    /// `ok`, `absent`, `differs`, `foreign`, `leaving`.
    pub state: &'static str,
}

/// Something wrong, with its cure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Problem {
    /// Which resource, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Why it is so, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Problem {
    /// A problem of no resource, with its cure.
    pub fn new(message: impl Into<String>, cure: impl Into<String>) -> Problem {
        Problem { resource: None, message: message.into(), cause: None, cure: Some(cure.into()) }
    }

    /// What AWS answered, whole, with what is known about it.
    pub fn of(error: &Error) -> Problem {
        let row = explain(error);
        Problem {
            resource: None,
            message: error.to_string(),
            cause: row.map(|row| match row.step {
                Some(step) => format!("{} (guide step {step})", row.cause),
                None => row.cause.clone(),
            }),
            cure: row.map(|row| row.fix.clone()),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        Problem::new(refused.what, refused.cure)
    }
}

/// What a command ends in.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub exit: Exit,
    /// In a word, for programs.
    pub outcome: &'static str,
    /// In a line, for people.
    pub summary: String,
    /// What was done, or would be.
    pub changes: Vec<Planned>,
    /// Show the changes as a plan: nothing was done.
    pub planned: bool,
    pub standing: Vec<Standing>,
    pub outputs: BTreeMap<String, String>,
    pub checks: Vec<Check>,
    /// What the service decided, when it was asked.
    pub verdict: Option<Verdict>,
    pub problems: Vec<Problem>,
}

impl Outcome {
    /// An outcome with a word and a line, and nothing else yet.
    pub fn new(exit: Exit, outcome: &'static str, summary: impl Into<String>) -> Outcome {
        Outcome {
            exit,
            outcome,
            summary: summary.into(),
            changes: Vec::new(),
            planned: false,
            standing: Vec::new(),
            outputs: BTreeMap::new(),
            checks: Vec::new(),
            verdict: None,
            problems: Vec::new(),
        }
    }

    /// Refused for what it was given, before any call.
    pub fn refused(problem: impl Into<Problem>) -> Outcome {
        Outcome::new(Exit::Usage, "refused", "").with_problems(vec![problem.into()])
    }

    /// The same with these problems.
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Outcome {
        self.problems = problems;
        self
    }
}

/// What the envelope says besides the outcome.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    pub command: &'static str,
    pub stack: String,
    pub region: String,
    pub seconds: f64,
    pub calls: u64,
}

/// Who prints, and how.
pub struct Report {
    json: bool,
    progress: Progress,
}

impl Report {
    /// Progress as bars at a terminal, as lines elsewhere, not at all when `quiet`.
    pub fn new(json: bool, quiet: bool) -> Report {
        Report { json, progress: Progress::new(quiet) }
    }

    /// Something happened.
    pub fn event(&self, event: Event) {
        self.progress.event(event);
    }

    /// A line of the story.
    pub fn note(&self, text: &str) {
        self.progress.note(text);
    }

    /// What must not be missed, quiet or not.
    pub fn warn(&self, text: &str) {
        self.progress.note_always(&format!("warning: {text}"));
    }

    /// A question on stderr, for an answer on stdin.
    pub fn ask(&self, question: &str) {
        to_stderr(question);
    }

    /// The result, once, at the end.
    pub fn result(&self, frame: &Frame, outcome: &Outcome) {
        self.progress.finish();
        for problem in &outcome.problems {
            to_stderr(&text::problem(problem));
        }
        let text = match self.json {
            true => format!("{}\n", json::envelope(frame, outcome)),
            false => text::result(outcome),
        };
        to_stdout(&text);
        if !outcome.summary.is_empty() {
            to_stderr(&format!("{}\n", outcome.summary));
        }
    }

    /// A line of a running service's own result, at once.
    pub fn line(&self, text: &str) {
        to_stdout(&format!("{text}\n"));
    }
}

/// Whoever reads may have gone: that is no reason to fail.
fn to_stdout(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// The document of `--json`.
pub fn envelope(frame: &Frame, outcome: &Outcome) -> serde_json::Value {
    json::envelope(frame, outcome)
}

/// Whoever reads may have gone here too.
fn to_stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A plan as text: what `deploy plan` prints.
pub fn plan_text(changes: &[Planned]) -> String {
    text::plan(changes)
}
