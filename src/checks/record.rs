//! The checks of the DNS record: as the zone's own name servers answer, as this machine sees it, and what answers
//! there.

use async_trait::async_trait;

use super::check::{About, Asks, Check, CheckContext, Node, NotRun, Place, Ran, Turn, Verb};
use super::endpoint::listed;
use crate::outcome::Status;

impl CheckContext<'_> {
    /// The record's name.
    fn record(&self) -> Result<&str, NotRun> {
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
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (name, finding) = (cx.record()?, self.finding());
        let servers = cx.stack()?.name_servers().await;
        if servers.is_empty() {
            return Ok(finding.skip("a private zone answers only inside its VPCs"));
        }
        let answers = cx.endpoint()?.dns.authoritative(&servers, name).await;
        let wrong = answers.iter().filter_map(|(server, answer)| {
            let why = answer.as_ref().err()?;
            Some(format!("{server}: {why}"))
        });
        let wrong: Vec<String> = wrong.collect();
        let right = answers.len() - wrong.len();
        if wrong.is_empty() {
            return Ok(finding.pass(format!("{right} name servers answer")));
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
        Ok(found.healing())
    }
}

/// Whether this machine's resolver knows the record.
pub struct RecordResolved;

#[async_trait(?Send)]
impl Check for RecordResolved {
    fn about(&self) -> &'static About {
        &About {
            id: "record_resolved",
            step: 7,
            title: "record as this machine's resolver sees it",
            places: &[Place::At(Node::DnsRecord), Place::WayTo(Node::DnsRecord)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn turn(&self) -> Turn {
        Turn::After(&RecordAuthoritative)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let name = cx.record()?;
        let why = match cx.endpoint()?.dns.addresses(name).await {
            Ok(found) => return Ok(self.finding().pass(listed(&found))),
            Err(why) => why,
        };
        let cause = if cx.finding(&RecordAuthoritative).await?.status == Status::Pass {
            "the zone's name servers answer; a resolver on the way still remembers that there was nothing"
        } else {
            "the record is not there, or the zone is not delegated to Route 53"
        };
        let fix = "Wait for the negative answer to expire (the SOA's minimum, at most 15 minutes in Route 53), or ask \
                   another resolver.";
        Ok(self.finding().fail(format!("{name}: {why}"), cause, fix).healing())
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
        let (endpoint, way) = cx.way()?;
        Ok(endpoint.version(self.finding(), None, way.version.as_deref(), cx.wait()).await?)
    }
}
