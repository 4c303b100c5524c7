//! What AWS would refuse minutes later: looked at before the first write, on creates and on updates.

mod account;
mod instances;
mod launch;
mod names;
mod permissions;
mod quotas;
mod subnets;
mod ways;

pub use account::{Caller, ClockAgrees, CredentialsLast, ServiceRoles};
pub use instances::{ImageFits, InstanceTypeOffered, KeyPair, VcpuQuota};
pub use launch::{Subscription, VolumeKey, VolumeLimits};
pub use names::{UsableCertificate, ZoneDelegated, ZoneFits};
pub use permissions::Permissions;
pub use quotas::{AutoScalingQuota, LoadBalancerQuota, RuleQuota, SecurityGroupQuota, TargetGroupQuota};
pub use subnets::{FreeAddresses, InstanceAddresses, LoadBalancerZones, Subnets};
pub use ways::{PrivateSubnets, PublicSubnets};

use super::check::{About, Asks, CheckContext, Verb};
use crate::engine::Key;
use crate::steps::{auto_scaling, launch_template, load_balancer};

/// What is known of a check of the preflight.
const fn about(id: &'static str, step: u8, title: &'static str) -> About {
    About { id, step, title, places: &[], verbs: &[Verb::Preflight], asks: Asks::Aws }
}

/// Whether something is about to be done to the load balancer.
fn touches_load_balancer(cx: &CheckContext<'_>) -> bool {
    touches(cx, &[load_balancer::ARN.0])
}

/// Whether something is about to be done to what launches instances.
fn touches_instances(cx: &CheckContext<'_>) -> bool {
    touches(cx, &[launch_template::ID.0, auto_scaling::NAME.0])
}

fn touches(cx: &CheckContext<'_>, keys: &[Key]) -> bool {
    cx.stack().is_ok_and(|stack| keys.iter().any(|key| stack.pending.contains(key)))
}

/// Whether this resource is about to be made, not only changed.
fn creates(cx: &CheckContext<'_>, key: Key) -> bool {
    touches(cx, &[key]) && cx.stack().is_ok_and(|stack| stack.ids.keys().all(|output| output.0 != key))
}
