//! The binary beside a stand-in service over HTTP on loopback.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::program::{Kind, Script, Seen, Service, samples, serve};

/// A service on loopback, and a directory with samples.
pub struct LoopbackService {
    service: Service,
    pub url: String,
    home: tempfile::TempDir,
}

impl LoopbackService {
    pub fn new() -> LoopbackService {
        let service = Service::new(Script::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = service.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(served, listener, std::future::pending()).await.unwrap();
            });
        });
        let here = LoopbackService { service, url, home: tempfile::tempdir().unwrap() };
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

    /// Changes how it answers.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        self.service.script(change);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command.current_dir(self.home.path()).args(line.replace("URL", &self.url).split_whitespace());
        for name in ["OZ_ACCESS_TOKEN", "HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL", "SSL_CERT_FILE"] {
            command.env_remove(name);
        }
        command.env("DEPLOY_SANDBOX_WORLD", self.path("world.json"));
        command
    }

    pub fn run(&self, line: &str) -> Run {
        Run(self.command(line).output().unwrap())
    }

    pub fn calls(&self) -> usize {
        self.service.requests().len()
    }
}

pub struct Run(pub Output);

impl Run {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn told(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out()).unwrap_or_else(|_| panic!("no JSON: {}", self.out()))
    }
}
