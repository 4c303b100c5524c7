//! The checks of the DNS record: as the zone's own name servers answer, as this machine sees it, and what answers
//! there. Load balancer, zone and resolver are compared: a name that answers may be somebody else's.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use super::addresses::beyond;
use super::check::{About, Asks, Check, CheckContext, Node, NotRun, Place, Ran, Turn, Verb};
use super::delegation::has_failed;
use super::endpoint::{Endpoint, SETTLES, Way, listed};
use super::stack::unanswered;
use super::version::asked;
use crate::flags;
use crate::outcome::{Finding, Status};

/// Route 53 passes a record on within a minute (developer guide, "Checking the status of your changes").
const PASSED_ON: Duration = Duration::from_secs(90);

impl CheckContext<'_> {
    /// The record's name.
    pub(super) fn record(&self) -> Result<&str, NotRun> {
        self.way()?.1.record.as_deref().ok_or(NotRun::DoesNotApply)
    }
}

/// Whether every name server of the zone knows the record.
pub struct RecordAuthoritative;

#[async_trait(?Send)]
impl Check for RecordAuthoritative {
    fn about(&self) -> &'static About {
        &About {
            id: "record_authoritative",
            step: 7,
            title: "record as the zone's name servers answer",
            places: &[Place::At(Node::DnsRecord)],
            verbs: &[Verb::Verify, Verb::Diagnose],
            asks: Asks::Service,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (name, finding) = (cx.record()?, self.finding());
        let servers = match cx.stack()?.name_servers().await {
            Ok(servers) => servers,
            Err(error) => return Ok(Finding { status: Status::Warn, ..unanswered(finding, &error) }),
        };
        if servers.is_empty() {
            return Ok(finding.skip("a private zone answers only inside its VPCs"));
        }
        let (endpoint, way) = cx.way()?;
        let answers = endpoint.zone_says(way, servers, name).await;
        let wrong = answers.iter().filter_map(|(server, answer)| {
            let why = answer.as_ref().err()?;
            Some(format!("{server}: {why}"))
        });
        let wrong: Vec<String> = wrong.collect();
        let right = answers.len() - wrong.len();
        if wrong.is_empty() {
            return Ok(finding.pass(format!("{right} name servers answer {}", listed(&known(answers)))));
        }
        let is_denial = |why: &String| why.contains("no such name") || why.contains("no A record");
        if right == 0 && !wrong.iter().any(is_denial) {
            return Ok(finding.found(Status::Warn, wrong.join("; ")).because(
                "this machine may not ask name servers itself (port 53 outwards)",
                "The next check shows what the resolver here sees.",
            ));
        }
        let found = finding.fail(
            wrong.join("; "),
            "Route 53 takes up to a minute to pass a new record on to all its name servers",
            "Wait; `deploy plan` shows whether the record is there.",
        );
        Ok(found.settling(PASSED_ON))
    }
}

/// What those of a zone's name servers that answer say.
fn known(answers: &[(String, Result<Vec<IpAddr>, String>)]) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> =
        answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).flatten().copied().collect();
    all.sort();
    all.dedup();
    all
}

/// Whether this machine's resolver leads the record's name to this load balancer.
pub struct RecordResolved;

#[async_trait(?Send)]
impl Check for RecordResolved {
    fn about(&self) -> &'static About {
        &About {
            id: "record_resolved",
            step: 7,
            title: "record as this machine's resolver sees it",
            places: &[Place::At(Node::DnsRecord), Place::WayTo(Node::DnsRecord)],
            verbs: &[Verb::Verify, Verb::Diagnose],
            asks: Asks::Service,
        }
    }

    fn turn(&self) -> Turn {
        Turn::After(&RecordAuthoritative)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (name, (endpoint, way)) = (cx.record()?, cx.way()?);
        let servers = cx.stack()?.name_servers().await.unwrap_or_default();
        let zone = if servers.is_empty() { Vec::new() } else { known(endpoint.zone_says(way, servers, name).await) };
        match endpoint.record_at(way, name).await {
            Ok(found) => Ok(self.compared(endpoint, way, (&found, &zone)).await),
            Err(why) => self.unresolved(cx, (name, &why), &zone).await,
        }
    }
}

