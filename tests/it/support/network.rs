//! A network of the test's own: a network namespace in which names lead where the test says, with a name server, zones'
//! own name servers, load balancers with TLS, and a proxy, all on addresses of loopback.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NS};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::CertificateDer;

use super::binary::Run;
use super::loopback::serve_plainly;
use super::program::Service;
use super::server::AwsServer;
use super::tls::end_tls;

const INSIDE: &str = "DEPLOY_TEST_NETWORK";
const CURE: &str = "This test makes a network namespace (`unshare -rnm`, `ip`, `mount`): Linux with util-linux, \
    iproute2 and user namespaces that an unprivileged user may make.";

/// Runs the calling test again, alone, in a network namespace of its own, and there carries out what is given.
#[track_caller]
pub fn inside(test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let name = std::thread::current().name().expect("a test's thread has its name").to_owned();
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rnm", "--"]).arg(program).args(["--exact", &name, "--nocapture", "--test-threads=1"]);
    let ended = command.env(INSIDE, "1").output().unwrap_or_else(|error| panic!("unshare: {error}. {CURE}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success(), "in its own network:\n{stdout}\n{stderr}\n{CURE}");
    assert!(stdout.contains("1 passed"), "{name} did not run in its own network:\n{stdout}");
}

/// Where names lead.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// A records.
    pub addresses: BTreeMap<String, Vec<Ipv4Addr>>,
    /// Name servers of zones.
    pub servers: BTreeMap<String, Vec<String>>,
    /// It never answers.
    pub silent: bool,
}

impl Names {
    /// The same, with a name that leads there.
    pub fn lead(&mut self, name: &str, to: &[&str]) {
        self.addresses.insert(name.to_lowercase(), to.iter().map(|ip| ip.parse().unwrap()).collect());
    }
}

/// A stack on the sandbox, and a network in which it is reached.
pub struct Network {
    pub aws: AwsServer,
    /// The load balancer's name.
    pub balancer: String,
    /// What the resolver of this machine says.
    pub resolver: Arc<Mutex<Names>>,
    /// What the zone's own name servers say.
    pub zone: Arc<Mutex<Names>>,
    authority: Authority,
}

/// Where things are.
pub const BALANCER: &str = "127.0.1.10";
pub const ELSEWHERE: &str = "127.0.9.9";
pub const RECORD: &str = "app.example.com";
const RESOLVER: &str = "127.0.0.53";
const ZONE_SERVER: &str = "127.0.0.54";

impl Network {
    /// With loopback up, and a stack whose record and load balancer lead to [`BALANCER`], where nobody listens yet.
    pub fn new() -> Network {
        run("ip", &["link", "set", "lo", "up"]);
        let aws = AwsServer::sandbox_at(2000);
        aws.write("resolv.conf", format!("nameserver {RESOLVER}\noptions timeout:1 attempts:1\n"));
        aws.write("hosts", "127.0.0.1 localhost\n");
        run("mount", &["--bind", aws.path("resolv.conf").to_str().unwrap(), "/etc/resolv.conf"]);
        run("mount", &["--bind", aws.path("hosts").to_str().unwrap(), "/etc/hosts"]);
        let (resolver, zone) = (Arc::default(), Arc::default());
        serve_names(RESOLVER, Arc::clone(&resolver));
        serve_names(ZONE_SERVER, Arc::clone(&zone));
        aws.run("up --no-ask").exits(0);
        let status = aws.run("status --json");
        let balancer = status.json()["outputs"]["load_balancer"].as_str().unwrap().to_lowercase();
        let authority = Authority::new();
        aws.write("authority.pem", &authority.pem);
        let network = Network { aws, balancer, resolver, zone, authority };
        let servers: Vec<String> = (1..=4)
            .zip(["org", "net", "com", "co.uk"])
            .map(|(n, end)| format!("ns-{n}.awsdns-sandbox.{end}"))
            .collect();
        network.resolve(|names| {
            names.lead(&network.balancer, &[BALANCER]);
            names.lead(RECORD, &[BALANCER]);
            servers.iter().for_each(|server| names.lead(server, &[ZONE_SERVER]));
            names.servers.insert("example.com".to_owned(), servers.clone());
        });
        network.zone.lock().unwrap().lead(RECORD, &[BALANCER]);
        network
    }

    /// Changes what the resolver says.
    pub fn resolve(&self, change: impl FnOnce(&mut Names)) {
        change(&mut self.resolver.lock().unwrap());
    }

    /// A service with TLS for names of example.com, at this address; and its redirect on port 80.
    pub fn serve_at(&self, ip: &str) -> Service {
        let (service, behind) = serve_plainly();
        let (leaf, key) = self.authority.issue(&["*.example.com"]);
        end_tls(TcpListener::bind((ip, 443)).unwrap(), (leaf, &key), behind);
        redirects(ip);
        service
    }

    /// The program in this network; it trusts the services' authority.
    pub fn run(&self, line: &str) -> Run {
        self.run_with(line, &[])
    }

    /// The same with more variables.
    pub fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = self.aws.command(line);
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        command.env("SSL_CERT_FILE", self.aws.path("authority.pem")).envs(variables.iter().copied());
        Run::of(&mut command)
    }
}

