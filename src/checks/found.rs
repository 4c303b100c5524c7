//! What a check found, and whether waiting can help.

use tokio::time::Instant;

use crate::outcome::{Finding, Status};

/// A check, and whether what it found may heal by itself.
#[derive(Debug, Clone)]
pub struct Found {
    pub check: Finding,
    pub heals: bool,
}

impl Found {
    /// Waiting does not change it.
    pub fn settled(check: Finding) -> Found {
        Found { check, heals: false }
    }

    /// Not right yet.
    pub fn healing(check: Finding) -> Found {
        Found { check, heals: true }
    }

    /// Whether nothing is wrong.
    pub fn good(&self) -> bool {
        !matches!(self.check.status, Status::Fail | Status::Unknown)
    }
}

/// Carries a check out, with its times since `start`.
pub async fn timed(start: Instant, check: impl Future<Output = Found>) -> Found {
    let [found] = timed_each(start, async { [check.await] }).await;
    found
}

/// Checks that are carried out as one have the same times.
pub async fn timed_each<const N: usize>(start: Instant, checks: impl Future<Output = [Found; N]>) -> [Found; N] {
    let began = Instant::now();
    let mut found = checks.await;
    for found in &mut found {
        found.check.started_ms = began.duration_since(start).as_millis() as u64;
        found.check.duration_ms = began.elapsed().as_millis() as u64;
    }
    found
}
