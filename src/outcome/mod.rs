//! What a command found and did, as data. The report renders it and decides nothing.

mod change;
mod code;
mod cost;
mod diagram;
mod few;
mod finding;
mod listed;
mod load;
mod overview;
mod problem;
mod schedule;
mod setting;
mod tally;
mod verdict;
mod words;

use std::collections::BTreeMap;

pub use change::{Action, Change, FieldChange, Standing, shown};
pub use code::CODES;
pub use cost::{Band, Cost};
pub use diagram::{Arrow, Diagram, DrawnBox, Look};
pub use few::few;
pub use finding::{Finding, Status};
pub use listed::ListedStack;
pub use load::{CallEnd, Class, Load, Tally};
pub use overview::{Capacity, DriftCount, InstanceState, Overview, RolloutState, ServiceState, TargetCounts, Template};
pub use problem::{At, Problem};
pub use schedule::{Schedule, Step, critical_path};
pub use setting::{Conformity, Setting};
pub use tally::tally;
pub use verdict::{Analysis, Decision, Level, Verdict};
pub use words::{WORDS, meaning, words};

use crate::clock::{Ended, Signal};
use crate::exit::Exit;

/// What a command ends in.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The exit code.
    pub exit: Exit,
    /// In a word, for programs.
    pub outcome: &'static str,
    /// In a line, for people.
    pub summary: String,
    /// What was done, or would be.
    pub changes: Vec<Change>,
    /// Show the changes as a plan: nothing was done.
    pub planned: bool,
    /// What exists, for `status`.
    pub standing: Vec<Standing>,
    /// The stacks of the account, for `list`.
    pub stacks: Option<Vec<ListedStack>>,
    /// Show each of it, with its id.
    pub listed: bool,
    /// Whether the stack is up and on what it runs, for `status`.
    pub overview: Option<Overview>,
    /// What a person reads of the ids: where the service answers, and what it runs on.
    pub outputs: BTreeMap<String, String>,
    /// The guide's settings as they stand, for `conform`.
    pub settings: Vec<Setting>,
    /// What the stack costs a month, where that was asked.
    pub cost: Option<Cost>,
    /// What a verb that makes a document gives out.
    pub document: Option<serde_json::Value>,
    /// What the checks found.
    pub checks: Vec<Finding>,
    /// What the service decided, when it was asked.
    pub verdict: Option<Verdict>,
    /// What many calls came to, when many were made.
    pub load: Option<Load>,
    /// What is wrong, each with its cure.
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
            stacks: None,
            listed: false,
            overview: None,
            outputs: BTreeMap::new(),
            settings: Vec::new(),
            cost: None,
            document: None,
            checks: Vec::new(),
            verdict: None,
            load: None,
            problems: Vec::new(),
        }
    }

    /// Refused for what it was given, before any call.
    pub fn refused(problem: impl Into<Problem>) -> Outcome {
        Outcome::new(Exit::Usage, "refused", "").problem(problem)
    }

    /// Refused for what exists, before anything was changed.
    pub fn preflight(summary: impl Into<String>) -> Outcome {
        Outcome::new(Exit::Refused, "refused", summary)
    }

    /// Failed, with a summary that says in which state.
    pub fn failed(summary: impl Into<String>) -> Outcome {
        Outcome::new(Exit::Failed, "failed", summary)
    }

    /// Ended by the deadline or a signal.
    pub fn ended(ended: Ended, summary: impl Into<String>) -> Outcome {
        match ended {
            Ended::TimedOut => Outcome::new(Exit::Deadline, "timeout", summary),
            Ended::Cancelled(signal) => Outcome::new(signal.into(), "interrupted", summary),
        }
    }

    /// The same with one more problem.
    pub fn problem(mut self, problem: impl Into<Problem>) -> Outcome {
        self.problems.push(problem.into());
        self
    }

    /// The same with these problems.
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Outcome {
        self.problems = problems;
        self
    }

    /// The same with a plan that was not carried out.
    pub fn with_plan(self, changes: Vec<Change>) -> Outcome {
        Outcome { changes, planned: true, ..self }
    }
}

/// An outcome that ended a command early, for `?`.
#[derive(Debug)]
pub struct Failed(Box<Outcome>);

impl From<Outcome> for Failed {
    fn from(outcome: Outcome) -> Failed {
        Failed(Box::new(outcome))
    }
}

impl From<Failed> for Outcome {
    fn from(failed: Failed) -> Outcome {
        *failed.0
    }
}

impl Failed {
    /// The same outcome, changed.
    pub fn map(self, change: impl FnOnce(Outcome) -> Outcome) -> Failed {
        change(*self.0).into()
    }
}

impl From<Signal> for Exit {
    fn from(signal: Signal) -> Exit {
        match signal {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate => Exit::Terminated,
            Signal::HangUp => Exit::HungUp,
        }
    }
}

/// What the envelope says besides the outcome.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The verb.
    pub command: &'static str,
    /// The account's twelve digits; empty when it is not known.
    pub account: String,
    /// The caller's ARN; empty when it is not known.
    pub caller: String,
    /// The stack's name; empty for verbs without one.
    pub stack: String,
    /// The region; empty for verbs without one.
    pub region: String,
    /// How long it took.
    pub seconds: f64,
    /// HTTP requests sent to AWS, repetitions included.
    pub calls: u64,
    /// What was done when.
    pub steps: Vec<Step>,
    /// Whether that is shown.
    pub shows_steps: bool,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// Whether it was the sandbox: nothing of it is real.
    pub sandbox: bool,
    /// The name of the machine on which it ran; empty when it is not known.
    pub host: String,
}
