//! Guide step 4: the auto scaling group and its target tracking policy.

use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Group, LaunchTemplateSpecification, MetricType,
    PredefinedMetricSpecification, ScalingPolicy as ElasticPolicy, TargetTrackingConfiguration,
};
use aws_sdk_ec2::types::Filter;
use serde::Serialize;

use super::{
    instance_profile, instance_role, launch_template, load_balancer, security_groups, target_group,
};
use crate::cloud::{Absent, Cloud, Need, Result, tags};
use crate::engine::{Goal, Key, Live, Look, Output, Outputs, Owner, Refs, Resource, Status, Tags};
use crate::site::Site;

/// The group's name.
pub const NAME: Output = Output(AutoScalingGroup::KEY, "name");

/// The instances.
pub struct AutoScalingGroup;

/// A group. Its desired capacity is the scaling policy's once it is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Spec {
    launch_template: String,
    launch_template_version: String,
    subnets: Vec<String>,
    min: i32,
    desired_at_creation: i32,
    max: i32,
    target_groups: Vec<String>,
    health_check: String,
    grace_period_seconds: i32,
    warm_up_seconds: Option<i32>,
}

impl Resource for AutoScalingGroup {
    const KEY: Key = "auto_scaling_group";
    const STEP: u8 = 4;
    const LINGERS: bool = true;
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        site.config.names.auto_scaling_group.clone()
    }

    fn want(&self, site: &Site, refs: &Refs) -> Spec {
        // A target group behind no listener leaves its targets unused; and instances need profile, policy and ports.
        refs.after(load_balancer::Listener::<443>::KEY);
        refs.after(load_balancer::Listener::<80>::KEY);
        refs.after(instance_profile::InstanceProfile::KEY);
        refs.after(instance_role::Attachment::KEY);
        refs.after(security_groups::Rules::<true>::KEY);
        let scaling = &site.config.scaling;
        let mut subnets = site.config.network.private_subnets.clone();
        subnets.sort();
        Spec {
            launch_template: refs.get(launch_template::ID),
            launch_template_version: refs.get(launch_template::VERSION),
            subnets,
            min: scaling.min,
            desired_at_creation: scaling.desired,
            max: scaling.max,
            target_groups: vec![refs.get(target_group::ARN)],
            health_check: "ELB".to_owned(),
            grace_period_seconds: scaling.grace_period_seconds,
            warm_up_seconds: Some(scaling.warm_up_seconds),
        }
    }

    async fn find(&self, cloud: &Cloud, site: &Site, look: &Look) -> Result<Option<Live<Spec>>> {
        let name = self.name(site);
        let reply = cloud
            .autoscaling
            .describe_auto_scaling_groups()
            .auto_scaling_group_names(&name)
            .send()
            .await?;
        let groups = reply.auto_scaling_groups.unwrap_or_default();
        let Some(group) = groups
            .into_iter()
            .find(|group| group.auto_scaling_group_name() == Some(&name))
        else {
            return outliving(cloud, site, look).await;
        };
        let names = &site.config.names;
        let balancing = look
            .shared
            .balancing(cloud, &names.load_balancer, &names.target_group)
            .await?;
        let ours = balancing
            .target_group
            .as_ref()
            .and_then(|group| group.target_group_arn.clone());
        Ok(Some(Live {
            owner: Owner::Tags(tags::from_autoscaling(group.tags())),
            status: match group.status() {
                Some(status) => Status::Leaving(format!(
                    "{status}, {} instances left",
                    group.instances().len()
                )),
                None => Status::Ready,
            },
            spec: spec_of(&group, ours, site, cloud.custom_endpoint),
            outputs: [(NAME, name)].into(),
        }))
    }

    async fn create(&self, cloud: &Cloud, site: &Site, want: &Spec) -> Result<Outputs> {
        let name = self.name(site);
        let request = cloud
            .autoscaling
            .create_auto_scaling_group()
            .auto_scaling_group_name(&name)
            .launch_template(template(want))
            .vpc_zone_identifier(want.subnets.join(","))
            .min_size(want.min)
            .max_size(want.max)
            .desired_capacity(want.desired_at_creation)
            .set_target_group_arns(Some(want.target_groups.clone()))
            .health_check_type(&want.health_check)
            .health_check_grace_period(want.grace_period_seconds)
            .set_default_instance_warmup(want.warm_up_seconds)
            .set_tags(Some(tags::to_autoscaling(&name, &site.tags(&name))));
        request.send().await?;
        Ok([(NAME, name)].into())
    }

    /// Never sends the desired capacity: that is the scaling policy's.
    async fn update(
        &self,
        cloud: &Cloud,
        _: &Site,
        live: &Live<Spec>,
        want: &Spec,
    ) -> Result<Outputs> {
        let (name, had) = (&live.outputs[&NAME], &live.spec);
        if had.target_groups != want.target_groups {
            let request = cloud
                .autoscaling
                .attach_load_balancer_target_groups()
                .auto_scaling_group_name(name);
            request
                .set_target_group_arns(Some(want.target_groups.clone()))
                .send()
                .await?;
        }
        let change = |differs: bool, new| differs.then_some(new);
        let template_differs = (&had.launch_template, &had.launch_template_version)
            != (&want.launch_template, &want.launch_template_version);
        let grace = change(
            had.grace_period_seconds != want.grace_period_seconds,
            want.grace_period_seconds,
        );
        let warm_up = want
            .warm_up_seconds
            .filter(|_| had.warm_up_seconds != want.warm_up_seconds);
        let request = cloud
            .autoscaling
            .update_auto_scaling_group()
            .auto_scaling_group_name(name)
            .set_launch_template(template_differs.then(|| template(want)))
            .set_vpc_zone_identifier((had.subnets != want.subnets).then(|| want.subnets.join(",")))
            .set_min_size(change(had.min != want.min, want.min))
            .set_max_size(change(had.max != want.max, want.max))
            .set_health_check_type(
                (had.health_check != want.health_check).then(|| want.health_check.clone()),
            )
            .set_health_check_grace_period(grace)
            .set_default_instance_warmup(warm_up);
        if *had
            != (Spec {
                target_groups: had.target_groups.clone(),
                ..want.clone()
            })
        {
            request.send().await?;
        }
        Ok(live.outputs.clone())
    }

    async fn tag(&self, cloud: &Cloud, live: &Live<Spec>, tags: &Tags) -> Result<()> {
        let tags = tags::to_autoscaling(&live.outputs[&NAME], tags);
        cloud
            .autoscaling
            .create_or_update_tags()
            .set_tags(Some(tags))
            .send()
            .await?;
        Ok(())
    }

    /// Sizes of nothing first, so that no instance is launched in place of those that go.
    async fn delete(&self, cloud: &Cloud, _: &Site, live: &Live<Spec>) -> Result<()> {
        let name = &live.outputs[&NAME];
        let request = cloud
            .autoscaling
            .update_auto_scaling_group()
            .auto_scaling_group_name(name);
        request
            .min_size(0)
            .max_size(0)
            .desired_capacity(0)
            .send()
            .await
            .or_absent()?;
        let request = cloud
            .autoscaling
            .delete_auto_scaling_group()
            .auto_scaling_group_name(name);
        request.force_delete(true).send().await.or_absent()?;
        Ok(())
    }
}

