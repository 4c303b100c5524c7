//! Until when a stack is wanted: `up --ttl` and `touch` write it, `list` shows it.

use std::time::Duration;

use super::{Session, late};
use crate::clock::Wait;
use crate::engine::{Outputs, Walk};
use crate::outcome::{Failed, Outcome};
use crate::steps::security_groups;

/// So long from now.
pub fn after(lasts: Duration) -> jiff::Timestamp {
    jiff::Timestamp::now() + jiff::SignedDuration::from_secs(lasts.as_secs().cast_signed())
}

/// A time as the tag has it: whole seconds in UTC, which a person reads.
pub fn written(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Until when a stack that was read is wanted, as it says of itself; `None`: without an end.
pub fn expiry(ids: &Outputs) -> Option<String> {
    security_groups::latest(security_groups::EXPIRY.iter().map(|output| ids.get(output).cloned()))
}

/// Writes the time on what carries it, or takes it off; on how many security groups of the stack.
///
/// # Errors
/// AWS does not answer, or refuses.
pub async fn mark(session: &Session<'_>, until: Option<&str>, wait: &Wait<'_>) -> Result<usize, Failed> {
    let marked = security_groups::mark_expiry(&session.cloud, &session.config.stack, until);
    let failed = |error| Outcome::failed("failed; the former expiry may stand").problem(&error);
    Ok(wait.within(marked).await.map_err(late)?.map_err(failed)?)
}

/// The same for `up`, once a run: before anything is made beside what stands already.
///
/// # Errors
/// AWS does not answer, or refuses.
pub async fn mark_once(is_marked: &mut bool, session: &Session<'_>, walk: &Walk<'_>) -> Result<(), Failed> {
    let until = walk.cx.site.expires.as_deref().filter(|_| !std::mem::replace(is_marked, true));
    if until.is_some() {
        mark(session, until, &walk.wait).await?;
    }
    Ok(())
}
