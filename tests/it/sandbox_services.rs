//! A client that nobody here wrote asks the sandbox's ELBv2, Auto Scaling, IAM, Route 53, ACM, STS, SSM, Service Quotas
//! and CloudWatch: what they refuse, what they answer, what their rows have.

use serde_json::{Value, json};

use crate::support::{AwsServer, left_out_offline, script};

#[test]
fn boto3_finds_the_services_as_on_aws() {
    if left_out_offline() {
        return;
    }
    let server = AwsServer::sandbox();
    let found: Value = serde_json::from_str(&script("services.py", &[&server.url])).unwrap();
    assert_eq!(found["wrong"], json!([]));
    assert!(found["checks"].as_u64().is_some_and(|checks| checks > 180), "{}", found["checks"]);
}
