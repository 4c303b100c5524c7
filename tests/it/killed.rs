//! The program itself, killed at random instants, and again, until it comes to its end: then all is as if it never was.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Moto, Served, script};

/// A server of AWS's calls, and the program against it.
trait Server {
    fn url(&self) -> &str;
    fn deploy(&self) -> Command;
}

impl Server for Served {
    fn url(&self) -> &str {
        &self.url
    }

    fn deploy(&self) -> Command {
        Served::deploy(self)
    }
}

impl Server for Moto {
    fn url(&self) -> &str {
        &self.url
    }

    fn deploy(&self) -> Command {
        Moto::deploy(self)
    }
}

fn count(server: &dyn Server) -> Value {
    serde_json::from_str(&script("count.py", &[server.url()])).unwrap()
}

/// A run to its end; how long it took.
fn succeeds(server: &dyn Server, line: &str) -> Duration {
    let start = Instant::now();
    let output = server.deploy().args(line.split(' ')).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {told}");
    start.elapsed()
}

/// Runs that are killed (SIGKILL) at random instants of the time that one takes, then one to its end.
fn killed(server: &dyn Server, line: &str, time: Duration, times: u32) {
    for _ in 0..times {
        let mut command = server.deploy();
        command.args(line.split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
        let mut run = command.spawn().unwrap();
        std::thread::sleep(time.mul_f64(fastrand::f64()));
        run.kill().unwrap();
        run.wait().unwrap();
    }
    succeeds(server, line);
}

const UP: &str = "up --no-verify";
const TEARDOWN: &str = "teardown --yes";

/// What stands and what is left, counted by another client, is what undisturbed runs leave.
fn lives(start: impl Fn() -> Box<dyn Server>, times: u32) {
    let calm = start();
    let empty = count(&*calm);
    let made = succeeds(&*calm, UP);
    let whole = count(&*calm);
    let gone = succeeds(&*calm, TEARDOWN);
    assert_eq!(count(&*calm), empty);

    let server = start();
    killed(&*server, UP, made, times);
    assert_eq!(count(&*server), whole);
    succeeds(&*server, "plan --exit-code");
    killed(&*server, TEARDOWN, gone, times);
    assert_eq!(count(&*server), empty);
}

#[test]
fn on_the_served_sandbox() {
    lives(|| Box::new(Served::start(&[])), 12);
}

#[test]
fn on_moto() {
    lives(|| Box::new(Moto::start()), 5);
}
