//! Whether the world is led to the zone's name servers: a hosted zone answers only whom its parent sends.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::addresses::beyond;
use super::check::{About, Asks, Check, CheckContext, Node, NotRun, Place, Ran, Verb};
use super::stack::unanswered;
use crate::outcome::{Finding, Status};
use crate::resolver;

/// Whether the zone is delegated to its own name servers.
pub struct Delegation;

#[async_trait(?Send)]
impl Check for Delegation {
    fn about(&self) -> &'static About {
        &About {
            id: "delegation",
            step: 7,
            title: "zone delegated to its name servers",
            places: &[Place::At(Node::DnsRecord)],
            verbs: &[Verb::Verify, Verb::Diagnose],
            asks: Asks::Service,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (name, (endpoint, way)) = (cx.record()?, cx.way()?);
        let (stack, finding) = (cx.stack()?, self.finding());
        let ours = match stack.name_servers().await {
            Ok(ours) => ours,
            Err(error) => return Ok(Finding { status: Status::Warn, ..unanswered(finding, &error) }),
        };
        let Some(zone) = stack.zone_name().filter(|_| !ours.is_empty()) else {
            return Ok(finding.skip("a private zone is delegated to nobody"));
        };
        let led = async { endpoint.delegated(way, zone).await };
        let (delegated, found, balancer) = tokio::join!(led, endpoint.record_at(way, name), endpoint.balancer_at(way));
        // Where the name leads to the load balancer, somebody asks the zone, whatever is said of it.
        let is_led = match (&found, &balancer) {
            (Ok(found), Ok(balancer)) => beyond(found, balancer).is_empty(),
            _ => false,
        };
        if let (Err(_), Ok(Some(proxy))) = (&found, endpoint.web.proxy(endpoint.base.https(), name)) {
            return Ok(finding.skip(format!("no name is known here; {proxy} looks them up itself")));
        }
        Ok(judge(finding, zone, ours, delegated, is_led))
    }
}

/// Whether the delegation is known to be wrong.
pub async fn has_failed(cx: &CheckContext<'_>) -> Result<bool, NotRun> {
    Ok(cx.finding(&Delegation).await?.status == Status::Fail)
}

/// Compares whom the world is sent to with the zone's own name servers. `is_led`: the name is known to lead here.
pub fn judge(finding: Finding, zone: &str, ours: &[String], delegated: &resolver::Delegation, is_led: bool) -> Finding {
    let fix = format!(
        "Name {} as the name servers of {zone} at its registrar, or in its parent zone; or set dns.zone to the id \
         of the hosted zone that is delegated.",
        ours.join(", ")
    );
    let named = |names: &[String]| names.join(", ");
    match delegated {
        resolver::Delegation::To(theirs) => {
            let (own, other) = (set(ours), set(theirs));
            let evidence = format!("{zone} is led to {}; the hosted zone's are {}", named(theirs), named(ours));
            if own.is_disjoint(&other) {
                let cause = "the zone's parent names other servers: another hosted zone of the same name, an older \
                             one, or another provider. Nobody asks this one";
                return if is_led {
                    finding.found(Status::Warn, evidence)
                } else {
                    finding.found(Status::Fail, evidence)
                }
                .because(cause, fix);
            }
            if !other.is_subset(&own) {
                let cause = "the zone's parent also names servers that are not the hosted zone's";
                return finding.found(Status::Warn, evidence).because(cause, fix);
            }
            finding.pass(named(theirs))
        }
        resolver::Delegation::Absent if is_led => {
            let evidence = format!("the resolver here knows no name servers of {zone}");
            let cause = "it answers the record all the same: it has this zone from somewhere else";
            finding.found(Status::Warn, evidence).because(cause, fix)
        }
        resolver::Delegation::Absent => {
            let evidence = format!("nobody is led to {zone}: its parent names no servers for it");
            let cause = "the hosted zone was made, and its domain's registrar or parent zone was not told";
            finding.fail(evidence, cause, fix)
        }
        resolver::Delegation::Unanswered(why) => {
            let status = if is_led { Status::Warn } else { Status::Unknown };
            let cause = "this machine's resolver does not say who is asked about the zone";
            finding.found(status, format!("{zone}: {why}")).because(cause, "`dig NS` of the zone shows it.")
        }
    }
}

fn set(names: &[String]) -> BTreeSet<String> {
    names.iter().map(|name| name.trim_end_matches('.').to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(delegated: &resolver::Delegation, is_led: bool) -> Status {
        let ours = ["ns-1.awsdns-01.org.".to_owned(), "ns-2.awsdns-02.net.".to_owned()];
        judge(Delegation.finding(), "example.com", &ours, delegated, is_led).status
    }

    #[test]
    fn a_delegation_is_compared_with_the_zones_own_servers() {
        let to = |names: &[&str]| resolver::Delegation::To(names.iter().map(|name| (*name).to_owned()).collect());
        let absent = resolver::Delegation::Absent;
        let silent = resolver::Delegation::Unanswered("refused".to_owned());
        let rows = [
            (to(&["ns-2.awsdns-02.NET", "ns-1.awsdns-01.org"]), false, Status::Pass),
            (to(&["ns-1.awsdns-01.org", "ns.other.example"]), false, Status::Warn),
            (to(&["ns.other.example"]), false, Status::Fail),
            (to(&["ns.other.example"]), true, Status::Warn),
            (absent.clone(), false, Status::Fail),
            (absent, true, Status::Warn),
            (silent.clone(), false, Status::Unknown),
            (silent, true, Status::Warn),
        ];
        for (delegated, is_led, status) in rows {
            assert_eq!(found(&delegated, is_led), status, "{delegated:?} {is_led}");
        }
    }
}
