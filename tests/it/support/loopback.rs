//! The binary beside a stand-in service over HTTP on loopback.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use super::binary::{Home, Run};
use super::program::{Kind, Script, Seen, Service, samples, serve};

/// A service on loopback, and a directory with samples.
pub struct LoopbackService {
    service: Service,
    pub url: String,
    home: Home,
}

/// A stand-in service without TLS, and where it listens.
pub fn serve_plainly() -> (Service, SocketAddr) {
    let service = Service::new(Script::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (served, address) = (service.clone(), listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            serve(served, listener, std::future::pending()).await.unwrap();
        });
    });
    (service, address)
}

impl LoopbackService {
    pub fn new() -> LoopbackService {
        let (service, address) = serve_plainly();
        let url = format!("http://{address}");
        let here = LoopbackService { service, url, home: Home::new() };
        here.write("capture.json", samples::capture("anna", false).to_string());
        here.write("spoof.json", samples::capture("anna", true).to_string());
        here.write("anna.jpg", samples::picture(Kind::Jpeg, "anna", false));
        here.write("anna.png", samples::picture(Kind::Png, "anna", false));
        here.write("bert.png", samples::picture(Kind::Png, "bert", false));
        here
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.service.requests()
    }

    /// How many requests were under way at once, at most.
    pub fn most_under_way(&self) -> usize {
        self.service.most_under_way()
    }

    /// Changes how it answers.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        self.service.script(change);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.home.write(name, bytes);
    }

    /// The program; `URL` in the line is where the service answers.
    pub fn command(&self, line: &str) -> Command {
        self.home.command(&line.replace("URL", &self.url))
    }

    pub fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }

    /// How many requests there were.
    pub fn calls(&self) -> usize {
        self.service.requests().len()
    }
}
