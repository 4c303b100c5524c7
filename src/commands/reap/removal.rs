//! The removal of one expired stack after another, and what all of them come to.

use std::time::Duration;

use crate::cli;
use crate::clock::Wait;
use crate::commands::{Session, late, teardown};
use crate::exit::Exit;
use crate::outcome::{Change, Failed, Outcome, Problem};
use crate::steps::{security_groups, shared};

/// How often one stack is looked at again: what carries its tag under other names is found by the look after a removal.
const ROUNDS: u32 = 3;

/// The longest removal of one stack, so that one that hangs does not keep the others.
const LONGEST: Duration = Duration::from_mins(60);

/// What became of each stack so far.
#[derive(Default)]
pub struct Reaped {
    removed: Vec<String>,
    left: Vec<String>,
    changes: Vec<Change>,
    problems: Vec<Problem>,
    /// The exit of a signal or of the deadline: no further stack is begun.
    over: Option<(Exit, &'static str)>,
}

impl Reaped {
    /// Removes one more.
    pub async fn remove(&mut self, session: &Session<'_>, stack: &str, wait: &Wait<'_>) {
        let ended = removal(session, stack, wait).await.unwrap_or_else(Outcome::from);
        match ended.exit {
            Exit::Done if ended.outcome == MOVED => session.report.note(&format!("{stack}: {}", ended.summary)),
            Exit::Done => self.removed.push(stack.to_owned()),
            _ => self.left.push(stack.to_owned()),
        }
        let is_over = wait.clock.expired() || wait.cancel.signal().is_some();
        self.over = is_over.then_some((ended.exit, ended.outcome)).filter(|(exit, _)| *exit != Exit::Done);
        if !ended.planned {
            self.changes.extend(ended.changes);
        }
        if ended.problems.is_empty() && ended.exit != Exit::Done {
            self.problems.push(Problem::bare(ended.summary).of(stack));
        }
        self.problems.extend(ended.problems.into_iter().map(|problem| {
            let of = problem.resource.as_ref().map_or_else(|| stack.to_owned(), |what| format!("{stack}: {what}"));
            problem.of(of)
        }));
    }

    /// Whether a signal or the deadline ended it.
    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// All of it.
    pub fn outcome(self) -> Outcome {
        let (exit, word) = match self.over {
            Some(over) => over,
            None if !self.left.is_empty() => (Exit::Incomplete, "incomplete"),
            None if self.removed.is_empty() => (Exit::Done, "unchanged"),
            None => (Exit::Done, "changed"),
        };
        let removed = match self.removed.as_slice() {
            [] => "No stack was removed".to_owned(),
            names => format!("Removed {}", names.join(", ")),
        };
        let left = match self.left.as_slice() {
            [] => String::new(),
            names => format!("; not, or not wholly: {}", names.join(", ")),
        };
        let outcome = Outcome::new(exit, word, format!("{removed}{left}.")).with_problems(self.problems);
        Outcome { changes: self.changes, ..outcome }
    }
}

/// The word of a stack that somebody wants longer.
const MOVED: &str = "unchanged";

const NOTHING_REMOVED: &str = "nothing was removed";

/// Removes one stack by what carries its tag, unless its time was moved since it was listed.
async fn removal(session: &Session<'_>, stack: &str, wait: &Wait<'_>) -> Result<Outcome, Failed> {
    let expiry = wait.within(security_groups::expiry(&session.cloud, stack)).await.map_err(late)?;
    let expiry = expiry.map_err(|error| Outcome::failed(NOTHING_REMOVED).problem(&error))?;
    let left = expiry.and_then(|time| security_groups::seconds_left(&time, jiff::Timestamp::now()));
    if left.is_none_or(|left| left > 0) {
        return Ok(Outcome::new(Exit::Done, MOVED, "its time was moved, and it stays"));
    }
    let (mut changes, mut round) = (Vec::new(), 1);
    loop {
        let config = wait.within(shared::found_config(&session.cloud, stack)).await.map_err(late)?;
        let config = config.map_err(|error| Outcome::failed(NOTHING_REMOVED).problem(&error))?;
        let args = cli::Teardown::agreed();
        let ended = Box::pin(teardown::within(&session.of_stack(config), &args, wait.at_most(LONGEST))).await;
        let outcome = ended.unwrap_or_else(Outcome::from);
        let is_further = outcome.exit == Exit::Incomplete && !outcome.changes.is_empty() && round < ROUNDS;
        changes.extend(outcome.changes.clone());
        if !is_further {
            return Ok(Outcome { changes, ..outcome });
        }
        round += 1;
    }
}
