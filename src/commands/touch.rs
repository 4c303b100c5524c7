//! `deploy touch`: until when the stack is wanted.

use super::Session;
use super::expiry::{after, mark, written};
use super::first_reading::FIRST_READING;
use super::stack::WHICH_STACKS;
use crate::cli::Touch;
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};

/// Moves the time, or takes it off.
///
/// # Errors
/// There is no stack of this name, AWS does not answer, or the time has passed already.
pub async fn run(session: &Session<'_>, args: &Touch) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    let now = jiff::Timestamp::now();
    let until = args.until.or(args.lasts.map(after));
    if let Some(past) = until.filter(|until| *until <= now) {
        let cure = "Name a time to come, in UTC: --until 2030-01-31T18:00:00Z, or --for 8h.";
        return Err(Outcome::refused(Problem::new(format!("{past} has passed"), cure)).into());
    }
    session.identify(&wait).await?;
    let stack = &session.config.stack;
    let until = until.map(written);
    let marked = mark(session, until.as_deref(), &wait).await?;
    if marked == 0 {
        let problem = Problem::new(format!("no security group carries the tag of the stack {stack}"), WHICH_STACKS);
        return Err(Outcome::preflight("refused; nothing was changed").problem(problem).into());
    }
    let summary = until.map_or_else(|| format!("{stack} does not expire"), |until| format!("{stack} expires {until}"));
    Ok(Outcome::new(Exit::Done, "changed", summary))
}
