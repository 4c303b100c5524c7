//! What `up` is about to do, told before it does it; with `--ask`, a person's word for it.

use super::allowed::{Consents, unasked};
use crate::cli;
use crate::clock::Ended;
use crate::commands::plan::with_refusals;
use crate::commands::{Session, terminal};
use crate::engine::Walk;
use crate::engine::reconcile::Round;
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::report::plan_text;

/// Refuses a question that nobody can answer.
///
/// # Errors
/// `--ask` without a terminal.
pub fn can_ask(args: &cli::Up) -> Result<(), Failed> {
    if !args.ask || terminal::is_there() {
        return Ok(());
    }
    let cure = "Leave it out; `deploy plan` shows what would be done.";
    let problem = Problem::new("--ask asks at a terminal, and there is none", cure);
    Err(Outcome::new(Exit::Usage, "refused", "nothing was changed").problem(problem).into())
}

/// Tells the plan once, before anything of it is done, and asks.
///
/// # Errors
/// The answer is no, the time is over, or a signal came.
pub async fn announce(session: &Session<'_>, args: &cli::Up, walk: &Walk<'_>, round: &Round<'_>) -> Result<(), Failed> {
    if !round.is_first || !round.done.is_empty() {
        return Ok(());
    }
    let refused = unasked(Consents::of(args), walk.planner, round.plan, round.live);
    let changes = with_refusals(walk.planner.changes(round.plan), &refused);
    let plan = plan_text(&changes);
    if !args.ask {
        session.report.note(plan.trim_end());
        return Ok(());
    }
    let account = session.cloud.known_identity().map_or("that is not known", |identity| &*identity.account.id);
    let these = if changes.len() == 1 { "this change".to_owned() } else { format!("these {} changes", changes.len()) };
    session.report.ask(&format!("{plan}Apply {these} to the account {account}? [y/N] "));
    let ended = |ended: Ended| Outcome::ended(ended, "nothing was changed");
    match walk.wait.within(terminal::line()).await.map_err(ended)? {
        Some(answer) if ["y", "yes"].contains(&&*answer.trim().to_lowercase()) => Ok(()),
        _ => Err(Outcome::preflight("not applied; nothing was changed").into()),
    }
}
