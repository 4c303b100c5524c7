//! The certificate that the load balancer shows: chain, name, days left.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::{CertificateError, ClientConfig, Error};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::outcome::{Finding, Status};

const PATIENCE: Duration = Duration::from_secs(5);
/// ACM renews 60 days before the end: fewer than these mean that it could not.
const FEW_DAYS: i64 = 21;

/// Shakes hands at `to` for `host` and judges what is shown.
pub async fn judge(check: Finding, trust: ClientConfig, to: SocketAddr, host: &str) -> Finding {
    let Ok(name) = ServerName::try_from(host.to_owned()) else {
        return check.found(Status::Unknown, format!("{host} is no name of a server"));
    };
    let shaken = timeout(PATIENCE, async {
        let stream = TcpStream::connect(to).await?;
        TlsConnector::from(Arc::new(trust)).connect(name, stream).await
    })
    .await;
    match shaken {
        Err(_) => check.fail(
            "no handshake within 5 s",
            "something takes connections and speaks no TLS",
            "`deploy plan` shows the listener.",
        ),
        Ok(Err(error)) => refused(check, &error, host),
        Ok(Ok(stream)) => shown(check, stream.get_ref().1.peer_certificates().unwrap_or_default()),
    }
}

fn refused(check: Finding, error: &std::io::Error, host: &str) -> Finding {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let (cause, fix) = match tls {
        Some(Error::InvalidCertificate(why)) => match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                format!("the certificate does not cover {host}"),
                "Set load_balancer.certificate to one that does (a wildcard covers exactly one label), and run `deploy up`.",
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "it has expired: ACM could not renew it, mostly for a missing validation record".to_owned(),
                "`aws acm describe-certificate` shows the record that is missing.",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ("it is not valid yet, or this machine's clock is wrong".to_owned(), "Look at `date`.")
            }
            CertificateError::UnknownIssuer => (
                "nobody here trusts its issuer: a private authority, or something between that breaks TLS open"
                    .to_owned(),
                "--ca-file FILE (or SSL_CERT_FILE) names the authority.",
            ),
            _ => ("it was refused".to_owned(), "Look at it with `openssl s_client`."),
        },
        _ => (
            "the connection was closed in the handshake: no https listener, or no certificate on it".to_owned(),
            "`deploy plan` shows the listener.",
        ),
    };
    let words = tls.map_or_else(|| error.to_string(), Error::to_string);
    check.fail(words, cause, fix)
}

fn shown(check: Finding, chain: &[CertificateDer]) -> Finding {
    let Some(Ok((_, leaf))) = chain.first().map(|leaf| X509Certificate::from_der(leaf)) else {
        return check.found(Status::Unknown, "the certificate cannot be read");
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let days = (leaf.validity().not_after.timestamp() - now) / 86_400;
    let evidence =
        format!("for {}; trusted; {} certificates sent; {days} days left", names(&leaf).join(", "), chain.len());
    match days < FEW_DAYS {
        true => check.found(Status::Warn, evidence).because(
            "ACM renews 60 days before the end, and has not",
            "`aws acm describe-certificate` shows why: mostly its validation record is missing.",
        ),
        false => check.pass(evidence),
    }
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
