//! Why a stack is not proven, and what a run ends in then.

use crate::clock::{Late, Wait};
use crate::cloud;
use crate::exit::Exit;
use crate::outcome::{Outcome, Problem};

/// Why a stack is not proven.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// AWS does not answer.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// The deadline passed, or a signal asked to stop.
    #[error(transparent)]
    Late(#[from] Late),
    /// The service does not answer.
    #[error("{what}")]
    NoAnswer {
        /// What came instead.
        what: String,
        /// Why.
        cause: String,
        /// What to do.
        fix: String,
    },
    /// Waiting longer cannot help.
    #[error("{what}")]
    Never {
        /// What is wrong.
        what: String,
        /// Why.
        cause: String,
        /// What to do.
        fix: String,
        /// AWS itself refuses, rather than that the service is not right.
        refused: bool,
    },
}

impl Unproven {
    /// Whether something that was changed meanwhile, or a read that lagged, may explain it.
    pub fn may_have_changed(&self) -> bool {
        match self {
            Unproven::NoAnswer { .. } | Unproven::Never { refused: false, .. } => true,
            Unproven::Cloud(error) => !error.is_outage(),
            _ => false,
        }
    }
}

/// What a run ends in that made the stack as wanted and could not prove it.
pub fn unproven(wait: &Wait<'_>, error: &Unproven) -> Outcome {
    const SUMMARY: &str = "The stack stands; it is not proven that it works.";
    let outcome = match error {
        Unproven::Late(late) => Outcome::ended(late.ended, SUMMARY),
        Unproven::NoAnswer { .. } | Unproven::Never { refused: false, .. } => {
            Outcome::new(Exit::Unverified, "failed", SUMMARY)
        }
        _ => Outcome::failed(SUMMARY),
    };
    let problem = match error {
        Unproven::Cloud(error) => error.into(),
        Unproven::Never { what, cause, fix, .. } | Unproven::NoAnswer { what, cause, fix } => {
            Problem::new(what, fix).because(cause)
        }
        Unproven::Late(late) if wait.cancel.signal().is_none() => {
            Problem::new(&late.why, "Running again goes on from here.")
        }
        Unproven::Late(_) => Problem::new("interrupted", "Running again goes on from here."),
    };
    outcome.problem(problem)
}
