//! A client that nobody here wrote reads what `status` says.

use serde_json::Value;

use crate::support::{AwsServer, golden, left_out_offline, script};

#[test]
fn boto3_sees_the_stack_that_status_tells_of() {
    if !left_out_offline() {
        boto3_sees_the_stack_of(&AwsServer::sandbox(), "boto3-sandbox.json");
    }
}

#[test]
fn boto3_sees_the_same_on_moto() {
    if !left_out_offline() {
        boto3_sees_the_stack_of(&AwsServer::moto(), "boto3-moto.json");
    }
}

/// Ids are those of `status`, properties those of the golden file.
fn boto3_sees_the_stack_of(server: &AwsServer, file: &str) {
    server.run("--json up --no-verify").exits(0);
    let run = server.run("--json status");
    let status = run.exits(0).json();
    let seen: Value = serde_json::from_str(&script("read_stack.py", &[&server.url])).unwrap();
    let lines = status["resources"].as_array().unwrap();
    for (resource, id) in seen["ids"].as_object().unwrap() {
        let line = lines.iter().find(|line| line["resource"] == resource.as_str()).unwrap();
        assert_eq!(line["id"], *id, "{resource}");
    }
    let properties = serde_json::to_string_pretty(&seen["properties"]).unwrap();
    golden(file, &format!("{properties}\n"));
}
