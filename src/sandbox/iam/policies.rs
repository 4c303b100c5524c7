//! IAM: managed policies and their versions.

use serde_json::{Value, json};

use super::documents::{Purpose, checked};
use super::{absent, conflict, exists, names, new_tags, tag, too_many, under, untag, whole, without_tags};
use crate::sandbox::wire::{Refusal, Reply, list, need, refuse};
use crate::sandbox::world::World;

/// One call; `None`: it is not about policies.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreatePolicy" => create(world, asked),
        "GetPolicy" => found(world, asked),
        "ListPolicies" => list_all(world, asked),
        "CreatePolicyVersion" => create_version(world, asked),
        "GetPolicyVersion" => get_version(world, asked),
        "ListPolicyVersions" => versions(world, asked),
        "SetDefaultPolicyVersion" => set_default(world, asked),
        "DeletePolicyVersion" => delete_version(world, asked),
        "ListEntitiesForPolicy" => entities(world, asked),
        "DeletePolicy" => delete(world, asked),
        "TagPolicy" => policy(world, asked).and_then(|row| tag(row, asked)),
        "UntagPolicy" => policy(world, asked).and_then(|row| untag(row, asked)),
        "ListPolicyTags" => policy(world, asked).and_then(|row| whole("Tags", list(row, "Tags").to_vec())),
        _ => return None,
    })
}

/// The policy of a request.
pub fn policy<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let arn = need(asked, "PolicyArn")?;
    if !arn.starts_with("arn:") || !arn.contains(":policy/") {
        return refuse("InvalidInput", format!("ARN {arn} is not valid."));
    }
    match world.row_mut("policies", arn) {
        Some(row) => Ok(row),
        None => absent(format!("Policy {arn} does not exist or is not attachable.")),
    }
}

/// A policy as replies show it: with its default version and how many have it.
fn shown(world: &World, row: &Value) -> Value {
    let mut shown = row.clone();
    let default = list(row, "_versions").iter().find(|version| version["IsDefaultVersion"] == true);
    shown["DefaultVersionId"] = default.map(|version| version["VersionId"].clone()).unwrap_or_default();
    shown["AttachmentCount"] = json!(holders(world, &row["Arn"]).count());
    shown["PermissionsBoundaryUsageCount"] = json!(0);
    shown
}

fn holders<'a>(world: &'a World, arn: &'a Value) -> impl Iterator<Item = &'a Value> {
    world.rows("roles").filter(move |row| list(row, "_attached").contains(arn))
}

fn found(world: &mut World, asked: &Value) -> Reply {
    let row = policy(world, asked)?.clone();
    Ok(json!({"Policy": shown(world, &row)}))
}

