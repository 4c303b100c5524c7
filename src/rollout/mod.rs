//! Brings a changed launch template to the instances: whether that may begin, how far it is, whether the service works
//! meanwhile, and a rollback when it does not.

mod admission;
mod follow;
mod gate;
mod newcomers;

use crate::clock::{Label, Wait};
use crate::cloud::Cloud;
use crate::engine::{Key, Outputs};
use crate::site::Site;
use crate::steps::{auto_scaling, launch_template};

pub use gate::HealthGate;

/// What a rollout consists of: the template's new version, and the group that brings it to its instances.
pub const ROLLOUT_KEYS: [Key; 2] = [launch_template::VERSION.0, auto_scaling::NAME.0];

/// A rollout of one run.
pub struct Rollout<'a> {
    /// AWS's clients.
    pub cloud: &'a Cloud,
    /// deploy.yaml, and what was looked up for it.
    pub site: &'a Site,
    /// The ids of what exists.
    pub ids: &'a Outputs,
    /// Deadline, cancellation and listener.
    pub wait: Wait<'a>,
}

impl Rollout<'_> {
    fn group(&self) -> &str {
        &self.site.config.names.auto_scaling_group
    }

    fn label(&self) -> Label {
        Label::new(auto_scaling::REFRESH.0, self.group())
    }

    fn notify(&self, why: impl Into<String>) {
        (self.wait.watch)(self.label().waiting(why));
    }
}
