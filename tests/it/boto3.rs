//! A client that nobody here wrote reads from `sandbox serve` what `status` says.

use serde_json::Value;

use crate::support::{Moto, Served, golden, script};

#[test]
fn boto3_sees_the_stack_that_status_tells_of() {
    let served = Served::start(&[]);
    let run = |arguments: &[&str]| {
        let output = served.deploy().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    run(&["--json", "up", "--no-verify"]);
    let status = run(&["--json", "status"]);
    seen_as_told(&served.url, &status, "boto3-sandbox.json");
}

#[test]
fn boto3_sees_the_same_on_moto() {
    let moto = Moto::start();
    let run = |arguments: &[&str]| {
        let output = moto.deploy().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
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
        let line = told.iter().find(|one| one["resource"] == resource.as_str()).unwrap();
        assert_eq!(line["id"], *id, "{resource}");
    }
    let properties = serde_json::to_string_pretty(&seen["properties"]).unwrap();
    golden(file, &format!("{properties}\n"));
}
