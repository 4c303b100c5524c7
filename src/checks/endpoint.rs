//! The checks that call the stack as its users do (guide steps 6 and 7), by the load balancer's own name: so TLS and
//! the service are judged before DNS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Turn, Verb};
use crate::clock::{Ended, Wait};
use crate::flags;
use crate::outcome::{Finding, Status};
use crate::oz::{BaseUrl, Service, Token, VERSION, Web, why};
use crate::resolver::Dns;

/// A private address answers at once from inside its network, and never from outside.
const PRIVATE_TIMEOUT: Duration = Duration::from_secs(1);
const PUBLIC_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a service is called, from the outside.
pub struct Endpoint<'a> {
    /// Trust and routes.
    pub web: &'a Web,
    /// Where names are asked.
    pub dns: Dns,
    /// `https://app.example.com`; the load balancer's own name without a record.
    pub base: BaseUrl,
    /// The service's access token.
    pub token: Option<Token>,
    /// The way through the stack; `None`: the service may be anybody's, and only its version is asked for.
    pub way: Option<Way>,
}

/// The way of a request through the stack.
pub struct Way {
    /// The load balancer's own name.
    pub balancer: String,
    /// The record's name.
    pub record: Option<String>,
    /// Whether port 80 should redirect.
    pub redirects: bool,
    /// What `/api/version` should say somewhere.
    pub version: Option<String>,
    addresses: OnceCell<Vec<IpAddr>>,
}

impl Way {
    /// A way that was not tried yet.
    pub fn new(balancer: &str, record: Option<String>, redirects: bool, version: Option<String>) -> Way {
        Way { balancer: balancer.to_lowercase(), record, redirects, version, addresses: OnceCell::new() }
    }
}

impl Endpoint<'_> {
    /// The load balancer's addresses.
    ///
    /// # Errors
    /// In words, when its name leads nowhere.
    pub async fn addresses(&self, way: &Way) -> Result<Vec<IpAddr>, String> {
        way.addresses.get_or_try_init(|| self.dns.addresses(&way.balancer)).await.cloned()
    }

    /// Asks for the version, at these addresses or where the name leads, and compares it.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn version(
        &self,
        finding: Finding,
        at: Option<&[SocketAddr]>,
        wanted: Option<&str>,
        wait: &Wait<'_>,
    ) -> Result<Finding, Ended> {
        match Service::at(self.base.clone(), self.token.clone(), self.web, at) {
            Ok(service) => Ok(judge_version(finding, service.version(wait).await?, wanted)),
            Err(why) => Ok(finding.found(Status::Unknown, why)),
        }
    }
}

impl CheckContext<'_> {
    /// Whether this run calls the service through its stack, by a way like this.
    pub(super) fn has_way(&self, like: impl Fn(&Endpoint<'_>, &Way) -> bool) -> bool {
        let endpoint = self.endpoint().ok();
        endpoint.is_some_and(|endpoint| endpoint.way.as_ref().is_some_and(|way| like(endpoint, way)))
    }

    /// Where the service is called, and the way through the stack.
    ///
    /// # Errors
    /// This run calls none, or not through its stack.
    pub(super) fn way(&self) -> Result<(&Endpoint<'_>, &Way), super::check::NotRun> {
        let endpoint = self.endpoint()?;
        Ok((endpoint, endpoint.way.as_ref().ok_or(super::check::NotRun::DoesNotApply)?))
    }
}

/// Whether the load balancer takes connections, by its own name.
pub struct ReachLoadBalancer;

