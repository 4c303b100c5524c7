//! `deploy status`: whether it is up, and what exists now.

mod overview;
mod service;
mod watch;

use super::Session;
use super::first_reading::FIRST_READING;
use super::stack::{gone, outputs};
use crate::cli;
use crate::engine::{AnyLive, Decision, Goal, Status, outputs_of};
use crate::exit::Exit;
use crate::outcome::{DriftCount, Failed, Outcome, Overview, Standing};
use crate::steps::STACK;
use overview::Looked;

/// Shows whether the stack is up, on what it runs, and whether it differs from deploy.yaml.
///
/// # Errors
/// The stack cannot be read; or, watched, a signal ended it.
pub async fn run(session: &Session<'_>, args: &cli::Status) -> Result<Outcome, Failed> {
    if args.watch { watch::run(session, args).await } else { Box::pin(once(session, args)).await }
}

async fn once(session: &Session<'_>, args: &cli::Status) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    let (stack, strays, memo) = session.read_stack_and_strays(false, &wait).await;
    let (stack, strays) = (stack?, strays.problems());
    let (site, live) = (&stack.site, &stack.live);
    let plan = session.planner(site, Goal::Present, false).plan(live);
    let standing = STACK.iter().filter_map(|node| {
        let decision = plan.decision(node.key())?;
        let found = live.get(node.key()).and_then(Option::as_ref);
        if found.is_none() && !decision.is_pending() {
            return None; // neither there nor wanted
        }
        Some(Standing {
            resource: node.key(),
            name: node.name(site),
            step: node.step(),
            id: found.and_then(AnyLive::id).map(str::to_owned),
            state: state(decision, found),
        })
    });
    let standing: Vec<Standing> = standing.collect();
    let ids = outputs_of(live);
    let problems = strays.into_iter().chain(gone(site)).collect();
    if standing.iter().all(|resource| resource.state == "absent") {
        let exit = if args.exit_code { Exit::Unverified } else { Exit::Done };
        let absent = Outcome::new(exit, "absent", "Nothing of this stack stands.");
        return Ok(Outcome { standing, problems, overview: Some(Overview::default()), ..absent });
    }
    let differs = standing.iter().filter(|one| !["ok", "rolling", "leaving"].contains(&one.state));
    let drift = DriftCount { resources: differs.map(|one| one.resource).collect(), of: standing.len() };
    let looked = Looked { session, site, memo: &memo, ids: &ids }.look(&wait).await;
    let (overview, error) = match looked {
        Ok(overview) => (Overview { drift: Some(drift), ..overview }, None),
        Err(error) => (Overview { drift: Some(drift), ..Overview::default() }, Some(error)),
    };
    let exit = match &error {
        Some(_) => Exit::Failed,
        None if !args.exit_code => Exit::Done,
        None if !overview.is_up() => Exit::Unverified,
        None if overview.differing() > 0 => Exit::Changes,
        None => Exit::Done,
    };
    let outcome = Outcome::new(exit, "standing", overview.summary()).with_problems(problems);
    let outcome = error.iter().fold(outcome, Outcome::problem);
    Ok(Outcome { standing, outputs: outputs(site, &ids), overview: Some(overview), listed: args.ids, ..outcome })
}

fn state(decision: &Decision, found: Option<&AnyLive>) -> &'static str {
    match decision {
        Decision::Nothing => "ok",
        Decision::Create(_) => "absent",
        Decision::Foreign { .. } => "foreign",
        Decision::Wait(_) if found.is_some_and(|found| matches!(found.status, Status::Pending(_))) => "rolling",
        Decision::Wait(_) => "leaving",
        _ => "differs",
    }
}
