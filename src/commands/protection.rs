//! What protects resources from removal, on purpose: looked at before any removal, a replacement's too.

use std::collections::BTreeSet;

use crate::engine::{AnyLive, Key, LiveStack, Node, Result, Walk};
use crate::outcome::Problem;

/// What keeps these from being removed on purpose, each with the same cure.
///
/// # Errors
/// AWS does not say.
pub async fn protections(walk: &Walk<'_>, live: &LiveStack, keys: &BTreeSet<Key>, cure: &str) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for (node, found) in those(walk, live, keys) {
        for protection in node.protections(&walk.cx, found).await? {
            let problem = Problem::new(protection, cure);
            problems.push(problem.of(format!("{} {}", node.key(), node.name(walk.cx.site))));
        }
    }
    Ok(problems)
}

/// Takes every protection off these.
///
/// # Errors
/// AWS refuses.
pub async fn remove_protections(walk: &Walk<'_>, live: &LiveStack, keys: &BTreeSet<Key>) -> Result<()> {
    for (node, found) in those(walk, live, keys) {
        node.remove_protections(&walk.cx, found).await?;
    }
    Ok(())
}

fn those<'a>(
    walk: &'a Walk<'_>,
    live: &'a LiveStack,
    keys: &'a BTreeSet<Key>,
) -> impl Iterator<Item = (&'a dyn Node, &'a AnyLive)> {
    keys.iter().filter_map(|key| Some((walk.planner.graph.node(key)?, live.get(key)?.as_ref()?)))
}
