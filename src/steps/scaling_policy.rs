//! Guide step 4: the target tracking policy.

use aws_sdk_autoscaling::types::{
    MetricType, PredefinedMetricSpecification, ScalingPolicy as ElasticPolicy, TargetTrackingConfiguration,
};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::auto_scaling::{AutoScalingGroup, NAME};
use super::shared;
use crate::cloud::{self, Absent, Cloud, Memo, Need};
use crate::engine::{Context, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;

/// The policy that launches instances under load and terminates them without, identified by its name.
pub struct ScalingPolicy;

/// A target tracking policy.
#[derive(Debug, PartialEq, Serialize)]
pub struct Spec {
    group: String,
    metric: String,
    target_percent: f64,
    /// Absent: the group's default applies, to scaling and to instance refreshes alike.
    warm_up_seconds: Option<i32>,
    scale_in: bool,
    /// A policy that is switched off never scales.
    enabled: bool,
}

const POLICY_NAME: Output = Output(ScalingPolicy::KEY, "name");

impl Resource for ScalingPolicy {
    const KEY: Key = "scaling_policy";
    const STEP: u8 = 4;
    const GOES_WITH: Option<Key> = Some(AutoScalingGroup::KEY);
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        format!("{}-cpu", site.config.names.auto_scaling_group)
    }

    fn want(&self, site: &Site, refs: &Refs) -> Spec {
        Spec {
            group: refs.get(NAME),
            metric: MetricType::AsgAverageCpuUtilization.as_str().to_owned(),
            target_percent: site.config.scaling.cpu_target_percent,
            warm_up_seconds: None,
            scale_in: true,
            enabled: true,
        }
    }

    /// Ours by its name, else the group's first one that tracks CPU: the console's wizard gives it another name.
    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        let (group, ()) = tokio::join!(reading.output(NAME), ahead(cx, reading));
        let Some(group) = group? else {
            return Ok(None);
        };
        let policies = policies(cx.cloud, &reading.memo, &group).await?;
        let named = self.name(cx.site);
        let tracks_cpu = |policy: &&ElasticPolicy| metric(policy) == MetricType::AsgAverageCpuUtilization.as_str();
        let found = policies.iter().find(|policy| policy.policy_name() == Some(&named));
        let Some(policy) = found.or_else(|| policies.iter().find(tracks_cpu)) else {
            return Ok(None);
        };
        let tracking = policy.target_tracking_configuration();
        let spec = Spec {
            group,
            metric: metric(policy),
            target_percent: tracking
                .and_then(aws_sdk_autoscaling::types::TargetTrackingConfiguration::target_value)
                .unwrap_or_default(),
            warm_up_seconds: policy.estimated_instance_warmup(),
            scale_in: !tracking
                .and_then(aws_sdk_autoscaling::types::TargetTrackingConfiguration::disable_scale_in)
                .unwrap_or_default(),
            enabled: policy.enabled().unwrap_or(true), // moto 5.2 leaves it out
        };
        let name = policy.policy_name.clone().need("PolicyName")?;
        Ok(Some(Live::ready(spec, Owner::Parent(AutoScalingGroup::KEY)).output(POLICY_NAME, name)))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // a scaling policy carries no tags, and goes with its group
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        put_policy(cloud, self.name(site), want).await
    }

    async fn update(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        put_policy(cloud, live.outputs[&POLICY_NAME].clone(), want).await
    }

    /// AWS removes its alarms with it.
    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        let request = cloud.autoscaling.delete_policy().auto_scaling_group_name(&live.spec.group);
        Ok(request.policy_name(&live.outputs[&POLICY_NAME]).send().await.or_gone()?)
    }
}

// How AWS spells it.

#[derive(Default)]
struct Policies(OnceCell<Vec<ElasticPolicy>>);

/// Every scaling policy of a group; none where there is no such group.
async fn policies(cloud: &Cloud, memo: &Memo, group: &str) -> cloud::Result<Vec<ElasticPolicy>> {
    let read = || async {
        let request = cloud.autoscaling.describe_policies().auto_scaling_group_name(group);
        let reply = request.send().await.or_absent()?;
        Ok(reply.and_then(|reply| reply.scaling_policies).unwrap_or_default())
    };
    memo.of::<Policies>().0.get_or_try_init(read).await.cloned()
}

/// Reads the policies beside what else is read of their group. What goes wrong is told by whoever needs them.
async fn ahead(cx: &Context<'_>, reading: &Reading) {
    let (memo, name) = (&reading.memo, &cx.site.config.names.auto_scaling_group);
    if reading.is_whole && matches!(shared::scaling_group(cx, memo, name).await, Ok(Some(_))) {
        let _ = policies(cx.cloud, memo, name).await;
    }
}

fn metric(policy: &ElasticPolicy) -> String {
    let tracking = policy.target_tracking_configuration();
    let predefined = tracking.and_then(|tracking| tracking.predefined_metric_specification());
    predefined
        .and_then(|metric| metric.predefined_metric_type())
        .map_or_else(String::new, |kind| kind.as_str().to_owned())
}

async fn put_policy(cloud: &Cloud, name: String, want: &Spec) -> Result<Outputs> {
    let metric = MetricType::from(want.metric.as_str());
    let metric = PredefinedMetricSpecification::builder().predefined_metric_type(metric).build();
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
        .enabled(want.enabled)
        .set_estimated_instance_warmup(want.warm_up_seconds)
        .target_tracking_configuration(tracking.build());
    request.send().await?;
    Ok([(POLICY_NAME, name)].into())
}

/// The target tracking policy of this auto scaling group; `None`: there is none.
///
/// # Errors
/// Auto Scaling does not describe it.
pub async fn find_target_tracking(cloud: &Cloud, group: &str) -> cloud::Result<Option<ElasticPolicy>> {
    let reply = cloud.autoscaling.describe_policies().auto_scaling_group_name(group).send().await?;
    let policies = reply.scaling_policies.unwrap_or_default();
    Ok(policies.into_iter().find(|policy| policy.policy_type() == Some("TargetTrackingScaling")))
}
