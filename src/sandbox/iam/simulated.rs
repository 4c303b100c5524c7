//! IAM: what a principal may do, by its policies. Conditions are not weighed, and resources are all alike.

use serde_json::{Value, json};

use super::absent;
use super::documents::{many, read};
use crate::sandbox::wire::{Refusal, Reply, list, need, refuse, texts};
use crate::sandbox::world::World;

/// SimulatePrincipalPolicy: a role by its policies; whoever else may do everything, for the sandbox has no users.
pub fn simulate(world: &World, asked: &Value) -> Reply {
    let source = need(asked, "PolicySourceArn")?;
    if !source.starts_with("arn:aws:iam::") {
        return refuse("InvalidInput", format!("Invalid ARN: {source}"));
    }
    let actions = texts(asked, "ActionNames");
    if let Some(bad) = actions.iter().find(|action| !action.contains(':')) {
        return refuse("InvalidInput", format!("Invalid action name: {bad}"));
    }
    let documents = documents(world, source)?;
    let resources = texts(asked, "ResourceArns");
    let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
    let results = actions.iter().flat_map(|action| {
        let decision = documents.as_ref().map_or("allowed", |documents| decide(documents, action));
        let matched = if decision == "allowed" {
            json!([{"SourcePolicyId": "policy", "SourcePolicyType": "IAM Policy"}])
        } else {
            json!([])
        };
        resources.iter().map(move |resource| {
            json!({
                "EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision,
                "MatchedStatements": matched, "MissingContextValues": [],
            })
        })
    });
    Ok(json!({"EvaluationResults": results.collect::<Vec<_>>(), "IsTruncated": false}))
}

/// The documents of a role's policies; `None`: it is no role.
fn documents(world: &World, source: &str) -> Result<Option<Vec<Value>>, Refusal> {
    let Some((_, path)) = source.split_once(":role/") else {
        return Ok(None);
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(role) = world.row("roles", name) else {
        return absent(format!("The role with name {name} cannot be found."));
    };
    let attached = list(role, "_attached").iter().filter_map(|arn| world.row("policies", arn.as_str()?));
    let defaults =
        attached.flat_map(|row| list(row, "_versions")).filter(|version| version["IsDefaultVersion"] == true);
    let inline = list(role, "_inline").iter().map(|policy| read(&policy["PolicyDocument"]));
    Ok(Some(defaults.map(|version| read(&version["Document"])).chain(inline).collect()))
}

fn decide(documents: &[Value], action: &str) -> &'static str {
    let statements = || documents.iter().flat_map(|document| many(&document["Statement"]));
    let says = |effect: &str| statements().any(|one| one["Effect"] == effect && covers(one, action));
    if says("Deny") {
        "explicitDeny"
    } else if says("Allow") {
        "allowed"
    } else {
        "implicitDeny"
    }
}

fn covers(statement: &Value, action: &str) -> bool {
    let fits = |pattern: &&Value| {
        pattern.as_str().is_some_and(|pattern| matches(&pattern.to_lowercase(), &action.to_lowercase()))
    };
    match &statement["NotAction"] {
        Value::Null => many(&statement["Action"]).iter().any(fits),
        others => !many(others).iter().any(fits),
    }
}

/// `*` means any characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text
            .strip_prefix(head)
            .is_some_and(|tail| (0..=tail.len()).any(|at| tail.is_char_boundary(at) && matches(rest, &tail[at..]))),
    }
}
