//! How HTTP leaves this program: whom it trusts, where names lead, which proxies stand between.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderValue, Request, Uri};
use rustls::ClientConfig;
use tokio_rustls::client::TlsStream;

use super::connection::{self, Connection, NoAnswer, Stage};
use super::exchange::{Answer, Body, exchange};
use super::{BaseUrl, Refused, trust};
use crate::proxy::{Proxies, Proxy};

/// Trust and routes of every HTTP call to the service.
#[derive(Debug, Clone)]
pub struct Web {
    tls: Arc<ClientConfig>,
    proxies: Proxies,
    /// Where every connection goes: the sandbox's loopback servers.
    route: Option<SocketAddr>,
}

impl Web {
    /// The system's authorities (or those of `SSL_CERT_FILE`), a private one's file, and the environment's proxies.
    ///
    /// # Errors
    /// The file cannot be read or holds no certificate; a proxy's variable holds no URL.
    pub fn new(ca_file: Option<&Path>) -> Result<Web, Refused> {
        let proxies = Proxies::from_env().map_err(|why| Refused::new(why.to_string(), why.cure()))?;
        Ok(Web { tls: Arc::new(trust::system(ca_file)?), proxies, route: None })
    }

    /// Into the sandbox: every connection goes to `route`, and only `authority`, in PEM, is trusted.
    ///
    /// # Errors
    /// The authority is no certificate.
    pub fn sandbox(route: SocketAddr, authority: &str) -> Result<Web, String> {
        Ok(Web { tls: Arc::new(trust::only(authority)?), proxies: Proxies::none(), route: Some(route) })
    }

    /// The proxy between this machine and a host; `None`: the way is direct.
    ///
    /// # Errors
    /// It is one that is not spoken here.
    pub fn proxy(&self, https: bool, host: &str) -> Result<Option<Proxy>, Refused> {
        let found = self.proxies.towards(if https { "https" } else { "http" }, host);
        found.map_err(|why| Refused::new(why.to_string(), why.cure()))
    }

    /// Whether a connection to where a base URL leads comes about, and the proxy that it goes through.
    ///
    /// # Errors
    /// It does not.
    pub async fn reach(&self, base: &BaseUrl) -> Result<Option<Proxy>, NoAnswer> {
        Ok(self.connect(base, base.https()).await?.1)
    }

    /// A TLS connection to where a base URL leads.
    ///
    /// # Errors
    /// It is not reached, or its certificate is refused.
    pub async fn connect_tls(&self, base: &BaseUrl) -> Result<TlsStream<Connection>, NoAnswer> {
        let (stream, proxy) = self.connect(base, true).await?;
        let shaken = connection::handshake(stream, &self.tls, base.host()).await;
        shaken.map_err(|error| said_of(error, proxy.as_ref()))
    }

    /// Sends one request and reads its answer; `request` has path and headers without `Host`. It follows no redirects
    /// (they would turn a POST into a GET) and repeats nothing.
    ///
    /// # Errors
    /// No answer came, or not whole.
    pub async fn send(&self, base: &BaseUrl, mut request: Request<Body>) -> Result<Answer, NoAnswer> {
        let host = HeaderValue::from_str(&base.authority());
        let host = host.map_err(|error| NoAnswer::at(Stage::Name, error.to_string()))?;
        request.headers_mut().insert(HOST, host);
        let (stream, proxy) = self.connect(base, base.https()).await?;
        let answer = if base.https() {
            let shaken = connection::handshake(stream, &self.tls, base.host()).await;
            exchange(shaken.map_err(|error| said_of(error, proxy.as_ref()))?, request).await
        } else {
            if let Some(proxy) = &proxy {
                forwarded(&mut request, base, proxy);
            }
            exchange(stream, request).await
        };
        answer.map_err(|error| said_of(error, proxy.as_ref()))
    }

    /// A connection to where a base URL leads, and the proxy that it goes through. Without TLS a proxy forwards
    /// requests; with TLS it opens a tunnel.
    async fn connect(&self, base: &BaseUrl, https: bool) -> Result<(Connection, Option<Proxy>), NoAnswer> {
        if let Some(route) = self.route {
            return Ok((connection::direct(&[route]).await?, None));
        }
        let (host, port) = base.connects_to();
        let proxy = self.proxy(https, host).map_err(|refused| NoAnswer::at(Stage::Proxy, refused.what))?;
        let stream = match &proxy {
            Some(proxy) if https => connection::tunnel(proxy, &self.tls, host, port).await?,
            Some(proxy) => connection::to_proxy(proxy, &self.tls).await?,
            None => connection::direct(&connection::addresses(host, port).await?).await?,
        };
        Ok((stream, proxy))
    }

    /// Where a connection meant for this address really goes.
    pub fn routed(&self, to: SocketAddr) -> SocketAddr {
        self.route.unwrap_or(to)
    }
}

/// A proxy forwards a request that names the whole URL (RFC 9112, 3.2.2).
fn forwarded(request: &mut Request<Body>, base: &BaseUrl, proxy: &Proxy) {
    let (host, port) = base.connects_to();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let path = request.uri().path_and_query().cloned();
    let uri = Uri::builder().scheme("http").authority(format!("{host}:{port}"));
    if let Ok(uri) = uri.path_and_query(path.map_or_else(|| "/".to_owned(), |path| path.to_string())).build() {
        *request.uri_mut() = uri;
    }
    if let Some(authorization) = &proxy.authorization {
        request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
    }
}

/// Names the proxy in an error that does not yet.
fn said_of(error: NoAnswer, proxy: Option<&Proxy>) -> NoAnswer {
    match proxy {
        Some(proxy) if error.stage != Stage::Proxy => error.through(proxy),
        _ => error,
    }
}
