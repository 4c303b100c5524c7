//! EC2: networks, images, security groups, launch templates, instances and what they are made of.

mod described;
mod encryption;
mod filters;
mod images;
mod instance_types;
mod instances;
mod key_pairs;
pub mod launch_templates;
mod network;
mod nouns;
mod rule_requests;
mod rules;
mod run_instances;
mod security_groups;
mod tags;
mod template_versions;

use serde_json::Value;

use super::parameters::{Reply, refuse};
use super::world::World;
pub use instance_types::vcpus;
pub use instances::metadata;
pub use tags::set_tags;

/// What carries out a call.
type Call = fn(&mut World, &Value) -> Reply;

/// Every call but those that only describe rows of one table, which are in `nouns`.
const CALLS: [(&str, Call); 45] = [
    ("AuthorizeSecurityGroupEgress", |world, asked| rules::authorize(world, asked, true)),
    ("AuthorizeSecurityGroupIngress", |world, asked| rules::authorize(world, asked, false)),
    ("CreateKeyPair", key_pairs::create),
    ("CreateLaunchTemplate", launch_templates::create_once),
    ("CreateLaunchTemplateVersion", template_versions::create_once),
    ("CreateSecurityGroup", security_groups::create),
    ("CreateTags", tags::create),
    ("DeleteKeyPair", key_pairs::delete),
    ("DeleteLaunchTemplate", launch_templates::delete),
    ("DeleteLaunchTemplateVersions", template_versions::delete),
    ("DeleteNetworkInterface", instances::delete_interface),
    ("DeleteSecurityGroup", security_groups::delete),
    ("DeleteTags", tags::delete),
    ("DeleteVolume", instances::delete_volume),
    ("DescribeAccountAttributes", network::account_attributes),
    ("DescribeAvailabilityZones", network::availability_zones),
    ("DescribeImages", images::describe),
    ("DescribeInstanceAttribute", instances::attribute),
    ("DescribeInstanceStatus", instances::status),
    ("DescribeInstanceTypeOfferings", instance_types::offerings),
    ("DescribeInstanceTypes", instance_types::describe),
    ("DescribeInstances", instances::describe),
    ("DescribeKeyPairs", key_pairs::describe),
    ("DescribeLaunchTemplateVersions", template_versions::describe),
    ("DescribeLaunchTemplates", launch_templates::describe),
    ("DescribeRegions", network::regions),
    ("DescribeSecurityGroupRules", rules::describe),
    ("DescribeSecurityGroups", security_groups::describe),
    ("DescribeTags", tags::describe),
    ("DescribeVpcAttribute", network::vpc_attribute),
    ("GetEbsDefaultKmsKeyId", encryption::default_key),
    ("GetEbsEncryptionByDefault", encryption::by_default),
    ("GetInstanceUefiData", instances::uefi_data),
    ("GetLaunchTemplateData", template_versions::data_of_instance),
    ("ImportKeyPair", key_pairs::import),
    ("ModifyInstanceMetadataOptions", instances::modify_metadata_options),
    ("ModifyLaunchTemplate", launch_templates::modify),
    ("ModifySecurityGroupRules", rules::modify),
    ("RebootInstances", instances::reboot),
    ("RevokeSecurityGroupEgress", |world, asked| rules::revoke(world, asked, true)),
    ("RevokeSecurityGroupIngress", |world, asked| rules::revoke(world, asked, false)),
    ("RunInstances", run_instances::run),
    ("TerminateInstances", instances::terminate),
    ("UpdateSecurityGroupRuleDescriptionsEgress", |world, asked| rules::describe_anew(world, asked, true)),
    ("UpdateSecurityGroupRuleDescriptionsIngress", |world, asked| rules::describe_anew(world, asked, false)),
];

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    if let Some((_, call)) = CALLS.iter().find(|(name, _)| *name == operation) {
        return call(world, asked);
    }
    match nouns::ALL.iter().find(|noun| noun.operation == operation) {
        Some(noun) => noun.describe(world, asked),
        None if operation.is_empty() => refuse("MissingAction", "The request must contain the parameter Action"),
        None => refuse("InvalidAction", format!("The action {operation} is not valid for this web service.")),
    }
}
