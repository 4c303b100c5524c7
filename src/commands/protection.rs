//! What protects resources from removal, on purpose: looked at before any removal, a replacement's too.

use std::collections::BTreeSet;

use futures_util::future::{try_join, try_join_all};

use crate::engine::{AnyLive, Error, Goal, Key, LiveStack, Node, Result, Walk};
use crate::outcome::Problem;

/// What to do about one where something is replaced.
pub const BY_HAND: &str = "`up` takes nothing off that others set or added: take it off by hand, and run it again.";

/// What keeps these from being removed: protections, and what others added to them where the stack itself stays. Each
/// with its resource and the same cure.
///
/// # Errors
/// AWS does not say.
pub async fn protections(
    walk: &Walk<'_>,
    live: &LiveStack,
    keys: &BTreeSet<Key>,
    cure: &str,
) -> Result<Vec<(Key, Problem)>> {
    let asked = those(walk, live, keys).map(|(node, found)| async move {
        let of = format!("{} {}", node.key(), node.name(walk.cx.site));
        let told = |protection: String| (node.key(), Problem::new(protection, cure).of(&of));
        let (protections, additions) =
            try_join(node.protections(&walk.cx, found), additions(walk, node, found)).await?;
        Ok::<_, Error>(protections.into_iter().chain(additions).map(told).collect::<Vec<_>>())
    });
    Ok(try_join_all(asked).await?.concat())
}

/// A removal of the whole stack takes them along.
async fn additions(walk: &Walk<'_>, node: &dyn Node, found: &AnyLive) -> Result<Vec<String>> {
    if walk.planner.goal == Goal::Absent { Ok(Vec::new()) } else { node.additions(&walk.cx, found).await }
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
