//! `deploy teardown`: removes the stack in reverse, and looks that nothing is left.

mod consent;
mod dry_run;
mod ended;
mod last_look;
mod policy;

use std::collections::BTreeSet;

use super::Session;
use super::protection::{protections, remove_protections};
use super::stack::ReadStack;
use super::strays::telling;
use crate::cli;
use crate::clock::Wait;
use crate::engine::reconcile::{AGAIN, failed, reconcile};
use crate::engine::{Context, Decision, Error, Goal, Key, LiveStack, Plan, Walk, outputs_of};
use crate::outcome::{Action, Change, Failed, Outcome, Problem};
use crate::report::problem_text;
use crate::steps::dns_record::not_looked_for;
use crate::steps::leftovers::{self, is_leftover};
use crate::steps::load_balancer;
use dry_run::{dry_run, held, kept};
use ended::{concluded, stays};
use last_look::{left_behind, nothing_to_remove};
use policy::{TeardownPolicy, ours};

/// Removes the stack. Where records that lead to it could not be looked for, says so, however it ends.
///
/// # Errors
/// It was refused, or is incomplete; the outcome lists what was removed and what is left.
pub async fn run(session: &Session<'_>, args: &cli::Teardown) -> Result<Outcome, Failed> {
    within(session, args, session.wait(args.timeout)).await
}

/// The same, with this deadline.
///
/// # Errors
/// As [`run`].
pub async fn within(session: &Session<'_>, args: &cli::Teardown, wait: Wait<'_>) -> Result<Outcome, Failed> {
    let stack = session.read_stack(Goal::Absent, false, &wait).await?;
    let unseen = not_looked_for(&stack.site.unseen_records).into_iter().collect();
    telling(remove_stack(session, args, stack, wait).await, unseen)
}

async fn remove_stack(
    session: &Session<'_>,
    args: &cli::Teardown,
    stack: ReadStack,
    wait: Wait<'_>,
) -> Result<Outcome, Failed> {
    let planner = session.planner(&stack.site, Goal::Absent, false);
    let cx = Context { unseen_regions: args.allow_unseen_regions, ..Context::reading(&session.cloud, &stack.site) };
    let walk = Walk { planner: &planner, cx, wait };
    let (changes, foreign) = removals(&walk, &stack.live);
    let mut left: Vec<Problem> = foreign.iter().map(stays).chain(kept(&stack.live)).collect();
    if changes.is_empty() && left.is_empty() {
        return nothing_to_remove(&walk).await;
    }
    let removed = removed(&walk.planner.plan(&stack.live));
    let protected = async {
        let all = protections(&walk, &stack.live, &removed, LIFT).await?;
        Ok(all.into_iter().map(|(_, problem)| problem).collect::<Vec<_>>())
    };
    if args.dry_run {
        left.extend(protected.await.map_err(unread)?);
        return dry_run(&walk, &stack.live, left).await;
    }
    let ids = outputs_of(&stack.live);
    let (protected, held, behind) = tokio::join!(
        protected,
        held(&walk, &stack.live, |key| key == leftovers::INTERFACES_KEY),
        load_balancer::strangers_behind(&cx, &ids)
    );
    let (protected, behind) = (protected.map_err(unread)?, behind.map_err(unread)?);
    if !protected.is_empty() && !args.lift_protection {
        let outcome = Outcome::preflight("refused; nothing was removed").with_problems(protected);
        return Err(outcome.with_plan(changes).into());
    }
    held.iter().for_each(|problem| session.report.note(&problem_text(problem)));
    if !changes.is_empty() {
        consent::ask(session, args, &changes, &walk.wait).await?;
    }
    left.extend(
        behind.iter().map(|arn| {
            Problem::bare("a rule on our listener forwarded to it; it is not ours and stays").of(arn.clone())
        }),
    );
    if !protected.is_empty() {
        remove_protections(&walk, &stack.live, &removed).await.map_err(unread)?;
    }
    let mut done = Plan::default();
    let ended = remove(&walk, stack.live, &mut done, &foreign, &mut left).await;
    let changes = planner.changes(&done);
    match ended {
        Ok(()) => Ok(Outcome { changes, ..concluded(done.iter().count(), left) }),
        Err(failed) => Err(failed.map(|mut outcome| {
            outcome.problems.extend(left);
            Outcome { changes, ..outcome }
        })),
    }
}

/// How often what a look afterwards still finds is removed: a reading that lagged, or another run, may have hidden it.
const ROUNDS: u32 = 4;

const LIFT: &str = "`teardown --lift-protection` takes it off first.";

async fn remove(
    walk: &Walk<'_>,
    mut live: LiveStack,
    done: &mut Plan,
    foreign: &[Change],
    left: &mut Vec<Problem>,
) -> Result<(), Failed> {
    for round in 1.. {
        reconcile(walk, live, &mut TeardownPolicy, done).await?;
        let found = left_behind(walk, done.iter().count(), foreign).await?;
        if found.is_empty() {
            break;
        }
        live = walk.read().await.map_err(|errors| failed(&errors, walk.wait.cancel, AGAIN))?;
        if round == ROUNDS || ours(&walk.planner.plan(&live)).is_empty() {
            left.extend(found);
            break;
        }
    }
    Ok(())
}

/// What is ours and would be removed, in that order; and what only has our name.
fn removals(walk: &Walk<'_>, live: &LiveStack) -> (Vec<Change>, Vec<Change>) {
    let mut plan = walk.planner.plan(live);
    plan.reverse();
    // What leaves with its instance is no line of its own.
    plan.retain(|key, decision| !(is_leftover(key) && matches!(decision, Decision::Wait(_))));
    let changes = walk.planner.changes(&plan);
    changes.into_iter().partition(|change| change.action != Action::Foreign)
}

/// What this run would remove.
fn removed(plan: &Plan) -> BTreeSet<Key> {
    plan.pending().filter(|(_, decision)| **decision == Decision::Delete).map(|(key, _)| key).collect()
}

fn unread(error: Error) -> Outcome {
    Outcome::failed("failed; nothing was removed").problem(&error)
}
