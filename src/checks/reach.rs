//! Whether the load balancer is reached by its own name (guide step 6), so that the network is judged before DNS and
//! before the service.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Turn, Verb};
use super::endpoint::{Endpoint, SETTLES, Way, listed};
use crate::flags;
use crate::outcome::{Finding, Status};
use crate::oz::{BaseUrl, VERSION, get};

/// A private address answers at once from inside its network, and never from outside.
const PRIVATE_TIMEOUT: Duration = Duration::from_secs(1);
const PUBLIC_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a new load balancer's name may be unknown.
const NAME_KNOWN: Duration = Duration::from_mins(2);

const REDIRECT_FIX: &str =
    "`deploy plan` shows the listener of port 80 and the rule of alb-sg; `deploy up` fixes them.";

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
        if let Some((host, port)) = endpoint.tunnel(way) {
            return Ok(tunnelled(self.finding(), endpoint, &format!("{host}:{port}")).await);
        }
        match endpoint.web.proxy(endpoint.base.https(), &way.balancer) {
            Ok(None) => Ok(direct(self.finding(), endpoint, way).await),
            Ok(Some(_)) => Ok(proxied(self.finding(), endpoint, way).await),
            Err(refused) => {
                let cause = "connections from here go through a proxy that this program cannot use";
                Ok(self.finding().found(Status::Unknown, refused.what).because(cause, refused.cure))
            }
        }
    }
}

async fn tunnelled(finding: Finding, endpoint: &Endpoint<'_>, to: &str) -> Finding {
    match endpoint.web.reach(&endpoint.base).await {
        Ok(_) => finding.pass(format!("{} {to} takes connections; its own name was not tried", flags::CONNECT_TO)),
        Err(error) => finding.fail(
            format!("{} {to}: {error}", flags::CONNECT_TO),
            "the tunnel is not open, or does not begin there",
            "Open it, and name where it begins.",
        ),
    }
}

async fn proxied(finding: Finding, endpoint: &Endpoint<'_>, way: &Way) -> Finding {
    let through = endpoint.through(way);
    match endpoint.web.reach(&through).await {
        Ok(Some(proxy)) => finding.pass(format!(
            "{}:{} through {proxy}; its addresses were not tried one by one",
            way.balancer,
            through.port()
        )),
        Ok(None) => finding.pass(format!("{}:{}", way.balancer, through.port())),
        Err(error) => finding.found(Status::Unknown, format!("{}: {error}", way.balancer)).because(
            "a proxy stands between this machine and the load balancer, and does not lead there: whether it takes \
             connections cannot be seen from here",
            format!(
                "Let the proxy lead to that name; or list it in NO_PROXY, where a direct way exists; or give a tunnel \
                 with {} HOST:PORT.",
                flags::CONNECT_TO
            ),
        ),
    }
}

/// Why an address does not take a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Refused,
    NoRoute,
    Silent,
}

async fn direct(finding: Finding, endpoint: &Endpoint<'_>, way: &Way) -> Finding {
    let addresses = match endpoint.balancer_at(way).await {
        Ok(addresses) => addresses,
        Err(why) => {
            let evidence = format!("{}: {why}", way.balancer);
            let cause = "a new load balancer's name takes a minute to be known; or this machine has no DNS";
            return finding.fail(evidence, cause, "Wait; or look at `getent hosts` of the name.").settling(NAME_KNOWN);
        }
    };
    let is_private = addresses.iter().all(is_private);
    let patience = if is_private { PRIVATE_TIMEOUT } else { PUBLIC_TIMEOUT };
    let port = endpoint.base.port();
    let tried = join_all(addresses.iter().map(async |ip| {
        let to = endpoint.web.routed(SocketAddr::new(*ip, port));
        let closed = match timeout(patience, TcpStream::connect(to)).await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Closed::Refused,
            Ok(Err(error)) if is_no_route(error.kind()) => Closed::NoRoute,
            _ => Closed::Silent,
        };
        Some((*ip, closed))
    }));
    let closed: Vec<(IpAddr, Closed)> = tried.await.into_iter().flatten().collect();
    let dead: Vec<IpAddr> = closed.iter().map(|(ip, _)| *ip).collect();
    let open = addresses.len() - dead.len();
    let mut evidence = format!(
        "{}: {open} of {} addresses take connections on port {port} ({})",
        way.balancer,
        addresses.len(),
        listed(&addresses)
    );
    if open > 0 && !dead.is_empty() {
        evidence += &format!("; not {}", listed(&dead));
    }
    let kinds: Vec<Closed> = closed.iter().map(|(_, closed)| *closed).collect();
    judge(finding, evidence, open, &kinds, is_private)
}

fn is_no_route(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::AddrNotAvailable)
}

