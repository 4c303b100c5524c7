//! A second AWS that nobody here wrote: https://github.com/getmoto/moto.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::python::{KEYS, python, script};

/// A moto server of its own, seeded with a network, an image, a certificate and a zone.
pub struct Moto {
    server: Child,
    /// Where it answers.
    pub url: String,
    directory: tempfile::TempDir,
}

impl Moto {
    /// Starts one on a free port and waits until it answers.
    pub fn start() -> Moto {
        let python = python();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let server = Command::new(&python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("MOTO_ACM_VALIDATION_WAIT", "0")
            .env("MOTO_ENABLE_AMI_VALIDATION", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Moto { server, url: format!("http://127.0.0.1:{port}"), directory: tempfile::tempdir().unwrap() };
        let answers = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        let started = (0..300).any(|_| {
            answers() || {
                std::thread::sleep(Duration::from_millis(100));
                false
            }
        });
        assert!(started, "moto did not start on port {port} within 30 s");
        let config = script("seed_moto.py", &[&moto.url]);
        fs::write(moto.directory.path().join("deploy.yaml"), config).unwrap();
        moto
    }

    /// The program, against this server.
    pub fn deploy(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command.current_dir(self.directory.path()).envs(KEYS).env("AWS_ENDPOINT_URL", &self.url);
        command
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
