//! Whether the instances reach what is outside their network: without that they cannot meter their use.

use async_trait::async_trait;
use aws_sdk_ec2::types::{Route, RouteState, RouteTable, Subnet};

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::stack::{NO_SUBNET, Stack, unanswered};
use crate::cloud;
use crate::outcome::{Finding, Status};

const EVERYWHERE: &str = "0.0.0.0/0";
/// Together they are everywhere, and go before it.
const HALVES: [&str; 2] = ["0.0.0.0/1", "128.0.0.0/1"];
const CURE: &str = "Give their route table a route for 0.0.0.0/0 to a NAT gateway (or transit gateway), or the VPC an \
                    interface endpoint for AWS Marketplace Metering; then look again.";

/// Whether the private subnets have a way out.
pub struct WayOut;

/// Where a subnet's requests to the world go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By a gateway or an appliance.
    Open(String),
    /// By an internet gateway, with the public address that the subnet gives to what is launched there.
    Public(String),
    /// The gateway that a route names is gone.
    Hole(String),
    /// An internet gateway takes only what has a public address.
    Internet(String),
    /// There is no route.
    None,
}

#[async_trait(?Send)]
impl Check for WayOut {
    fn about(&self) -> &'static About {
        &About {
            id: "way_out",
            step: 0,
            title: "private subnets have a way out",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        Ok(match ways_of_instances(stack).await {
            Ok(ways) if ways.is_empty() => finding.skip(NO_SUBNET),
            Ok(ways) => judge(finding, &ways),
            Err(error) => unanswered(finding, &error),
        })
    }
}

fn judge(finding: Finding, ways: &[(&str, Way)]) -> Finding {
    let words: Vec<String> = ways.iter().map(|(subnet, way)| in_words(subnet, way)).collect();
    let (evidence, has) = (words.join("; "), |which: fn(&Way) -> bool| ways.iter().any(|(_, way)| which(way)));
    if has(|way| matches!(way, Way::Hole(_))) {
        let cause = "what the route leads to was removed: the instances cannot meter their use";
        return finding.fail(evidence, cause, CURE);
    }
    if has(|way| *way == Way::None) {
        let cause = "the instances meter their use at AWS: without a way out that works only by an interface endpoint";
        return finding.found(Status::Warn, evidence).because(cause, CURE);
    }
    if has(|way| matches!(way, Way::Internet(_))) {
        let cause = "an internet gateway serves only instances with a public address, which neither the stack nor the \
                     subnet gives";
        return finding.found(Status::Warn, evidence).because(cause, CURE);
    }
    finding.pass(evidence)
}

/// The ways of what is launched in those of the private subnets that exist.
///
/// # Errors
/// EC2 does not describe the subnets or their route tables.
pub async fn ways_of_instances<'a>(stack: &'a Stack<'_>) -> cloud::Result<Vec<(&'a str, Way)>> {
    let (tables, subnets) = tokio::try_join!(stack.route_tables(), stack.subnets())?;
    let wanted = &stack.config.network.private_subnets;
    let there = subnets.iter().filter_map(|subnet| Some((subnet.subnet_id()?, subnet)));
    let private = there.filter(|(id, _)| wanted.iter().any(|one| one == id));
    Ok(private.map(|(id, subnet)| (id, with_address(way(tables, id), subnet))).collect())
}

/// No launch template of the stack says anything of public addresses: the subnet decides.
fn with_address(way: Way, subnet: &Subnet) -> Way {
    match way {
        Way::Internet(through) if subnet.map_public_ip_on_launch() == Some(true) => Way::Public(through),
        way => way,
    }
}

/// A subnet's way, in words.
pub fn in_words(subnet: &str, way: &Way) -> String {
    match way {
        Way::Public(through) => format!("{subnet} goes out by {through}, each instance with a public address"),
        Way::Open(through) | Way::Internet(through) => format!("{subnet} goes out by {through}"),
        Way::Hole(through) => format!("{subnet} goes to {through}, which is no more (blackhole)"),
        Way::None => format!("{subnet} has no route for {EVERYWHERE}"),
    }
}

/// By the table that the subnet is associated with, else by the main one of its VPC.
pub fn way(tables: &[RouteTable], subnet: &str) -> Way {
    let own = |table: &&RouteTable| table.associations().iter().any(|one| one.subnet_id() == Some(subnet));
    let is_main = |table: &&RouteTable| table.associations().iter().any(|one| one.main() == Some(true));
    let table = tables.iter().find(own).or_else(|| tables.iter().find(is_main));
    let routes = table.map(RouteTable::routes).unwrap_or_default();
    let to = |cidr: &str| routes.iter().find(|route| route.destination_cidr_block() == Some(cidr));
    // The longest prefix wins; of two halves the one that is wrong counts.
    match HALVES.map(to) {
        [Some(lower), Some(upper)] => by(lower).max(by(upper)),
        _ => to(EVERYWHERE).map_or(Way::None, by),
    }
}

fn by(route: &Route) -> Way {
    let through = through(route).unwrap_or("an unknown target").to_owned();
    match route.state() {
        Some(RouteState::Blackhole) => Way::Hole(through),
        _ if through.starts_with("igw-") => Way::Internet(through),
        _ if through.starts_with("pcx-") => Way::None,
        _ => Way::Open(through),
    }
}

fn through(route: &Route) -> Option<&str> {
    route
        .nat_gateway_id()
        .or(route.transit_gateway_id())
        .or(route.vpc_peering_connection_id())
        .or(route.instance_id())
        .or(route.network_interface_id())
        .or(route.local_gateway_id())
        .or(route.carrier_gateway_id())
        .or(route.core_network_arn())
        .or(route.gateway_id())
}