/// More instances under load, fewer without.
pub struct ScalingPolicy;

/// A target tracking policy.
#[derive(Debug, PartialEq, Serialize)]
pub struct PolicySpec {
    group: String,
    metric: String,
    target_percent: f64,
    /// Absent: the group's default applies, to scaling and to instance refreshes alike.
    warm_up_seconds: Option<i32>,
    scale_in: bool,
}

const POLICY_NAME: Output = Output(ScalingPolicy::KEY, "name");

impl Resource for ScalingPolicy {
    const KEY: Key = "scaling_policy";
    const STEP: u8 = 4;
    type Spec = PolicySpec;

    fn name(&self, site: &Site) -> String {
        format!("{}-cpu", site.config.names.auto_scaling_group)
    }

    fn want(&self, site: &Site, refs: &Refs) -> PolicySpec {
        PolicySpec {
            group: refs.get(NAME),
            metric: MetricType::AsgAverageCpuUtilization.as_str().to_owned(),
            target_percent: site.config.scaling.cpu_target_percent,
            warm_up_seconds: None,
            scale_in: true,
        }
    }

    /// Ours by its name, else the group's first one that tracks CPU: the console's wizard gives it another name.
    async fn find(
        &self,
        cloud: &Cloud,
        site: &Site,
        look: &Look,
    ) -> Result<Option<Live<PolicySpec>>> {
        let Some(group) = look.output(NAME).await? else {
            return Ok(None);
        };
        let Some(reply) = cloud
            .autoscaling
            .describe_policies()
            .auto_scaling_group_name(&group)
            .send()
            .await
            .or_absent()?
        else {
            return Ok(None);
        };
        let named = self.name(site);
        let policies = reply.scaling_policies();
        let tracks_cpu = |policy: &&ElasticPolicy| {
            metric(policy) == MetricType::AsgAverageCpuUtilization.as_str()
        };
        let found = policies
            .iter()
            .find(|policy| policy.policy_name() == Some(&named));
        let Some(policy) = found.or_else(|| policies.iter().find(tracks_cpu)) else {
            return Ok(None);
        };
        let tracking = policy.target_tracking_configuration();
        Ok(Some(Live {
            spec: PolicySpec {
                group,
                metric: metric(policy),
                target_percent: tracking
                    .and_then(|tracking| tracking.target_value())
                    .unwrap_or_default(),
                warm_up_seconds: policy.estimated_instance_warmup(),
                scale_in: !tracking
                    .and_then(|tracking| tracking.disable_scale_in())
                    .unwrap_or_default(),
            },
            outputs: [(POLICY_NAME, policy.policy_name.clone().need("PolicyName")?)].into(),
            status: Status::Ready,
            owner: Owner::Parent(AutoScalingGroup::KEY),
        }))
    }

