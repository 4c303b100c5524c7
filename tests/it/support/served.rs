//! `deploy sandbox serve`, and the program against it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::program::configuration;
use super::python::KEYS;

/// A sandbox on loopback, with the deploy.yaml that fits it.
pub struct Served {
    server: Child,
    /// Kept open: it tells its end there.
    _told: BufReader<ChildStdout>,
    /// Where it answers.
    pub url: String,
    home: tempfile::TempDir,
}

impl Served {
    /// Starts one on a free port, with more arguments, and waits until it says where it answers.
    pub fn start(arguments: &[&str]) -> Served {
        let home = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_deploy"))
            .args(["sandbox", "serve"])
            .args(arguments)
            .env("DEPLOY_SANDBOX_WORLD", home.path().join("world.json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut told, mut first) = (BufReader::new(server.stdout.take().unwrap()), String::new());
        told.read_line(&mut first).unwrap();
        let url = first.split("AWS_ENDPOINT_URL=").nth(1).unwrap();
        let url = url.split_whitespace().next().unwrap().to_owned();
        std::fs::write(home.path().join("deploy.yaml"), configuration()).unwrap();
        Served { server, _told: told, url, home }
    }

    /// The program, against this server.
    pub fn deploy(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command.current_dir(self.home.path()).envs(KEYS).env("AWS_ENDPOINT_URL", &self.url);
        command
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
