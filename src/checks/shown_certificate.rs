//! The certificate that the load balancer shows: chain, name, days left.

use std::time::SystemTime;

use async_trait::async_trait;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Turn, Verb};
use super::reach::ReachLoadBalancer;
use crate::outcome::{Finding, Status};
use crate::oz::{NoAnswer, Stage};

/// ACM renews 60 days before the end: fewer than these mean that it could not.
const FEW_DAYS: i64 = 21;

/// Whether the load balancer shows a certificate that is trusted, covers the name and lasts.
pub struct ShownCertificate;

#[async_trait(?Send)]
impl Check for ShownCertificate {
    fn about(&self) -> &'static About {
        &About {
            id: "certificate",
            step: 4,
            title: "certificate",
            places: &[Place::At(Node::LoadBalancer)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        cx.has_way(|endpoint, _| endpoint.base.https())
    }

    fn turn(&self) -> Turn {
        Turn::IfGood(&ReachLoadBalancer)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (endpoint, way) = cx.way()?;
        let finding = self.finding();
        Ok(match endpoint.web.connect_tls(&endpoint.through(way)).await {
            Ok(stream) => shown(finding, stream.get_ref().1.peer_certificates().unwrap_or_default()),
            Err(NoAnswer { refusal: Some(refusal), .. }) => finding.fail(refusal.what, refusal.cause, refusal.fix),
            Err(error) if error.stage == Stage::Handshake => finding.fail(
                error.words,
                "no https listener, or no certificate on it: what takes the connection speaks no TLS",
                "`deploy plan` shows the listener.",
            ),
            Err(error) => finding.found(Status::Unknown, error.words),
        })
    }
}

fn shown(finding: Finding, chain: &[CertificateDer]) -> Finding {
    let Some(Ok((_, leaf))) = chain.first().map(|leaf| X509Certificate::from_der(leaf)) else {
        return finding.found(Status::Unknown, "the certificate cannot be read");
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let days = (leaf.validity().not_after.timestamp() - now) / 86_400;
    let evidence =
        format!("for {}; trusted; {} certificates sent; {days} days left", names(&leaf).join(", "), chain.len());
    if days >= FEW_DAYS {
        return finding.pass(evidence);
    }
    finding.found(Status::Warn, evidence).because(
        "ACM renews its own certificates 60 days before the end: this renewal has failed, or the certificate is an \
         imported one, which nobody renews",
        "`aws acm describe-certificate` shows which: mostly the validation record is missing; import a new one.",
    )
}

fn names(leaf: &X509Certificate) -> Vec<String> {
    let Ok(Some(names)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    let dns = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    dns.collect()
}
