//! Guide step 5: the target group. One that the console's wizard made is corrected.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup as ElbTargetGroup, TargetGroupAttribute, TargetHealthDescription,
    TargetHealthStateEnum, TargetTypeEnum,
};
use serde::Serialize;

use super::shared;
use crate::cloud::{self, Absent, Cloud, Memo, Need, Tags, tags};
use crate::engine::{
    Blocker, Context, Error, Goal, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result,
};
use crate::outcome::few;
use crate::site::Site;

/// The target group's ARN.
pub const ARN: Output = Output(TargetGroup::KEY, "arn");
/// Where the service answers requests (guide step 1, `app-sg`).
pub const PORT: u16 = 80;

const ALGORITHM: &str = "load_balancing.algorithm.type";

/// The target group, to which the load balancer forwards, identified by its name.
pub struct TargetGroup;

/// The settings that the guide names; others stay as they are.
#[derive(Debug, PartialEq, Serialize)]
pub struct Spec {
    vpc: String,
    protocol: String,
    port: u16,
    target_type: String,
    health_check: HealthCheck,
    /// How a target is chosen for a request.
    algorithm: String,
}

/// How a target proves that it is healthy.
#[derive(Debug, PartialEq, Serialize)]
pub struct HealthCheck {
    protocol: String,
    port: String,
    path: String,
    success_codes: String,
}

impl Resource for TargetGroup {
    const KEY: Key = "target_group";
    const STEP: u8 = 5;
    const FORCES_REPLACEMENT: &'static [&'static str] = &["vpc", "protocol", "port", "target_type"];
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        site.config.names.target_group.clone()
    }

    fn want(&self, site: &Site, _: &Refs) -> Spec {
        let check = &site.config.health_check;
        Spec {
            vpc: site.config.network.vpc.clone(),
            protocol: "HTTP".to_owned(),
            port: PORT,
            target_type: "instance".to_owned(),
            health_check: HealthCheck {
                protocol: "HTTP".to_owned(),
                port: check.port.to_string(),
                path: check.path.clone(),
                success_codes: check.success_codes.clone(),
            },
            algorithm: "least_outstanding_requests".to_owned(),
        }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        let (balancing, attributes) = tokio::join!(shared::balancing(cx, reading), attributes(cx, reading));
        let balancing = balancing?;
        let Some(group) = &balancing.target_group else {
            return Ok(None);
        };
        let arn = group.target_group_arn.clone().need("TargetGroupArn")?;
        let Some(attributes) = attributes? else {
            return Ok(None);
        };
        let owner = Owner::Tags(balancing.tags(&arn));
        Ok(Some(Live::ready(spec_of(group, &attributes), owner).output(ARN, arn)))
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        let groups = shared::tagged_balancing(cx, memo).await?.target_groups;
        Ok(groups.into_iter().filter_map(|group| group.target_group_arn).collect())
    }

    /// When an equal target group exists, ELBv2 answers with that one, even if it is not ours: its tags are read again.
    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        let name = self.name(site);
        let check = &want.health_check;
        let request = cloud
            .elb
            .create_target_group()
            .name(&name)
            .vpc_id(&want.vpc)
            .protocol(ProtocolEnum::from(want.protocol.as_str()))
            .port(want.port.into())
            .target_type(TargetTypeEnum::from(want.target_type.as_str()))
            .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
            .health_check_port(&check.port)
            .health_check_path(&check.path)
            .matcher(matcher(check))
            .set_tags(Some(tags::to_elb(&site.tags(&name))));
        let groups = request.send().await?.target_groups.unwrap_or_default();
        let arn = groups.into_iter().next().and_then(|group| group.target_group_arn).need("TargetGroupArn")?;
        refuse_a_strangers(cloud, site, &arn).await?;
        set_algorithm(cloud, &arn, want).await?;
        Ok([(ARN, arn)].into())
    }

    async fn update(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        let arn = &live.outputs[&ARN];
        let check = &want.health_check;
        if live.spec.health_check != *check {
            let request = cloud
                .elb
                .modify_target_group()
                .target_group_arn(arn)
                .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
                .health_check_port(&check.port)
                .health_check_path(&check.path)
                .matcher(matcher(check));
            request.send().await?;
        }
        if live.spec.algorithm != want.algorithm {
            set_algorithm(cloud, arn, want).await?;
        }
        Ok(Outputs::new())
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, tags: &Tags) -> Result<()> {
        let request = cloud.elb.add_tags().resource_arns(&live.outputs[&ARN]);
        request.set_tags(Some(tags::to_elb(tags))).send().await?;
        Ok(())
    }

    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        Ok(cloud.elb.delete_target_group().target_group_arn(&live.outputs[&ARN]).send().await.or_gone()?)
    }

    async fn blockers(&self, &Context { cloud, site, .. }: &Context<'_>, live: &Live<Spec>) -> Result<Vec<Blocker>> {
        let request = cloud.elb.describe_target_groups().target_group_arns(&live.outputs[&ARN]);
        let reply = request.send().await.or_absent()?;
        let groups = reply.and_then(|reply| reply.target_groups).unwrap_or_default();
        let ours = format!(":loadbalancer/app/{}/", site.config.names.load_balancer);
        let users = groups.iter().flat_map(aws_sdk_elasticloadbalancingv2::types::TargetGroup::load_balancer_arns);
        Ok(users
            .map(|arn| Blocker { what: format!("a listener or rule of {arn}"), clears_by_itself: arn.contains(&ours) })
            .collect())
    }
}

