//! `teardown --dry-run`: every single thing that would go, and what would stay.

use serde_json::Value;

use super::unread;
use crate::engine::{AnyLive, Decision, Key, LiveStack, Walk};
use crate::exit::Exit;
use crate::outcome::{Action, Change, Failed, FieldChange, Outcome, Problem, few};
use crate::steps::leftovers::{is_leftover, restored};

/// Shows what a removal would do.
///
/// # Errors
/// AWS does not say what there is.
pub async fn dry_run(walk: &Walk<'_>, live: &LiveStack, mut left: Vec<Problem>) -> Result<Outcome, Failed> {
    let restored = restored(&walk.cx).await.map_err(unread)?;
    left.extend(restored.iter().map(|what| {
        let cure = "It stays. Remove it by hand when nobody needs it.";
        Problem::new("carries the stack's tag, and no launch of this stack made it", cure).of(what)
    }));
    left.extend(held(walk, live, |_| true).await);
    let changes = each_thing(walk, live);
    let outcome = Outcome::new(Exit::Done, "changes_pending", "Nothing was removed.").with_problems(left);
    Ok(outcome.with_plan(changes))
}

/// What would hold some of these when it is to be removed, and does not clear by itself. What cannot be read now is
/// told when it holds something.
pub async fn held(walk: &Walk<'_>, live: &LiveStack, is_asked: impl Fn(Key) -> bool) -> Vec<Problem> {
    let (mut problems, plan): (Vec<Problem>, _) = (Vec::new(), walk.planner.plan(live));
    for (key, decision) in plan.pending().filter(|(key, _)| is_asked(key)) {
        let found = live.get(key).and_then(Option::as_ref);
        let (Some(node), Some(found), Decision::Delete | Decision::Wait(_)) =
            (walk.planner.graph.node(key), found, decision)
        else {
            continue;
        };
        let blockers = node.blockers(&walk.cx, found).await.unwrap_or_default();
        let staying: Vec<String> =
            blockers.into_iter().filter(|one| !one.clears_by_itself).map(|blocker| blocker.what).collect();
        if !staying.is_empty() {
            let what = format!("will be held by {}, which is not ours", few(&staying, "; "));
            let problem = Problem::new(what, "It stays, and so does what it holds, until someone removes it.");
            problems.push(problem.of(format!("{key} {}", node.name(walk.cx.site))));
        }
    }
    problems
}

/// What a resource has beside it that is not ours to remove, as its reading told.
pub fn kept(live: &LiveStack) -> Vec<Problem> {
    let kept = live.values().flatten().filter_map(|found| found.spec["kept"].as_array());
    let words = kept.flatten().filter_map(Value::as_str);
    let cure = "It stays, and leads nowhere when the stack is gone: remove it by hand.";
    words.map(|words| Problem::new("leads to our load balancer and is not ours to remove", cure).of(words)).collect()
}

/// What would be removed, in that order; each with its id; volumes and network interfaces that go with their
/// instances too.
fn each_thing(walk: &Walk<'_>, live: &LiveStack) -> Vec<Change> {
    let mut plan = walk.planner.plan(live);
    plan.reverse();
    plan.retain(|_, decision| !matches!(decision, Decision::Foreign { .. }));
    let mut changes = walk.planner.changes(&plan);
    for change in &mut changes {
        let found = live.get(change.resource).and_then(Option::as_ref);
        let each = found.and_then(|found| found.spec["each"].as_object());
        let gone =
            |(id, words): (&String, &Value)| FieldChange { field: id.clone(), old: words.clone(), new: Value::Null };
        change.fields = each.into_iter().flatten().map(gone).collect();
        if is_leftover(change.resource) {
            change.action = Action::Delete;
            "with the instances".clone_into(&mut change.name);
        } else if let Some(id) = found.and_then(AnyLive::id).filter(|id| *id != change.name) {
            change.name = format!("{} ({id})", change.name);
        }
    }
    changes
}
