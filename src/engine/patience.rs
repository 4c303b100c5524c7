//! How long it is borne that AWS has not caught up with itself.

use std::time::Duration;

use super::Clock;
use crate::cloud::{Error, settling};

/// What AWS asked patience for last, and until when it is had.
#[derive(Debug, Default)]
pub struct Patience(Option<(&'static str, Clock)>);

impl Patience {
    /// The reason to look again after this error, as long as its time lasts.
    ///
    /// # Errors
    /// The error itself: it is none of those, or its time is over.
    pub fn with(&mut self, error: Error, clock: &Clock) -> Result<&'static str, Error> {
        let Some(settling) = settling(&error) else {
            return Err(error);
        };
        let limit = match self.0 {
            Some((why, limit)) if why == settling.why => limit,
            _ => clock.at_most(settling.limit.max(Duration::from_secs(1))),
        };
        self.0 = Some((settling.why, limit));
        match limit.expired() {
            true => Err(error),
            false => Ok(settling.why),
        }
    }

    /// Whether AWS has asked for any.
    pub fn is_asked(&self) -> bool {
        self.0.is_some()
    }
}
