//! WHAT: the resources of the vendor's guide, one file each or one for a few that belong together. `STACK` is the only
//! list of them in the program.
//!
//! A file says what its resource should be (`want`), how it is found (`find`), and which calls make, change and remove
//! it. Its second half, below "How AWS spells it", turns AWS's requests and replies into the resource's spec and back.

pub mod auto_scaling;
pub mod dns_record;
pub mod instance_profile;
pub mod instance_role;
pub mod launch_template;
pub mod leftovers;
pub mod load_balancer;
pub mod role_policy_attachment;
pub mod scaling_policy;
pub mod security_groups;
pub(crate) mod shared;
pub mod target_group;

use crate::engine::Node;

/// Every resource of the stack, in the guide's order but for the target group (step 5), which the listeners of step 4
/// need. The engine orders them by what they depend on, and keeps this order where that leaves a choice.
pub const STACK: &[&dyn Node] = &[
    &security_groups::LOAD_BALANCER_GROUP,
    &security_groups::LOAD_BALANCER_RULES,
    &security_groups::INSTANCE_GROUP,
    &security_groups::INSTANCE_RULES,
    &instance_role::Policy,
    &instance_role::Role,
    &role_policy_attachment::RolePolicyAttachment,
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
