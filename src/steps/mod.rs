//! WHAT: the vendor's guide, one file a step. `STACK` is the only list of nouns in the program.

pub mod auto_scaling;
pub mod dns_record;
pub mod instance_profile;
pub mod instance_role;
pub mod launch_template;
pub mod leftovers;
pub mod load_balancer;
pub mod scaling_policy;
pub mod security_groups;
pub(crate) mod shared;
pub mod target_group;

use crate::engine::Node;

/// Every resource of the stack, in the guide's order.
pub const STACK: &[&dyn Node] = &[
    &security_groups::LOAD_BALANCER_GROUP,
    &security_groups::LOAD_BALANCER_RULES,
    &security_groups::INSTANCE_GROUP,
    &security_groups::INSTANCE_RULES,
    &instance_role::Policy,
    &instance_role::Role,
    &instance_role::Attachment,
    &instance_profile::InstanceProfile,
    &launch_template::LaunchTemplate,
    &target_group::TargetGroup,
    &load_balancer::LoadBalancer,
    &load_balancer::HTTPS_LISTENER,
    &load_balancer::HTTP_LISTENER,
    &auto_scaling::AutoScalingGroup,
    &scaling_policy::ScalingPolicy,
    &dns_record::DnsRecord,
    &leftovers::VOLUMES,
    &leftovers::INTERFACES,
];