#[async_trait(?Send)]
impl Check for ReachLoadBalancer {
    fn about(&self) -> &'static About {
        &About {
            id: "reach_load_balancer",
            step: 6,
            title: "load balancer reached by its own name",
            places: &[Place::WayTo(Node::LoadBalancer)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (endpoint, way) = cx.way()?;
        let addresses = match endpoint.addresses(way).await {
            Ok(addresses) => addresses,
            Err(why) => {
                let evidence = format!("{}: {why}", way.balancer);
                let cause = "a new load balancer's name takes a minute to be known; or this machine has no DNS";
                return Ok(self
                    .finding()
                    .fail(evidence, cause, "Wait; or look at `getent hosts` of the name.")
                    .healing());
            }
        };
        let is_private = addresses.iter().all(is_private);
        let patience = if is_private { PRIVATE_TIMEOUT } else { PUBLIC_TIMEOUT };
        let port = endpoint.base.port();
        let tried = join_all(addresses.iter().map(async |ip| {
            let to = endpoint.web.routed(SocketAddr::new(*ip, port));
            matches!(timeout(patience, TcpStream::connect(to)).await, Ok(Ok(_)))
        }));
        let open = tried.await.into_iter().filter(|is_open| *is_open).count();
        let evidence = format!(
            "{}: {open} of {} addresses take connections on port {port} ({})",
            way.balancer,
            addresses.len(),
            listed(&addresses)
        );
        Ok(judge_reached(self.finding(), evidence, open, addresses.len(), is_private))
    }
}

/// Judges how many of a load balancer's addresses take connections.
fn judge_reached(finding: Finding, evidence: String, open: usize, all: usize, is_private: bool) -> Finding {
    if open == all {
        return finding.pass(evidence);
    }
    if open > 0 {
        return finding.found(Status::Warn, evidence).because(
            "one of its zones does not answer: a network ACL or a route of that subnet",
            "Compare the subnets' route tables and network ACLs.",
        );
    }
    if is_private {
        return finding.fail(
            evidence,
            "the load balancer is internal, and this machine is not in its network (or no rule of its security group \
             lets it in)",
            format!(
                "Run `deploy verify` inside the VPC (an instance, CloudShell in the VPC, a runner there), through a \
                 VPN, or give `{}` of what leads there (a tunnel, a proxy by HTTPS_PROXY).",
                flags::BASE_URL
            ),
        );
    }
    let found = finding.fail(
        evidence,
        "no rule of its security group lets this machine in, or its subnets have no route to an internet gateway",
        "`deploy diagnose`; look at load_balancer.ingress_cidrs and at network.public_subnets.",
    );
    found.healing()
}

/// Whether port 80 redirects.
pub struct Redirect;

#[async_trait(?Send)]
impl Check for Redirect {
    fn about(&self) -> &'static About {
        &About {
            id: "redirect",
            step: 4,
            title: "port 80 redirects to https",
            places: &[Place::At(Node::LoadBalancer)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        cx.has_way(|_, way| way.redirects)
    }

    fn turn(&self) -> Turn {
        Turn::IfGood(&ReachLoadBalancer)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (endpoint, way) = cx.way()?;
        let host = endpoint.base.host();
        let at = any_port(endpoint.addresses(way).await.unwrap_or_default());
        let answer = async {
            let client = endpoint.web.client(&endpoint.base, Some(&at))?;
            let sent = client.get(format!("http://{host}{VERSION}")).timeout(PUBLIC_TIMEOUT).send();
            sent.await.map_err(|error| why(&error))
        };
        let fix = "`deploy plan` shows the listener of port 80 and the rule of alb-sg; `deploy up` fixes them.";
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(why) => {
                let cause = "nothing listens on port 80, or no rule of the load balancer's security group opens it";
                return Ok(self.finding().fail(why, cause, fix));
            }
        };
        let status = answer.status().as_u16();
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        if matches!(status, 301 | 302 | 307 | 308) && to.starts_with("https://") {
            return Ok(self.finding().pass(format!("{status} to {to}")));
        }
        let cause = "port 80 answers itself instead of redirecting";
        Ok(self.finding().fail(format!("HTTP {status}"), cause, fix))
    }
}

/// Whether the service says its version through the load balancer.
pub struct Version;

#[async_trait(?Send)]
impl Check for Version {
    fn about(&self) -> &'static About {
        &About {
            id: "version",
            step: 7,
            title: "/api/version through the load balancer",
            places: &[Place::At(Node::Service), Place::WayTo(Node::Service)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn turn(&self) -> Turn {
        Turn::IfGood(&ReachLoadBalancer)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (endpoint, way) = cx.way()?;
        let at = any_port(endpoint.addresses(way).await.unwrap_or_default());
        let wanted = way.version.as_deref();
        Ok(endpoint.version(self.finding(), Some(&at), wanted, cx.wait()).await?)
    }
}

/// Whether a service that may be anybody's says its version.
pub struct VersionAlone;

#[async_trait(?Send)]
impl Check for VersionAlone {
    fn about(&self) -> &'static About {
        &About {
            id: "version",
            step: 7,
            title: "/api/version",
            places: &[Place::At(Node::Service), Place::WayTo(Node::Service)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        cx.endpoint().is_ok_and(|endpoint| endpoint.way.is_none())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        Ok(cx.endpoint()?.version(self.finding(), None, None, cx.wait()).await?)
    }
}

/// Any JSON with a good status; its fields are not documented, so it is shown whole.
fn judge_version(finding: Finding, answer: Result<serde_json::Value, String>, wanted: Option<&str>) -> Finding {
    match (answer, wanted) {
        (Err(why), _) if why.starts_with("HTTP") => {
            let may_heal = why.starts_with("HTTP 50");
            let found = finding.fail(
                why,
                "the load balancer or the API behind port 80 does not answer as it should",
                "`deploy diagnose`; healthy targets prove only that something answers on the health check's port.",
            );
            if may_heal { found.healing() } else { found }
        }
        (Err(why), _) => finding.fail(
            why,
            "no answer came: nothing listens there, it is not reached from here, or TLS was refused",
            "The checks before this one show which; `deploy diagnose` looks at the way behind it.",
        ),
        (Ok(version), Some(wanted)) if !says(&version, wanted) => finding.fail(
            version.to_string(),
            format!("verify.version wants {wanted}"),
            "Look at instance.image (`deploy up` rolls a changed one out), or correct verify.version.",
        ),
        (Ok(version), _) => finding.pass(version.to_string()),
    }
}

fn says(version: &serde_json::Value, wanted: &str) -> bool {
    match version {
        serde_json::Value::String(text) => text == wanted,
        serde_json::Value::Array(values) => values.iter().any(|value| says(value, wanted)),
        serde_json::Value::Object(fields) => fields.values().any(|value| says(value, wanted)),
        serde_json::Value::Number(number) => number.to_string() == wanted,
        _ => false,
    }
}

/// Loopback, RFC 1918, RFC 6598 and unique local addresses.
fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || (ip.octets()[0] == 100 && (ip.octets()[1] & 0xc0) == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback(),
    }
}

/// These addresses for a client, which adds the port of its URL.
fn any_port(addresses: Vec<IpAddr>) -> Vec<SocketAddr> {
    addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()
}

/// Addresses in a line.
pub fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}
