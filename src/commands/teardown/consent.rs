//! The stack's name, typed at a terminal before anything is removed.

use crate::cli;
use crate::clock::{Ended, Wait};
use crate::commands::{Session, terminal};
use crate::exit::Exit;
use crate::outcome::{Change, Failed, Outcome, Problem};
use crate::report::plan_text;

/// Asks for the stack's name, unless `--yes` was given.
///
/// # Errors
/// There is no terminal, another name was typed, the time is over, or a signal came.
pub async fn ask(
    session: &Session<'_>,
    args: &cli::Teardown,
    changes: &[Change],
    wait: &Wait<'_>,
) -> Result<(), Failed> {
    if args.yes {
        return Ok(());
    }
    let stack = &session.config.stack;
    if !terminal::is_there() {
        let problem = Problem::new("teardown asks before it removes, and there is no terminal", "Use --yes.");
        return Err(Outcome::new(Exit::Usage, "refused", "nothing was removed").problem(problem).into());
    }
    session.report.note(&plan_text(changes));
    session.report.ask(&format!("Type the stack's name ({stack}) to remove it: "));
    let ended = |ended: Ended| Outcome::ended(ended, "nothing was removed");
    let answer = wait.within(terminal::line()).await.map_err(ended)?;
    match answer {
        Some(answer) if answer.trim() == stack => Ok(()),
        _ => Err(Outcome::preflight("That is not the stack's name; nothing was removed.").into()),
    }
}
