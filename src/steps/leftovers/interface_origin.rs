//! Where a network interface with our tag comes from: a launch of ours, or a copy of our tags.
//!
//! A tag alone makes no interface ours to delete. One of a launch of ours is in a security group of the stack, as the
//! launch template says, and is no service's: AWS marks what its services made and still use.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, NetworkInterface, NetworkInterfaceStatus};

use crate::cloud::{Cloud, Result, tags};
use crate::site::Site;

/// Most values of one filter.
const FILTER_MOST: usize = 200;

/// Ids of those of these network interfaces, attached to no instance, that no launch of ours made.
///
/// # Errors
/// EC2 does not describe the stack's security groups.
pub async fn not_of_a_launch(cloud: &Cloud, site: &Site, interfaces: &[&NetworkInterface]) -> Result<BTreeSet<String>> {
    if interfaces.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: BTreeSet<&str> = interfaces.iter().flat_map(|one| groups(one)).collect();
    let mut ours: BTreeMap<String, bool> = BTreeMap::new();
    for some in ids.into_iter().collect::<Vec<_>>().chunks(FILTER_MOST) {
        let values = some.iter().map(|id| (*id).to_owned()).collect();
        // A filter, and not ids: one that is gone would make the whole call fail.
        let filter = Filter::builder().name("group-id").set_values(Some(values)).build();
        let pages = cloud.ec2.describe_security_groups().filters(filter).into_paginator().page_size(1000);
        let found = pages.items().send().try_collect().await?.into_iter();
        ours.extend(found.filter_map(|one| Some((one.group_id.clone()?, site.owns(&tags::from_ec2(one.tags()))))));
    }
    // A group that is gone tells nothing: then that a launch gives no description has to do.
    let is_in_ours = |one: &NetworkInterface| {
        let known: Vec<Option<&bool>> = groups(one).map(|id| ours.get(id)).collect();
        let is_plain = one.description().unwrap_or_default().is_empty();
        known.contains(&Some(&true)) || (is_plain && known.iter().all(Option::is_none))
    };
    let others = interfaces.iter().filter(|one| !is_unused(one) || !is_in_ours(one));
    Ok(others.filter_map(|one| one.network_interface_id.clone()).collect())
}

/// Ids of the security groups that it is in.
fn groups(interface: &NetworkInterface) -> impl Iterator<Item = &str> {
    interface.groups().iter().filter_map(|group| group.group_id())
}

/// Where it is, and what it is for.
pub fn words(interface: &NetworkInterface) -> String {
    let subnet = format!("in {}", interface.subnet_id().unwrap_or("no subnet"));
    match interface.description() {
        None | Some("") => subnet,
        Some(what) => format!("{subnet}, {what:?}"),
    }
}

/// Whether neither an instance nor a service of AWS has it.
fn is_unused(interface: &NetworkInterface) -> bool {
    let is_free = matches!(interface.status(), None | Some(NetworkInterfaceStatus::Available));
    is_free && interface.requester_managed() != Some(true)
}