    async fn create(&self, cloud: &Cloud, site: &Site, want: &PolicySpec) -> Result<Outputs> {
        put_policy(cloud, self.name(site), want).await
    }

    async fn update(
        &self,
        cloud: &Cloud,
        _: &Site,
        live: &Live<PolicySpec>,
        want: &PolicySpec,
    ) -> Result<Outputs> {
        put_policy(cloud, live.outputs[&POLICY_NAME].clone(), want).await
    }

    /// With its alarms.
    async fn delete(&self, cloud: &Cloud, _: &Site, live: &Live<PolicySpec>) -> Result<()> {
        let request = cloud
            .autoscaling
            .delete_policy()
            .auto_scaling_group_name(&live.spec.group);
        request
            .policy_name(&live.outputs[&POLICY_NAME])
            .send()
            .await
            .or_absent()?;
        Ok(())
    }
}

// How AWS spells it.

/// A group is gone before its instances are; what follows a removal must wait for them too.
async fn outliving(cloud: &Cloud, site: &Site, look: &Look) -> Result<Option<Live<Spec>>> {
    if look.goal == Goal::Present {
        return Ok(None);
    }
    let name = &site.config.names.auto_scaling_group;
    let of_group = Filter::builder()
        .name("tag:aws:autoscaling:groupName")
        .values(name)
        .build();
    let alive = ["pending", "running", "shutting-down", "stopping", "stopped"].map(str::to_owned);
    let alive = Filter::builder()
        .name("instance-state-name")
        .set_values(Some(alive.into()))
        .build();
    let mut pages = cloud
        .ec2
        .describe_instances()
        .filters(of_group)
        .filters(alive)
        .into_paginator()
        .items()
        .send();
    let mut left = Vec::new();
    while let Some(reservation) = pages.next().await {
        let instances = reservation?.instances.unwrap_or_default();
        left.extend(
            instances
                .into_iter()
                .filter_map(|instance| instance.instance_id),
        );
    }
    if left.is_empty() {
        return Ok(None);
    }
    Ok(Some(Live {
        spec: Spec::default(),
        outputs: [(NAME, name.clone())].into(),
        status: Status::Leaving(format!(
            "its instances are terminating: {}",
            left.join(", ")
        )),
        owner: Owner::Tags(site.tags(name)),
    }))
}

