//! Where the service is called, and the way of a request through the stack.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::check::{CheckContext, NotRun};
use crate::engine::Outputs;
use crate::oz::{BaseUrl, Token, Web};
use crate::resolver::{Delegation, Dns};
use crate::site::Site;
use crate::steps::load_balancer;

/// How long every look must show what may be the last of a change that has just been made: rules, listeners and targets
/// take seconds to be so everywhere.
pub(super) const SETTLES: Duration = Duration::from_secs(20);

/// Where a service is called, from the outside.
pub struct Endpoint<'a> {
    /// Trust and routes.
    pub web: &'a Web,
    /// Where names are asked.
    pub dns: Dns,
    /// `https://app.example.com`; the load balancer's own name without a record.
    pub base: BaseUrl,
    /// The service's access token.
    pub token: Option<Token>,
    /// The way through the stack; `None`: the service may be anybody's, and only its version is asked for.
    pub way: Option<Way>,
}

/// What each of a zone's name servers answers.
pub(super) type Authoritative = Vec<(String, Result<Vec<IpAddr>, String>)>;

/// The way of a request through the stack.
pub struct Way {
    /// The load balancer's own name.
    pub balancer: String,
    /// The record's name.
    pub record: Option<String>,
    /// Whether port 80 should redirect.
    pub redirects: bool,
    /// What `/api/version` should say somewhere.
    pub version: Option<String>,
    // What names lead to, asked once and compared by several checks.
    balancer_at: OnceCell<Result<Vec<IpAddr>, String>>,
    record_at: OnceCell<Result<Vec<IpAddr>, String>>,
    zone_says: OnceCell<Authoritative>,
    delegated: OnceCell<Delegation>,
}

impl Way {
    /// A way that was not tried yet.
    pub fn new(balancer: &str, record: Option<String>, redirects: bool, version: Option<String>) -> Way {
        Way {
            balancer: balancer.to_lowercase(),
            record,
            redirects,
            version,
            balancer_at: OnceCell::new(),
            record_at: OnceCell::new(),
            zone_says: OnceCell::new(),
            delegated: OnceCell::new(),
        }
    }
}

impl Way {
    /// The way through a stack that stands; `None`: it has no load balancer.
    pub fn of(site: &Site, ids: &Outputs) -> Option<Way> {
        let redirects = site.https() && site.config.load_balancer.redirect_http;
        let version = site.config.verify.version.clone();
        Some(Way::new(ids.get(&load_balancer::DNS_NAME)?, site.record_name(), redirects, version))
    }
}

impl Endpoint<'_> {
    /// The load balancer itself, under the name that clients use: whatever DNS says of that name.
    pub fn through(&self, way: &Way) -> BaseUrl {
        if self.tunnel(way).is_some() { self.base.clone() } else { self.base.clone().via(&way.balancer) }
    }

    /// Where the service is judged: at the load balancer itself, or where it may be anybody's.
    pub fn judged(&self) -> BaseUrl {
        self.way.as_ref().map_or_else(|| self.base.clone(), |way| self.through(way))
    }

    /// Where a tunnel begins that every connection is to go through.
    pub fn tunnel(&self, way: &Way) -> Option<(&str, u16)> {
        let (host, port) = self.base.connects_to();
        ((host, port) != (self.base.host(), self.base.port()) && host != way.balancer).then_some((host, port))
    }

    /// The load balancer's addresses, as this machine's resolver sees them.
    ///
    /// # Errors
    /// In words, when its name leads nowhere.
    pub async fn balancer_at(&self, way: &Way) -> Result<Vec<IpAddr>, String> {
        way.balancer_at.get_or_init(|| self.dns.addresses(&way.balancer)).await.clone()
    }

    /// The record's addresses, as this machine's resolver sees them.
    ///
    /// # Errors
    /// In words, when it leads nowhere.
    pub(super) async fn record_at(&self, way: &Way, name: &str) -> Result<Vec<IpAddr>, String> {
        way.record_at.get_or_init(|| self.dns.addresses(name)).await.clone()
    }

    /// What each of these name servers answers of the record.
    pub(super) async fn zone_says<'w>(&self, way: &'w Way, servers: &[String], name: &str) -> &'w Authoritative {
        way.zone_says.get_or_init(|| self.dns.authoritative(servers, name)).await
    }

    /// Whom the world asks about a zone.
    pub(super) async fn delegated<'w>(&self, way: &'w Way, zone: &str) -> &'w Delegation {
        way.delegated.get_or_init(|| self.dns.name_servers(zone)).await
    }
}

impl CheckContext<'_> {
    /// Whether this run calls the service through its stack, by a way like this.
    pub(super) fn has_way(&self, like: impl Fn(&Endpoint<'_>, &Way) -> bool) -> bool {
        let endpoint = self.endpoint().ok();
        endpoint.is_some_and(|endpoint| endpoint.way.as_ref().is_some_and(|way| like(endpoint, way)))
    }

    /// Where the service is called, and the way through the stack.
    ///
    /// # Errors
    /// This run calls none, or not through its stack.
    pub(super) fn way(&self) -> Result<(&Endpoint<'_>, &Way), NotRun> {
        let endpoint = self.endpoint()?;
        Ok((endpoint, endpoint.way.as_ref().ok_or(NotRun::DoesNotApply)?))
    }
}

/// Addresses in a line.
pub fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}