// How AWS spells it.

/// Refuses an ELBv2 resource that a create call returned and that is not ours.
///
/// # Errors
/// It is not ours, or its tags cannot be read.
pub(super) async fn refuse_a_strangers(cloud: &Cloud, site: &Site, arn: &str) -> Result<()> {
    if is_ours(cloud, site, arn).await? {
        Ok(())
    } else {
        Err(Error::Foreign(format!("{arn} was made by someone else at the same time")))
    }
}

/// Whether an ELBv2 resource carries our tag.
///
/// # Errors
/// Its tags cannot be read.
pub(super) async fn is_ours(cloud: &Cloud, site: &Site, arn: &str) -> cloud::Result<bool> {
    let reply = cloud.elb.describe_tags().resource_arns(arn).send().await?;
    let described = reply.tag_descriptions().first();
    let tags = described.map(|described| tags::from_elb(described.tags()));
    Ok(site.owns(&tags.unwrap_or_default()))
}

/// Read beside the tags. `None`: there is no target group.
async fn attributes(cx: &Context<'_>, reading: &Reading) -> Result<Option<BTreeMap<String, String>>> {
    if reading.goal == Goal::Absent {
        return Ok(Some(BTreeMap::new())); // they make no difference
    }
    let Some(group) = shared::named(cx, &reading.memo).await?.target_group else {
        return Ok(None);
    };
    let request = cx.cloud.elb.describe_target_group_attributes().set_target_group_arn(group.target_group_arn);
    let Some(reply) = request.send().await.or_absent()? else {
        return Ok(None);
    };
    let pairs = reply.attributes.unwrap_or_default().into_iter();
    Ok(Some(pairs.filter_map(|attribute| Some((attribute.key?, attribute.value?))).collect()))
}

async fn set_algorithm(cloud: &Cloud, arn: &str, want: &Spec) -> Result<()> {
    let attribute = TargetGroupAttribute::builder().key(ALGORITHM).value(&want.algorithm).build();
    cloud.elb.modify_target_group_attributes().target_group_arn(arn).attributes(attribute).send().await?;
    Ok(())
}

fn matcher(check: &HealthCheck) -> Matcher {
    Matcher::builder().http_code(&check.success_codes).build()
}

