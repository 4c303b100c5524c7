//! The account's quotas of what the stack is made of.

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, LoadBalancerTypeEnum};

use super::{about, creates};
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::quota::applied;
use crate::checks::stack::{Stack, unanswered};
use crate::cloud;
use crate::config::Listener;
use crate::engine::Key;
use crate::outcome::{Finding, Status};
use crate::steps::shared::all_balancing;
use crate::steps::{auto_scaling, load_balancer, security_groups, target_group};

/// Inbound or outbound rules of a security group: a quota that AWS only raises.
const RULES: (&str, f64) = ("L-0EA8095F", 60.0);

/// A quota: how its service and code are called, and what it counts.
struct Quota {
    service: &'static str,
    code: &'static str,
    noun: &'static str,
}

/// Judges whether so many more fit.
fn judge(finding: Finding, quota: &Quota, (used, more, most): (usize, usize, Option<f64>)) -> Finding {
    let Some(most) = most else {
        return finding.found(Status::Unknown, format!("AWS does not say how many {} there may be", quota.noun));
    };
    let evidence = format!("{used} of {most} {}, {more} more to make", quota.noun);
    let wanted = used + more;
    if (wanted as f64) <= most {
        return finding.pass(evidence);
    }
    let fix = format!(
        "Remove some, or ask for more: `aws service-quotas request-service-quota-increase --service-code {} \
         --quota-code {} --desired-value {wanted}`",
        quota.service, quota.code
    );
    finding.fail(evidence, "AWS would refuse the create", fix)
}

/// A check of one quota, for a resource that is about to be made.
macro_rules! quota_check {
    ($(#[$doc:meta])+ $name:ident, $id:literal, $title:literal, $key:expr, $quota:expr, $count:path) => {
        $(#[$doc])+
        pub struct $name;

        #[async_trait(?Send)]
        impl Check for $name {
            fn about(&self) -> &'static About {
                const { &about($id, 0, $title) }
            }

            fn applies(&self, cx: &CheckContext<'_>) -> bool {
                let keys: &[Key] = &$key;
                keys.iter().any(|key| creates(cx, *key))
            }

            async fn run(&self, cx: &CheckContext<'_>) -> Ran {
                let (stack, finding) = (cx.stack()?, self.finding());
                Ok(match $count(stack).await {
                    Ok((used, most)) => {
                        let more = $key.iter().filter(|key| creates(cx, **key)).count();
                        judge(finding, &$quota, (used, more, most))
                    }
                    Err(error) => unanswered(finding, &error),
                })
            }
        }
    };
}

quota_check!(
    /// Whether there is room for another load balancer.
    LoadBalancerQuota,
    "load_balancer_quota",
    "room for a load balancer",
    [load_balancer::ARN.0],
    Quota { service: "elasticloadbalancing", code: "L-53DA6B97", noun: "application load balancers" },
    load_balancers
);

quota_check!(
    /// Whether there is room for another target group.
    TargetGroupQuota,
    "target_group_quota",
    "room for a target group",
    [target_group::ARN.0],
    Quota { service: "elasticloadbalancing", code: "L-B22855CB", noun: "target groups" },
    target_groups
);

quota_check!(
    /// Whether there is room for another auto scaling group.
    AutoScalingQuota,
    "auto_scaling_quota",
    "room for an auto scaling group",
    [auto_scaling::NAME.0],
    Quota { service: "autoscaling", code: "L-CDE20ADC", noun: "auto scaling groups" },
    auto_scaling_groups
);

quota_check!(
    /// Whether there is room for the two security groups.
    SecurityGroupQuota,
    "security_group_quota",
    "room for the security groups",
    [security_groups::LOAD_BALANCER_ID.0, security_groups::INSTANCE_ID.0],
    Quota { service: "vpc", code: "L-E79EC296", noun: "security groups" },
    security_groups
);

/// How many there are, and may be.
type Counted = cloud::Result<(usize, Option<f64>)>;

async fn load_balancers(stack: &Stack<'_>) -> Counted {
    let all = all_balancing(stack.cloud, &stack.memo);
    let (all, most) = tokio::try_join!(all, limit(stack, "application-load-balancers"))?;
    let is_application = |one: &&LoadBalancer| one.r#type() == Some(&LoadBalancerTypeEnum::Application);
    Ok((all.load_balancers.iter().filter(is_application).count(), most))
}

async fn target_groups(stack: &Stack<'_>) -> Counted {
    let all = all_balancing(stack.cloud, &stack.memo);
    let (all, most) = tokio::try_join!(all, limit(stack, "target-groups"))?;
    Ok((all.target_groups.len(), most))
}

/// A limit of Elastic Load Balancing, which says them all at once.
async fn limit(stack: &Stack<'_>, name: &str) -> cloud::Result<Option<f64>> {
    let limits = stack.balancing_limits().await?;
    let found = limits.iter().find(|limit| limit.name() == Some(name)).and_then(|limit| limit.max());
    Ok(found.and_then(|most| most.parse().ok()))
}

async fn auto_scaling_groups(stack: &Stack<'_>) -> Counted {
    let limits = stack.cloud.autoscaling.describe_account_limits().send().await?;
    let used = limits.number_of_auto_scaling_groups().unwrap_or_default();
    Ok((usize::try_from(used).unwrap_or_default(), limits.max_number_of_auto_scaling_groups().map(f64::from)))
}

async fn security_groups(stack: &Stack<'_>) -> Counted {
    let all = stack.cloud.ec2.describe_security_groups().into_paginator().page_size(1000).items().send();
    let (all, most) =
        tokio::try_join!(async { Ok(all.try_collect().await?) }, applied(stack.cloud, "vpc", "L-E79EC296"))?;
    let all: Vec<aws_sdk_ec2::types::SecurityGroup> = all;
    Ok((all.len(), most))
}

/// Whether the load balancer's security group may have as many rules as there are CIDRs.
pub struct RuleQuota;

#[async_trait(?Send)]
impl Check for RuleQuota {
    fn about(&self) -> &'static About {
        const { &about("rule_quota", 1, "room for a rule a CIDR") }
    }

    /// What AWS's own quota has room for needs no question.
    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        super::touches(cx, &[security_groups::LOAD_BALANCER_RULES_KEY])
            && cx.stack().is_ok_and(|stack| rules(stack) as f64 > RULES.1)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let quota = Quota { service: "vpc", code: RULES.0, noun: "rules a security group" };
        Ok(match applied(stack.cloud, "vpc", RULES.0).await {
            Ok(most) => judge(finding, &quota, (0, rules(stack), most)),
            Err(error) => unanswered(finding, &error),
        })
    }
}

/// The rules of the load balancer's group, of the kind of addresses that has more: each kind has the whole quota.
fn rules(stack: &Stack<'_>) -> usize {
    let balancer = &stack.config.load_balancer;
    let ports = if balancer.listener == Listener::Https && balancer.redirect_http { 2 } else { 1 };
    let of = |is_four: bool| {
        balancer.ingress_cidrs.iter().filter(|cidr| matches!(cidr, ipnet::IpNet::V4(_)) == is_four).count()
    };
    of(true).max(of(false)) * ports
}
