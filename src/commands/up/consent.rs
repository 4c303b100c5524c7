//! What `up` does only with a flag that allows it: what is not ours, replacements, instances that would go, and a
//! version that was rolled back.

use std::collections::BTreeSet;

use crate::cli;
use crate::engine::reconcile::Round;
use crate::engine::{Decision, Effect, Key, Plan, Walk};
use crate::exit::Exit;
use crate::outcome::{Action, Change, Failed, Outcome, Problem};

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
    let unasked = round.plan.effects().filter_map(|(key, effect)| match effect {
        Effect::ScalesIn { max, running } if round.is_first && !args.allow_scale_in => {
            Some(scales_in(*max, *running).of(label(walk, key)))
        }
        _ => None,
    });
    let problems: Vec<Problem> = unasked.collect();
    if problems.is_empty() { Ok(replaced) } else { Err(refused(problems)) }
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
        if let Effect::RetriesRolledBack { version, why } = effect
            && !args.force
            && keys.remove(key)
        {
            let what = format!("version {version} was rolled back ({why})");
            problems.push(Problem::new(what, "--force does it all the same.").of(label(walk, key)));
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

fn scales_in(max: i32, running: i32) -> Problem {
    Problem::new(
        format!("scaling.max {max} is below the {running} instances that the group keeps now"),
        "Wait until the load falls, or use --allow-scale-in.",
    )
    .because(format!("AWS would terminate {} of them at once", running - max))
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
