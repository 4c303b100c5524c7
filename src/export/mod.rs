//! The live stack as code of others, so that nobody is locked in: what AWS has, word by word, and how each thing is
//! imported. What carries no tag of ours is not in it.
#![allow(clippy::redundant_closure_for_method_calls, reason = "AWS has a type of its own for each word")]

mod cloudformation;
mod hcl;
mod live;
mod terraform;

pub use cloudformation::{Imported, cloudformation};
pub use live::Live;
pub use terraform::terraform;

use crate::engine::Key;

/// What is said above the code.
#[derive(Debug, Clone, Default)]
pub struct Heading {
    /// The stack's name.
    pub stack: String,
    /// Its region.
    pub region: String,
    /// What is not in the code, each with the reason.
    pub left_out: Vec<(Key, String)>,
}
