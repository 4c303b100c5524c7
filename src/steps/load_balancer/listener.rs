//! The listeners of the load balancer: 443, and 80 that redirects there.

use aws_sdk_elasticloadbalancingv2::types::{Action, Certificate, Listener as ElbListener, ProtocolEnum};
use serde::Serialize;

use super::actions::{self, default_actions, targets_of};
use super::{ARN, LoadBalancer, rules};
use crate::cloud::{self, Absent, Cloud, Memo, Need, tags};
use crate::engine::{Context, Effect, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;
use crate::steps::security_groups::{self, Rules};
use crate::steps::{shared, target_group};

/// TLS 1.3 and 1.2 (guide step 4, "secure listeners"); the API's own default is of 2016.
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// Families of policies that are as good, or stricter: no TLS below 1.2.
const TLS_FAMILIES: [&str; 2] = ["ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-"];

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
    pub(super) action: String,
    /// A target group's ARN, or where a redirect goes.
    pub(super) to: String,
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

    async fn additions(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<ListenerSpec>) -> Result<Vec<String>> {
        let rules = rules::find_rules(cloud, &live.outputs[&Self::ARN]).await?;
        Ok(rules.iter().map(|rule| format!("{} is not ours, and would go with it", rules::in_words(rule))).collect())
    }

    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<ListenerSpec>) -> Result<()> {
        Ok(cloud.elb.delete_listener().listener_arn(&live.outputs[&Self::ARN]).send().await.or_gone()?)
    }
}

/// Whether a listener sends requests to this target group by default.
pub fn forwards_to(listener: &ElbListener, target_group: &str) -> bool {
    let actions = listener.default_actions().iter();
    actions.flat_map(targets_of).any(|arn| arn == target_group)
}

/// The listeners of the load balancer of this ARN; none when there is no such load balancer.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn find_listeners(cloud: &Cloud, arn: &str) -> cloud::Result<Vec<ElbListener>> {
    let reply = cloud.elb.describe_listeners().load_balancer_arn(arn).send().await.or_absent()?;
    Ok(reply.and_then(|reply| reply.listeners).unwrap_or_default())
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
