//! Whether there is capacity: zones that offer the instance type, and a quota that allows it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_ec2::types::{Filter, InstanceTypeInfo, InstanceTypeOffering, LocationType, Subnet};

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::stack::{Stack, unanswered};
use crate::cloud::{self, Cloud};
use crate::outcome::{Finding, Status};

/// Running On-Demand Standard instances, in vCPUs (Service Quotas).
const VCPUS: &str = "L-1216C47A";

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
        let read = async {
            tokio::try_join!(stack.subnets(), zones_with_type(stack), stack.instance_type(), stack.instances())
        };
        let (subnets, offered, kind, instances) = match read.await {
            Ok(read) => read,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let zones = zones_of_instances(stack, subnets);
        let each = vcpus(kind);
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
        Ok(match quota(stack.cloud).await {
            Ok(quota) => {
                let judged = judge(stack, finding, quota, (each, instances.len()));
                let evidence = format!("{offered}; {}", judged.evidence);
                Finding { evidence, ..judged }
            }
            // Emulators and some partitions have no quotas: the zones are known all the same.
            Err(error) => finding.found(Status::Warn, format!("{offered}; the quota is not known: {error}")),
        })
    }
}

/// Judges a quota of vCPUs, of which so many are used; `running` instances have `each` so many.
pub fn judge(stack: &Stack<'_>, finding: Finding, (quota, used): (f64, f64), (each, running): (i32, usize)) -> Finding {
    let count = |instances: i32| f64::from(instances) * f64::from(each);
    let (min, max) = (count(stack.config.scaling.min), count(stack.config.scaling.max));
    let own = count(i32::try_from(running).unwrap_or_default());
    let others = (used - own).max(0.0);
    let standing = i32::try_from(running).unwrap_or_default().max(stack.config.scaling.desired);
    // An instance refresh launches new instances before old ones end: up to half as many more.
    let surge = count(standing + (standing + 1) / 2);
    let evidence = format!(
        "quota {quota} vCPUs, {used} in use, {min} for scaling.min, {surge} while a refresh replaces {standing} \
         instances, {max} for scaling.max"
    );
    let wanted = others + max.max(surge);
    let fix = format!(
        "`aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {VCPUS} \
         --desired-value {wanted}`"
    );
    if others + min > quota {
        finding.fail(evidence, "the vCPU quota does not allow even the least number of instances", fix)
    } else if others + surge > quota {
        let cause = "an instance refresh cannot launch new instances before old ones end";
        finding.found(Status::Warn, evidence).because(cause, fix)
    } else if wanted > quota {
        finding.found(Status::Warn, evidence).because("the vCPU quota ends before scaling.max is reached", fix)
    } else {
        finding.pass(evidence)
    }
}

/// The zones of the subnets in which instances are launched.
pub fn zones_of_instances(stack: &Stack<'_>, subnets: &[Subnet]) -> BTreeSet<String> {
    let private = &stack.config.network.private_subnets;
    let of_group = subnets.iter().filter(|subnet| private.iter().any(|id| subnet.subnet_id() == Some(id)));
    of_group.filter_map(|subnet| subnet.availability_zone.clone()).collect()
}

/// How many vCPUs an instance of this type has.
pub fn vcpus(kind: Option<&InstanceTypeInfo>) -> i32 {
    kind.and_then(|kind| kind.v_cpu_info()?.default_v_cpus()).unwrap_or_default()
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

/// The quota of vCPUs, and how many are in use.
///
/// # Errors
/// Service Quotas or CloudWatch does not say.
pub async fn quota(cloud: &Cloud) -> cloud::Result<(f64, f64)> {
    let of = [("Service", "EC2"), ("Resource", "vCPU"), ("Type", "Resource"), ("Class", "Standard/OnDemand")];
    let used = latest(cloud, ("AWS/Usage", "ResourceCount"), &of, Statistic::Maximum);
    let (quota, used) = tokio::try_join!(vcpu_quota(cloud), used)?;
    Ok((quota, used.unwrap_or_default()))
}

async fn vcpu_quota(cloud: &Cloud) -> cloud::Result<f64> {
    let request = cloud.quotas.get_service_quota().service_code("ec2").quota_code(VCPUS);
    let quota = match request.send().await.map_err(cloud::Error::from) {
        Ok(reply) => reply.quota,
        // An account that never asked for more has AWS's own.
        Err(error) if error.code() == "NoSuchResourceException" => {
            let request = cloud.quotas.get_aws_default_service_quota().service_code("ec2").quota_code(VCPUS);
            request.send().await?.quota
        }
        Err(error) => return Err(error),
    };
    Ok(quota.and_then(|quota| quota.value).unwrap_or_default())
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
