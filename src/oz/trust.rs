//! Whom TLS trusts: the system's authorities, a private one's file, and a server's own certificate that was given.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Refused, file};
use crate::flags;
use crate::text;

/// The system's authorities (or those of `SSL_CERT_FILE`), and a private one's file.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn system(ca_file: Option<&Path>) -> Result<ClientConfig, Refused> {
    let mut given = rustls_native_certs::load_native_certs().certs;
    if let Some(path) = ca_file {
        let cure = format!("{} names a file of certificates in PEM.", flags::CA_FILE);
        let pem = file::read(path, &cure)?;
        let is_der = X509Certificate::from_der(&pem).is_ok();
        if is_der {
            let cure = "`openssl x509 -inform der -in FILE` prints it in PEM.";
            return Err(Refused::new(format!("{}: it is in DER, not in PEM", path.display()), cure));
        }
        let pem = text::utf8(&pem).map_err(|why| file::refused(path, &why))?;
        let added = certificates(pem.as_bytes());
        given.extend(added.map_err(|why| Refused::new(format!("{}: {why}", path.display()), cure))?);
    }
    Ok(trusting(given))
}

/// Only this authority, in PEM.
///
/// # Errors
/// It is no certificate.
pub fn only(authority: &str) -> Result<ClientConfig, String> {
    Ok(trusting(certificates(authority.as_bytes())?))
}

/// The certificates of a file in PEM.
///
/// # Errors
/// There is none, or one cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = text::certificates(pem)?;
    let is_one = |der: &CertificateDer<'_>| X509Certificate::from_der(der).is_ok();
    if found.iter().all(is_one) { Ok(found) } else { Err("one of its certificates cannot be read".to_owned()) }
}

fn trusting(given: Vec<CertificateDer<'static>>) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(given.iter().cloned());
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().ok();
    let trust = Trust { authorities, given, provider: Arc::clone(&provider) };
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .dangerous() // only in what is trusted: names, dates and signatures are checked
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth()
}

/// Authorities, and servers' own certificates byte for byte, as curl takes them: `openssl req -x509` makes one that is
/// an authority and a server's at once.
#[derive(Debug)]
struct Trust {
    /// `None`: there is no authority at all.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(leaf, chain, name, ocsp, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        match judged {
            Err(_) if self.given.iter().any(|one| one == leaf) => itself(leaf, name, now),
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Err(untrusted(leaf, chain.len(), self.authorities.is_none()))
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A certificate that was given itself: who issued it does not matter, its name and its dates do.
fn itself(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<ServerCertVerified, Error> {
    let unreadable = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(unreadable)?;
    let now = now.as_secs() as i64;
    if now > parsed.validity().not_after.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    if now < parsed.validity().not_before.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    // Only where it names no host otherwise, as curl does.
    let by_common_name = matches!(parsed.subject_alternative_name(), Ok(None))
        && common_name(&parsed).is_some_and(|common| common.eq_ignore_ascii_case(&name.to_str()));
    if !by_common_name {
        verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
    }
    Ok(ServerCertVerified::assertion())
}

fn common_name<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a str> {
    certificate.subject().iter_common_name().next()?.as_str().ok()
}

/// Nobody who is trusted issued a certificate: what is known of it.
#[derive(Debug, thiserror::Error)]
#[error("it is not trusted: issued by {issuer}")]
struct Untrusted {
    issuer: String,
    is_self_signed: bool,
    /// Certificates that came with it.
    intermediates: usize,
    /// This machine trusts nobody at all.
    nobody: bool,
}

fn untrusted(leaf: &CertificateDer<'_>, intermediates: usize, nobody: bool) -> Error {
    let parsed = X509Certificate::from_der(leaf).ok();
    let issuer = parsed.as_ref().map_or_else(|| "nobody".to_owned(), |(_, leaf)| leaf.issuer().to_string());
    let is_self_signed = parsed.is_some_and(|(_, leaf)| leaf.issuer() == leaf.subject());
    let why = Untrusted { issuer, is_self_signed, intermediates, nobody };
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
}

/// Why a handshake failed, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub what: String,
    /// Why.
    pub cause: String,
    /// What to do.
    pub fix: String,
}

impl Refusal {
    /// Of a handshake with this host.
    pub fn of(error: &Error, host: &str) -> Refusal {
        let Error::InvalidCertificate(why) = error else {
            return Refusal::new(
                format!("the TLS handshake failed: {error}"),
                "what answers there speaks no TLS that is spoken here, or closed the connection",
                format!("Look at it with `openssl s_client -connect {host}:443`."),
            );
        };
        match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Refusal::new(
                error.to_string(),
                format!("the certificate does not cover {host} (names in its common name alone do not count)"),
                "Set load_balancer.certificate to one that does (a wildcard covers exactly one label), and run \
                 `deploy up`.",
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Refusal::new(
                error.to_string(),
                "it has expired (ACM could not renew it, mostly for a missing validation record), or this machine's \
                 clock is wrong",
                "`aws acm describe-certificate` shows the record that is missing; `date` shows the clock.",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Refusal::new(
                error.to_string(),
                "it is not valid yet, or this machine's clock is wrong",
                "Look at `date`.",
            ),
            CertificateError::Other(OtherError(other)) => match other.downcast_ref::<Untrusted>() {
                Some(untrusted) => untrusted.refusal(),
                None => Refusal::of_other(&other.to_string()),
            },
            _ => Refusal::new(error.to_string(), "it was refused", "Look at it with `openssl s_client`."),
        }
    }

    fn of_other(words: &str) -> Refusal {
        if words.contains("CaUsedAsEndEntity") {
            return Refusal::new(
                "the certificate is not trusted: it is an authority's, shown as a server's",
                "it is self-signed, as `openssl req -x509` makes it, and was not given to this program",
                format!("{} FILE names a file with this very certificate.", flags::CA_FILE),
            );
        }
        Refusal::new(
            format!("the certificate is not usable: {words}"),
            "it was refused",
            "Look at it with `openssl s_client`.",
        )
    }

    fn new(what: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Refusal {
        Refusal { what: what.into(), cause: cause.into(), fix: fix.into() }
    }
}

impl Untrusted {
    fn refusal(&self) -> Refusal {
        let flag = flags::CA_FILE;
        let (cause, fix) = match self {
            Untrusted { nobody: true, .. } => (
                "this machine has no authorities at all: its package of them (ca-certificates) is missing, or \
                 SSL_CERT_FILE names a file without any",
                format!("Install it, or name authorities with SSL_CERT_FILE or {flag} FILE."),
            ),
            Untrusted { is_self_signed: true, .. } => (
                "the certificate is self-signed, and was not given to this program",
                format!("{flag} FILE names a file with this very certificate."),
            ),
            Untrusted { intermediates: 0, .. } => (
                "its issuer is not known here, and the server sent no intermediate certificate: its chain is \
                 incomplete, or the issuer is a private authority, or something on the way opens TLS",
                format!(
                    "`openssl s_client -showcerts` shows what is sent: import the whole chain; a private authority \
                     is named with {flag} FILE (or SSL_CERT_FILE)."
                ),
            ),
            _ => (
                "its issuer is not trusted here: a private authority, or something on the way that opens TLS",
                format!("{flag} FILE (or SSL_CERT_FILE) names the authority."),
            ),
        };
        Refusal::new(format!("the certificate is not trusted: issued by {}", self.issuer), cause, fix)
    }
}
