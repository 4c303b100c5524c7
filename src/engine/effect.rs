//! What an update does besides changing fields. The resource that knows its fields says it; policies decide on it.

/// A consequence of an update that somebody may have to agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Instances are replaced, a few at a time.
    ReplacesInstances,
    /// A replacement of instances that is under way to this version, which is no longer wanted, is cancelled.
    CancelsRefresh {
        /// The version.
        to: String,
    },
    /// A version is brought to the instances that was rolled back before.
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
