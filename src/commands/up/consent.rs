//! What `up` does only with a flag that allows it: what is not ours, replacements, instances or protections that would
//! go, and a version that was rolled back.

use std::collections::BTreeSet;

use super::allowed::{Consents, unasked};
use crate::cli;
use crate::commands::protection::{BY_HAND, protections};
use crate::engine::reconcile::Round;
use crate::engine::{Decision, Effect, Key, Outputs, Plan, Walk};
use crate::exit::Exit;
use crate::outcome::{Action, Change, Failed, Outcome, Problem};
use crate::steps::auto_scaling;

/// Refused: what is not ours, a replacement that nobody allowed, and consequences that need consent.
pub fn permit(args: &cli::Up, walk: &Walk<'_>, round: &Round<'_>) -> Result<BTreeSet<Key>, Failed> {
    let changes = || walk.planner.changes(round.plan);
    if round.plan.pending().any(|(_, decision)| matches!(decision, Decision::Foreign { .. })) {
        return Err(foreign(&changes()).with_plan(changes()).into());
    }
    let replaced = walk.planner.replaced(round.plan);
    if !replaced.is_empty() && !args.replace {
        return Err(needs_replace(&changes()).with_plan(changes()).into());
    }
    // What was allowed in the first round is under way. A version that was rolled back is left out, see below.
    let consents =
        Consents { retry_rolled_back: true, scale_in: !round.is_first || args.allow_scale_in, ..Consents::of(args) };
    let unasked = unasked(consents, walk.planner, round.plan, round.live);
    let problems: Vec<Problem> = unasked.into_iter().map(|(key, problem)| problem.of(label(walk, key))).collect();
    if problems.is_empty() { Ok(replaced) } else { Err(refused(problems)) }
}

/// A replacement is a removal: what stands against any of it is looked at before any of it goes.
///
/// # Errors
/// Something is protected.
pub async fn refuse_protected(walk: &Walk<'_>, round: &Round<'_>, removed: &BTreeSet<Key>) -> Result<(), Failed> {
    match protections(walk, round.live, removed, BY_HAND).await {
        Ok(protected) if protected.is_empty() => Ok(()),
        Ok(protected) => Err(refused(protected.into_iter().map(|(_, problem)| problem).collect())),
        Err(error) => Err(Outcome::failed("failed; nothing was removed").problem(&error).into()),
    }
}

/// A version that was rolled back is not tried again by itself: what else differs is put right without it.
///
/// # Errors
/// Nothing else differs.
pub fn without_rolled_back(
    args: &cli::Up,
    walk: &Walk<'_>,
    plan: &Plan,
    mut keys: BTreeSet<Key>,
) -> Result<BTreeSet<Key>, Failed> {
    let mut problems = Vec::new();
    for (key, effect) in plan.effects() {
        if let Effect::RetriesRolledBack { .. } = effect
            && let Some(problem) = Consents::of(args).refusal(effect)
            && keys.remove(key)
        {
            problems.push(problem.of(label(walk, key)));
        }
    }
    if problems.is_empty() || !keys.is_empty() { Ok(keys) } else { Err(refused(problems)) }
}

fn label(walk: &Walk<'_>, key: Key) -> String {
    let node = walk.planner.graph.node(key);
    node.map_or_else(String::new, |node| format!("{key} {} (guide step {})", node.name(walk.cx.site), node.step()))
}

fn refused(problems: Vec<Problem>) -> Failed {
    Outcome::preflight("refused; nothing was changed").with_problems(problems).into()
}

/// Everything of our names that is not ours.
fn foreign(changes: &[Change]) -> Outcome {
    let strangers = changes.iter().filter(|change| change.action == Action::Foreign);
    let cure = "Use --adopt if it is to become a part of this stack (look at `deploy plan --adopt` first), or \
                names.prefix for other names.";
    let problems: Vec<Problem> = strangers
        .map(|change| {
            let resource = format!("{} {}", change.resource, change.name);
            Problem::new(change.why.clone().unwrap_or_default(), cure).of(resource)
        })
        .collect();
    let summary = format!("{} resources with our names are not ours; nothing was changed", problems.len());
    Outcome::new(Exit::Foreign, "refused", summary).with_problems(problems)
}

fn needs_replace(changes: &[Change]) -> Outcome {
    let cure = "`up --replace` removes it, with what depends on it, and makes it again: the service is down meanwhile.";
    let replaced = changes.iter().filter(|change| change.action == Action::Replace).map(|change| {
        let resource = format!("{} {}", change.resource, change.name);
        Problem::new(change.why.clone().unwrap_or_default(), cure).of(resource)
    });
    Outcome::preflight("refused; nothing was changed").with_problems(replaced.collect())
}

/// What is pending; a group whose refresh is under way is followed, not acted on.
pub fn to_do(plan: &Plan, ids: &Outputs) -> BTreeSet<Key> {
    let follows = ids.contains_key(&auto_scaling::REFRESH);
    plan.pending().map(|(key, _)| key).filter(|key| !(follows && *key == auto_scaling::NAME.0)).collect()
}
