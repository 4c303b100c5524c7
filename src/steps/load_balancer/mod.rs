//! Guide step 4: the application load balancer and its listeners.

mod actions;
mod firewall;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, Certificate, IpAddressType, Listener as ElbListener, LoadBalancer as ElbLoadBalancer,
    LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum, ProtocolEnum,
};
use serde::Serialize;

use actions::{default_actions, targets_of};

use super::security_groups::{self, LOAD_BALANCER_ID, Rules};
use super::{shared, target_group};
use crate::cloud::{self, Absent, Cloud, Memo, Need, Tags, tags};
use crate::config::Scheme;
use crate::engine::{Context, Effect, Goal, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;

/// The load balancer's ARN.
pub const ARN: Output = Output(LoadBalancer::KEY, "arn");
/// Its DNS name.
pub const DNS_NAME: Output = Output(LoadBalancer::KEY, "dns_name");
/// The hosted zone that an alias to it names.
pub const ZONE: Output = Output(LoadBalancer::KEY, "zone");
/// `active`, `provisioning` …, when it was read.
pub const STATE: Output = Output(LoadBalancer::KEY, "state");

/// TLS 1.3 and 1.2 (guide step 4, "secure listeners"); the API's own default is of 2016.
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// Families of policies that are as good, or stricter: no TLS below 1.2.
const TLS_FAMILIES: [&str; 2] = ["ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-"];

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

/// 443, when the load balancer speaks HTTPS.
pub const HTTPS_LISTENER: Listener<443> = Listener;
/// 80: redirects to 443, or forwards when there is no HTTPS.
pub const HTTP_LISTENER: Listener<80> = Listener;

/// The listener on a port of the load balancer. A port has at most one, and it is found by the port.
pub struct Listener<const PORT: u16>;

/// A listener with its default action.
#[derive(Debug, PartialEq, Serialize)]
pub struct ListenerSpec {
    load_balancer: String,
    protocol: String,
    certificate: Option<String>,
    tls_policy: Option<String>,
    /// `forward`, `redirect`, `fixed-response`: what is done with a request in the end.
    action: String,
    /// A target group's ARN, or where a redirect goes.
    to: String,
    /// What asks who the client is, before that. It is never ours, and an update keeps it.
    #[serde(skip)]
    authentication: Vec<Action>,
}

impl<const PORT: u16> Listener<PORT> {
    const ARN: Output = Output(<Self as Resource>::KEY, "arn");
    /// The certificate that it shows, with HTTPS.
    pub const CERTIFICATE: Output = Output(<Self as Resource>::KEY, "certificate");
    /// What stands in front of the service there and asks who the client is, in words.
    pub const LOGIN: Output = Output(<Self as Resource>::KEY, "login");
}

impl<const PORT: u16> Resource for Listener<PORT> {
    const KEY: Key = if PORT == 443 { "https_listener" } else { "http_listener" };
    const STEP: u8 = 4;
    const FORCES_REPLACEMENT: &'static [&'static str] = &["load_balancer"];
    const GOES_WITH: Option<Key> = Some(LoadBalancer::KEY);
    type Spec = ListenerSpec;

    fn name(&self, site: &Site) -> String {
        format!("{}:{PORT}", site.config.names.load_balancer)
    }

    fn included(&self, site: &Site) -> bool {
        if PORT == 443 { site.https() } else { !site.https() || site.config.load_balancer.redirect_http }
    }

    fn want(&self, site: &Site, refs: &Refs) -> ListenerSpec {
        // A redirect asks for both too: turning HTTPS off and on must not change the order.
        let (load_balancer, target_group) = (refs.get(ARN), refs.get(target_group::ARN));
        match PORT {
            443 => refs.after(Rules::<security_groups::LoadBalancer>::KEY), // clients can reach it from the start
            _ => refs.after(Listener::<443>::KEY),                          // it redirects to that one
        }
        let secure = PORT == 443;
        let (action, to) = if !secure && site.https() {
            ("redirect", "https://#{host}:443/#{path}?#{query}".to_owned())
        } else {
            ("forward", target_group)
        };
        ListenerSpec {
            load_balancer,
            protocol: if secure { "HTTPS" } else { "HTTP" }.to_owned(),
            certificate: secure.then(|| site.certificate.clone()),
            tls_policy: secure.then(|| TLS_POLICY.to_owned()),
            action: action.to_owned(),
            to,
            authentication: Vec::new(),
        }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<ListenerSpec>>> {
        let (load_balancer, ()) = tokio::join!(reading.output(ARN), ahead(cx, reading));
        let Some(load_balancer) = load_balancer? else {
            return Ok(None);
        };
        let listeners = shared::listeners(cx.cloud, &reading.memo, &load_balancer).await?;
        let Some(listener) = listeners.iter().find(|listener| listener.port() == Some(PORT.into())) else {
            return Ok(None);
        };
        let arn = listener.listener_arn.clone().need("ListenerArn")?;
        let spec = spec_of(listener, load_balancer);
        let in_front = actions::in_front(listener);
        let certificate = spec.certificate.clone();
        let mut live = Live::ready(spec, Owner::Parent(LoadBalancer::KEY)).output(Self::ARN, arn);
        live.outputs.extend(certificate.map(|arn| (Self::CERTIFICATE, arn)));
        live.outputs.extend(in_front.clone().map(|what| (Self::LOGIN, what)));
        let removes = in_front.map(|what| Effect::RemovesAuthentication { what });
        Ok(Some(live.on_removal(removes.into_iter().collect())))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // a listener goes with its load balancer
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &ListenerSpec) -> Result<Outputs> {
        let request = cloud
            .elb
            .create_listener()
            .load_balancer_arn(&want.load_balancer)
            .port(PORT.into())
            .protocol(ProtocolEnum::from(want.protocol.as_str()))
            .set_certificates(certificates(want))
            .set_ssl_policy(want.tls_policy.clone())
            .set_default_actions(Some(default_actions(&[], want)))
            .set_tags(Some(tags::to_elb(&site.tags(&self.name(site)))));
        let listeners = request.send().await?.listeners.unwrap_or_default();
        let made = listeners.into_iter().next().and_then(|listener| listener.listener_arn).need("ListenerArn")?;
        Ok([(Self::ARN, made)].into())
    }

    /// What is not sent stays as it is; authentication in front stays too.
    async fn update(
        &self,
        &Context { cloud, .. }: &Context<'_>,
        live: &Live<ListenerSpec>,
        want: &ListenerSpec,
    ) -> Result<Outputs> {
        let had = &live.spec;
        let goes_elsewhere = (&had.action, &had.to) != (&want.action, &want.to);
        let actions = goes_elsewhere.then(|| default_actions(&had.authentication, want));
        let protocol = (had.protocol != want.protocol).then(|| ProtocolEnum::from(want.protocol.as_str()));
        let request = cloud
            .elb
            .modify_listener()
            .listener_arn(&live.outputs[&Self::ARN])
            .set_protocol(protocol)
            .set_certificates(certificates(want).filter(|_| had.certificate != want.certificate))
            .set_ssl_policy(want.tls_policy.clone().filter(|_| had.tls_policy != want.tls_policy))
            .set_default_actions(actions);
        request.send().await?;
        Ok(Outputs::new())
    }

    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<ListenerSpec>) -> Result<()> {
        Ok(cloud.elb.delete_listener().listener_arn(&live.outputs[&Self::ARN]).send().await.or_gone()?)
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

/// Whether a listener sends requests to this target group by default.
pub fn forwards_to(listener: &ElbListener, target_group: &str) -> bool {
    let actions = listener.default_actions().iter();
    actions.flat_map(targets_of).any(|arn| arn == target_group)
}

// How AWS spells it.

/// Reads the listeners beside the tags of their load balancer. What goes wrong is told by whoever needs them.
async fn ahead(cx: &Context<'_>, reading: &Reading) {
    let memo = &reading.memo;
    if reading.is_whole
        && let Ok(found) = shared::named(cx, memo).await
        && let Some(arn) = found.load_balancer.and_then(|balancer| balancer.load_balancer_arn)
    {
        let _ = shared::listeners(cx.cloud, memo, &arn).await;
    }
}

fn certificates(want: &ListenerSpec) -> Option<Vec<Certificate>> {
    let arn = want.certificate.as_ref()?;
    Some(vec![Certificate::builder().certificate_arn(arn).build()])
}

fn spec_of(listener: &ElbListener, load_balancer: String) -> ListenerSpec {
    let (authentication, (action, to)) = actions::read(listener.default_actions());
    let certificates = listener.certificates();
    ListenerSpec {
        load_balancer,
        protocol: listener.protocol().map_or_else(String::new, |protocol| protocol.as_str().to_owned()),
        certificate: certificates.first().and_then(|certificate| certificate.certificate_arn.clone()),
        // moto 5.2 lists a TLS policy for a listener without TLS.
        tls_policy: listener.ssl_policy().filter(|_| listener.protocol() == Some(&ProtocolEnum::Https)).map(tls_policy),
        action,
        to,
        authentication,
    }
}

/// The wanted policy, when this one is as good: newer and stricter ones stay. Those with `Ext` take ciphers that ours
/// refuses ("Security policies for your Application Load Balancer", user guide).
fn tls_policy(name: &str) -> String {
    let is_as_good = TLS_FAMILIES.iter().any(|family| name.starts_with(family)) && !name.contains("-Ext");
    if is_as_good { TLS_POLICY } else { name }.to_owned()
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

/// The listeners of the load balancer of this ARN; none when there is no such load balancer.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn find_listeners(cloud: &Cloud, arn: &str) -> cloud::Result<Vec<ElbListener>> {
    let reply = cloud.elb.describe_listeners().load_balancer_arn(arn).send().await.or_absent()?;
    Ok(reply.and_then(|reply| reply.listeners).unwrap_or_default())
}
