//! The program itself, killed at random instants, and again, until it comes to its end: then all is as if it never was.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{AwsServer, left_out_offline, script};

/// How many of each kind there are, counted by another client.
fn count(server: &AwsServer) -> Value {
    serde_json::from_str(&script("count.py", &[&server.url])).unwrap()
}

/// A run to its end; how long it took.
fn succeeds(server: &AwsServer, line: &str) -> Duration {
    let start = Instant::now();
    server.run(line).exits(0);
    start.elapsed()
}

/// Runs that are killed (SIGKILL) at random instants of the time that one takes, then one to its end.
fn succeeds_after_kills(server: &AwsServer, line: &str, time: Duration, kills: u32) {
    for _ in 0..kills {
        let mut command = server.command(line);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(time.mul_f64(fastrand::f64()));
        run.kill().unwrap();
        run.wait().unwrap();
    }
    succeeds(server, line);
}

const UP: &str = "up --no-verify";
const TEARDOWN: &str = "teardown --yes";

/// After kills there is what undisturbed runs leave.
fn kills_leave_no_trace(start: impl Fn() -> AwsServer, kills: u32) {
    let undisturbed = start();
    let empty = count(&undisturbed);
    let up_takes = succeeds(&undisturbed, UP);
    let whole = count(&undisturbed);
    let teardown_takes = succeeds(&undisturbed, TEARDOWN);
    assert_eq!(count(&undisturbed), empty);

    let server = start();
    succeeds_after_kills(&server, UP, up_takes, kills);
    assert_eq!(count(&server), whole);
    succeeds(&server, "plan --exit-code");
    succeeds_after_kills(&server, TEARDOWN, teardown_takes, kills);
    assert_eq!(count(&server), empty);
}

#[test]
fn kills_leave_no_trace_in_the_served_sandbox() {
    if !left_out_offline() {
        kills_leave_no_trace(AwsServer::sandbox, 12);
    }
}

#[test]
fn kills_leave_no_trace_on_moto() {
    if !left_out_offline() {
        kills_leave_no_trace(AwsServer::moto, 5);
    }
}
