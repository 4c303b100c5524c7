//! `deploy plan`: reads only, and prints what `up` would do.

use super::Session;
use super::cost::refuse_above;
use super::first_reading::FIRST_READING;
use super::protection::{BY_HAND, protections};
use super::saved_plan::SavedPlan;
use super::stack::gone;
use super::strays::{Strays, makes_second, not_known};
use super::up::{Consents, unasked};
use crate::cli;
use crate::engine::{Context, Goal, Key, Walk};
use crate::exit::Exit;
use crate::outcome::{Action, Change, Failed, Outcome, Problem};

/// Shows what `up` would do.
///
/// # Errors
/// The stack cannot be read.
pub async fn run(session: &Session<'_>, args: &cli::Plan) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    let (stack, strays, _) = session.read_stack_and_strays(args.adopt, &wait).await;
    let stack = stack?;
    let planner = session.planner(&stack.site, Goal::Present, args.adopt);
    let plan = planner.plan(&stack.live);
    let makes_second = makes_second(&plan);
    let stand_beside = strays.stand_beside();
    let strays = match strays {
        Strays::NotKnown(problem) if makes_second => return Err(not_known(problem)),
        strays => strays.problems(),
    };
    let walk = Walk { planner: &planner, cx: Context::reading(&session.cloud, &stack.site), wait };
    let protected = protections(&walk, &stack.live, &planner.removed(&plan), BY_HAND).await;
    let protected = protected.map_err(|error| Outcome::failed("the plan is not whole").problem(&error))?;
    let unasked = unasked(Consents::default(), &planner, &plan, &stack.live);
    let changes = with_refusals(planner.changes(&plan), &[unasked, protected.clone()].concat());
    let has = |action| changes.iter().any(|change| change.action == action);
    let pending = if args.exit_code { Exit::Changes } else { Exit::Done };
    let outcome = if changes.is_empty() {
        let known = stack.site.gone.is_empty();
        let is_wanted = if known { ": the stack is as deploy.yaml wants it." } else { ", as far as can be known." };
        Outcome::new(Exit::Done, "unchanged", format!("No changes{is_wanted}"))
    } else if has(Action::Foreign) {
        Outcome::new(Exit::Foreign, "refused", "`up` would refuse: something with our name is not ours.")
    } else if stand_beside && makes_second {
        Outcome::new(
            pending,
            "changes_pending",
            "`up` would refuse: a stack with the same tag stands under other names.",
        )
    } else if has(Action::Replace) && !args.replace {
        let words = "`up` would refuse: what AWS cannot change in place needs --replace.";
        Outcome::new(pending, "changes_pending", words)
    } else if !protected.is_empty() {
        Outcome::new(
            pending,
            "changes_pending",
            "`up` would refuse: something that it would remove is protected, or others added to it.",
        )
    } else if changes.iter().any(|change| !change.refused.is_empty()) {
        Outcome::new(pending, "changes_pending", "`up` would refuse a part of it without the flags named above.")
    } else {
        Outcome::new(pending, "changes_pending", "")
    };
    if let Some(path) = &args.save {
        let saved = SavedPlan::new(session, (args.adopt, args.replace), &changes);
        saved.save(path).map_err(Outcome::refused)?;
        session.report.note(&format!("saved: `deploy up --plan {}` applies this and nothing else", path.display()));
    }
    let cost = if changes.is_empty() { None } else { Some(session.cost(&stack.live, &wait).await) };
    if let Some(cost) = &cost {
        refuse_above(cost, args.max_monthly)
            .map_err(|failed| failed.map(|refused| refused.with_plan(changes.clone())))?;
    }
    let told = strays.into_iter().chain(gone(&stack.site)).collect();
    Ok(Outcome { cost, ..outcome.with_problems(told).with_plan(changes) })
}

/// The changes, each with what `up` refuses of it.
pub fn with_refusals(mut changes: Vec<Change>, refusals: &[(Key, Problem)]) -> Vec<Change> {
    for change in &mut changes {
        let of_it = refusals.iter().filter(|(key, _)| *key == change.resource);
        change.refused = of_it.map(|(_, problem)| in_a_line(problem)).collect();
    }
    changes
}

fn in_a_line(problem: &Problem) -> String {
    match &problem.cure {
        Some(cure) => format!("{}. {cure}", problem.message),
        None => problem.message.clone(),
    }
}
