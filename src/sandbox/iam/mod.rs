//! IAM: policies, roles, instance profiles.

mod documents;
mod names;
mod policies;
mod profiles;
mod roles;
mod simulated;

use serde_json::{Value, json};

use super::parameters::missing_as;
use super::wire::{Refusal, Reply, list, refuse};
use super::world::World;

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    let answers = [policies::call, roles::call, roles::policies, profiles::call];
    if let Some(reply) = answers.iter().find_map(|answer| answer(world, operation, asked)) {
        return missing_as("ValidationError", reply);
    }
    match operation {
        "SimulatePrincipalPolicy" => missing_as("ValidationError", simulated::simulate(world, asked)),
        "ListAccountAliases" => Ok(json!({"AccountAliases": [], "IsTruncated": false})),
        other => refuse("InvalidAction", format!("Could not find operation {other} for version 2010-05-08")),
    }
}

fn absent<T>(message: String) -> Result<T, Refusal> {
    Err(Refusal { code: "NoSuchEntity", message, status: 404 })
}

fn exists<T>(message: String) -> Result<T, Refusal> {
    Err(Refusal { code: "EntityAlreadyExists", message, status: 409 })
}

fn conflict<T>(message: &str) -> Result<T, Refusal> {
    Err(Refusal { code: "DeleteConflict", message: message.to_owned(), status: 409 })
}

fn too_many<T>(quota: &str, limit: usize) -> Result<T, Refusal> {
    let message = format!("Cannot exceed quota for {quota}: {limit}");
    Err(Refusal { code: "LimitExceeded", message, status: 409 })
}

/// A list of a reply that is whole.
fn whole(name: &str, all: Vec<Value>) -> Reply {
    Ok(json!({name: all, "IsTruncated": false}))
}

/// Tags of a new thing; none is left out of replies.
fn new_tags(asked: &Value) -> Reply {
    names::check_tags(list(asked, "Tags"))?;
    Ok(if list(asked, "Tags").is_empty() { Value::Null } else { asked["Tags"].clone() })
}

fn tag(row: &mut Value, asked: &Value) -> Reply {
    names::check_tags(list(asked, "Tags"))?;
    super::ec2::set_tags(row, ("Tags", "Key", "Value"), list(asked, "Tags"));
    Ok(json!({}))
}

fn untag(row: &mut Value, asked: &Value) -> Reply {
    let gone = list(asked, "TagKeys");
    let left: Vec<Value> = list(row, "Tags").iter().filter(|tag| !gone.contains(&tag["Key"])).cloned().collect();
    row["Tags"] = Value::Array(left);
    Ok(json!({}))
}

/// What a list shows of a row: no tags, for which there are calls of their own (API reference, ListRoles).
fn without_tags(mut row: Value) -> Value {
    row["Tags"] = Value::Null;
    row
}

/// Whether a row is under the path that a list asks for.
fn under(row: &Value, asked: &Value) -> bool {
    let path = row["Path"].as_str().unwrap_or("/");
    asked["PathPrefix"].as_str().is_none_or(|prefix| path.starts_with(prefix))
}
