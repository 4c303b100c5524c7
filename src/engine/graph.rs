//! What depends on what: edges by tracing `want`, and the order that follows.

use std::collections::{BTreeMap, BTreeSet};

use super::refs::Edge;
use super::resource::Key;
use super::{Goal, Node};
use crate::site::Site;

/// The stack with its edges.
#[derive(Clone)]
pub struct Graph<'a> {
    nodes: Vec<&'a dyn Node>,
    needs: BTreeMap<Key, BTreeMap<Key, Edge>>,
}

impl<'a> Graph<'a> {
    /// Traces the edges of these nodes and orders them, each after what it depends on, otherwise as listed.
    ///
    /// # Panics
    /// When the nodes form a circle: a mistake in `steps/`, which a test would find.
    pub fn trace(stack: &[&'a dyn Node], site: &Site) -> Graph<'a> {
        let needs: BTreeMap<Key, _> = stack.iter().map(|node| (node.key(), node.edges(site))).collect();
        let mut rest: Vec<&dyn Node> = stack.to_vec();
        let mut nodes: Vec<&dyn Node> = Vec::new();
        while !rest.is_empty() {
            let placed: BTreeSet<Key> = nodes.iter().map(|node| node.key()).collect();
            let next = rest.iter().position(|node| made_after(&needs[node.key()]).all(|key| placed.contains(&key)));
            nodes.push(rest.remove(next.expect("the stack has no circle")));
        }
        Graph { nodes, needs }
    }

    /// Every node, each after what it depends on.
    pub fn nodes(&self) -> &[&'a dyn Node] {
        &self.nodes
    }

    /// The node of this key.
    pub fn node(&self, key: Key) -> Option<&'a dyn Node> {
        self.nodes.iter().copied().find(|node| node.key() == key)
    }

    /// What this one is made after, and how it depends on each.
    pub fn needs(&self, key: Key) -> impl Iterator<Item = (Key, Edge)> {
        let needs = self.needs.get(key).into_iter().flatten();
        needs.map(|(key, edge)| (*key, *edge)).filter(|(_, edge)| edge.orders_making())
    }

    /// What `key` must wait for: what it depends on when things are made, what depends on it when they are removed.
    /// `keys`: what is acted on.
    pub fn before(&self, key: Key, goal: Goal, keys: &BTreeSet<Key>) -> BTreeSet<Key> {
        match (goal, self.whole(key, keys)) {
            (Goal::Present, _) => made_after(&self.needs[key]).collect(),
            (Goal::Absent, Some(whole)) => BTreeSet::from([whole]),
            (Goal::Absent, None) => self.removed_before(key, keys),
        }
    }

    /// What must have ended, well or not, before `key` is removed.
    pub fn awaited(&self, key: Key, goal: Goal) -> BTreeSet<Key> {
        let awaited = self.needs[key].iter().filter(|(_, edge)| goal == Goal::Absent && **edge == Edge::Awaits);
        awaited.map(|(key, _)| *key).collect()
    }

    /// The resource among `keys` with which AWS removes this one.
    pub fn whole(&self, key: Key, keys: &BTreeSet<Key>) -> Option<Key> {
        self.node(key)?.goes_with().filter(|whole| keys.contains(whole))
    }

    /// What goes with `key` does not go before it; what goes before that does.
    fn removed_before(&self, key: Key, keys: &BTreeSet<Key>) -> BTreeSet<Key> {
        let mut before = BTreeSet::new();
        let mut open = vec![key];
        while let Some(next) = open.pop() {
            let mut sooner = self.dependents(next, |edge| matches!(edge, Edge::After | Edge::Value));
            let outlived = self.needs[next].iter().filter(|(_, edge)| **edge == Edge::Outlives);
            sooner.extend(outlived.map(|(key, _)| *key));
            for other in sooner.into_iter().filter(|other| *other != key) {
                if self.whole(other, keys) == Some(key) {
                    open.push(other);
                } else {
                    before.insert(other);
                }
            }
        }
        before
    }

    /// What cannot outlive `key`, with `key` itself: what holds its id, and so on.
    pub fn bound_to(&self, key: Key) -> BTreeSet<Key> {
        let mut bound = BTreeSet::from([key]);
        let mut open = vec![key];
        while let Some(next) = open.pop() {
            let more = self.dependents(next, |edge| edge == Edge::Value);
            open.extend(more.iter().filter(|key| bound.insert(key)));
        }
        bound
    }

    fn dependents(&self, key: Key, which: impl Fn(Edge) -> bool) -> BTreeSet<Key> {
        let holds = |needs: &BTreeMap<Key, Edge>| needs.get(key).is_some_and(|edge| which(*edge));
        self.needs.iter().filter(|(_, needs)| holds(needs)).map(|(key, _)| *key).collect()
    }
}

fn made_after(needs: &BTreeMap<Key, Edge>) -> impl Iterator<Item = Key> {
    needs.iter().filter(|(_, edge)| edge.orders_making()).map(|(key, _)| *key)
}
