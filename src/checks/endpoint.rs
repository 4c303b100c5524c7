//! The checks that call the stack as its users do (guide steps 6 and 7): by the load balancer's own name first, so that
//! TLS and the service are judged before DNS, then by the record.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::certificate;
use super::found::{Found, timed};
use crate::clock::{Ended, Wait};
use crate::outcome::{Finding, Status};
use crate::oz::{BaseUrl, Service, Token, Web};
use crate::resolver::Dns;

/// A private address answers at once from inside its network, and never from outside.
const PRIVATE: Duration = Duration::from_secs(1);
const PUBLIC: Duration = Duration::from_secs(5);

/// Ways round an internal load balancer that cannot be reached from here.
const WAYS_ROUND: &str = "Run `deploy verify` inside the VPC (an instance, CloudShell in the VPC, a runner there), through a VPN, or give \
                          `--base-url` of what leads there (a tunnel, a proxy by HTTPS_PROXY).";

/// An endpoint, from the outside.
pub struct Endpoint<'a> {
    pub web: &'a Web,
    pub dns: Dns,
    /// The load balancer's own name.
    pub balancer: &'a str,
    /// `https://app.example.com`; the load balancer's own name without a record.
    pub base: BaseUrl,
    /// The record's name, and the name servers of its zone; none for a private zone.
    pub record: Option<(String, Vec<String>)>,
    /// Whether port 80 should redirect.
    pub redirects: bool,
    pub token: Option<Token>,
    /// What `/api/version` should say somewhere.
    pub version: Option<&'a str>,
    pub start: Instant,
    pub wait: Wait<'a>,
}