fn spec_of(group: &ElbTargetGroup, attributes: &BTreeMap<String, String>) -> Spec {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Spec {
        vpc: text(group.vpc_id()),
        protocol: text(group.protocol().map(ProtocolEnum::as_str)),
        port: group.port().and_then(|port| port.try_into().ok()).unwrap_or_default(),
        target_type: text(group.target_type().map(TargetTypeEnum::as_str)),
        health_check: HealthCheck {
            protocol: text(group.health_check_protocol().map(ProtocolEnum::as_str)),
            port: text(group.health_check_port()),
            path: text(group.health_check_path()),
            success_codes: text(group.matcher().and_then(Matcher::http_code)),
        },
        algorithm: attributes.get(ALGORITHM).cloned().unwrap_or_else(|| "round_robin".to_owned()),
    }
}

// Finders, for those who look at one target group.

/// The target group of this ARN; `None`: there is none.
///
/// # Errors
/// Elastic Load Balancing does not describe it.
pub async fn find_target_group(cloud: &Cloud, arn: &str) -> cloud::Result<Option<ElbTargetGroup>> {
    let reply = cloud.elb.describe_target_groups().target_group_arns(arn).send().await.or_absent()?;
    Ok(reply.and_then(|reply| reply.target_groups?.into_iter().next()))
}

/// Health of the targets, by count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// How many are healthy.
    pub healthy: usize,
    /// How many are registered.
    pub registered: usize,
    /// Each that is not healthy.
    pub others: Vec<Unhealthy>,
}

/// A target that is not healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unhealthy {
    /// The instance's id.
    pub id: String,
    /// `initial`, `unhealthy`, `unused`, `draining`.
    pub state: String,
    /// AWS's reason code; empty when it gave none.
    pub reason: String,
    /// AWS's own sentence.
    pub description: Option<String>,
    /// On its way out: no fault.
    pub leaving: bool,
}

impl Unhealthy {
    /// As AWS describes it; `None`: it is healthy.
    fn of(target: &TargetHealthDescription) -> Option<Unhealthy> {
        let health = target.target_health();
        let state = health.and_then(|health| health.state());
        if state == Some(&TargetHealthStateEnum::Healthy) {
            return None;
        }
        let state = state.map_or("unknown", TargetHealthStateEnum::as_str);
        let reason = health.and_then(|health| health.reason());
        Some(Unhealthy {
            id: target.target().and_then(|target| target.id()).unwrap_or("?").to_owned(),
            state: state.to_owned(),
            reason: reason.map_or(String::new(), |reason| reason.as_str().to_owned()),
            description: health.and_then(|health| health.description()).map(str::to_owned),
            leaving: state == "draining",
        })
    }
}

impl std::fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.id, self.state)?;
        match self.reason.as_str() {
            "" => Ok(()),
            reason => write!(f, ", {reason}"),
        }
    }
}

impl Targets {
    /// The first few others in a line.
    pub fn others(&self) -> String {
        let words: Vec<String> = self.others.iter().map(Unhealthy::to_string).collect();
        few(&words, "; ")
    }
}

/// The health of every target.
///
/// # Errors
/// Elastic Load Balancing does not describe it.
pub async fn find_targets(cloud: &Cloud, target_group: &str) -> cloud::Result<Targets> {
    let reply = cloud.elb.describe_target_health().target_group_arn(target_group).send().await?;
    let all = reply.target_health_descriptions();
    let others: Vec<Unhealthy> = all.iter().filter_map(Unhealthy::of).collect();
    Ok(Targets { healthy: all.len() - others.len(), registered: all.len(), others })
}

/// The state of every target by its id: `healthy`, `initial`, `unhealthy`, `unused`, `draining`.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn find_states(cloud: &Cloud, target_group: &str) -> cloud::Result<BTreeMap<String, String>> {
    let reply = cloud.elb.describe_target_health().target_group_arn(target_group).send().await?;
    let of = |target: &TargetHealthDescription| {
        let state = target.target_health().and_then(|health| health.state());
        let state = state.map_or("unknown", TargetHealthStateEnum::as_str);
        Some((target.target()?.id()?.to_owned(), state.to_owned()))
    };
    Ok(reply.target_health_descriptions().iter().filter_map(of).collect())
}
