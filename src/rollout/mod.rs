//! Brings a changed launch template to the instances: whether that may begin, how far it is, whether the service works
//! meanwhile, and a rollback when it does not.

mod admission;
mod follow;
mod gate;
mod newcomers;

use std::time::Duration;

use crate::clock::Label;
use crate::engine::{Decision, Key, Outputs, Plan, Resource, Walk};
use crate::steps::dns_record::DnsRecord;
use crate::steps::scaling_policy::ScalingPolicy;
use crate::steps::{auto_scaling, launch_template};

pub use gate::HealthGate;

/// What a rollout consists of: the template's new version, and the group that brings it to its instances.
pub const ROLLOUT_KEYS: [Key; 2] = [launch_template::VERSION.0, auto_scaling::NAME.0];

/// Time for a group to become healthy after something else was repaired: two rounds of health checks and a start.
const REPAIR_TIME: Duration = Duration::from_mins(10);

/// The same for the answers of a group that is healthy but for its load balancer.
const RECOVERY_TIME: Duration = Duration::from_mins(5);

/// A rollout of one run.
pub struct Rollout<'a> {
    /// What the run works with.
    pub walk: Walk<'a>,
    /// The ids of what exists.
    pub ids: &'a Outputs,
}

/// Whether this plan makes or changes anything, besides what is rolled out, that the service's answers depend on.
pub fn repairs(plan: &Plan) -> bool {
    let is_apart = |key: Key| [ScalingPolicy::KEY, DnsRecord::KEY].contains(&key) || ROLLOUT_KEYS.contains(&key);
    let is_repair = |decision: &Decision| matches!(decision, Decision::Create(_) | Decision::Update { .. });
    plan.pending().any(|(key, decision)| !is_apart(key) && is_repair(decision))
}

impl Rollout<'_> {
    fn group(&self) -> &str {
        &self.walk.cx.site.config.names.auto_scaling_group
    }

    fn label(&self) -> Label {
        Label::new(auto_scaling::REFRESH.0, self.group())
    }

    /// Whether something of the rest is to be repaired: what is wrong says nothing of the version yet.
    async fn needs_repair(&self) -> bool {
        self.walk.read().await.is_ok_and(|live| repairs(&self.walk.planner.plan(&live)))
    }

    fn notify(&self, why: impl Into<String>) {
        (self.walk.wait.watch)(self.label().waiting(why));
    }
}
