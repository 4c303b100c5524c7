//! Guide step 4: the application load balancer; and its listeners, each a resource of its own.

mod actions;
mod firewall;
mod listener;
pub mod rules;

use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancer as ElbLoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum,
    LoadBalancerStateEnum, LoadBalancerTypeEnum,
};
use serde::Serialize;

use super::security_groups::LOAD_BALANCER_ID;
use super::{shared, target_group};
use crate::cloud::{self, Absent, Cloud, Memo, Need, Tags, tags};
use crate::config::Scheme;
use crate::engine::{Context, Goal, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;

pub use listener::{HTTP_LISTENER, HTTPS_LISTENER, Listener, find_listeners, forwards_to};

/// The load balancer's ARN.
pub const ARN: Output = Output(LoadBalancer::KEY, "arn");
/// Its DNS name.
pub const DNS_NAME: Output = Output(LoadBalancer::KEY, "dns_name");
/// The hosted zone that an alias to it names.
pub const ZONE: Output = Output(LoadBalancer::KEY, "zone");
/// `active`, `provisioning` …, when it was read.
pub const STATE: Output = Output(LoadBalancer::KEY, "state");

const PROTECTION: &str = "deletion_protection.enabled";

/// The application load balancer that clients reach, identified by its name.
pub struct LoadBalancer;

/// A load balancer without its listeners.
#[derive(Debug, PartialEq, Serialize)]
pub struct Spec {
    vpc: String,
    scheme: String,
    subnets: Vec<String>,
    security_groups: Vec<String>,
}

impl Resource for LoadBalancer {
    const KEY: Key = "load_balancer";
    const STEP: u8 = 4;
    const FORCES_REPLACEMENT: &'static [&'static str] = &["vpc", "scheme"];
    const DELETES_ASYNC: bool = true;
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        site.config.names.load_balancer.clone()
    }

    fn want(&self, site: &Site, refs: &Refs) -> Spec {
        let network = &site.config.network;
        let scheme = match site.config.load_balancer.scheme {
            Scheme::Internal => "internal",
            Scheme::InternetFacing => "internet-facing",
        };
        let (_, subnets) = site.config.load_balancer_subnets();
        let mut subnets = subnets.to_vec();
        subnets.sort();
        Spec {
            vpc: network.vpc.clone(),
            scheme: scheme.to_owned(),
            subnets,
            security_groups: vec![refs.get(LOAD_BALANCER_ID)],
        }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        let balancing = shared::balancing(cx, reading).await?;
        let Some(found) = &balancing.load_balancer else {
            return Ok(None);
        };
        let arn = found.load_balancer_arn.clone().need("LoadBalancerArn")?;
        let owner = match found.r#type() {
            None | Some(LoadBalancerTypeEnum::Application) => Owner::Tags(balancing.tags(&arn)),
            Some(kind) => Owner::Untouchable(format!("it is a {kind} load balancer")),
        };
        if let Some(state) = found
            .state()
            .filter(|state| state.code() == Some(&LoadBalancerStateEnum::Failed))
            .filter(|_| reading.goal == Goal::Present)
        {
            let why = state.reason().unwrap_or("AWS gives no reason");
            return Err(cloud::Error::Reply(format!("the load balancer failed: {why}; run teardown, then up")).into());
        }
        let zones = found.availability_zones().iter().filter_map(|zone| zone.subnet_id());
        let state = found.state().and_then(|state| state.code());
        let spec = Spec {
            vpc: found.vpc_id().unwrap_or_default().to_owned(),
            scheme: found.scheme().map_or_else(String::new, |scheme| scheme.as_str().to_owned()),
            subnets: sorted(zones),
            security_groups: sorted(found.security_groups().iter().map(String::as_str)),
        };
        // Ready while it is provisioning too: its listeners and the record can be made already.
        let live = Live::ready(spec, owner)
            .output(ARN, arn)
            .output(STATE, state.map_or("unknown", LoadBalancerStateEnum::as_str))
            .output(DNS_NAME, found.dns_name.clone().need("DNSName")?)
            .output(ZONE, found.canonical_hosted_zone_id.clone().need("CanonicalHostedZoneId")?);
        Ok(Some(live))
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        let balancers = shared::tagged_balancing(cx, memo).await?.load_balancers;
        Ok(balancers.into_iter().filter_map(|balancer| balancer.load_balancer_arn).collect())
    }

    /// When an equal load balancer exists, ELBv2 answers with that one, even if it is not ours: its tags are read
    /// again.
    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        let name = self.name(site);
        let request = cloud
            .elb
            .create_load_balancer()
            .name(&name)
            .r#type(LoadBalancerTypeEnum::Application)
            .scheme(LoadBalancerSchemeEnum::from(want.scheme.as_str()))
            .ip_address_type(IpAddressType::Ipv4)
            .set_subnets(Some(want.subnets.clone()))
            .set_security_groups(Some(want.security_groups.clone()))
            .set_tags(Some(tags::to_elb(&site.tags(&name))));
        let balancers = request.send().await?.load_balancers.unwrap_or_default();
        let made = balancers.into_iter().next().need("LoadBalancers")?;
        let arn = made.load_balancer_arn.need("LoadBalancerArn")?;
        target_group::refuse_a_strangers(cloud, site, &arn).await?;
        let dns_name = made.dns_name.need("DNSName")?;
        Ok([(ARN, arn), (DNS_NAME, dns_name), (ZONE, made.canonical_hosted_zone_id.need("CanonicalHostedZoneId")?)]
            .into())
    }

    async fn update(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        let arn = &live.outputs[&ARN];
        if live.spec.security_groups != want.security_groups {
            let request = cloud.elb.set_security_groups().load_balancer_arn(arn);
            request.set_security_groups(Some(want.security_groups.clone())).send().await?;
        }
        if live.spec.subnets != want.subnets {
            let request = cloud.elb.set_subnets().load_balancer_arn(arn);
            request.set_subnets(Some(want.subnets.clone())).send().await?;
        }
        Ok(Outputs::new())
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, tags: &Tags) -> Result<()> {
        let request = cloud.elb.add_tags().resource_arns(&live.outputs[&ARN]);
        request.set_tags(Some(tags::to_elb(tags))).send().await?;
        Ok(())
    }

    /// AWS removes its listeners and their rules with it.
    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        Ok(cloud.elb.delete_load_balancer().load_balancer_arn(&live.outputs[&ARN]).send().await.or_gone()?)
    }

    async fn is_gone(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<Option<bool>> {
        Ok(Some(find_load_balancer(cloud, &live.outputs[&ARN]).await?.is_none()))
    }

    async fn protections(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<Vec<String>> {
        let arn = &live.outputs[&ARN];
        let request = cloud.elb.describe_load_balancer_attributes().load_balancer_arn(arn);
        let (reply, web_acl) = tokio::join!(request.send(), firewall::in_front(cloud, arn));
        let attributes = reply.or_absent()?.and_then(|reply| reply.attributes).unwrap_or_default();
        let on = |attribute: &LoadBalancerAttribute| {
            attribute.key() == Some(PROTECTION) && attribute.value() == Some("true")
        };
        let protected = attributes.iter().any(on).then(|| "deletion protection is on".to_owned());
        Ok(protected.into_iter().chain(web_acl?).collect())
    }

    /// A web ACL needs no call: AWS ends its association with the load balancer.
    async fn remove_protections(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        let off = LoadBalancerAttribute::builder().key(PROTECTION).value("false").build();
        let request = cloud.elb.modify_load_balancer_attributes().load_balancer_arn(&live.outputs[&ARN]);
        Ok(request.attributes(off).send().await.or_gone()?)
    }
}

/// Target groups that our load balancer forwards to, by a listener or a rule, and that are not ours: a removal leaves
/// them.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn strangers_behind(&Context { cloud, site, .. }: &Context<'_>, outputs: &Outputs) -> Result<Vec<String>> {
    let Some(balancer) = outputs.get(&ARN) else {
        return Ok(Vec::new());
    };
    let request = cloud.elb.describe_target_groups().load_balancer_arn(balancer);
    let Some(reply) = request.send().await.or_absent()? else {
        return Ok(Vec::new());
    };
    let ours = outputs.get(&target_group::ARN);
    let groups = reply.target_groups.unwrap_or_default().into_iter();
    let mut strangers = Vec::new();
    for arn in groups.filter_map(|group| group.target_group_arn).filter(|arn| Some(arn) != ours) {
        // The reading may not have shown ours yet; one that no longer exists is not left behind.
        if target_group::is_ours(cloud, site, &arn).await.or_absent()? == Some(false) {
            strangers.push(arn);
        }
    }
    Ok(strangers)
}

fn sorted<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut values: Vec<String> = values.map(str::to_owned).collect();
    values.sort();
    values
}

/// The load balancer of this ARN; `None`: there is none.
///
/// # Errors
/// Elastic Load Balancing does not describe it.
pub async fn find_load_balancer(cloud: &Cloud, arn: &str) -> cloud::Result<Option<ElbLoadBalancer>> {
    let reply = cloud.elb.describe_load_balancers().load_balancer_arns(arn).send().await.or_absent()?;
    Ok(reply.and_then(|reply| reply.load_balancers?.into_iter().next()))
}
