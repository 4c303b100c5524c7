//! One map of tags, and how each service spells it.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types as autoscaling;
use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::types as elb;
use aws_sdk_iam::types as iam;

use super::Result;

/// Tag values by tag key.
pub type Tags = BTreeMap<String, String>;

/// EC2's spelling.
pub fn to_ec2(tags: &Tags) -> Vec<ec2::Tag> {
    tags.iter().map(|(key, value)| ec2::Tag::builder().key(key).value(value).build()).collect()
}

/// EC2's spelling in a create call: the tags and what they are for.
pub fn for_ec2(kind: ec2::ResourceType, tags: &Tags) -> ec2::TagSpecification {
    ec2::TagSpecification::builder().resource_type(kind).set_tags(Some(to_ec2(tags))).build()
}

/// From EC2's spelling.
pub fn from_ec2(tags: &[ec2::Tag]) -> Tags {
    tags.iter().filter_map(|tag| pair(tag.key(), tag.value())).collect()
}

/// Elastic Load Balancing's spelling.
pub fn to_elb(tags: &Tags) -> Vec<elb::Tag> {
    tags.iter().map(|(key, value)| elb::Tag::builder().key(key).value(value).build()).collect()
}

/// From Elastic Load Balancing's spelling.
pub fn from_elb(tags: &[elb::Tag]) -> Tags {
    tags.iter().filter_map(|tag| pair(tag.key(), tag.value())).collect()
}

/// IAM's spelling.
///
/// # Errors
/// The SDK refuses a tag: it lacks a part.
pub fn to_iam(tags: &Tags) -> Result<Vec<iam::Tag>> {
    tags.iter().map(|(key, value)| Ok(iam::Tag::builder().key(key).value(value).build()?)).collect()
}

/// From IAM's spelling.
pub fn from_iam(tags: &[iam::Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// Auto Scaling's spelling: each tag names its group, and is copied to the instances.
pub fn to_autoscaling(group: &str, tags: &Tags) -> Vec<autoscaling::Tag> {
    let tag = |(key, value): (&String, &String)| {
        autoscaling::Tag::builder()
            .resource_id(group)
            .resource_type("auto-scaling-group")
            .key(key)
            .value(value)
            .propagate_at_launch(true)
            .build()
    };
    tags.iter().map(tag).collect()
}

/// From Auto Scaling's spelling.
pub fn from_autoscaling(tags: &[autoscaling::TagDescription]) -> Tags {
    tags.iter().filter_map(|tag| pair(tag.key(), tag.value())).collect()
}

fn pair(key: Option<&str>, value: Option<&str>) -> Option<(String, String)> {
    Some((key?.to_owned(), value.unwrap_or_default().to_owned()))
}