/// A proxy at this address that opens tunnels (CONNECT) to names that it knows itself, and forwards nothing else.
pub fn proxy_at(address: &str, leads: &[(&str, &str)]) -> Arc<Mutex<Vec<String>>> {
    let leads: BTreeMap<String, String> =
        leads.iter().map(|(name, to)| ((*name).to_lowercase(), (*to).to_owned())).collect();
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let listener = TcpListener::bind(address).unwrap();
    let noted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (leads, noted) = (leads.clone(), Arc::clone(&noted));
            std::thread::spawn(move || tunnel(client, &leads, &noted));
        }
    });
    seen
}

fn run(program: &str, arguments: &[&str]) {
    let ended =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}. {CURE}"));
    assert!(ended.status.success(), "{program} {arguments:?}: {}. {CURE}", String::from_utf8_lossy(&ended.stderr));
}

fn redirects(ip: &str) {
    let listener = TcpListener::bind((ip, 80)).unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(&client).read_line(&mut line);
            let _ = client.write_all(
                format!(
                    "HTTP/1.1 301 Moved Permanently\r\nServer: awselb/2.0\r\nLocation: https://{RECORD}:443/\r\n\
                    Content-Length: 0\r\nConnection: close\r\n\r\n"
                )
                .as_bytes(),
            );
        }
    });
}

fn tunnel(mut client: TcpStream, leads: &BTreeMap<String, String>, seen: &Mutex<Vec<String>>) {
    let (mut reader, mut line) = (BufReader::new(client.try_clone().unwrap()), String::new());
    let _ = reader.read_line(&mut line);
    seen.lock().unwrap().push(line.trim().to_owned());
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
        header.clear();
    }
    let to = line.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let (host, port) = to.rsplit_once(':').unwrap_or_default();
    let server = leads.get(&host.to_lowercase()).and_then(|ip| TcpStream::connect(format!("{ip}:{port}")).ok());
    let Some(server) = server else {
        let _ = client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nServer: test-proxy\r\nContent-Length: 0\r\n\r\n");
        return;
    };
    let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
    let (mut up, mut from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut up);
        let _ = up.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut &server, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Both);
}

fn serve_names(ip: &str, names: Arc<Mutex<Names>>) {
    let socket = UdpSocket::bind((ip, 53)).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let names = names.lock().unwrap().clone();
            if let Some(answer) = Message::from_vec(&buffer[..length]).ok().filter(|_| !names.silent) {
                let _ = socket.send_to(&answered(&names, &answer).to_vec().unwrap(), from);
            }
        }
    });
}

fn answered(names: &Names, query: &Message) -> Message {
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.authoritative = true;
    let Some(asked) = query.queries.first() else { return answer };
    answer.add_query(asked.clone());
    let name = asked.name().to_utf8().trim_end_matches('.').to_lowercase();
    let record = |data| Record::from_rdata(asked.name().clone(), 60, data);
    match (asked.query_type(), names.addresses.get(&name), names.servers.get(&name)) {
        (RecordType::A, Some(found), _) => {
            answer.add_answers(found.iter().map(|ip| record(RData::A(A(*ip)))));
        }
        (RecordType::NS, _, Some(servers)) => {
            let server = |server: &String| record(RData::NS(NS(Name::from_utf8(format!("{server}.")).unwrap())));
            answer.add_answers(servers.iter().map(server));
        }
        (_, None, None) => answer.metadata.response_code = ResponseCode::NXDomain,
        _ => {}
    }
    answer
}

/// Who issues the services' certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    fn issue(&self, names: &[&str]) -> (CertificateDer<'static>, KeyPair) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        (leaf.der().clone(), key)
    }
}
