//! What an update or a removal does besides changing fields. The resource, which knows its fields, reports it; policies
//! decide on it.

/// A consequence that may need consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Instances are replaced, a few at a time.
    ReplacesInstances,
    /// A running replacement of instances is cancelled: its version is no longer wanted, or it cannot go on.
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
    /// The rollout meets instances that are protected from scale-in.
    MeetsProtected {
        /// Their ids.
        instances: Vec<String>,
    },
    /// The rollout meets instances in standby.
    MeetsStandby {
        /// Their ids.
        instances: Vec<String>,
    },
    /// What asks clients who they are, in front of a service that does not ask, goes.
    RemovesAuthentication {
        /// In AWS's words, with whose it is.
        what: String,
    },
}
