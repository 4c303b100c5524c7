//! The stack's name, typed at a terminal before anything is removed.

use std::io::IsTerminal;

use crate::cli;
use crate::clock::Ended;
use crate::commands::Session;
use crate::exit::Exit;
use crate::outcome::{Change, Failed, Outcome, Problem};
use crate::report::plan_text;

/// Asks for the stack's name, unless `--yes` was given.
///
/// # Errors
/// There is no terminal, another name was typed, or a signal came.
pub fn ask(session: &Session<'_>, args: &cli::Teardown, changes: &[Change]) -> Result<(), Failed> {
    if args.yes {
        return Ok(());
    }
    let stack = &session.config.stack;
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let problem = Problem::new("teardown asks before it removes, and there is no terminal", "Use --yes.");
        return Err(Outcome::new(Exit::Usage, "refused", "nothing was removed").problem(problem).into());
    }
    session.report.note(&plan_text(changes));
    session.report.ask(&format!("Type the stack's name ({stack}) to remove it: "));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    if let Some(signal) = session.cancel.signal() {
        return Err(Outcome::ended(Ended::Cancelled(signal), "nothing was removed").into());
    }
    match read {
        Ok(_) if answer.trim() == stack => Ok(()),
        _ => Err(Outcome::preflight("That is not the stack's name; nothing was removed.").into()),
    }
}
