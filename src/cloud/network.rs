//! How calls to AWS leave this machine: HTTPS by ring, with the proxies of the environment and the authorities of
//! `AWS_CA_BUNDLE`.

use std::path::Path;

use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::proxy::{Proxies, Proxy};
use crate::text;

/// The network.
///
/// # Errors
/// `AWS_CA_BUNDLE` names a file without authorities: what is wrong with it.
pub fn client(proxies: Proxies) -> Result<SharedHttpClient, String> {
    let trust = tls::TrustStore::default();
    let trust = match std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        Some(path) => trust.with_pem_certificate(authorities(Path::new(&path))?),
        None => trust,
    };
    let context = tls::TlsContext::builder().with_trust_store(trust).build().unwrap_or_default();
    Ok(SharedHttpClient::new(Network {
        direct: through(&context, ProxyConfig::disabled()),
        proxied: through(&context, ProxyConfig::from_env()),
        proxies,
    }))
}

/// A file of certificates in PEM.
fn authorities(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |why: String| format!("AWS_CA_BUNDLE={}: {why}", path.display());
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let pem = text::utf8(&bytes).map_err(|why| wrong(why.to_string()))?.as_bytes();
    text::certificates(pem).map_err(wrong)?;
    Ok(pem.to_vec())
}

fn through(context: &tls::TlsContext, proxies: ProxyConfig) -> SharedHttpClient {
    let context = context.clone();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .tls_context(context.clone())
            .proxy_config(proxies.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

/// What never leaves this machine or its link goes through no proxy: an emulator on loopback, and the metadata
/// services, which hand out credentials.
#[derive(Debug)]
struct Network {
    direct: SharedHttpClient,
    proxied: SharedHttpClient,
    proxies: Proxies,
}

impl HttpClient for Network {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Routed {
            direct: self.direct.http_connector(settings, parts),
            proxied: self.proxied.http_connector(settings, parts),
            proxies: self.proxies.clone(),
        })
    }
}

#[derive(Debug)]
struct Routed {
    direct: SharedHttpConnector,
    proxied: SharedHttpConnector,
    proxies: Proxies,
}

impl HttpConnector for Routed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri().parse::<http::Uri>().ok();
        let host = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.host()?)));
        let proxy = host.map_or(Ok(None), |(scheme, host)| self.proxies.towards(scheme, host));
        match proxy {
            Ok(None) => self.direct.call(request),
            Ok(Some(proxy)) => {
                let answer = self.proxied.call(request);
                HttpConnectorFuture::new(async move { answer.await.map_err(|error| Through::of(proxy, error)) })
            }
            Err(why) => HttpConnectorFuture::ready(Err(ConnectorError::user(why.into()))),
        }
    }
}

/// Names the proxy in what went wrong on the way through it.
#[derive(Debug, thiserror::Error)]
#[error("through {proxy}")]
struct Through {
    proxy: Proxy,
    source: ConnectorError,
}

impl Through {
    fn of(proxy: Proxy, source: ConnectorError) -> ConnectorError {
        let (is_timeout, is_user) = (source.is_timeout(), source.is_user());
        let error = Box::new(Through { proxy, source });
        match () {
            () if is_timeout => ConnectorError::timeout(error),
            () if is_user => ConnectorError::user(error),
            () => ConnectorError::io(error),
        }
    }
}
