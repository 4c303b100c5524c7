//! Servers of AWS's calls on loopback, and the program against them.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::binary::{Home, Run};
use super::program::configuration;
use super::python::{python, script};

/// A server, with a directory whose deploy.yaml fits it. Ended when it is dropped.
pub struct AwsServer {
    child: Child,
    /// Kept open: the sandbox prints its end there.
    _stdout: Option<BufReader<ChildStdout>>,
    /// Where it answers.
    pub url: String,
    home: Home,
}

impl AwsServer {
    /// `deploy sandbox serve`, on a free port.
    pub fn sandbox() -> AwsServer {
        AwsServer::served("sandbox serve")
    }

    /// The same, in which so many seconds pass in one of ours.
    pub fn sandbox_at(pace: u32) -> AwsServer {
        AwsServer::served(&format!("sandbox serve --pace {pace}"))
    }

    fn served(line: &str) -> AwsServer {
        let home = Home::new();
        let mut child = home.command(line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut stdout, mut first) = (BufReader::new(child.stdout.take().unwrap()), String::new());
        stdout.read_line(&mut first).unwrap();
        let url = first.split("AWS_ENDPOINT_URL=").nth(1).unwrap();
        let url = url.split_whitespace().next().unwrap().to_owned();
        home.write("deploy.yaml", configuration());
        AwsServer { child, _stdout: Some(stdout), url, home }
    }

    /// moto (https://github.com/getmoto/moto), on a free port, with a network, an image, a certificate and a zone.
    pub fn moto() -> AwsServer {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new(python())
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("MOTO_ACM_VALIDATION_WAIT", "0")
            .env("MOTO_ENABLE_AMI_VALIDATION", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = AwsServer { child, _stdout: None, url: format!("http://127.0.0.1:{port}"), home: Home::new() };
        let answers = || {
            std::thread::sleep(Duration::from_millis(100));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        };
        assert!((0..300).any(|_| answers()), "moto did not start on port {port} within 30 s");
        moto.home.write("deploy.yaml", script("seed_moto.py", &[&moto.url]));
        moto
    }

    /// The program, against this server.
    pub fn command(&self, line: &str) -> Command {
        self.home.command_at(&self.url, line)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.home.write(name, bytes);
    }

    pub fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }
}

impl Drop for AwsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
