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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::elapse;

    fn refused(code: &str) -> Error {
        let (service, operation) = ("iam".to_owned(), "DeleteRole".to_owned());
        Error::Refused { service, operation, code: code.to_owned(), message: String::new(), request_id: None }
    }

    #[tokio::test(start_paused = true)]
    async fn each_reason_has_a_limit_of_its_own() {
        let clock = Clock::new(Duration::from_hours(1), 1.0);
        let mut budget = RetryBudget::default();
        let conflict = |budget: &mut RetryBudget| budget.allow(refused("DeleteConflict"), &clock).is_ok();
        assert!(!budget.is_used() && conflict(&mut budget) && budget.is_used());
        elapse(Duration::from_secs(119)).await;
        assert!(conflict(&mut budget));
        elapse(Duration::from_secs(1)).await;
        assert!(!conflict(&mut budget), "two minutes are over");

        assert_eq!(budget.allow(refused("Throttling"), &clock).unwrap(), "AWS asks to slow down");
        elapse(Duration::from_secs(299)).await;
        assert!(budget.allow(refused("Throttling"), &clock).is_ok());
        assert!(conflict(&mut budget), "after another reason its time begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn the_runs_deadline_ends_every_limit_and_other_errors_are_never_repeated() {
        let clock = Clock::new(Duration::from_secs(30), 1.0);
        let mut budget = RetryBudget::default();
        assert_eq!(budget.allow(refused("AccessDenied"), &clock).unwrap_err().code(), "AccessDenied");
        assert!(!budget.is_used());
        assert!(budget.allow(refused("DeleteConflict"), &clock).is_ok());
        elapse(Duration::from_secs(30)).await;
        assert!(budget.allow(refused("DeleteConflict"), &clock).is_err());
    }
}