impl Endpoint<'_> {
    /// All of them, in the order in which a call meets them.
    ///
    /// # Errors
    /// The deadline passed, or somebody asked to stop.
    pub async fn checks(&self) -> Result<Vec<Found>, Ended> {
        let (direct, named) = tokio::join!(self.wait.within(self.direct()), self.wait.within(self.named()));
        Ok([direct??, named??].concat())
    }

    /// By the load balancer's own name.
    async fn direct(&self) -> Result<Vec<Found>, Ended> {
        let reach = Finding::new("reach_load_balancer", 6, "load balancer reached by its own name");
        let mut addresses = Vec::new();
        let reached = timed(self.start, async {
            match self.dns.addresses(self.balancer).await {
                Ok(found) => {
                    addresses = found;
                    self.reach(reach, &addresses).await
                }
                Err(why) => Found::healing(reach.fail(
                    format!("{}: {why}", self.balancer),
                    "a new load balancer's name takes a minute to be known; or this machine has no DNS",
                    "Wait; or look at `getent hosts` of the name.",
                )),
            }
        })
        .await;
        let good = reached.good();
        let mut checks = vec![reached];
        let at: Vec<SocketAddr> = addresses.iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
        if self.base.https() {
            let check = Finding::new("certificate", 4, "certificate");
            checks.push(
                self.unless(good, check, |check| async {
                    let to = self.web.routed(SocketAddr::new(addresses[0], self.base.port()));
                    Found::settled(certificate::judge(check, self.web.tls(), to, self.base.host()).await)
                })
                .await,
            );
        }
        if self.redirects {
            let check = Finding::new("redirect", 4, "port 80 redirects to https");
            checks.push(self.unless(good, check, |check| self.redirect(check, &at)).await);
        }
        let check = Finding::new("version", 7, "/api/version through the load balancer");
        let mut late = None;
        checks.push(
            self.unless(good, check, |check| async {
                let found = self.version(check, Some(&at)).await;
                found.unwrap_or_else(|(check, why)| {
                    late = Some(why);
                    Found::settled(check)
                })
            })
            .await,
        );
        late.map_or(Ok(checks), Err)
    }

    /// By the record.
    async fn named(&self) -> Result<Vec<Found>, Ended> {
        let Some((name, servers)) = &self.record else {
            return Ok(Vec::new());
        };
        let authoritative = timed(self.start, self.authoritative(name, servers)).await;
        let check = Finding::new("record_resolved", 7, "record as this machine's resolver sees it");
        let resolved = timed(self.start, async {
            match self.dns.addresses(name).await {
                Ok(found) => Found::settled(check.pass(listed(&found))),
                Err(why) => Found::healing(check.fail(
                    format!("{name}: {why}"),
                    match authoritative.check.status {
                        Status::Pass => "the zone's name servers answer; a resolver on the way still remembers that there was nothing",
                        _ => "the record is not there, or the zone is not delegated to Route 53",
                    },
                    "Wait for the negative answer to expire (the SOA's minimum, at most 15 minutes in Route 53), or ask another resolver.",
                )),
            }
        })
        .await;
        let check = Finding::new("reach_record", 7, "endpoint reached by the record");
        let good = resolved.good();
        let mut late = None;
        let reached = self
            .unless(good, check, |check| async {
                self.version(check, None).await.unwrap_or_else(|(check, why)| {
                    late = Some(why);
                    Found::settled(check)
                })
            })
            .await;
        late.map_or(Ok(vec![authoritative, resolved, reached]), Err)
    }

    async fn unless<F: Future<Output = Found>>(
        &self,
        reached: bool,
        check: Finding,
        carry_out: impl FnOnce(Finding) -> F,
    ) -> Found {
        match reached {
            true => timed(self.start, carry_out(check)).await,
            false => Found::settled(check.skip("what it needs failed")),
        }
    }

    async fn reach(&self, check: Finding, addresses: &[IpAddr]) -> Found {
        let private = addresses.iter().all(is_private);
        let patience = if private { PRIVATE } else { PUBLIC };
        let port = self.base.port();
        let tried = futures_util::future::join_all(addresses.iter().map(async |ip| {
            let to = self.web.routed(SocketAddr::new(*ip, port));
            matches!(timeout(patience, TcpStream::connect(to)).await, Ok(Ok(_)))
        }))
        .await;
        let open = tried.iter().filter(|open| **open).count();
        let evidence = format!(
            "{}: {} of {} addresses take connections on port {port} ({})",
            self.balancer,
            open,
            addresses.len(),
            listed(addresses)
        );
        if open == addresses.len() {
            return Found::settled(check.pass(evidence));
        }
        if open > 0 {
            let cause = "one of its zones does not answer: a network ACL or a route of that subnet";
            return Found::settled(
                check
                    .found(Status::Warn, evidence)
                    .because(cause, "Compare the subnets' route tables and network ACLs."),
            );
        }
        if private {
            return Found::settled(check.fail(evidence, "the load balancer is internal, and this machine is not in its network (or no rule of its security group lets it in)", WAYS_ROUND));
        }
        let cause =
            "no rule of its security group lets this machine in, or its subnets have no route to an internet gateway";
        Found::healing(check.fail(
            evidence,
            cause,
            "`deploy diagnose`; look at load_balancer.ingress_cidrs and at network.public_subnets.",
        ))
    }

    async fn version(&self, check: Finding, at: Option<&[SocketAddr]>) -> Result<Found, (Finding, Ended)> {
        let service = match Service::at(self.base.clone(), self.token.clone(), self.web, at) {
            Ok(service) => service,
            Err(why) => return Ok(Found::settled(check.found(Status::Unknown, why))),
        };
        match service.version(&self.wait).await {
            Err(late) => Err((check, late)),
            Ok(answer) => Ok(judge_version(check, answer, self.version)),
        }
    }

    async fn redirect(&self, check: Finding, at: &[SocketAddr]) -> Found {
        let host = self.base.host();
        let answer = async {
            let client = self.web.client(host, Some(at))?;
            let sent = client.get(format!("http://{host}/api/version")).timeout(PUBLIC).send();
            sent.await.map_err(|error| crate::oz::why(&error))
        };
        let mend = "`deploy plan` shows the listener of port 80 and the rule of alb-sg; `deploy up` mends them.";
        Found::settled(match answer.await {
            Err(why) => check.fail(
                why,
                "nothing listens on port 80, or no rule of the load balancer's security group opens it",
                mend,
            ),
            Ok(answer) => {
                let status = answer.status().as_u16();
                let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
                let secure = matches!(status, 301 | 302 | 307 | 308) && to.starts_with("https://");
                match secure {
                    true => check.pass(format!("{status} to {to}")),
                    false => {
                        check.fail(format!("HTTP {status}"), "port 80 answers itself instead of redirecting", mend)
                    }
                }
            }
        })
    }

    async fn authoritative(&self, name: &str, servers: &[String]) -> Found {
        let check = Finding::new("record_authoritative", 7, "record as the zone's name servers answer");
        if servers.is_empty() {
            return Found::settled(check.skip("a private zone answers only inside its VPCs"));
        }
        let answers = self.dns.authoritative(servers, name).await;
        let wrong: Vec<String> = answers
            .iter()
            .filter_map(|(server, answer)| answer.as_ref().err().map(|why| format!("{server}: {why}")))
            .collect();
        let right = answers.len() - wrong.len();
        if wrong.is_empty() {
            return Found::settled(check.pass(format!("{right} name servers answer")));
        }
        let blocked =
            right == 0 && wrong.iter().all(|why| !why.contains("no such name") && !why.contains("no A record"));
        if blocked {
            return Found::settled(check.found(Status::Warn, wrong.join("; ")).because(
                "this machine may not ask name servers itself (port 53 outwards)",
                "The next check tells what the resolver here sees.",
            ));
        }
        Found::healing(check.fail(
            wrong.join("; "),
            "Route 53 takes up to a minute to tell all its name servers of a new record",
            "Wait; `deploy plan` shows whether the record is there.",
        ))
    }
}

/// Any JSON with a good status; its fields are not documented, so it is shown whole.
pub fn judge_version(check: Finding, answer: Result<serde_json::Value, String>, wanted: Option<&str>) -> Found {
    match (answer, wanted) {
        (Err(why), _) if why.starts_with("HTTP") => {
            let heals = why.starts_with("HTTP 50");
            let check = check.fail(
                why,
                "the load balancer or the API behind port 80 does not answer as it should",
                "`deploy diagnose`; healthy targets prove only that something answers on the health check's port.",
            );
            Found { check, heals }
        }
        (Err(why), _) => Found::settled(check.fail(
            why,
            "no answer came: nothing listens there, it is not reached from here, or TLS was refused",
            "The checks before this one tell which; `deploy diagnose` looks at the way behind it.",
        )),
        (Ok(version), Some(wanted)) if !says(&version, wanted) => Found::settled(check.fail(
            version.to_string(),
            format!("verify.version wants {wanted}"),
            "Look at instance.image (`deploy up` rolls a changed one out), or correct verify.version.",
        )),
        (Ok(version), _) => Found::settled(check.pass(version.to_string())),
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

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}
