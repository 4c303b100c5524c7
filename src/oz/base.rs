//! Where the service is, and the token that it may want.

use std::path::Path;
use std::str::FromStr;

use http::HeaderValue;
use url::Url;

use super::{Refused, Sensitive, file};
use crate::flags;
use crate::text;

/// `HOST:PORT`: where a tunnel to a service begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    host: String,
    port: u16,
}

impl FromStr for Tunnel {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Tunnel, &'static str> {
        let url = Url::parse(&format!("tunnel://{text}")).ok().filter(|url| url.path().is_empty());
        let place = url.and_then(|url| Some(Tunnel { host: bare(url.host_str()?).to_owned(), port: url.port()? }));
        place.filter(|_| !text.contains('@')).ok_or("write it as localhost:8443: where the tunnel begins")
    }
}

/// `https://host[:port][/prefix]`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    /// The host and port that connections go to instead of the URL's own.
    via: Option<(String, u16)>,
}

impl BaseUrl {
    /// Reads a base URL. Plain http goes to loopback only, unless it is allowed.
    ///
    /// # Errors
    /// Not a URL of http or https, or with a user, a password, a query or a fragment.
    pub fn parse(text: &str, allow_http: bool) -> Result<BaseUrl, Refused> {
        // What is not understood may hold a password: it is not shown.
        let refused = |what: &str, cure: &str| Err(Refused::new(format!("{}: {what}", flags::BASE_URL), cure));
        let Ok(url) = Url::parse(text) else {
            return refused("not a URL", "Write it as https://app.example.com.");
        };
        if !url.username().is_empty() || url.password().is_some() {
            let cure = format!("The token is read from OZ_ACCESS_TOKEN or {}.", flags::TOKEN_FILE);
            return refused("it holds a user or a password", &cure);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refused("it has a query or a fragment", "Give only scheme, host, port and path.");
        }
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => {}
            ("http", Some(host)) if allow_http || is_loopback(&host) => {}
            ("http", Some(_)) => {
                let cure = format!("Use https, or {} inside a network that you trust.", flags::ALLOW_HTTP);
                return refused("plain http would send faces and token unprotected", &cure);
            }
            _ => {
                return refused("not a URL of http or https", "Write it as https://app.example.com.");
            }
        }
        let mut url = url;
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(BaseUrl { url, via: None })
    }

    /// The same, with connections to this host instead of its own, which TLS and the `Host` header still name.
    pub fn via(self, host: &str) -> BaseUrl {
        let port = self.port();
        BaseUrl { via: Some((host.to_lowercase(), port)), ..self }
    }

    /// The same, with every connection through a tunnel.
    pub fn connect_to(self, tunnel: &Tunnel) -> BaseUrl {
        BaseUrl { via: Some((tunnel.host.clone(), tunnel.port)), ..self }
    }

    /// The host and the port that connections go to.
    pub fn connects_to(&self) -> (&str, u16) {
        self.via.as_ref().map_or((self.host(), self.port()), |(host, port)| (host, *port))
    }

    /// This path below the prefix.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url.path().trim_end_matches('/'))
    }

    /// The whole URL of this path below the prefix.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&self.path(path));
        url
    }

    /// The host's name or address; without the brackets of IPv6.
    pub fn host(&self) -> &str {
        bare(self.url.host_str().unwrap_or_default())
    }

    /// The host as the header `Host` names it: with its port, where that is not the scheme's own.
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Given or the scheme's own.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Whether TLS is spoken.
    pub fn https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_loopback(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    }
}

/// The token of a service that wants one.
#[derive(Debug, Clone)]
pub struct Token(Sensitive<HeaderValue>);

impl Token {
    /// From `--token-file`, else from `OZ_ACCESS_TOKEN`; `None` when that variable is empty or not there.
    ///
    /// # Errors
    /// It cannot be read, or holds what no header can; a file that was named holds none.
    pub fn read(file: Option<&Path>) -> Result<Option<Token>, Refused> {
        let cure = "A token is one line of printable ASCII.";
        let (place, text) = if let Some(path) = file {
            let place = path.display().to_string();
            let text = file::read(path, "Name a file with the token; a service that wants none is called without.")?;
            text::not_text(&text).map_err(|why| file::refused(path, &why))?;
            (place, text)
        } else {
            let text = std::env::var_os("OZ_ACCESS_TOKEN").unwrap_or_default();
            ("OZ_ACCESS_TOKEN".to_owned(), text.into_encoded_bytes())
        };
        let text = text::unmarked(&text);
        let line = match text.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => text,
        };
        if line.is_empty() {
            let none = || Refused::new(format!("{place}: there is no token in it"), cure);
            return file.map_or(Ok(None), |_| Err(none()));
        }
        let printable = line.iter().all(|byte| (0x20..0x7f).contains(byte));
        let header = HeaderValue::from_bytes(line).ok().filter(|_| printable);
        let Some(mut header) = header else {
            return Err(Refused::new(
                format!("{place}: the token holds control or other characters that no header can"),
                cure,
            ));
        };
        header.set_sensitive(true);
        Ok(Some(Token(Sensitive::new(header))))
    }

    /// For the header `X-Forensic-Access-Token` and for redaction.
    pub fn expose(&self) -> &HeaderValue {
        self.0.expose()
    }
}
