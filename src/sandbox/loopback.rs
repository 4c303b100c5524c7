//! The sandbox's load balancers and name servers over loopback: real TLS, real HTTP, real DNS, for a client that wants
//! to see the stack as its users do.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NS, SOA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::LazyConfigAcceptor;

use super::wire::list;
use super::world::World;
use super::{Sandbox, oz, service};

/// Where the sandbox is reached on loopback.
#[derive(Debug, Clone)]
pub struct LoopbackServers {
    /// Ports 80 and 443 of every load balancer: who speaks TLS means 443.
    pub web: SocketAddr,
    /// Every name server.
    pub names: SocketAddr,
    /// Who issued every certificate of the sandbox, in PEM.
    pub authority: String,
}

/// Issues what ACM would have issued.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Sandbox {
    /// Puts load balancers and name servers on loopback, for as long as the runtime runs.
    ///
    /// # Errors
    /// No port is free, or no key can be made.
    pub async fn serve_loopback(&self) -> std::io::Result<LoopbackServers> {
        let web = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let names = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let key = KeyPair::generate().map_err(std::io::Error::other)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "the sandbox's authority");
        let authority = params.self_signed(&key).map_err(std::io::Error::other)?.pem();
        let servers = LoopbackServers { web: web.local_addr()?, names: names.local_addr()?, authority };
        let issuer = Arc::new(Authority { issuer: Issuer::new(params, key) });
        tokio::spawn(serve_web(self.clone(), web, issuer));
        tokio::spawn(serve_names(self.clone(), names));
        Ok(servers)
    }
}

async fn serve_web(sandbox: Sandbox, listener: TcpListener, authority: Arc<Authority>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true); // or an answer waits 40 ms for the word that the handshake's last part came
        let (sandbox, authority) = (sandbox.clone(), Arc::clone(&authority));
        tokio::spawn(async move { connection(sandbox, stream, &authority).await });
    }
}

/// A load balancer that is not there, or a port that is closed, is a connection that ends without a word.
async fn connection(sandbox: Sandbox, stream: TcpStream, authority: &Authority) -> Option<()> {
    const HANDSHAKE: u8 = 0x16;
    let mut first = [0];
    stream.peek(&mut first).await.ok()?;
    if first[0] != HANDSHAKE {
        return http(sandbox, stream, 80, None).await;
    }
    let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await.ok()?;
    let host = hello.client_hello().server_name()?.to_owned();
    let world = sandbox.world();
    let config = authority.config(&world, &dialled(&world, host.clone()))?;
    let stream = hello.into_stream(Arc::new(config)).await.ok()?;
    http(sandbox, stream, 443, Some(host)).await
}

async fn http(
    sandbox: Sandbox,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    port: u16,
    sni: Option<String>,
) -> Option<()> {
    let answer = move |request: Request| {
        let (sandbox, sni) = (sandbox.clone(), sni.clone());
        async move { balanced(&sandbox, port, sni, request).await }
    };
    let service = TowerToHyperService::new(Router::new().fallback(answer));
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok()
}

async fn balanced(sandbox: &Sandbox, port: u16, sni: Option<String>, request: Request) -> axum::response::Response {
    let request = match oz::whole(request).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_owned();
    let world = sandbox.world();
    let known = service::resolve(&world, &host).is_some();
    let host = dialled(&world, if known { host } else { sni.unwrap_or(host) });
    match sandbox.browse((&host, port), request).await {
        Ok(answer) => answer,
        Err(_) => super::serve::cut(),
    }
}

/// A load balancer takes requests for any name at its own address. Here all have one address: a name that leads nowhere
/// means the only one there is.
fn dialled(world: &World, host: String) -> String {
    let mut balancers = world.rows("balancers").filter_map(|row| row["DNSName"].as_str());
    match (service::resolve(world, &host), balancers.next(), balancers.next()) {
        (None, Some(only), None) => only.to_owned(),
        _ => host,
    }
}

impl Authority {
    /// What the listener for this name shows; `None`: there is none.
    fn config(&self, world: &World, host: &str) -> Option<ServerConfig> {
        service::route(world, host, 443, 0).ok()?;
        let listener = service::listener(world, service::resolve(world, host)?, 443)?;
        let arn = list(listener, "Certificates").first()?["CertificateArn"].as_str()?;
        let row = world.row("certificates", arn)?;
        let names = list(row, "SubjectAlternativeNameSummaries").iter().chain([&row["DomainName"]]);
        let mut names: Vec<String> = names.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        names.sort();
        names.dedup();
        let mut params = CertificateParams::new(names).ok()?;
        // ACM's own certificates last 13 months.
        let later = jiff::Timestamp::now().as_second() + 395 * 86_400;
        let date = date(row["NotAfter"].as_i64().unwrap_or(later))?;
        params.not_after =
            rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
        let key = KeyPair::generate().ok()?;
        let leaf = params.signed_by(&key, &self.issuer).ok()?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .ok()
    }
}

fn date(seconds: i64) -> Option<jiff::civil::Date> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(time).date())
}

async fn serve_names(sandbox: Sandbox, socket: UdpSocket) {
    let mut buffer = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Ok(query) = Message::from_vec(&buffer[..length]) else {
            continue;
        };
        if let Ok(answer) = answer(&sandbox.world(), &query).to_vec() {
            let _ = socket.send_to(&answer, from).await; // UDP: whoever asks asks again
        }
    }
}

/// Load balancers' names, aliases to them, and the name servers themselves lead to loopback.
fn answer(world: &World, query: &Message) -> Message {
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.authoritative = true;
    let Some(asked) = query.queries.first() else {
        return answer;
    };
    answer.add_query(asked.clone());
    let host = asked.name().to_utf8().trim_end_matches('.').to_lowercase();
    let is_zone = zones(world).any(|zone| zone == host);
    let known = is_zone || service::resolve(world, &host).is_some() || is_name_server(&host);
    match (known, asked.query_type()) {
        (true, RecordType::NS) if is_zone => {
            for server in super::dns::NAME_SERVERS {
                let server = Name::from_utf8(format!("{server}.")).unwrap_or_default();
                answer.add_answer(Record::from_rdata(asked.name().clone(), 172_800, RData::NS(NS(server))));
            }
        }
        (true, RecordType::A) if is_zone => drop(answer.add_authority(start_of_authority(world, &host))),
        (true, RecordType::A) => {
            answer.add_answer(Record::from_rdata(asked.name().clone(), 60, RData::A(A(Ipv4Addr::LOCALHOST))));
        }
        (true, _) => drop(answer.add_authority(start_of_authority(world, &host))),
        (false, _) => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            answer.add_authority(start_of_authority(world, &host));
        }
    }
    answer
}

fn is_name_server(host: &str) -> bool {
    super::dns::NAME_SERVERS.contains(&host)
}

fn zones(world: &World) -> impl Iterator<Item = &str> {
    world.rows("zones").filter_map(|zone: &Value| zone["Name"].as_str()).map(|zone| zone.trim_end_matches('.'))
}

fn start_of_authority(world: &World, host: &str) -> Record {
    let zone = zones(world).find(|zone| host.ends_with(zone)).unwrap_or("example.com");
    let name = |text: &str| Name::from_utf8(format!("{text}.")).unwrap_or_default();
    let soa = SOA::new(
        name(super::dns::NAME_SERVERS[0]),
        name("awsdns-hostmaster.amazon.com"),
        1,
        7200,
        900,
        1_209_600,
        86_400,
    );
    Record::from_rdata(name(zone), 900, RData::SOA(soa))
}
