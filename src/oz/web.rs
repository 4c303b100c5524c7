//! How HTTP leaves this program: whom it trusts, where names lead, which proxies stand between.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::{BaseUrl, Refused};
use crate::flags;

/// For a TCP connection and its TLS.
pub const CONNECT: Duration = Duration::from_secs(5);

/// Trust and routes of every HTTP call to the service.
#[derive(Debug, Clone)]
pub struct Web {
    tls: ClientConfig,
    /// Where every connection goes: the sandbox's loopback servers.
    route: Option<SocketAddr>,
}

impl Web {
    /// The system's authorities (or those of `SSL_CERT_FILE`), and a private one's file.
    ///
    /// # Errors
    /// The file cannot be read or holds no certificate.
    pub fn new(ca_file: Option<&Path>) -> Result<Web, Refused> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = ca_file {
            let pem = std::fs::read(path).map_err(|error| error.to_string());
            let added = pem.and_then(|pem| add(&mut roots, &pem));
            added.map_err(|why| {
                let cure = format!("{} names a file of certificates in PEM.", flags::CA_FILE);
                Refused::new(format!("{}: {why}", path.display()), cure)
            })?;
        }
        Ok(Web::of(roots, None))
    }

    /// Into the sandbox: every connection goes to `route`, and only `authority`, in PEM, is trusted.
    ///
    /// # Errors
    /// The authority is no certificate.
    pub fn sandbox(route: SocketAddr, authority: &str) -> Result<Web, String> {
        let mut roots = RootCertStore::empty();
        add(&mut roots, authority.as_bytes())?;
        Ok(Web::of(roots, Some(route)))
    }

    fn of(roots: RootCertStore, route: Option<SocketAddr>) -> Web {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Web { tls, route }
    }

    /// A client for one base URL, at these addresses instead of where its name leads. It follows no redirects (they
    /// would turn a POST into a GET) and repeats nothing.
    ///
    /// # Errors
    /// Never seen; in words.
    pub fn client(&self, base: &BaseUrl, at: Option<&[SocketAddr]>) -> Result<reqwest::Client, String> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .http1_only();
        let builder = match (self.route.as_ref().map(std::slice::from_ref), at) {
            (Some(route), _) => builder.no_proxy().resolve_to_addrs(base.host(), route),
            (None, Some(at)) => builder.no_proxy().resolve_to_addrs(base.host(), at),
            (None, None) if base.connects_to() != base.host() => builder
                .no_proxy()
                .dns_resolver(Arc::new(Via { host: base.connects_to().to_owned(), port: base.port() })),
            (None, None) => builder,
        };
        builder.build().map_err(|error| why(&error))
    }

    /// Trust, for a TLS handshake without HTTP.
    pub fn tls(&self) -> ClientConfig {
        self.tls.clone()
    }

    /// Where a connection meant for this address really goes.
    pub fn routed(&self, to: SocketAddr) -> SocketAddr {
        self.route.unwrap_or(to)
    }
}

/// Resolves every name to the addresses of one host.
struct Via {
    host: String,
    port: u16,
}

impl Resolve for Via {
    fn resolve(&self, _: Name) -> Resolving {
        let (host, port) = (self.host.clone(), self.port);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let read: Result<Vec<CertificateDer>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read.map_err(|error| error.to_string())? {
        found if found.is_empty() => Err("no certificate in PEM".to_owned()),
        found => found.into_iter().try_for_each(|one| roots.add(one).map_err(|error| error.to_string())),
    }
}

/// An error with all its causes, without the URL.
pub fn why(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        let words = cause.to_string();
        if !causes.iter().any(|said: &String| said.contains(&words)) {
            causes.push(words);
        }
        next = cause.source();
    }
    let what = match () {
        () if error.is_timeout() && error.is_connect() => {
            format!("no connection within {} s", CONNECT.as_secs())
        }
        () if error.is_connect() => "no connection".to_owned(),
        () if error.is_body() || error.is_decode() => "the answer was cut".to_owned(),
        () => "no answer".to_owned(),
    };
    match causes.last() {
        Some(cause) => format!("{what}: {cause}"),
        None => what,
    }
}
