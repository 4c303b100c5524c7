//! Why a resource is not as it should be.

use super::resource::Key;
use crate::clock::{Clock, Ended, Late};
use crate::cloud::{self, RetryBudget};
use crate::outcome::Problem;

/// What working on a resource can end in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// AWS refused or did not answer.
    #[error(transparent)]
    Cloud(cloud::Error),
    /// It is not ours, or AWS answered a create call with something that is not ours.
    #[error("not ours: {0}")]
    Foreign(String),
    /// It cannot be removed because something that is not ours holds it.
    #[error("{0}")]
    Held(String),
    /// Another resource, whose ids are needed to find this one, could not be read.
    #[error("not looked at, since {0} could not be")]
    DependencyNotRead(Key),
    /// The deadline passed while it waited for this.
    #[error("still waiting when the deadline passed: {0}")]
    TimedOut(String),
    /// A signal asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// These fields differ, and AWS does not change them in place.
    #[error("{0} cannot be changed in place")]
    NeedsReplacement(String),
    /// This other resource, which it depends on, failed.
    #[error("not tried, since {0} failed")]
    Skipped(Key),
}

/// What most functions of a resource return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl<E> From<E> for Error
where
    cloud::Error: From<E>,
{
    fn from(error: E) -> Error {
        Error::Cloud(error.into())
    }
}

impl Error {
    /// The reason to try again, as long as the budget allows it.
    ///
    /// # Errors
    /// The error itself: it is not retryable, or the time for it is over.
    pub fn retry(self, budget: &mut RetryBudget, clock: &Clock) -> Result<String> {
        match self {
            Error::Cloud(error) => Ok(budget.allow(error, clock)?.to_owned()),
            other => Err(other),
        }
    }

    /// AWS's error, when it is one.
    pub fn cloud(&self) -> Option<&cloud::Error> {
        match self {
            Error::Cloud(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Late> for Error {
    fn from(late: Late) -> Error {
        match late.ended {
            Ended::TimedOut => Error::TimedOut(late.why),
            Ended::Cancelled(_) => Error::Interrupted,
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Problem {
        match error {
            Error::Cloud(error) => error.into(),
            other => Problem::bare(other.to_string()),
        }
    }
}

/// A resource that is not as it should be.
#[derive(Debug, Clone)]
pub struct NodeError {
    /// Which.
    pub key: Key,
    /// AWS's name of it.
    pub name: String,
    /// The guide's step.
    pub step: u8,
    /// Why.
    pub error: Error,
}
