//! A client that nobody here wrote reads from `sandbox serve` what `status` says.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::python::{KEYS, Moto, script};

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn boto3_sees_the_stack_that_status_tells_of() {
    let home = tempfile::tempdir().unwrap();
    let deploy = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command
            .current_dir(home.path())
            .env("DEPLOY_SANDBOX_WORLD", home.path().join("world.json"));
        command
    };
    let mut child = deploy()
        .args(["sandbox", "serve"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut told = BufReader::new(child.stdout.take().unwrap()); // kept open until the end
    told.read_line(&mut first).unwrap();
    let _served = Served(child);
    let url = first
        .split("AWS_ENDPOINT_URL=")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    std::fs::write(
        home.path().join("deploy.yaml"),
        deploy::commands::sandbox::configuration(),
    )
    .unwrap();

    let run = |arguments: &[&str]| {
        let output = deploy()
            .args(arguments)
            .envs(KEYS)
            .env("AWS_ENDPOINT_URL", &url)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    run(&["--json", "up", "--no-verify"]);
    let status = run(&["--json", "status"]);
    seen_as_told(&url, &status, "boto3-sandbox.json");
}

#[test]
fn boto3_sees_the_same_on_moto() {
    let moto = Moto::start();
    let run = |arguments: &[&str]| {
        let output = moto.deploy().args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    run(&["--json", "up", "--no-verify"]);
    seen_as_told(&moto.url, &run(&["--json", "status"]), "boto3-moto.json");
}

/// Ids are those of `status`, properties those of the golden file.
fn seen_as_told(url: &str, status: &Value, file: &str) {
    let seen: Value = serde_json::from_str(&script("read_stack.py", &[url])).unwrap();
    let told = status["resources"].as_array().unwrap();
    for (resource, id) in seen["ids"].as_object().unwrap() {
        let line = told
            .iter()
            .find(|one| one["resource"] == resource.as_str())
            .unwrap();
        assert_eq!(line["id"], *id, "{resource}");
    }
    let properties = serde_json::to_string_pretty(&seen["properties"]).unwrap();
    crate::stage::golden(file, &format!("{properties}\n"));
}
