//! What clients meet first: the certificate, and the zone of the record.

use async_trait::async_trait;

use super::{about, touches};
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::stack::{is_private, unanswered};
use crate::checks::{delegation, issued_certificate};
use crate::config::Scheme;
use crate::engine::Resource;
use crate::outcome::{Finding, Status};
use crate::steps::dns_record::DnsRecord;
use crate::steps::load_balancer::Listener;

/// Whether the listener can show the certificate, and clients will take it.
pub struct UsableCertificate;

#[async_trait(?Send)]
impl Check for UsableCertificate {
    fn about(&self) -> &'static About {
        const { &about("usable_certificate", 4, "the certificate can be used") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches(cx, &[Listener::<443>::CERTIFICATE.0])
            && cx.stack().is_ok_and(|stack| certificate(stack.site).is_some())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let Some(arn) = certificate(stack.site) else { return Ok(finding.skip("none is wanted")) };
        let judged = issued_certificate::judge(stack, finding.clone(), arn).await;
        Ok(judged.unwrap_or_else(|error| unanswered(finding, &error)))
    }
}

fn certificate(site: Option<&crate::site::Site>) -> Option<&str> {
    site.map(|site| site.certificate.as_str()).filter(|arn| !arn.is_empty())
}

/// Whether the zone is asked by those who are to find the load balancer.
pub struct ZoneFits;

#[async_trait(?Send)]
impl Check for ZoneFits {
    fn about(&self) -> &'static About {
        const { &about("zone_fits", 7, "the zone fits the load balancer") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_record(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let zone = match stack.hosted_zone().await {
            Ok(Some(zone)) => zone,
            Ok(None) => return Ok(finding.skip("there is no record")),
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let (vpc, name) = (&stack.config.network.vpc, stack.zone_name().unwrap_or_default());
        let scheme = stack.config.load_balancer.scheme;
        if !is_private(zone) {
            let evidence = format!("{name} is public, the load balancer {}", word(scheme));
            return Ok(match scheme {
                Scheme::InternetFacing => finding.pass(evidence),
                Scheme::Internal => finding.found(Status::Warn, evidence).because(
                    "everybody can read its private addresses, and resolvers that guard against rebinding hide them",
                    "That may be meant. A private zone of the same name, associated with the VPC, keeps them inside.",
                ),
            });
        }
        let evidence = format!("{name} is private, the load balancer {}", word(scheme));
        if !zone.vpcs().iter().any(|one| one.vpc_id() == Some(vpc)) {
            let id = stack.site.and_then(|site| site.zone.as_ref()).map(|zone| zone.id.as_str()).unwrap_or_default();
            let fix = format!(
                "`aws route53 associate-vpc-with-hosted-zone --hosted-zone-id {id} --vpc VPCRegion={},VPCId={vpc}`",
                stack.cloud.region
            );
            let cause = "who asks from the load balancer's own VPC does not find the name";
            return Ok(finding.found(Status::Warn, format!("{name} is not associated with {vpc}")).because(cause, fix));
        }
        Ok(match scheme {
            Scheme::Internal => finding.pass(format!("{evidence}, and associated with {vpc}")),
            Scheme::InternetFacing => finding.found(Status::Warn, evidence).because(
                "nobody outside the zone's VPCs finds the name of a load balancer that is for everybody",
                "Set dns.zone to the public zone's id, or load_balancer.scheme to internal.",
            ),
        })
    }
}

fn word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Internal => "internal",
        Scheme::InternetFacing => "internet-facing",
    }
}

fn touches_record(cx: &CheckContext<'_>) -> bool {
    touches(cx, &[DnsRecord::KEY]) && cx.stack().is_ok_and(|stack| stack.site.is_some_and(|site| site.zone.is_some()))
}

/// Whether the world is sent to the zone's name servers.
pub struct ZoneDelegated;

#[async_trait(?Send)]
impl Check for ZoneDelegated {
    fn about(&self) -> &'static About {
        const { &about("zone_delegated", 7, "the world is sent to the zone") }
    }

    /// The sandbox's names exist nowhere else.
    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_record(cx) && cx.stack().is_ok_and(|stack| stack.cloud.dns.is_some())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let ours = match stack.name_servers().await {
            Ok(ours) => ours,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let (Some(zone), Some(dns)) = (stack.zone_name().filter(|_| !ours.is_empty()), &stack.cloud.dns) else {
            return Ok(finding.skip("a private zone is delegated to nobody"));
        };
        let judged = delegation::judge(finding, zone, ours, &dns.name_servers(zone).await, false);
        // The stack can be made without it, and this machine may be the only one that sees it so.
        Ok(match judged.status {
            Status::Fail => Finding { status: Status::Warn, ..judged },
            _ => judged,
        })
    }
}
