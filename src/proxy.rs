//! Which proxy stands between this machine and a host: one answer for every HTTP client of the program.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The environment's variables, in the order in which they are looked at: for https, for http, for both.
const VARIABLES: [[&str; 2]; 3] =
    [["HTTPS_PROXY", "https_proxy"], ["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"]];

/// The proxies of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as curl reads them.
#[derive(Debug, Clone)]
pub struct Proxies(Arc<Matcher>);

/// A proxy. Its `Display` has no password.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `http://proxy.example.com:3128/`
    pub uri: Uri,
    /// For `Proxy-Authorization`.
    pub authorization: Option<HeaderValue>,
    /// The variable that names it.
    variable: &'static str,
}

/// Why the environment's proxies cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The value is not shown: it may hold a password.
    #[error("{0} is not the URL of a proxy")]
    Malformed(&'static str),
    /// SOCKS.
    #[error("{0} names a SOCKS proxy, and only HTTP proxies are spoken here")]
    Socks(&'static str),
}

impl Unusable {
    /// What to do.
    pub fn cure(&self) -> String {
        match self {
            Unusable::Malformed(variable) => {
                format!("Write it as {variable}=http://proxy.example.com:3128, or unset it.")
            }
            Unusable::Socks(variable) => format!(
                "Name an HTTP proxy in {variable}, list the host in NO_PROXY, or unset the variable: a tunnel \
                 (`ssh -L`) needs none."
            ),
        }
    }
}

impl Proxies {
    /// No proxy, whatever the environment says.
    pub fn none() -> Proxies {
        Proxies(Arc::new(Matcher::builder().build()))
    }

    /// Those of the environment.
    ///
    /// # Errors
    /// A variable holds no URL: what was meant to go through a proxy would go around it.
    pub fn from_env() -> Result<Proxies, Unusable> {
        for [upper, lower] in VARIABLES {
            let variable = if std::env::var_os(upper).is_some() { upper } else { lower };
            if let Some(value) = std::env::var_os(variable).filter(|value| !value.is_empty()) {
                let is_url = value.to_str().is_some_and(is_url);
                if !is_url {
                    return Err(Unusable::Malformed(variable));
                }
            }
        }
        Ok(Proxies(Arc::new(Matcher::from_env())))
    }

    /// The proxy towards a host; `None`: the way is direct. What never leaves this machine or its link has no proxy:
    /// loopback, link-local addresses, and the metadata service, which hands out credentials.
    ///
    /// # Errors
    /// The proxy speaks SOCKS.
    pub fn towards(&self, scheme: &str, host: &str) -> Result<Option<Proxy>, Unusable> {
        if is_local(host) {
            return Ok(None);
        }
        let uri = Uri::builder().scheme(scheme).authority(host).path_and_query("/").build();
        let Some(found) = uri.ok().and_then(|uri| self.0.intercept(&uri)) else {
            return Ok(None);
        };
        let variable = variable(scheme);
        match found.uri().scheme_str() {
            Some("http" | "https") => {
                Ok(Some(Proxy { uri: found.uri().clone(), authorization: found.basic_auth().cloned(), variable }))
            }
            _ => Err(Unusable::Socks(variable)),
        }
    }
}

impl Proxy {
    /// The host that connections go to.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// Given, or the scheme's own.
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Whether TLS is spoken with the proxy itself.
    pub fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let uri = self.uri.to_string();
        write!(f, "the proxy {} ({})", uri.trim_end_matches('/'), self.variable)
    }
}

/// Whether a host is this machine or on its link, by its name or address alone.
pub fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
            // fd00:ec2::/32 is where EC2 has its own services: instance metadata, DNS, time.
            None => {
                ip.is_loopback()
                    || ip.is_unicast_link_local()
                    || ip.is_unspecified()
                    || ip.segments()[..2] == [0xfd00, 0x0ec2]
            }
        },
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The variable that the matcher takes a proxy for this scheme from.
fn variable(scheme: &str) -> &'static str {
    let own = if scheme == "https" { VARIABLES[0] } else { VARIABLES[1] };
    let is_set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    own.iter().chain(&VARIABLES[2]).find(is_set).copied().unwrap_or(own[0])
}

/// `http://proxy:3128`, or `proxy:3128`, which means the same.
fn is_url(value: &str) -> bool {
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let is_known = |url: Url| {
        let scheme = ["http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"].contains(&url.scheme());
        scheme && url.host_str().is_some_and(|host| !host.is_empty())
    };
    // What the url crate takes and the matcher does not would silently be no proxy.
    Url::parse(&with_scheme).is_ok_and(is_known) && value.parse::<Uri>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_leave_the_machine_is_local() {
        let local = [
            "localhost",
            "app.localhost",
            "LOCALHOST.",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "::1",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "fe80::1",
            "fd00:ec2::254",
            "0.0.0.0",
        ];
        for host in local {
            assert!(is_local(host), "{host}");
        }
        for host in ["localhost.example.com", "10.0.0.1", "169.255.1.1", "fd00::1", "2001:db8::1", "app.example.com"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn a_proxys_url_is_one_that_the_matcher_takes_too() {
        for good in ["http://proxy:3128", "https://u:p@proxy", "proxy:3128", "http://[::1]:3128", "socks5://p:1"] {
            assert!(is_url(good), "{good}");
        }
        for bad in ["http://", "http://proxy:port", "http://pro xy", "::::", "ftp://proxy", "http//proxy:3128:1"] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        let matcher = Matcher::builder().all("http://user:secret@proxy:3128").no("app.internal").build();
        let proxies = Proxies(Arc::new(matcher));
        let proxy = proxies.towards("https", "app.example.com").unwrap().unwrap();
        assert_eq!(proxy.to_string().split(" (").next(), Some("the proxy http://proxy:3128"));
        assert!(proxy.authorization.is_some());
        assert!(proxies.towards("https", "app.internal").unwrap().is_none());
        assert!(proxies.towards("http", "127.0.0.1").unwrap().is_none());
    }
}
