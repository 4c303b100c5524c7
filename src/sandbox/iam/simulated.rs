//! IAM: what a principal may do, by its policies (IAM user guide, "IAM policy testing with the IAM policy simulator").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::absent;
use super::documents::read;
use crate::sandbox::authorization::{Decision, Question, USER, decide};
use crate::sandbox::wire::{Refusal, Reply, list, need, refuse, texts};
use crate::sandbox::world::World;

/// SimulatePrincipalPolicy: a role by its policies, the caller by its own; whoever else may do everything, for the
/// sandbox has no other users.
pub fn simulate(world: &World, asked: &Value) -> Reply {
    let source = need(asked, "PolicySourceArn")?;
    if !source.starts_with("arn:aws:iam::") || source.ends_with(":root") {
        return refuse(
            "InvalidInput",
            format!("Invalid Entity Arn: {source} does not clearly define entity type and name."),
        );
    }
    let actions = texts(asked, "ActionNames");
    if let Some(bad) = actions.iter().find(|action| !action.contains(':')) {
        return refuse("InvalidInput", format!("Invalid action name: {bad}"));
    }
    let documents = documents(world, source)?;
    let resources = texts(asked, "ResourceArns");
    let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
    let context = context(asked);
    let mut results = Vec::new();
    for (action, resource) in actions.iter().flat_map(|action| resources.iter().map(move |one| (action, one))) {
        let question = Question { action: action.clone(), resource: resource.clone(), context: context.clone() };
        let decision = documents.as_ref().map_or(Decision::Allowed, |documents| decide(documents, &question));
        let matched = json!([{"SourcePolicyId": "policy", "SourcePolicyType": "IAM Policy"}]);
        let missing = match &decision {
            Decision::NotAllowed(missing) => json!(missing),
            _ => json!([]),
        };
        results.push(json!({
            "EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision.word(),
            "MatchedStatements": if decision == Decision::Allowed { matched } else { json!([]) },
            "MissingContextValues": missing,
        }));
    }
    Ok(json!({"EvaluationResults": results, "IsTruncated": false}))
}

/// The condition keys that the question gives values to.
fn context(asked: &Value) -> BTreeMap<String, Vec<String>> {
    let entries = list(asked, "ContextEntries").iter();
    entries
        .map(|entry| {
            (entry["ContextKeyName"].as_str().unwrap_or_default().to_owned(), texts(entry, "ContextKeyValues"))
        })
        .collect()
}

/// The documents of a principal's policies; `None`: it may do everything.
fn documents(world: &World, source: &str) -> Result<Option<Vec<Value>>, Refusal> {
    if source.ends_with(USER) {
        return Ok(world.caller_policy.clone().map(|policy| vec![policy]));
    }
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
