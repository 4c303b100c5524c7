//! What an update does besides changing fields. The resource, which knows its fields, reports it; policies decide on
//! it.

/// A consequence of an update that may need consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Instances are replaced, a few at a time.
    ReplacesInstances,
    /// A running replacement of instances, to a version that is no longer wanted, is cancelled.
    CancelsRefresh {
        /// The version.
        to: String,
    },
    /// A version that was rolled back before is brought to the instances again.
    RetriesRolledBack {
        /// The version.
        version: String,
        /// How and why it was rolled back, in AWS's words.
        why: String,
    },
    /// The new maximum is below what runs: AWS terminates the rest at once.
    ScalesIn {
        /// The new maximum.
        max: i32,
        /// The instances that the group keeps now.
        running: i32,
    },
}
