//! The ways of deploy.yaml's subnets: out of the private ones, into the public ones.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, NatGateway, Subnet, VpcEndpoint};

use super::{about, touches_instances, touches_load_balancer};
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::stack::{NO_SUBNET, Stack, unanswered};
use crate::checks::way_out::{Way, in_words, way, ways_of_instances};
use crate::cloud;
use crate::config::Scheme;
use crate::outcome::Status;

/// The service at which instances meter their use.
const METERING: &str = "metering-marketplace";

/// Whether the private subnets are private, and have a way out all the same: the instances meter their use at AWS.
pub struct PrivateSubnets;

#[async_trait(?Send)]
impl Check for PrivateSubnets {
    fn about(&self) -> &'static About {
        const { &about("private_subnets", 4, "private subnets with a way out") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_instances(cx) && !is_emulated(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let ways = match ways_of_instances(stack).await {
            Ok(ways) => ways,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        if ways.is_empty() {
            return Ok(finding.skip(NO_SUBNET));
        }
        let words = |is: fn(&Way) -> bool| -> Vec<String> {
            ways.iter().filter(|(_, way)| is(way)).map(|(subnet, way)| in_words(subnet, way)).collect()
        };
        let fix = "Give their route table a route for 0.0.0.0/0 to a NAT gateway: `aws ec2 create-route \
                   --destination-cidr-block 0.0.0.0/0 --route-table-id RTB --nat-gateway-id NAT`.";
        let holes = words(|way| matches!(way, Way::Hole(_)));
        if !holes.is_empty() {
            return Ok(finding.fail(holes.join("; "), "what the route leads to was removed", fix));
        }
        let public = words(|way| matches!(way, Way::Internet(_)));
        if !public.is_empty() {
            let cause = "an internet gateway serves public addresses alone, and what is launched there gets none: \
                         the subnet is public, and no way out";
            let fix = format!("Name private subnets in network.private_subnets. Or: {fix}");
            return Ok(finding.fail(public.join("; "), cause, fix));
        }
        let nats = ways.iter().filter_map(|(_, way)| match way {
            Way::Open(through) if through.starts_with("nat-") => Some(through.as_str()),
            _ => None,
        });
        match broken(stack, nats.collect()).await {
            Ok(broken) if broken.is_empty() => {}
            Ok(broken) => {
                let cause = "the route leads to a NAT gateway that does not work";
                let fix = "Make another one in a public subnet, and lead the route there: `aws ec2 replace-route`.";
                return Ok(finding.fail(broken.join("; "), cause, fix));
            }
            Err(error) => return Ok(unanswered(finding, &error)),
        }
        let none = words(|way| *way == Way::None);
        let addressed = words(|way| matches!(way, Way::Public(_)));
        if none.is_empty() && !addressed.is_empty() {
            let cause = "the subnet is public, as those of a default VPC are: security groups alone stand before the \
                         instances";
            let fix = "That may be meant. Private subnets with a route to a NAT gateway keep them inside.";
            return Ok(finding.found(Status::Warn, addressed.join("; ")).because(cause, fix));
        }
        if none.is_empty() {
            return Ok(finding.pass(words(|_| true).join("; ")));
        }
        match endpoint(stack).await {
            Ok(Some(id)) => Ok(finding.pass(format!("{}; they meter by the endpoint {id}", none.join("; ")))),
            Ok(None) => {
                let service = format!("com.amazonaws.{}.{METERING}", stack.cloud.region);
                let cause = "the instances cannot meter their use at AWS Marketplace, and may not work for long";
                let fix = format!("{fix} Or make an interface endpoint with private DNS for {service}.");
                Ok(finding.fail(none.join("; "), cause, fix))
            }
            Err(error) => Ok(unanswered(finding, &error)),
        }
    }
}

/// An emulator meters nothing, and its routes lead nowhere.
fn is_emulated(cx: &CheckContext<'_>) -> bool {
    cx.stack().is_ok_and(|stack| stack.cloud.redirected.has("ec2"))
}

fn is_in(wanted: &[String], id: &str) -> bool {
    wanted.iter().any(|one| one == id)
}

/// Whether everything goes by an appliance of one's own: the endpoint of a firewall, an interface or an instance.
fn is_by_appliance(way: &Way) -> bool {
    let is = |through: &str| ["vpce-", "eni-", "i-"].iter().any(|kind| through.starts_with(kind));
    matches!(way, Way::Open(through) if is(through))
}

/// Those of these NAT gateways that do not work, in words.
async fn broken(stack: &Stack<'_>, nats: BTreeSet<&str>) -> cloud::Result<Vec<String>> {
    if nats.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = nats.iter().map(|id| (*id).to_owned()).collect();
    // By a filter: asked for by its id, one that is not there hides the others.
    let filter = Filter::builder().name("nat-gateway-id").set_values(Some(ids)).build();
    let pages = stack.cloud.ec2.describe_nat_gateways().filter(filter).into_paginator().page_size(1000);
    let found: Vec<NatGateway> = pages.items().send().try_collect().await?;
    let state = |id: &str| {
        let one = found.iter().find(|one| one.nat_gateway_id() == Some(id));
        one.and_then(|one| one.state()).map_or("not there", |state| state.as_str()).to_owned()
    };
    let states = nats.into_iter().map(|id| (id, state(id))).filter(|(_, state)| state != "available");
    Ok(states.map(|(id, state)| format!("{id} is {state}")).collect())
}

/// The endpoint by which instances of the VPC meter without a way out.
async fn endpoint(stack: &Stack<'_>) -> cloud::Result<Option<String>> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let service = format!("com.amazonaws.{}.{METERING}", stack.cloud.region);
    let request = stack.cloud.ec2.describe_vpc_endpoints().filters(filter("vpc-id", &stack.config.network.vpc));
    let request = request.filters(filter("service-name", &service)).filters(filter("vpc-endpoint-state", "available"));
    let found: Vec<VpcEndpoint> = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    Ok(found.into_iter().find(|one| one.private_dns_enabled() == Some(true)).and_then(|one| one.vpc_endpoint_id))
}

/// Whether an internet-facing load balancer can be reached in its subnets.
pub struct PublicSubnets;

#[async_trait(?Send)]
impl Check for PublicSubnets {
    fn about(&self) -> &'static About {
        const { &about("public_subnets", 4, "public subnets lead to an internet gateway") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_load_balancer(cx)
            && !is_emulated(cx)
            && cx.stack().is_ok_and(|stack| stack.config.load_balancer.scheme == Scheme::InternetFacing)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let (tables, subnets) = match tokio::try_join!(stack.route_tables(), stack.subnets()) {
            Ok(read) => read,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let wanted = &stack.config.network.public_subnets;
        let there = subnets.iter().filter_map(Subnet::subnet_id).filter(|id| is_in(wanted, id));
        let ways: Vec<(&str, Way)> = there.map(|id| (id, way(tables, id))).collect();
        if ways.is_empty() {
            return Ok(finding.skip(NO_SUBNET));
        }
        let words = |is: fn(&Way) -> bool| -> Vec<String> {
            ways.iter().filter(|(_, way)| is(way)).map(|(subnet, way)| in_words(subnet, way)).collect()
        };
        let wrong = words(|way| !matches!(way, Way::Internet(_)) && !is_by_appliance(way));
        if !wrong.is_empty() {
            let cause = "AWS would make the load balancer there, and nobody could reach it";
            let fix =
                "Name subnets in network.public_subnets whose route table leads 0.0.0.0/0 to an internet gateway.";
            return Ok(finding.fail(wrong.join("; "), cause, fix));
        }
        let screened = words(is_by_appliance);
        if !screened.is_empty() {
            let cause =
                "whether what stands there, a firewall mostly, leads on to an internet gateway is not seen here";
            let fix = "Look at its own routes; `deploy verify` from outside tells whether requests come through.";
            return Ok(finding.found(Status::Warn, screened.join("; ")).because(cause, fix));
        }
        Ok(finding.pass(words(|_| true).join("; ")))
    }
}
