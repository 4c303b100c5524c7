//! The scaling policy: whether it exists with its alarms, and whether load brings more instances.

use async_trait::async_trait;
use aws_sdk_autoscaling::types::{AutoScalingGroup, ScalingPolicy as Policy};
use aws_sdk_cloudwatch::types::{StateValue, Statistic};

use super::capacity::latest;
use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::stack::{Stack, UP, unanswered};
use crate::cloud;
use crate::outcome::{Finding, Status};
use crate::steps::{auto_scaling, scaling_policy};

/// Whether the scaling policy exists with its alarms.
pub struct ScalingPolicy;

#[async_trait(?Send)]
impl Check for ScalingPolicy {
    fn about(&self) -> &'static About {
        &About {
            id: "scaling_policy",
            step: 4,
            title: "scaling policy and alarms",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Verify],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let Some(group) = stack.ids.get(&auto_scaling::NAME) else {
            return Ok(stack.absent(finding, "auto_scaling_group"));
        };
        let policy = match scaling_policy::find_target_tracking(stack.cloud, group).await {
            Ok(Some(policy)) => policy,
            Ok(None) => return Ok(finding.fail("no target tracking policy", "it was removed", UP)),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        if policy.alarms().is_empty() {
            return Ok(finding.fail(
                "the policy has no alarms",
                "Auto Scaling makes two alarms with the policy; without them it never scales",
                "Remove the policy (`aws autoscaling delete-policy`) and run `deploy up`.",
            ));
        }
        let target = policy
            .target_tracking_configuration()
            .and_then(aws_sdk_autoscaling::types::TargetTrackingConfiguration::target_value);
        let target = target.map_or_else(String::new, |target| format!(", CPU target {target} %"));
        Ok(finding.pass(format!("{} alarms{target}", policy.alarms().len())))
    }
}

/// Whether load brings more instances (guide, troubleshooting: "Scale-out is not triggering").
pub struct ScaleOut;

#[async_trait(?Send)]
impl Check for ScaleOut {
    fn about(&self) -> &'static About {
        &About {
            id: "scale_out",
            step: 4,
            title: "load brings more instances",
            places: &[Place::At(Node::Instances)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    fn is_symptom(&self) -> bool {
        true
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let group = match stack.group().await {
            Ok(group) => group,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let (Some(group), Some(name)) = (group, stack.ids.get(&auto_scaling::NAME)) else {
            return Ok(finding.skip("there is no auto scaling group"));
        };
        let policy = scaling_policy::find_target_tracking(stack.cloud, name);
        let read = async { tokio::try_join!(policy, cpu(stack, name)) };
        let (policy, cpu) = match read.await {
            Ok((Some(policy), cpu)) => (policy, cpu),
            Ok((None, _)) => {
                return Ok(finding.fail("no target tracking policy", "it was removed: nothing ever scales", UP));
            }
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        Ok(match high_alarm(stack, &policy).await {
            Ok(high) => judge(finding, group, &policy, high, cpu),
            Err(error) => unanswered(finding, &error),
        })
    }
}

/// Average CPU of the group in the last quarter of an hour, in percent.
async fn cpu(stack: &Stack<'_>, group: &str) -> cloud::Result<Option<f64>> {
    let of = [("AutoScalingGroupName", group)];
    latest(stack.cloud, ("AWS/EC2", "CPUUtilization"), &of, Statistic::Average).await
}

/// State of the alarm that adds instances; `None`: there is none.
async fn high_alarm(stack: &Stack<'_>, policy: &Policy) -> cloud::Result<Option<StateValue>> {
    let names: Vec<String> = policy.alarms().iter().filter_map(|alarm| alarm.alarm_name.clone()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let reply = stack.cloud.cloudwatch.describe_alarms().set_alarm_names(Some(names)).send().await?;
    let mut alarms = reply.metric_alarms().iter();
    let high = alarms.find(|alarm| alarm.alarm_name().is_some_and(|name| name.contains("AlarmHigh")));
    Ok(high.and_then(|alarm| alarm.state_value().cloned()))
}

fn judge(
    finding: Finding,
    group: &AutoScalingGroup,
    policy: &Policy,
    high: Option<StateValue>,
    cpu: Option<f64>,
) -> Finding {
    let tracking = policy.target_tracking_configuration();
    let target =
        tracking.and_then(aws_sdk_autoscaling::types::TargetTrackingConfiguration::target_value).unwrap_or_default();
    let (desired, max) = (group.desired_capacity().unwrap_or_default(), group.max_size().unwrap_or_default());
    let warm_up = policy.estimated_instance_warmup().or(group.default_instance_warmup()).unwrap_or_default();
    let cpu_words = cpu.map_or("not measured yet".to_owned(), |cpu| format!("{cpu:.1} %"));
    let evidence = format!(
        "average CPU {cpu_words} (target {target} %), {desired} of at most {max} instances, warm-up {warm_up} s"
    );
    let is_suspended = |name: &str| group.suspended_processes().iter().any(|one| one.process_name() == Some(name));
    if policy.enabled() == Some(false) {
        return finding.fail(
            evidence,
            "the scaling policy is disabled",
            "`aws autoscaling put-scaling-policy --enabled …`, or remove it and run `deploy up`.",
        );
    }
    if is_suspended("AlarmNotification") || is_suspended("Launch") {
        return finding.fail(
            evidence,
            "the group's process AlarmNotification or Launch is suspended",
            "`aws autoscaling resume-processes --auto-scaling-group-name …`",
        );
    }
    let Some(high) = high else {
        return finding.fail(
            evidence,
            "the policy has no alarms: Auto Scaling made two with it, and they were removed",
            "Remove the policy (`aws autoscaling delete-policy`) and run `deploy up`.",
        );
    };
    let is_loaded = cpu.is_some_and(|cpu| cpu > target) || high == StateValue::Alarm;
    if !is_loaded {
        return finding.pass(evidence);
    }
    if desired >= max {
        let fix = "Raise scaling.max and run `deploy up`; look at the vCPU quota.";
        return finding.fail(evidence, "the group is at scaling.max", fix);
    }
    let (cause, fix) = if high == StateValue::Alarm {
        ("the alarm has gone off: the group is about to grow", "Look again in a few minutes.")
    } else {
        (
            "the load is above the target and the alarm has not gone off: it wants three minutes of it, and new \
             instances do not count before their warm-up",
            "Allow a few minutes under load (guide, troubleshooting).",
        )
    };
    finding.found(Status::Warn, evidence).because(cause, fix)
}
