//! `deploy plan`: reads only, and prints what `up` would do.

use super::Session;
use super::first_reading::FIRST_READING;
use crate::cli;
use crate::engine::Goal;
use crate::exit::Exit;
use crate::outcome::{Action, Failed, Outcome};

/// Shows what `up` would do.
///
/// # Errors
/// The stack cannot be read.
pub async fn run(session: &Session<'_>, args: &cli::Plan) -> Result<Outcome, Failed> {
    let stack = session.read_stack(Goal::Present, args.adopt, &session.wait(FIRST_READING)).await?;
    let planner = session.planner(&stack.site, Goal::Present, args.adopt);
    let changes = planner.changes(&planner.plan(&stack.live));
    let has = |action| changes.iter().any(|change| change.action == action);
    let pending = if args.exit_code { Exit::Changes } else { Exit::Done };
    let outcome = if changes.is_empty() {
        Outcome::new(Exit::Done, "unchanged", "No changes: the stack is as deploy.yaml wants it.")
    } else if has(Action::Foreign) {
        Outcome::new(Exit::Foreign, "refused", "`up` would refuse: something with our name is not ours.")
    } else if has(Action::Replace) && !args.replace {
        let words = "`up` would refuse: what AWS cannot change in place needs --replace.";
        Outcome::new(pending, "changes_pending", words)
    } else {
        Outcome::new(pending, "changes_pending", "")
    };
    Ok(outcome.with_plan(changes))
}
