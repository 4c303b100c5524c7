//! The binary: streams, exit codes, the envelope.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::support::KEYS;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command.current_dir(self.0.path()).env("DEPLOY_SANDBOX_WORLD", self.0.path().join("world.json"));
        command.args(line.split_whitespace()).stdin(std::process::Stdio::null());
        command
    }

    fn run(&self, line: &str) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(line).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }
}

#[test]
fn a_newcomer_sees_the_whole_life_of_a_stack() {
    let home = Home::new();
    let (code, out, told) = home.run("--sandbox up");
    assert_eq!(code, Some(0), "{told}");
    assert!(out.contains("https://app.example.com") && out.contains("0.0.0-sandbox"), "{out}");
    let (code, _, told) = home.run("--sandbox up");
    assert_eq!(code, Some(0));
    assert!(told.contains("Nothing to do"), "{told}");
    assert_eq!(
        home.run("--sandbox plan"),
        (Some(0), String::new(), "No changes: the stack is as deploy.yaml wants it.\n".to_owned())
    );
    let (code, _, told) = home.run("--sandbox teardown");
    assert_eq!(code, Some(2), "no terminal, no --yes: {told}");
    assert_eq!(home.run("--sandbox teardown --yes").0, Some(0));
    let (code, _, told) = home.run("--sandbox teardown --yes");
    assert_eq!((code, told.as_str()), (Some(0), "There was nothing of this stack to remove.\n"));
    assert_eq!(home.run("--sandbox plan --exit-code").0, Some(3));
    assert_eq!(home.run("sandbox reset").0, Some(0));
}

#[test]
fn mistakes_are_told_with_their_place_and_exit_with_2() {
    let home = Home::new();
    let (code, out, told) = home.run("plan");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(told.contains("deploy.yaml") && told.contains("--sandbox up"), "{told}");
    std::fs::write(
        home.0.path().join("deploy.yaml"),
        "network:\n  vcp: vpc-0a1b2c3d4e5f60718\nscaling: { min: many }\n",
    )
    .unwrap();
    let (code, _, told) = home.run("plan");
    assert_eq!(code, Some(2));
    assert!(told.contains("deploy.yaml:2:3") && told.contains("did you mean `vpc`"), "{told}");
    assert!(told.contains("deploy.yaml:3:"), "{told}");
    assert_eq!(home.run("up --no-such-flag").0, Some(2));
    assert_eq!(home.run("up --timeout soon").0, Some(2));
    let (code, _, told) = home.run("sandbox weather outage=maybe");
    assert_eq!(code, Some(2));
    assert!(told.contains("outage=maybe") && told.contains("shows every switch"), "{told}");
}

#[test]
fn the_envelope_is_one_document_on_failure_too() {
    let home = Home::new();
    for (line, code) in [
        ("--json plan", 2),
        ("--json up --no-such-flag", 2),
        ("--json --sandbox plan --exit-code", 3),
        ("--json --sandbox status", 0),
    ] {
        let (got, out, _) = home.run(line);
        let envelope: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((got, envelope["exit_code"].as_i64()), (Some(code), Some(code.into())), "{line}");
        assert_eq!(envelope["schema"], "deploy/v1");
    }
}

#[test]
fn interrupt_and_terminate_have_their_own_codes() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let home = Home::new();
        let mut child = home.command("--sandbox up").stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500)); // in the middle of the wait for healthy targets
        let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let (code, _, told) = home.run("--sandbox up");
        assert_eq!(code, Some(0));
        assert!(told.contains("Nothing to do"), "{told}");
    }
}

const ON_AN_ACCOUNT: &str = "region: eu-central-1\nload_balancer: { listener: http }\n\
    network: { vpc: vpc-0a1b2c3d4e5f60718, private_subnets: [subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2] }\n";

/// An endpoint that takes the connection and never answers: Ctrl-C and --timeout end the first look, not its last attempt.
#[test]
fn a_first_look_without_an_answer_can_be_ended() {
    let home = Home::new();
    std::fs::write(home.0.path().join("deploy.yaml"), ON_AN_ACCOUNT).unwrap();
    for line in ["plan", "up", "teardown --yes", "status", "verify", "diagnose"] {
        let hole = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", hole.local_addr().unwrap());
        let mut command = home.command(line);
        command.envs(KEYS).env("AWS_ENDPOINT_URL", &url);
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        let _asked = hole.accept().unwrap(); // it is in the middle of it
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{line}");
    }
    let hole = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hole.local_addr().unwrap());
    for line in ["up --timeout 1s", "teardown --yes --timeout 1s"] {
        let mut command = home.command(line);
        let output = command.envs(KEYS).env("AWS_ENDPOINT_URL", &url).output();
        assert_eq!(output.unwrap().status.code(), Some(5), "{line}");
    }
}

#[test]
fn missing_credentials_are_told_with_their_cure() {
    let home = Home::new();
    std::fs::write(home.0.path().join("deploy.yaml"), ON_AN_ACCOUNT).unwrap();
    let mut command = home.command("plan");
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "none")
        .env("AWS_SHARED_CREDENTIALS_FILE", "none")
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_PROFILE");
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("no usable credentials") && told.contains("aws sso login"), "{told}");
}
