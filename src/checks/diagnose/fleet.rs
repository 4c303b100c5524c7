//! The instances: whether they launch, whether there is capacity, whether they have the role, whether load brings more.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use aws_sdk_autoscaling::types::{AutoScalingGroup, ScalingPolicy};
use aws_sdk_cloudwatch::types::{Dimension, StateValue, Statistic};
use aws_sdk_ec2::types::{Filter, InstanceType, LocationType};

use super::{Diagnosis, Seen, unanswered};
use crate::checks::launches;
use crate::cloud::{self, Absent};
use crate::outcome::{Finding, Status};
use crate::steps::{auto_scaling, launch_template};

const UP: &str = "`deploy up` mends it; `deploy plan` shows the difference.";
/// Running On-Demand Standard instances, in vCPUs (Service Quotas).
const VCPUS: &str = "L-1216C47A";

impl Diagnosis<'_> {
    /// Whether the group can launch instances, by its own last words.
    pub(super) async fn launches(&self, seen: &Seen) -> Finding {
        let check = Finding::new("launches", 4, "instances launch");
        let (Some(group), Some(name)) = (&seen.group, self.ids.get(&auto_scaling::NAME)) else {
            return check.skip("there is no auto scaling group");
        };
        let suspended: Vec<&str> = group.suspended_processes().iter().filter_map(|one| one.process_name()).collect();
        if suspended.iter().any(|one| ["Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy"].contains(one)) {
            return check.fail(
                format!("suspended: {}", suspended.join(", ")),
                "somebody suspended processes of the group: it does not launch or replace instances",
                format!("`aws autoscaling resume-processes --auto-scaling-group-name {name}`"),
            );
        }
        let (have, want) = (
            group.instances().len(),
            usize::try_from(group.desired_capacity().unwrap_or_default()).unwrap_or_default(),
        );
        let evidence = format!("{have} of {want} instances");
        match launches(self.cloud, name).await {
            Err(error) => unanswered(check, &error),
            Ok(launches) => match launches.failing(group, None) {
                None => check.pass(evidence),
                Some(failing) => {
                    let (cause, fix) = failing.known.map_or(
                        (
                            "the last launch failed".to_owned(),
                            format!("`aws autoscaling describe-scaling-activities --auto-scaling-group-name {name}`"),
                        ),
                        |row| (row.cause.clone(), row.fix.clone()),
                    );
                    let status = if have < want { Status::Fail } else { Status::Warn };
                    check.found(status, format!("{evidence}; {}", failing.words)).because(cause, fix)
                }
            },
        }
    }

    /// Whether the zones offer the instance type, and the quota allows it (guide, troubleshooting: "more capacity").
    pub(super) async fn capacity(&self, seen: &Seen) -> Finding {
        let check = Finding::new("capacity", 4, "capacity for the instance type");
        let read = async { tokio::try_join!(self.zones_of_subnets(), self.offered(), self.vcpus_each()) };
        let (zones, offered, each) = match read.await {
            Ok(read) => read,
            Err(error) => return unanswered(check, &error),
        };
        let kind = &self.config.instance.instance_type;
        let without: Vec<&String> = zones.difference(&offered).collect();
        if !without.is_empty() {
            let without: Vec<&str> = without.iter().map(|zone| zone.as_str()).collect();
            return check.fail(
                format!("{kind} is not offered in {}; it is in {}", without.join(", "), listed(&offered)),
                "AWS does not have this instance type in every zone",
                "Name private subnets in zones that have it, or take another instance.type.",
            );
        }
        let (quota, used) = match self.quota().await {
            Ok(quota) => quota,
            // Emulators and some partitions have no quotas: the zones are known all the same.
            Err(error) => {
                return check.found(
                    Status::Warn,
                    format!("{kind} is offered in {}; the quota is not known: {error}", listed(&zones)),
                );
            }
        };
        let count = |instances: i32| f64::from(instances) * f64::from(each);
        let (min, max) = (count(self.config.scaling.min), count(self.config.scaling.max));
        let own = count(i32::try_from(seen.instances.len()).unwrap_or_default());
        let others = (used - own).max(0.0);
        let evidence = format!(
            "{kind} is offered in {}; quota {quota} vCPUs, {used} in use, {min} for scaling.min, {max} for scaling.max",
            listed(&zones)
        );
        let ask = format!(
            "`aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {VCPUS} --desired-value {}`",
            others + max
        );
        if others + min > quota {
            return check.fail(evidence, "the vCPU quota does not allow even the least number of instances", ask);
        }
        match others + max > quota {
            true => {
                check.found(Status::Warn, evidence).because("the vCPU quota ends before scaling.max is reached", ask)
            }
            false => check.pass(evidence),
        }
    }

    /// Whether the launch template names the profile, and the group uses the version that is wanted.
    pub(super) async fn role(&self) -> Finding {
        let check = Finding::new("role", 2, "launch template carries the instance profile");
        let Some(id) = self.ids.get(&launch_template::ID) else {
            return check.skip("there is no launch template");
        };
        let request = self.cloud.ec2.describe_launch_template_versions().launch_template_id(id).versions("$Default");
        let version = match request.send().await.or_absent() {
            Ok(reply) => reply.and_then(|reply| reply.launch_template_versions?.into_iter().next()),
            Err(error) => return unanswered(check, &error),
        };
        let data = version.and_then(|version| version.launch_template_data);
        let profile = data.as_ref().and_then(|data| data.iam_instance_profile());
        let named = profile.and_then(|profile| profile.name().or_else(|| profile.arn()?.rsplit('/').next()));
        let wanted = self.config.names.instance_profile.as_str();
        let request = self.cloud.iam.get_instance_profile().instance_profile_name(wanted);
        let held = match request.send().await.or_absent() {
            Ok(reply) => reply.and_then(|reply| reply.instance_profile),
            Err(error) => return unanswered(check, &error),
        };
        let role = held.as_ref().and_then(|profile| profile.roles().first()).map(|role| role.role_name());
        match (named, role) {
            (Some(named), Some(role)) if named == wanted && role == self.config.names.role => {
                check.pass(format!("{wanted}, with the role {role}"))
            }
            (Some(named), _) if named != wanted => check.fail(
                format!("the template names {named}, not {wanted}"),
                "somebody changed the template (guide, troubleshooting: \"Role not present\")",
                UP,
            ),
            (None, _) => check.fail(
                "the template names no instance profile",
                "instances cannot meter their use without it (guide, troubleshooting: \"Role not present\")",
                UP,
            ),
            (_, Some(role)) => check.fail(
                format!("{wanted} holds the role {role}, not {}", self.config.names.role),
                "somebody exchanged the role",
                UP,
            ),
            (_, None) => check.fail(
                format!("the instance profile {wanted} does not exist, or holds no role"),
                "the console makes it silently, the API does not",
                UP,
            ),
        }
    }

    /// Whether load brings more instances (guide, troubleshooting: "Scale-out is not triggering").
    pub(super) async fn scale_out(&self, seen: &Seen) -> Finding {
        let check = Finding::new("scale_out", 4, "load brings more instances");
        let (Some(group), Some(name)) = (&seen.group, self.ids.get(&auto_scaling::NAME)) else {
            return check.skip("there is no auto scaling group");
        };
        let read = async { tokio::try_join!(self.policy(name), self.cpu(name)) };
        let (policy, cpu) = match read.await {
            Ok(read) => read,
            Err(error) => return unanswered(check, &error),
        };
        let Some(policy) = policy else {
            return check.fail("no target tracking policy", "it was removed: nothing ever scales", UP);
        };
        let high = match self.high_alarm(&policy).await {
            Ok(high) => high,
            Err(error) => return unanswered(check, &error),
        };
        judge_scaling(check, group, &policy, high, cpu)
    }

    async fn zones_of_subnets(&self) -> cloud::Result<BTreeSet<String>> {
        let ids = self.config.network.private_subnets.clone();
        let request = self.cloud.ec2.describe_subnets().set_subnet_ids(Some(ids));
        let subnets = request.send().await?.subnets.unwrap_or_default();
        Ok(subnets.into_iter().filter_map(|subnet| subnet.availability_zone).collect())
    }

    async fn offered(&self) -> cloud::Result<BTreeSet<String>> {
        let kind = Filter::builder().name("instance-type").values(&self.config.instance.instance_type);
        let request = self.cloud.ec2.describe_instance_type_offerings().location_type(LocationType::AvailabilityZone);
        let offers = request.filters(kind.build()).send().await?.instance_type_offerings.unwrap_or_default();
        Ok(offers.into_iter().filter_map(|offer| offer.location).collect())
    }

    async fn vcpus_each(&self) -> cloud::Result<i32> {
        let kind = InstanceType::from(self.config.instance.instance_type.as_str());
        let reply = self.cloud.ec2.describe_instance_types().instance_types(kind).send().await?;
        let first = reply.instance_types.unwrap_or_default().into_iter().next();
        Ok(first.and_then(|kind| kind.v_cpu_info?.default_v_cpus).unwrap_or_default())
    }

    /// The quota of vCPUs, and how many are in use.
    async fn quota(&self) -> cloud::Result<(f64, f64)> {
        let request = self.cloud.quotas.get_service_quota().service_code("ec2").quota_code(VCPUS);
        let quota = request.send().await?.quota.and_then(|quota| quota.value).unwrap_or_default();
        let of = [("Service", "EC2"), ("Resource", "vCPU"), ("Type", "Resource"), ("Class", "Standard/OnDemand")];
        let used = self.latest("AWS/Usage", "ResourceCount", &of, Statistic::Maximum).await?;
        Ok((quota, used.unwrap_or_default()))
    }

    async fn policy(&self, group: &str) -> cloud::Result<Option<ScalingPolicy>> {
        let reply = self.cloud.autoscaling.describe_policies().auto_scaling_group_name(group).send().await?;
        let policies = reply.scaling_policies.unwrap_or_default();
        Ok(policies.into_iter().find(|policy| policy.policy_type() == Some("TargetTrackingScaling")))
    }

    /// Average CPU of the group in the last quarter of an hour, in percent.
    async fn cpu(&self, group: &str) -> cloud::Result<Option<f64>> {
        self.latest("AWS/EC2", "CPUUtilization", &[("AutoScalingGroupName", group)], Statistic::Average).await
    }

    async fn latest(
        &self,
        namespace: &str,
        metric: &str,
        of: &[(&str, &str)],
        statistic: Statistic,
    ) -> cloud::Result<Option<f64>> {
        let now = SystemTime::now();
        let of = of.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
        let request = self.cloud.cloudwatch.get_metric_statistics().namespace(namespace).metric_name(metric);
        let request = request.set_dimensions(Some(of.collect())).statistics(statistic).period(900);
        let reply = request.start_time((now - Duration::from_secs(900)).into()).end_time(now.into()).send().await?;
        let newest = reply.datapoints.unwrap_or_default().into_iter().max_by_key(|point| point.timestamp);
        Ok(newest.and_then(|point| point.average.or(point.maximum)))
    }

    /// State of the alarm that adds instances; `None`: there is none.
    async fn high_alarm(&self, policy: &ScalingPolicy) -> cloud::Result<Option<StateValue>> {
        let names: Vec<String> = policy.alarms().iter().filter_map(|alarm| alarm.alarm_name.clone()).collect();
        if names.is_empty() {
            return Ok(None);
        }
        let reply = self.cloud.cloudwatch.describe_alarms().set_alarm_names(Some(names)).send().await?;
        let high = reply
            .metric_alarms()
            .iter()
            .find(|alarm| alarm.alarm_name().is_some_and(|name| name.contains("AlarmHigh")));
        Ok(high.and_then(|alarm| alarm.state_value().cloned()))
    }
}

