//! `deploy status --watch`: looked at again and again, until it is interrupted.

use std::time::Duration;

use tokio::time::Instant;

use super::once;
use crate::cli;
use crate::clock::Ended;
use crate::commands::Session;
use crate::outcome::{Failed, Outcome};

/// Long enough for every watch; the credentials of most accounts end sooner.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// At a terminal the screen is drawn anew; elsewhere there is a line for each change.
///
/// # Errors
/// A signal ended it: there is no other end.
pub async fn run(session: &Session<'_>, args: &cli::Status) -> Result<Outcome, Failed> {
    let (wait, start) = (session.wait(LONGEST), Instant::now());
    let ended = |ended: Ended| Failed::from(Outcome::ended(ended, "stopped watching; nothing was changed"));
    let mut has_looked = false;
    loop {
        let looked = wait.within(Box::pin(once(session, args))).await.map_err(ended)?;
        let outcome = match looked {
            // What passes by itself is told, and looked at again.
            Err(failed) if has_looked && session.cancel.signal().is_none() => Outcome::from(failed),
            looked => looked?,
        };
        has_looked = true;
        session.report.watched(&session.frame("status", start), &outcome, start.elapsed());
        wait.longest_pause().await.map_err(ended)?;
    }
}
