//! HOW a list of resources becomes what it should be. Knows no AWS noun.
//!
//! ```text
//! read:      find every resource, side by side             reads only
//! plan:      decide(want, live) for each, in order         pure
//! walk:      act on what is not as wanted, side by side
//! reconcile: these three, until nothing is left to do
//! ```

pub mod decide;
pub mod diff;
pub mod effect;
mod error;
mod graph;
mod node;
mod planner;
mod reading;
pub mod reconcile;
pub mod refs;
pub mod resource;
mod settle;
mod walk;

pub use decide::{Decision, Ownership};
pub use effect::Effect;
pub use error::{Error, NodeError, Result};
pub use graph::Graph;
pub use node::{AnyLive, Goal, Node, Terms};
pub use planner::{LiveStack, Plan, Planner, outputs_of};
pub use reading::Reading;
pub use refs::Refs;
pub use resource::{Blocker, Context, Kept, KeptInstances, Key, Live, Output, Outputs, Owner, Resource, Status};
pub use walk::{Walk, WalkResult};

#[cfg(test)]
mod tests;