impl RecordResolved {
    /// The load balancer's addresses change, and its name is asked beside the record's: what is not among them may have
    /// been a moment ago.
    async fn compared(&self, endpoint: &Endpoint<'_>, way: &Way, (found, zone): (&[IpAddr], &[IpAddr])) -> Finding {
        let finding = self.finding();
        let balancer = endpoint.balancer_at(way).await.unwrap_or_default();
        if balancer.is_empty() && zone.is_empty() {
            let cause = "there is nothing to compare it with: neither the load balancer's name nor the zone's name \
                         servers answer here";
            return finding
                .found(Status::Unknown, listed(found))
                .because(cause, "Look at `getent hosts` of both names.");
        }
        let all: Vec<IpAddr> = balancer.iter().chain(zone).copied().collect();
        let elsewhere = beyond(found, &all);
        if elsewhere.is_empty() {
            return finding.pass(format!("{}: the load balancer", listed(found)));
        }
        let side = |what: &str, at: &[IpAddr]| match at {
            [] => format!("{what}: no answer"),
            at => format!("{what}: {}", listed(at)),
        };
        let evidence = format!(
            "the resolver here: {}; {}; {}",
            listed(found),
            side("the load balancer", &balancer),
            side("the zone's name servers", zone)
        );
        if elsewhere.len() < found.len() {
            let cause = "some of its addresses are not the load balancer's now: it has just changed them, or the name \
                         also leads elsewhere";
            return finding.found(Status::Warn, evidence).because(cause, "Look again in a minute.");
        }
        let cause = format!(
            "the name leads elsewhere from here: a line in /etc/hosts, a private zone of this name, another resolver's \
             own answer, or one that it remembers; what answers at {} is not this stack",
            listed(&elsewhere)
        );
        let fix = format!(
            "`getent hosts` and `dig` of the name tell which; {} HOST:PORT leads to the stack whatever names say.",
            flags::CONNECT_TO
        );
        finding.fail(evidence, cause, fix).settling(SETTLES)
    }

    /// Nobody here knows the name: why, as far as the zone and its delegation tell.
    async fn unresolved(&self, cx: &CheckContext<'_>, (name, why): (&str, &str), zone: &[IpAddr]) -> Ran {
        let (endpoint, _) = cx.way()?;
        let (finding, evidence) = (self.finding(), format!("{name}: {why}"));
        if let Ok(Some(proxy)) = endpoint.web.proxy(endpoint.base.https(), name) {
            return Ok(finding.skip(format!("{evidence}; {proxy} looks names up itself")));
        }
        if has_failed(cx).await? {
            let cause = "the zone is not delegated to its name servers: see the check of the delegation";
            return Ok(finding.fail(evidence, cause, "Repair the delegation first."));
        }
        let is_answered = cx.finding(&RecordAuthoritative).await?.status == Status::Pass;
        let is_private = !zone.is_empty() && zone.iter().all(super::reach::is_private);
        let cause = match (is_answered, is_private) {
            (true, true) => {
                "the zone's name servers answer with private addresses: a resolver on the way drops such answers \
                 (protection against rebinding), or still remembers that there was nothing, or does not answer at all"
            }
            (true, false) => {
                "the zone's name servers answer: a resolver on the way still remembers that there was nothing, or does \
                 not answer, or a private zone of this name is in the way"
            }
            (false, _) => "the record is not there (yet); or the zone is not delegated to Route 53",
        };
        let fix = "Compare `dig` of the name with `dig @1.1.1.1`. A negative answer expires with the SOA's minimum, at \
                   most 15 minutes in Route 53.";
        Ok(finding.fail(evidence, cause, fix).healing())
    }
}

/// Whether the service says its version by the record.
pub struct ReachRecord;

#[async_trait(?Send)]
impl Check for ReachRecord {
    fn about(&self) -> &'static About {
        &About {
            id: "reach_record",
            step: 7,
            title: "endpoint reached by the record",
            places: &[Place::WayTo(Node::Service)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn turn(&self) -> Turn {
        Turn::IfGood(&RecordResolved)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (_, (endpoint, way)) = (cx.record()?, cx.way()?);
        if let Some((host, port)) = endpoint.tunnel(way) {
            return Ok(self.finding().skip(format!("everything goes to {host}:{port} ({})", flags::CONNECT_TO)));
        }
        Ok(asked(self.finding(), endpoint, endpoint.base.clone(), way.version.as_deref(), cx.wait()).await?)
    }
}