/// Judges how many of a load balancer's addresses take connections.
fn judge(finding: Finding, evidence: String, open: usize, closed: &[Closed], is_private: bool) -> Finding {
    if closed.is_empty() {
        return finding.pass(evidence);
    }
    if open > 0 {
        return finding.found(Status::Warn, evidence).because(
            "one of its zones does not answer: a network ACL or a route of that subnet",
            "Compare the subnets' route tables and network ACLs.",
        );
    }
    let all = |kind: Closed| closed.iter().all(|one| *one == kind);
    if all(Closed::Refused) {
        let cause = "an address that is reached refuses the port: no listener is there yet, or something on the way \
                     answers in its place";
        return finding.fail(evidence, cause, "`deploy plan` shows whether a listener is missing.").settling(SETTLES);
    }
    if is_private {
        let cause = if all(Closed::NoRoute) {
            "the load balancer is internal, and this machine has no route to its network"
        } else {
            "the load balancer is internal, and this machine is not in its network (or no rule of its security group \
             lets it in)"
        };
        return finding.found(Status::Unknown, evidence).because(
            cause,
            format!(
                "Run `deploy verify` inside the VPC (an instance, CloudShell in the VPC, a runner there) or through a \
                 VPN; or give the beginning of a tunnel that leads there with `{} localhost:8443`, or a proxy with \
                 HTTPS_PROXY.",
                flags::CONNECT_TO
            ),
        );
    }
    if all(Closed::NoRoute) {
        return finding.found(Status::Unknown, evidence).because(
            "this machine has no route to these addresses: no network, or none of their kind (IPv4, IPv6)",
            "Look at `ip route`; where only a proxy leads out, name it with HTTPS_PROXY.",
        );
    }
    let found = finding.fail(
        evidence,
        "no rule of its security group lets this machine in; or its subnets have no route to an internet gateway; or \
         this machine's own network lets nothing out",
        "`deploy diagnose`; look at load_balancer.ingress_cidrs and at network.public_subnets; try `curl \
         https://checkip.amazonaws.com` from here.",
    );
    found.settling(SETTLES)
}

/// Whether only https has a proxy towards the load balancer.
fn is_proxied(endpoint: &Endpoint<'_>, way: &Way) -> bool {
    let has = |https| endpoint.web.proxy(https, &way.balancer).is_ok_and(|proxy| proxy.is_some());
    has(true) && !has(false)
}

/// Loopback, RFC 1918, RFC 6598 and unique local addresses; an IPv4 address within an IPv6 one counts as itself.
pub(super) fn is_private(ip: &IpAddr) -> bool {
    match super::addresses::embedded(*ip) {
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || (ip.octets()[0] == 100 && (ip.octets()[1] & 0xc0) == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback(),
    }
}

/// Judges where port 80 leads: to the same name, or it is not this stack's listener that answers.
fn redirected(finding: Finding, host: &str, status: u16, to: &str) -> Finding {
    let is_redirect = matches!(status, 301 | 302 | 307 | 308);
    let target = Url::parse(to).ok().filter(|to| is_redirect && to.scheme() == "https");
    match target.as_ref().and_then(Url::host_str) {
        Some(name) if name.eq_ignore_ascii_case(host) => finding.pass(format!("{status} to {to}")),
        Some(_) => {
            let cause = "it leads to another name: the listener was changed, a rule of it answers first, or something \
                         on the way (a portal, a proxy) answers in its place";
            finding.fail(format!("HTTP {status} to {to}"), cause, REDIRECT_FIX)
        }
        None => finding.fail(format!("HTTP {status}"), "port 80 answers itself instead of redirecting", REDIRECT_FIX),
    }
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
        if endpoint.tunnel(way).is_some() {
            return Ok(self.finding().skip("a tunnel leads to one port only"));
        }
        let Ok(plain) = BaseUrl::parse(&format!("http://{}", endpoint.base.host()), true) else {
            return Ok(self.finding().found(Status::Unknown, "the endpoint's name is no name of a host"));
        };
        // Without the token: this goes out in clear text.
        let asked = timeout(PUBLIC_TIMEOUT, get(endpoint.web, &plain.via(&way.balancer), VERSION, None)).await;
        let why = match asked {
            Ok(Ok(answer)) => {
                let (status, to) = (answer.status.as_u16(), answer.location.as_deref().unwrap_or("nowhere"));
                return Ok(redirected(self.finding(), endpoint.base.host(), status, to));
            }
            Ok(Err(error)) if error.is_unreached() && is_proxied(endpoint, way) => {
                return Ok(self
                    .finding()
                    .skip(format!("plain http goes through no proxy here, and there is no other way: {error}")));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PUBLIC_TIMEOUT.as_secs()),
        };
        let cause = "nothing listens on port 80, or no rule of the load balancer's security group opens it; or a \
                     firewall on the way lets no plain http through";
        Ok(self.finding().fail(why, cause, REDIRECT_FIX))
    }
}