fn spec_of(group: &Group, ours: Option<String>, site: &Site, custom_endpoint: bool) -> Spec {
    let template = group.launch_template();
    let template_field = |field: fn(&LaunchTemplateSpecification) -> Option<&str>| {
        template.and_then(field).unwrap_or_default().to_owned()
    };
    let zones = group
        .vpc_zone_identifier()
        .unwrap_or_default()
        .split(',')
        .map(|subnet| subnet.trim().to_owned());
    let mut subnets: Vec<String> = zones.filter(|subnet| !subnet.is_empty()).collect();
    subnets.sort();
    // Other target groups that somebody attached are theirs.
    let attached = group.target_group_arns();
    let target_groups = match ours.filter(|arn| attached.contains(arn)) {
        Some(arn) => vec![arn],
        None => attached.to_vec(),
    };
    // Some endpoints take a warm-up and never tell it.
    let untold = group.default_instance_warmup().is_none() && custom_endpoint;
    Spec {
        launch_template: template_field(LaunchTemplateSpecification::launch_template_id),
        launch_template_version: template_field(LaunchTemplateSpecification::version),
        subnets,
        min: group.min_size().unwrap_or_default(),
        desired_at_creation: site.config.scaling.desired, // whatever it is now
        max: group.max_size().unwrap_or_default(),
        target_groups,
        health_check: group.health_check_type().unwrap_or_default().to_owned(),
        grace_period_seconds: group.health_check_grace_period().unwrap_or_default(),
        warm_up_seconds: if untold {
            Some(site.config.scaling.warm_up_seconds)
        } else {
            group.default_instance_warmup()
        },
    }
}

/// By number: with `$Latest` an unfinished template would go live, and no refresh could roll back.
fn template(want: &Spec) -> LaunchTemplateSpecification {
    let template = LaunchTemplateSpecification::builder().launch_template_id(&want.launch_template);
    template.version(&want.launch_template_version).build()
}

fn metric(policy: &ElasticPolicy) -> String {
    let tracking = policy.target_tracking_configuration();
    let predefined = tracking.and_then(|tracking| tracking.predefined_metric_specification());
    predefined
        .and_then(|metric| metric.predefined_metric_type())
        .map_or_else(String::new, |kind| kind.as_str().to_owned())
}

async fn put_policy(cloud: &Cloud, name: String, want: &PolicySpec) -> Result<Outputs> {
    let metric = MetricType::from(want.metric.as_str());
    let metric = PredefinedMetricSpecification::builder()
        .predefined_metric_type(metric)
        .build();
    let tracking = TargetTrackingConfiguration::builder()
        .predefined_metric_specification(metric)
        .target_value(want.target_percent)
        .disable_scale_in(!want.scale_in);
    let request = cloud
        .autoscaling
        .put_scaling_policy()
        .auto_scaling_group_name(&want.group)
        .policy_name(&name)
        .policy_type("TargetTrackingScaling")
        .set_estimated_instance_warmup(want.warm_up_seconds)
        .target_tracking_configuration(tracking.build());
    request.send().await?;
    Ok([(POLICY_NAME, name)].into())
}
