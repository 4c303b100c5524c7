//! The subnets that deploy.yaml names.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::Subnet;

use super::{about, touches_instances, touches_load_balancer};
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::stack::{NO_SUBNET, Stack, unanswered};
use crate::outcome::Status;
use crate::steps::load_balancer;

/// A load balancer needs so many free addresses in each of its subnets (Elastic Load Balancing user guide, "Subnets for
/// your load balancer").
const FREE_ADDRESSES_MIN: i32 = 8;

/// Whether every subnet exists, in the VPC, in an availability zone of the region.
pub struct Subnets;

#[async_trait(?Send)]
impl Check for Subnets {
    fn about(&self) -> &'static About {
        const { &about("subnets", 4, "the subnets are there") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_load_balancer(cx) || touches_instances(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let subnets = match stack.subnets().await {
            Ok(subnets) => subnets,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let network = &stack.config.network;
        let wrong: Vec<String> = network
            .private_subnets
            .iter()
            .chain(&network.public_subnets)
            .filter_map(|id| match subnets.iter().find(|subnet| subnet.subnet_id() == Some(id)) {
                None => Some(format!("{id} does not exist in {}", stack.cloud.region)),
                Some(subnet) => misplaced(subnet, &network.vpc, &stack.cloud.region),
            })
            .collect();
        if wrong.is_empty() {
            return Ok(finding.pass(format!("{} in {}", subnets.len(), network.vpc)));
        }
        let fix = "Name subnets of network.vpc in the region's own availability zones: `aws ec2 describe-subnets \
                   --filters Name=vpc-id,Values=VPC` lists them.";
        Ok(finding.fail(wrong.join("; "), "deploy.yaml names subnets in which the stack cannot be made", fix))
    }
}

/// What is wrong with where a subnet is.
fn misplaced(subnet: &Subnet, vpc: &str, region: &str) -> Option<String> {
    let (id, of) = (subnet.subnet_id().unwrap_or_default(), subnet.vpc_id().unwrap_or_default());
    let zone = subnet.availability_zone().unwrap_or_default();
    if of != vpc {
        return Some(format!("{id} is in {of}, not in {vpc}"));
    }
    // A region's own zones are called by it and a letter; local zones and Wavelength Zones have longer names (Amazon
    // EC2 user guide, "Regions and Zones").
    let is_own = zone.strip_prefix(region).is_some_and(|rest| rest.len() == 1);
    (!is_own).then(|| format!("{id} is in {zone}, a local or Wavelength Zone"))
}

/// The subnets of the load balancer, each with its zone.
fn of_load_balancer<'a>(stack: &Stack<'_>, subnets: &'a [Subnet]) -> Vec<&'a Subnet> {
    let (_, wanted) = stack.config.load_balancer_subnets();
    subnets.iter().filter(|subnet| subnet.subnet_id().is_some_and(|id| wanted.iter().any(|one| one == id))).collect()
}

/// Whether the load balancer gets one subnet in each of two zones or more.
pub struct LoadBalancerZones;

#[async_trait(?Send)]
impl Check for LoadBalancerZones {
    fn about(&self) -> &'static About {
        const { &about("load_balancer_zones", 4, "one subnet a zone for the load balancer, in two zones or more") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_load_balancer(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let subnets = match stack.subnets().await {
            Ok(subnets) => of_load_balancer(stack, subnets),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        if subnets.is_empty() {
            return Ok(finding.skip(NO_SUBNET));
        }
        let mut zones: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for subnet in &subnets {
            let zone = zones.entry(subnet.availability_zone().unwrap_or_default()).or_default();
            zone.push(subnet.subnet_id().unwrap_or_default());
        }
        let (key, wanted) = stack.config.load_balancer_subnets();
        let shared: Vec<String> = zones
            .iter()
            .filter(|(_, ids)| ids.len() > 1)
            .map(|(zone, ids)| format!("{} are all in {zone}", ids.join(", ")))
            .collect();
        if !shared.is_empty() {
            let cause = "a load balancer takes one subnet of each availability zone";
            return Ok(finding.fail(shared.join("; "), cause, format!("Name one of them alone in {key}.")));
        }
        let evidence = zones.keys().copied().collect::<Vec<_>>().join(", ");
        if zones.len() < 2 && subnets.len() < wanted.len() {
            return Ok(finding.skip(format!("only {evidence}: others of its subnets are not there")));
        }
        if zones.len() < 2 {
            let cause = "a load balancer needs subnets of at least two availability zones";
            return Ok(finding.fail(format!("only {evidence}"), cause, format!("Name one of another zone in {key}.")));
        }
        Ok(finding.pass(evidence))
    }
}

/// Whether the private subnets have addresses for the group at its largest.
pub struct InstanceAddresses;

#[async_trait(?Send)]
impl Check for InstanceAddresses {
    fn about(&self) -> &'static About {
        const { &about("instance_addresses", 4, "free addresses for the instances") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_instances(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let (subnets, instances) = match tokio::try_join!(stack.subnets(), stack.instances()) {
            Ok(read) => read,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let private = &stack.config.network.private_subnets;
        let own = subnets.iter().filter(|one| one.subnet_id().is_some_and(|id| private.iter().any(|p| p == id)));
        let own: Vec<&Subnet> = own.collect();
        if own.is_empty() {
            return Ok(finding.skip(NO_SUBNET));
        }
        let free: i32 = own.iter().filter_map(|one| one.available_ip_address_count()).sum();
        // Those that run have theirs.
        let room = free.saturating_add(i32::try_from(instances.len()).unwrap_or_default());
        let scaling = &stack.config.scaling;
        let evidence = format!("{room} for scaling.min {} and scaling.max {}", scaling.min, scaling.max);
        let fix = "Free some, or name larger or more subnets in network.private_subnets.";
        Ok(if room < scaling.min {
            finding.fail(evidence, "there is no address for even the least number of instances", fix)
        } else if room < scaling.max {
            let cause = "launches fail before scaling.max is reached";
            finding.found(Status::Warn, evidence).because(cause, fix)
        } else {
            finding.pass(evidence)
        })
    }
}

/// Whether the load balancer's subnets have addresses left for it.
pub struct FreeAddresses;

#[async_trait(?Send)]
impl Check for FreeAddresses {
    fn about(&self) -> &'static About {
        const { &about("free_addresses", 4, "free addresses for the load balancer") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        // One that stands has its addresses.
        touches_load_balancer(cx) && cx.stack().is_ok_and(|stack| !stack.ids.contains_key(&load_balancer::ARN))
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let subnets = match stack.subnets().await {
            Ok(subnets) => of_load_balancer(stack, subnets),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        if subnets.is_empty() {
            return Ok(finding.skip(NO_SUBNET));
        }
        let free = |subnet: &&&Subnet| subnet.available_ip_address_count().is_some_and(|n| n < FREE_ADDRESSES_MIN);
        let full: Vec<String> = subnets
            .iter()
            .filter(free)
            .map(|subnet| {
                let count = subnet.available_ip_address_count().unwrap_or_default();
                format!("{} has {count}", subnet.subnet_id().unwrap_or_default())
            })
            .collect();
        if full.is_empty() {
            return Ok(finding.pass(format!("{FREE_ADDRESSES_MIN} or more in each subnet")));
        }
        let cause = format!("a load balancer needs {FREE_ADDRESSES_MIN} free addresses in each of its subnets");
        let fix = format!("Free some, or name larger subnets in {}.", stack.config.load_balancer_subnets().0);
        Ok(finding.fail(full.join("; "), cause, fix))
    }
}
