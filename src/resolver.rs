//! Names to addresses: as this machine resolves them, and as the zone's own name servers answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

/// How long a name server may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Where names are asked.
#[derive(Debug, Clone, Copy)]
pub enum Dns {
    /// The system's resolver, and name servers where the system finds them.
    System,
    /// This name server, for everything.
    Server(SocketAddr),
}

/// Whom the world asks about a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delegation {
    /// These name servers.
    To(Vec<String>),
    /// Nobody: the parent zone does not name any.
    Absent,
    /// It could not be found out: why.
    Unanswered(String),
}

impl Dns {
    /// As this machine sees it, its caches included.
    ///
    /// # Errors
    /// In words; an empty answer is an error.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        match self {
            Dns::Server(server) => ask(*server, name).await,
            Dns::System => {
                let found = tokio::time::timeout(2 * ANSWER_TIMEOUT, tokio::net::lookup_host((name, 0))).await;
                let found =
                    found.map_err(|_| "the resolver does not answer".to_owned())?.map_err(|error| error.to_string())?;
                let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
                addresses.sort();
                addresses.dedup();
                if addresses.is_empty() { Err("no address".to_owned()) } else { Ok(addresses) }
            }
        }
    }

    /// What each of these name servers answers itself: no cache lies between, so no negative answer of minutes ago.
    pub async fn authoritative(&self, servers: &[String], name: &str) -> Vec<(String, Result<Vec<IpAddr>, String>)> {
        join_all(servers.iter().map(async |server| {
            let answer = match self.addresses(server.trim_end_matches('.')).await {
                Ok(found) => ask(self.server(found[0]), name).await,
                Err(why) => Err(format!("the name server's own name: {why}")),
            };
            (server.clone(), answer)
        }))
        .await
    }

    /// The name servers that the world is led to for a zone, as this machine's resolver finds them.
    pub async fn name_servers(&self, zone: &str) -> Delegation {
        let resolver = match self.own_resolver() {
            Ok(resolver) => resolver,
            Err(why) => return Delegation::Unanswered(why),
        };
        let asked = format!("{}.", zone.trim_end_matches('.'));
        match tokio::time::timeout(2 * ANSWER_TIMEOUT, resolver.lookup(asked, RecordType::NS)).await {
            Err(_) => Delegation::Unanswered("the resolver does not answer".to_owned()),
            Ok(Err(error)) if error.is_nx_domain() || error.is_no_records_found() => Delegation::Absent,
            Ok(Err(error)) => Delegation::Unanswered(error.to_string()),
            Ok(Ok(answer)) => {
                let names = answer.answers().iter().filter_map(|record| match &record.data {
                    RData::NS(server) => Some(server.0.to_utf8().trim_end_matches('.').to_lowercase()),
                    _ => None,
                });
                let names: Vec<String> = names.collect();
                if names.is_empty() { Delegation::Absent } else { Delegation::To(names) }
            }
        }
    }

    fn own_resolver(&self) -> Result<TokioResolver, String> {
        match self {
            Dns::Server(server) => resolver(*server),
            Dns::System => Resolver::builder_tokio()
                .and_then(hickory_resolver::ResolverBuilder::build)
                .map_err(|error| error.to_string()),
        }
    }

    /// Whether a name certainly does not exist: it is denied, while this witness is known. (Behind a proxy a resolver
    /// may deny every public name.)
    pub async fn deny(&self, name: &str, witness: &str) -> bool {
        let Ok(resolver) = self.own_resolver() else { return false };
        let looked_up = async |name: &str| {
            let name = format!("{}.", name.trim_end_matches('.'));
            tokio::time::timeout(2 * ANSWER_TIMEOUT, resolver.lookup(name, RecordType::A)).await
        };
        matches!(looked_up(witness).await, Ok(Ok(_)))
            && matches!(looked_up(name).await, Ok(Err(error)) if error.is_nx_domain())
    }

    fn server(&self, ip: IpAddr) -> SocketAddr {
        match self {
            Dns::System => SocketAddr::new(ip, 53),
            Dns::Server(server) => *server,
        }
    }
}

async fn ask(server: SocketAddr, name: &str) -> Result<Vec<IpAddr>, String> {
    let resolver = resolver(server)?;
    let answer = resolver.lookup(format!("{}.", name.trim_end_matches('.')), RecordType::A).await;
    let answer = answer.map_err(|error| match error.is_nx_domain() {
        true => "no such name".to_owned(),
        false if error.is_no_records_found() => "no A record".to_owned(),
        false => error.to_string(),
    })?;
    let mut addresses: Vec<IpAddr> = answer
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            _ => None,
        })
        .collect();
    addresses.sort();
    if addresses.is_empty() { Err("no A record".to_owned()) } else { Ok(addresses) }
}

fn resolver(server: SocketAddr) -> Result<TokioResolver, String> {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    let config = ResolverConfig::from_name_servers(vec![config]);
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    (options.timeout, options.attempts, options.cache_size) = (ANSWER_TIMEOUT, 1, 0);
    options.use_hosts_file = ResolveHosts::Never;
    builder.build().map_err(|error| error.to_string())
}