fn list_all(world: &World, asked: &Value) -> Reply {
    // The policies that AWS manages are not here.
    let local = asked["Scope"] != "AWS";
    let attached = asked["OnlyAttached"] == "true";
    let rows = world.rows("policies").filter(|row| local && under(row, asked)).map(|row| shown(world, row));
    whole("Policies", rows.filter(|row| !attached || row["AttachmentCount"] != 0).map(without_tags).collect())
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let (name, path) = (names::checked(asked, "PolicyName", 128)?.to_owned(), names::path(asked)?);
    let (document, tags) = (checked(asked, "PolicyDocument", Purpose::Permissions)?, new_tags(asked)?);
    if names::is_taken(world, "policies", "PolicyName", &name) {
        return exists(format!("A policy called {name} already exists. Duplicate names are not allowed."));
    }
    let (arn, date) = (world.arn("iam", &format!("policy{path}{name}")), world.date());
    let row = json!({
        "PolicyName": name, "PolicyId": names::id("ANPA", &name), "Arn": arn, "Path": path, "IsAttachable": true,
        "Description": asked["Description"], "CreateDate": date, "UpdateDate": date, "Tags": tags, "_made": 1,
        "_versions": [{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": date, "Document": document}],
    });
    world.table("policies").insert(arn, row.clone());
    Ok(json!({"Policy": shown(world, &row)}))
}

fn create_version(world: &mut World, asked: &Value) -> Reply {
    let (document, date) = (checked(asked, "PolicyDocument", Purpose::Permissions)?, world.date());
    let row = policy(world, asked)?;
    if list(row, "_versions").len() >= 5 {
        let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete \
                       an existing version.";
        return Err(Refusal { code: "LimitExceeded", message: message.to_owned(), status: 409 });
    }
    let number = row["_made"].as_i64().unwrap_or_default() + 1;
    (row["_made"], row["UpdateDate"]) = (json!(number), json!(date));
    let default = asked["SetAsDefault"] == "true";
    let made = json!({
        "VersionId": format!("v{number}"), "IsDefaultVersion": default, "CreateDate": date, "Document": document,
    });
    for version in row["_versions"].as_array_mut().into_iter().flatten().filter(|_| default) {
        version["IsDefaultVersion"] = json!(false);
    }
    row["_versions"].as_array_mut().into_iter().for_each(|versions| versions.push(made.clone()));
    Ok(json!({"PolicyVersion": without_document(&made)}))
}

/// Only GetPolicyVersion shows a version's document (API reference, PolicyVersion).
fn without_document(version: &Value) -> Value {
    let mut version = version.clone();
    version["Document"] = Value::Null;
    version
}

fn versions(world: &mut World, asked: &Value) -> Reply {
    let row = policy(world, asked)?;
    whole("Versions", list(row, "_versions").iter().rev().map(without_document).collect())
}

fn get_version(world: &mut World, asked: &Value) -> Reply {
    let (arn, id) = (need(asked, "PolicyArn")?, need(asked, "VersionId")?);
    let found = list(policy(world, asked)?, "_versions").iter().find(|version| version["VersionId"] == id).cloned();
    let number = id.strip_prefix('v').and_then(|number| number.parse::<u64>().ok());
    if number.is_none() {
        return refuse(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{id}' at 'versionId' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"
            ),
        );
    }
    match found {
        Some(version) => Ok(json!({"PolicyVersion": version})),
        None => absent(format!("Policy {arn} version {id} does not exist or is not attachable.")),
    }
}

fn set_default(world: &mut World, asked: &Value) -> Reply {
    get_version(world, asked)?;
    let (id, date) = (need(asked, "VersionId")?, world.date());
    let row = policy(world, asked)?;
    row["UpdateDate"] = json!(date);
    for version in row["_versions"].as_array_mut().into_iter().flatten() {
        version["IsDefaultVersion"] = json!(version["VersionId"] == id);
    }
    Ok(json!({}))
}

fn delete_version(world: &mut World, asked: &Value) -> Reply {
    if get_version(world, asked)?["PolicyVersion"]["IsDefaultVersion"] == true {
        return conflict("Cannot delete the default version of a policy.");
    }
    let id = need(asked, "VersionId")?;
    let versions = policy(world, asked)?["_versions"].as_array_mut();
    versions.into_iter().for_each(|versions| versions.retain(|version| version["VersionId"] != id));
    Ok(json!({}))
}

fn entities(world: &mut World, asked: &Value) -> Reply {
    let arn = policy(world, asked)?["Arn"].clone();
    let wanted = asked["EntityFilter"].as_str().is_none_or(|filter| filter == "Role");
    let having = holders(world, &arn).filter(|_| wanted);
    let roles: Vec<Value> = having.map(|row| json!({"RoleName": row["RoleName"], "RoleId": row["RoleId"]})).collect();
    Ok(json!({"PolicyRoles": roles, "PolicyUsers": [], "PolicyGroups": [], "IsTruncated": false}))
}

fn delete(world: &mut World, asked: &Value) -> Reply {
    let row = policy(world, asked)?.clone();
    if holders(world, &row["Arn"]).next().is_some() {
        return conflict("Cannot delete a policy attached to entities.");
    }
    if list(&row, "_versions").len() > 1 {
        return conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's \
             versions. The default version is deleted with the policy.",
        );
    }
    world.table("policies").remove(need(asked, "PolicyArn")?);
    Ok(json!({}))
}

/// Puts a policy on a role, or takes it away.
pub fn attach(world: &mut World, role: &str, asked: &Value, on: bool) -> Reply {
    let arn = Value::from(need(asked, "PolicyArn")?);
    if on {
        policy(world, asked)?;
    }
    let Some(row) = world.row_mut("roles", role) else {
        return absent(format!("The role with name {role} cannot be found."));
    };
    let mut attached = list(row, "_attached").to_vec();
    if !on && !attached.contains(&arn) {
        return absent(format!("Policy {} was not found.", arn.as_str().unwrap_or_default()));
    }
    attached.retain(|old| *old != arn);
    if on && attached.len() >= 10 {
        return too_many("PoliciesPerRole", 10);
    }
    attached.extend(on.then_some(arn));
    row["_attached"] = Value::Array(attached);
    Ok(json!({}))
}