fn judge_scaling(
    check: Finding,
    group: &AutoScalingGroup,
    policy: &ScalingPolicy,
    high: Option<StateValue>,
    cpu: Option<f64>,
) -> Finding {
    let tracking = policy.target_tracking_configuration();
    let target = tracking.and_then(|tracking| tracking.target_value()).unwrap_or_default();
    let (desired, max) = (group.desired_capacity().unwrap_or_default(), group.max_size().unwrap_or_default());
    let warm_up = policy.estimated_instance_warmup().or(group.default_instance_warmup()).unwrap_or_default();
    let cpu_words = cpu.map_or("not measured yet".to_owned(), |cpu| format!("{cpu:.1} %"));
    let evidence = format!(
        "average CPU {cpu_words} (target {target} %), {desired} of at most {max} instances, warm-up {warm_up} s"
    );
    let suspended = |name: &str| group.suspended_processes().iter().any(|one| one.process_name() == Some(name));
    if policy.enabled() == Some(false) {
        return check.fail(
            evidence,
            "the scaling policy is disabled",
            "`aws autoscaling put-scaling-policy --enabled …`, or remove it and run `deploy up`.",
        );
    }
    if suspended("AlarmNotification") || suspended("Launch") {
        return check.fail(
            evidence,
            "the group's process AlarmNotification or Launch is suspended",
            "`aws autoscaling resume-processes --auto-scaling-group-name …`",
        );
    }
    let Some(high) = high else {
        return check.fail(
            evidence,
            "the policy has no alarms: Auto Scaling made two with it, and somebody removed them",
            "Remove the policy (`aws autoscaling delete-policy`) and run `deploy up`.",
        );
    };
    let loaded = cpu.is_some_and(|cpu| cpu > target) || high == StateValue::Alarm;
    match (loaded, desired >= max) {
        (true, true) => check.fail(evidence, "the group is at scaling.max", "Raise scaling.max and run `deploy up`; look at the vCPU quota."),
        (true, false) if high != StateValue::Alarm => check.found(Status::Warn, evidence).because(
            "the load is above the target and the alarm has not gone off: it wants three minutes of it, and new instances do not count before their warm-up",
            "Allow a few minutes under load (guide, troubleshooting).",
        ),
        (true, false) => check.found(Status::Warn, evidence).because("the alarm has gone off: the group is about to grow", "Look again in a few minutes."),
        (false, _) => check.pass(evidence),
    }
}

fn listed(zones: &BTreeSet<String>) -> String {
    zones.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
