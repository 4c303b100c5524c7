//! The certificate that the load balancer shows: chain, name, days left.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Turn, Verb};
use super::endpoint::ReachLoadBalancer;
use crate::flags;
use crate::outcome::{Finding, Status};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
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
        let (finding, host) = (self.finding(), endpoint.base.host());
        let Some(address) = endpoint.addresses(way).await.unwrap_or_default().first().copied() else {
            return Ok(finding.found(Status::Unknown, format!("{} has no address", way.balancer)));
        };
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            return Ok(finding.found(Status::Unknown, format!("{host} is no name of a server")));
        };
        let to = endpoint.web.routed(SocketAddr::new(address, endpoint.base.port()));
        let handshake = timeout(HANDSHAKE_TIMEOUT, async {
            let stream = TcpStream::connect(to).await?;
            TlsConnector::from(Arc::new(endpoint.web.tls())).connect(name, stream).await
        });
        Ok(match handshake.await {
            Err(_) => finding.fail(
                "no handshake within 5 s",
                "something takes connections and speaks no TLS",
                "`deploy plan` shows the listener.",
            ),
            Ok(Err(error)) => refused(finding, &error, host),
            Ok(Ok(stream)) => shown(finding, stream.get_ref().1.peer_certificates().unwrap_or_default()),
        })
    }
}

fn refused(finding: Finding, error: &std::io::Error, host: &str) -> Finding {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let words = tls.map_or_else(|| error.to_string(), Error::to_string);
    let Some(Error::InvalidCertificate(why)) = tls else {
        let cause = "the connection was closed in the handshake: no https listener, or no certificate on it";
        return finding.fail(words, cause, "`deploy plan` shows the listener.");
    };
    match why {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => finding.fail(
            words,
            format!("the certificate does not cover {host}"),
            "Set load_balancer.certificate to one that does (a wildcard covers exactly one label), and run \
             `deploy up`.",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => finding.fail(
            words,
            "it has expired: ACM could not renew it, mostly for a missing validation record",
            "`aws acm describe-certificate` shows the record that is missing.",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            finding.fail(words, "it is not valid yet, or this machine's clock is wrong", "Look at `date`.")
        }
        CertificateError::UnknownIssuer => finding.fail(
            words,
            "its issuer is not trusted here: a private authority, or something on the way that opens TLS",
            format!("{} FILE (or SSL_CERT_FILE) names the authority.", flags::CA_FILE),
        ),
        _ => finding.fail(words, "it was refused", "Look at it with `openssl s_client`."),
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
        "ACM renews 60 days before the end, and has not",
        "`aws acm describe-certificate` shows why: mostly its validation record is missing.",
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
