//! The account's subnets, each with where its requests to the world go.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{AvailabilityZone, RouteTable};

use super::survey::{listed, name};
use crate::checks::way_out::{self, Way};
use crate::cloud::{Cloud, Error, Result};

/// A subnet of one of the region's own availability zones.
pub struct Subnet {
    /// `subnet-…`
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// Its availability zone.
    pub zone: String,
    /// Where its requests to the world go.
    pub way: Way,
    /// How many addresses are free.
    pub free: i32,
    /// Its zone, name, addresses, and where it leads.
    pub words: String,
}

/// Every subnet in which these instances could be.
///
/// # Errors
/// EC2 does not list them.
pub async fn subnets(cloud: &Cloud) -> Result<Vec<Subnet>> {
    let ec2 = &cloud.ec2;
    let (zones, tables, subnets) = tokio::join!(
        ec2.describe_availability_zones().send(),
        ec2.describe_route_tables().into_paginator().page_size(100).items().send().try_collect(),
        ec2.describe_subnets().into_paginator().page_size(1000).items().send().try_collect(),
    );
    let (zones, tables): (_, Vec<RouteTable>) = (zones.map_err(Error::from), tables?);
    let subnets: Vec<aws_sdk_ec2::types::Subnet> = subnets?;
    // Neither a load balancer's second subnet nor these instances belong into a local zone.
    let regional: Option<BTreeSet<String>> = match zones {
        Err(error) if error.is_denied() => None,
        zones => Some(zones?.availability_zones().iter().filter_map(of_region).collect()),
    };
    let read = |subnet: &aws_sdk_ec2::types::Subnet| {
        let (id, vpc) = (subnet.subnet_id()?, subnet.vpc_id()?);
        let zone = subnet.availability_zone()?.to_owned();
        let is_usable = regional.as_ref().is_none_or(|regional| regional.contains(&zone))
            && subnet.outpost_arn().is_none()
            && subnet.ipv6_native() != Some(true);
        let of_vpc: Vec<RouteTable> = tables.iter().filter(|table| table.vpc_id() == Some(vpc)).cloned().collect();
        let (way, free) = (way_out::way(&of_vpc, id), subnet.available_ip_address_count().unwrap_or_default());
        let free_words = format!("{free} addresses free");
        let cidr = subnet.cidr_block().unwrap_or_default();
        let words = listed(&[&zone, name(subnet.tags()), cidr, &free_words, &leads(&way)]);
        is_usable.then(|| Subnet { id: id.to_owned(), vpc: vpc.to_owned(), zone, way, free, words })
    };
    let mut subnets: Vec<Subnet> = subnets.iter().filter_map(read).collect();
    subnets.sort_by(|one, other| (&one.zone, -one.free, &one.id).cmp(&(&other.zone, -other.free, &other.id)));
    Ok(subnets)
}

fn of_region(zone: &AvailabilityZone) -> Option<String> {
    let is_regional = zone.zone_type().is_none_or(|kind| kind == "availability-zone");
    zone.zone_name().filter(|_| is_regional).map(str::to_owned)
}

fn leads(way: &Way) -> String {
    match way {
        Way::Internet(through) | Way::Public(through) => format!("public by {through}"),
        Way::Open(through) => format!("private, out by {through}"),
        Way::Hole(through) => format!("private, out by {through}, which is no more"),
        Way::None => "private, no way out".to_owned(),
    }
}
