//! `deploy plan`: reads only, and prints what `up` would do.

use super::Session;
use super::converge::{FIRST_LOOK, planned, survey, walk};
use crate::cli;
use crate::engine::{Event, Goal, Graph, Stop};
use crate::exit::Exit;
use crate::report::Outcome;
use crate::steps::STACK;

/// Shows what `up` would do.
pub async fn run(session: &Session<'_>, args: &cli::Plan) -> Outcome {
    let clock = session.clock(FIRST_LOOK);
    let surveyed = match survey(session, Goal::Present, args.adopt, &clock).await {
        Ok(surveyed) => surveyed,
        Err(outcome) => return outcome,
    };
    let graph = Graph::trace(STACK, &surveyed.site);
    let (stop, quiet) = (Stop::never(), |_: Event| {});
    let walk = walk(session, &surveyed.site, &graph, Goal::Present, args.adopt, clock, &stop, &quiet);
    let changes = planned(&walk.plan(&surveyed.found), &graph, &surveyed.site);
    let refused = !args.replace && changes.iter().any(|change| change.action == "replace");
    let mut outcome = match changes.as_slice() {
        [] => Outcome::new(Exit::Done, "unchanged", "No changes: the stack is as deploy.yaml wants it."),
        _ if changes.iter().any(|change| change.action == "foreign") => {
            Outcome::new(Exit::Foreign, "refused", "`up` would refuse: something with our name is not ours.")
        }
        _ if refused => {
            let words = "`up` would refuse: what AWS cannot change in place needs --replace.";
            Outcome::new(if args.exit_code { Exit::Changes } else { Exit::Done }, "changes_pending", words)
        }
        _ => Outcome::new(if args.exit_code { Exit::Changes } else { Exit::Done }, "changes_pending", ""),
    };
    outcome.planned = true;
    outcome.changes = changes;
    outcome
}
