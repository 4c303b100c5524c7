//! What protects resources from removal, on purpose: looked at before any removal, a replacement's too.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use crate::engine::{AnyLive, Key, LiveStack, Node, Result, Walk};
use crate::outcome::Problem;

/// What to do about one where something is replaced.
pub const BY_HAND: &str = "`up --replace` takes no protection off: take it off by hand, and run it again.";

/// What keeps these from being removed on purpose, each with its resource and the same cure.
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
        node.protections(&walk.cx, found).await.map(|all| all.into_iter().map(told).collect::<Vec<_>>())
    });
    Ok(try_join_all(asked).await?.concat())
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
