//! Whether there is capacity: zones that offer the instance type, and a quota that allows it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_ec2::types::{Filter, InstanceTypeOffering, LocationType, Subnet};

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::quota;
use super::stack::{NO_SUBNET, Stack, unanswered};
use crate::cloud::{self, Cloud};
use crate::outcome::{Finding, Status};

/// How far back a metric is asked for.
const METRIC_SECONDS: u16 = 900;

/// Whether the zones offer the instance type, and the quota allows it (guide, troubleshooting: "more capacity").
pub struct Capacity;

#[async_trait(?Send)]
impl Check for Capacity {
    fn about(&self) -> &'static About {
        &About {
            id: "capacity",
            step: 4,
            title: "capacity for the instance type",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let read = async { tokio::try_join!(stack.subnets(), zones_with_type(stack)) };
        let (read, room) = tokio::join!(read, quota::room(stack, self.finding()));
        let (subnets, offered) = match read {
            Ok(read) => read,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let zones = zones_of_instances(stack, subnets);
        if zones.is_empty() {
            return Ok(finding.skip(NO_SUBNET));
        }
        let kind = &stack.config.instance.instance_type;
        let without: BTreeSet<String> = zones.difference(&offered).cloned().collect();
        if !without.is_empty() {
            return Ok(finding.fail(
                format!("{kind} is not offered in {}; it is in {}", listed(&without), listed(&offered)),
                "AWS does not have this instance type in every zone",
                "Name private subnets in zones that have it, or take another instance.type.",
            ));
        }
        let offered = format!("{kind} is offered in {}", listed(&zones));
        Ok(match room {
            Ok(judged) => {
                let evidence = format!("{offered}; {}", judged.evidence);
                Finding { evidence, ..judged }
            }
            // Emulators and some partitions have no quotas: the zones are known all the same.
            Err(error) => finding.found(Status::Warn, format!("{offered}; the quota is not known: {error}")),
        })
    }
}

/// The zones of the subnets in which instances are launched.
pub fn zones_of_instances(stack: &Stack<'_>, subnets: &[Subnet]) -> BTreeSet<String> {
    let private = &stack.config.network.private_subnets;
    let of_group = subnets.iter().filter(|subnet| private.iter().any(|id| subnet.subnet_id() == Some(id)));
    of_group.filter_map(|subnet| subnet.availability_zone.clone()).collect()
}

/// The zones that offer the instance type.
///
/// # Errors
/// EC2 does not say.
pub async fn zones_with_type(stack: &Stack<'_>) -> cloud::Result<BTreeSet<String>> {
    let kind = Filter::builder().name("instance-type").values(&stack.config.instance.instance_type);
    let request = stack.cloud.ec2.describe_instance_type_offerings().location_type(LocationType::AvailabilityZone);
    let pages = request.filters(kind.build()).into_paginator().page_size(1000);
    let offers: Vec<InstanceTypeOffering> = pages.items().send().try_collect().await?;
    Ok(offers.into_iter().filter_map(|offer| offer.location).collect())
}

/// The newest value of a metric, given by namespace and name, of these dimensions.
///
/// # Errors
/// CloudWatch does not say.
pub async fn latest(
    cloud: &Cloud,
    (namespace, metric): (&str, &str),
    of: &[(&str, &str)],
    statistic: Statistic,
) -> cloud::Result<Option<f64>> {
    let now = SystemTime::now();
    let start = now - Duration::from_secs(METRIC_SECONDS.into());
    let of = of.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
    let request = cloud.cloudwatch.get_metric_statistics().namespace(namespace).metric_name(metric);
    let request = request.set_dimensions(Some(of.collect())).statistics(statistic).period(METRIC_SECONDS.into());
    let reply = request.start_time(start.into()).end_time(now.into()).send().await?;
    let newest = reply.datapoints.unwrap_or_default().into_iter().max_by_key(|point| point.timestamp);
    Ok(newest.and_then(|point| point.average.or(point.maximum)))
}

fn listed(zones: &BTreeSet<String>) -> String {
    zones.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
