//! Ids of other resources, for `want` to ask for; what was asked for becomes the graph.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::resource::{Key, Output, Outputs};

/// How a resource depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// Only the order matters, when they are made and when they are removed.
    After,
    /// Only the order in which they are made matters; they are removed in any order.
    Follows,
    /// It holds the other's id, and cannot outlive it.
    Value,
    /// It is removed only when the other is gone; they are made in any order.
    Outlives,
    /// It is removed only when the removal of the other has ended, well or not; they are made in any order.
    Awaits,
}

impl Edge {
    /// Whether it says anything of the order in which things are made.
    pub fn orders_making(self) -> bool {
        !matches!(self, Edge::Outlives | Edge::Awaits)
    }
}

/// Answers `want`'s questions for ids and remembers that they were asked.
#[derive(Debug, Default)]
pub struct Refs {
    known: Outputs,
    asked: RefCell<BTreeMap<Key, Edge>>,
}

impl Refs {
    /// Refs that know these outputs.
    pub fn new(known: Outputs) -> Refs {
        Refs { known, asked: RefCell::default() }
    }

    /// The value, or a text that says when it will be known.
    pub fn get(&self, output: Output) -> String {
        self.asked.borrow_mut().insert(output.0, Edge::Value);
        match self.known.get(&output) {
            Some(value) => value.clone(),
            None => format!("({}.{} known after apply)", output.0, output.1),
        }
    }

    /// Order without a value: the asker is made after `key`, and removed before it.
    pub fn after(&self, key: Key) {
        self.asked.borrow_mut().entry(key).or_insert(Edge::After);
    }

    /// Order of making alone: the asker is made after `key`; they are removed in any order.
    pub fn follows(&self, key: Key) {
        self.asked.borrow_mut().entry(key).or_insert(Edge::Follows);
    }

    /// The asker is removed only when `key` is gone; they are made in any order.
    pub fn outlives(&self, key: Key) {
        self.asked.borrow_mut().entry(key).or_insert(Edge::Outlives);
    }

    /// The asker is removed only when the removal of `key` has ended, well or not; they are made in any order.
    pub fn awaits(&self, key: Key) {
        self.asked.borrow_mut().entry(key).or_insert(Edge::Awaits);
    }

    /// What was asked for, and how.
    pub fn into_asked(self) -> BTreeMap<Key, Edge> {
        self.asked.into_inner()
    }
}
