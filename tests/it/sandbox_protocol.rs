//! The sandbox over the wire, held against AWS's own service models and judged by a client that nobody here wrote.

use serde_json::Value;

use crate::support::{AwsServer, left_out_offline, script};

/// Seconds of the sandbox in one of ours: a stack's life takes less than an hour of AWS.
const PACE: u32 = 200;

fn report_of(name: &str) -> Value {
    let server = AwsServer::sandbox_at(PACE);
    serde_json::from_str(&script(name, &[&server.url])).unwrap()
}

/// Elements, values and errors that the service models do not have: botocore would drop them in silence.
#[track_caller]
fn assert_no_findings(report: &Value) {
    let findings = report["findings"].as_array().unwrap();
    let lines: Vec<&str> = findings.iter().map(|finding| finding.as_str().unwrap()).collect();
    assert!(lines.is_empty(), "the service models do not allow:\n{}", lines.join("\n"));
}

#[test]
fn every_answer_in_the_life_of_a_stack_is_one_of_the_service_models() {
    if left_out_offline() {
        return;
    }
    let report = report_of("stack_life.py");
    assert_no_findings(&report);
    assert!(report["answers"].as_u64().unwrap() > 120, "{report}");
}

#[test]
fn an_outside_judge_finds_what_aws_does() {
    if left_out_offline() {
        return;
    }
    let report = report_of("conformance.py");
    let failed = report["failed"].as_object().unwrap();
    let lines: Vec<String> = failed.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    assert!(lines.is_empty(), "{} checks passed, and these did not:\n{}", report["passed"], lines.join("\n"));
    assert_no_findings(&report);
    assert!(report["passed"].as_u64().unwrap() > 200, "{report}");
}
