//! How long a run repeats what AWS is not ready for: one limit for each reason.

use std::time::Duration;

use super::{Error, retryable};
use crate::clock::Clock;

/// The reason of the last retryable error, and until when it may go on.
#[derive(Debug, Default)]
pub struct RetryBudget(Option<(&'static str, Clock)>);

impl RetryBudget {
    /// The reason to try again after this error, as long as its time lasts.
    ///
    /// # Errors
    /// The error itself: it is not retryable, or its time is over.
    pub fn allow(&mut self, error: Error, clock: &Clock) -> Result<&'static str, Error> {
        let Some(retryable) = retryable(&error) else {
            return Err(error);
        };
        let limit = match self.0 {
            Some((why, limit)) if why == retryable.why => limit,
            _ => clock.at_most(retryable.limit.max(Duration::from_secs(1))),
        };
        self.0 = Some((retryable.why, limit));
        if limit.expired() { Err(error) } else { Ok(retryable.why) }
    }

    /// Whether anything was retried.
    pub fn is_used(&self) -> bool {
        self.0.is_some()
    }
}
