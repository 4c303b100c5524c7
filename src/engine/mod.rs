//! HOW a list of resources becomes what it should be. Knows no AWS noun.
//!
//! ```text
//! look:  find every resource, side by side             reads only
//! plan:  decide(want, live) for each, in order         pure
//! walk:  act on what is not as wanted, side by side    until nothing is left to do
//! ```

pub mod clock;
pub mod decide;
pub mod diff;
pub mod graph;
pub mod look;
pub mod node;
pub mod patience;
pub mod refs;
pub mod resource;
pub mod walk;

pub use clock::{Clock, Stop};
pub use decide::{Decision, Terms};
pub use diff::Change;
pub use graph::Graph;
pub use look::Look;
pub use node::{Goal, Node, Seen};
pub use patience::Patience;
pub use refs::Refs;
pub use resource::{Blocker, Key, Live, Output, Outputs, Owner, Resource, Status, Tags};
pub use walk::{Event, Failure, Walk};
