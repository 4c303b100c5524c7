//! What `deploy iam-policy` allows.

use std::collections::BTreeSet;

use serde_json::Value;

use super::program::{Need, Where, config, configuration, policy_document};

/// The policy for the sandbox's own configuration, and what this command line sets over it.
pub fn policy(line: &str, needs: &[Need]) -> Value {
    let set: Vec<String> =
        line.split("--set ").skip(1).filter_map(|rest| rest.split(' ').next()).map(str::to_owned).collect();
    let config = config::parse(&configuration(), "deploy.yaml", &set).unwrap();
    let place = Where { partition: "aws", region: "eu-central-1", account: "123456789012" };
    policy_document(&config, &place, needs)
}

/// The actions of a policy.
pub fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// The actions of every verb.
pub fn every_action() -> BTreeSet<String> {
    actions(&policy("", &[Need::Up, Need::Verify, Need::Teardown, Need::Adopt]))
}

/// The same policy without this action.
pub fn without(mut policy: Value, action: &str) -> Value {
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Action"].as_array_mut().unwrap().retain(|one| one != action);
    }
    policy
}
