//! IAM: policies, roles, instance profiles.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::ec2::set_tags;
use super::wire::{Refusal, Reply, list, need, refuse};
use super::world::World;

/// What RFC 3986 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "CreatePolicy" => create_policy(world, asked),
        "GetPolicy" => Ok(json!({"Policy": shown_policy(policy(world, asked)?)})),
        "ListPolicies" => {
            Ok(json!({"Policies": world.rows("policies").map(shown_policy).collect::<Vec<_>>(), "IsTruncated": false}))
        }
        "CreatePolicyVersion" => create_version(world, asked),
        "GetPolicyVersion" => get_version(world, asked),
        "ListPolicyVersions" => {
            let versions = list(policy(world, asked)?, "_versions").iter().rev().map(|version| {
                json!({"VersionId": version["VersionId"], "IsDefaultVersion": version["IsDefaultVersion"], "CreateDate": version["CreateDate"]})
            });
            Ok(json!({"Versions": versions.collect::<Vec<_>>(), "IsTruncated": false}))
        }
        "SetDefaultPolicyVersion" => set_default(world, asked),
        "DeletePolicyVersion" => delete_version(world, asked),
        "ListEntitiesForPolicy" => entities(world, asked),
        "DeletePolicy" => delete_policy(world, asked),
        "TagPolicy" => tagged(policy(world, asked)?, asked),
        "CreateRole" => create_role(world, asked),
        "GetRole" => Ok(json!({"Role": role(world, asked)?.clone()})),
        "ListRoles" => Ok(json!({"Roles": world.rows("roles").collect::<Vec<_>>(), "IsTruncated": false})),
        "UpdateAssumeRolePolicy" => {
            let document = document(asked, "PolicyDocument")?;
            role(world, asked)?["AssumeRolePolicyDocument"] = document;
            Ok(json!({}))
        }
        "TagRole" => tagged(role(world, asked)?, asked),
        "AttachRolePolicy" => {
            policy(world, asked)?;
            change_attached(world, asked, true)
        }
        "DetachRolePolicy" => change_attached(world, asked, false),
        "ListAttachedRolePolicies" => {
            let attached = list(role(world, asked)?, "_attached").iter().map(
                |arn| json!({"PolicyArn": arn, "PolicyName": arn.as_str().and_then(|arn| arn.rsplit('/').next())}),
            );
            Ok(json!({"AttachedPolicies": attached.collect::<Vec<_>>(), "IsTruncated": false}))
        }
        "ListRolePolicies" => {
            role(world, asked)?;
            Ok(json!({"PolicyNames": [], "IsTruncated": false}))
        }
        "ListInstanceProfilesForRole" => {
            let name = role(world, asked)?["RoleName"].clone();
            let holding: Vec<Value> = world
                .rows("profiles")
                .filter(|row| row["_role"] == name)
                .map(|row| shown_profile(world, row))
                .collect();
            Ok(json!({"InstanceProfiles": holding, "IsTruncated": false}))
        }
        "DeleteRole" => delete_role(world, asked),
        "CreateInstanceProfile" => create_profile(world, asked),
        "GetInstanceProfile" => {
            let row = profile(world, asked)?.clone();
            Ok(json!({"InstanceProfile": shown_profile(world, &row)}))
        }
        "ListInstanceProfiles" => {
            let all: Vec<Value> = world.rows("profiles").map(|row| shown_profile(world, row)).collect();
            Ok(json!({"InstanceProfiles": all, "IsTruncated": false}))
        }
        "AddRoleToInstanceProfile" => add_role(world, asked),
        "RemoveRoleFromInstanceProfile" => {
            let wanted = need(asked, "RoleName")?;
            let row = profile(world, asked)?;
            if row["_role"] != wanted {
                return absent("role in the instance profile", wanted);
            }
            row["_role"] = Value::Null;
            Ok(json!({}))
        }
        "TagInstanceProfile" => tagged(profile(world, asked)?, asked),
        "DeleteInstanceProfile" => {
            if profile(world, asked)?["_role"].is_string() {
                return conflict("Cannot delete entity, must remove roles from instance profile first.");
            }
            world.table("profiles").remove(need(asked, "InstanceProfileName")?);
            Ok(json!({}))
        }
        other => refuse("InvalidAction", format!("Could not find operation {other} for version 2010-05-08")),
    }
}

fn absent<T>(what: &str, name: &str) -> Result<T, Refusal> {
    Err(Refusal { code: "NoSuchEntity", message: format!("The {what} with name {name} cannot be found."), status: 404 })
}

fn exists<T>(what: &str, name: &str) -> Result<T, Refusal> {
    Err(Refusal {
        code: "EntityAlreadyExists",
        message: format!("{what} with name {name} already exists."),
        status: 409,
    })
}

fn conflict<T>(message: &str) -> Result<T, Refusal> {
    Err(Refusal { code: "DeleteConflict", message: message.to_owned(), status: 409 })
}

fn policy<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let arn = need(asked, "PolicyArn")?;
    world.row_mut("policies", arn).map_or_else(|| absent("policy", arn), Ok)
}

fn role<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let name = need(asked, "RoleName")?;
    world.row_mut("roles", name).map_or_else(|| absent("role", name), Ok)
}

fn profile<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let name = need(asked, "InstanceProfileName")?;
    world.row_mut("profiles", name).map_or_else(|| absent("instance profile", name), Ok)
}

/// A document that is JSON, encoded as IAM gives it back.
fn document(asked: &Value, name: &str) -> Reply {
    let text = need(asked, name)?;
    match serde_json::from_str::<Value>(text) {
        Ok(document) if document["Statement"].is_array() || document["Statement"].is_object() => {
            Ok(Value::from(utf8_percent_encode(text, ENCODED).to_string()))
        }
        _ => refuse("MalformedPolicyDocument", "Syntax errors in policy."),
    }
}

fn tagged(row: &mut Value, asked: &Value) -> Reply {
    set_tags(row, ("Tags", "Key", "Value"), list(asked, "Tags"));
    Ok(json!({}))
}

fn shown_policy(row: &Value) -> Value {
    let mut shown = row.clone();
    let default = list(row, "_versions").iter().find(|version| version["IsDefaultVersion"] == true);
    shown["DefaultVersionId"] = default.map(|version| version["VersionId"].clone()).unwrap_or_default();
    shown
}

fn create_policy(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "PolicyName")?.to_owned();
    let document = document(asked, "PolicyDocument")?;
    if world.rows("policies").any(|row| row["PolicyName"].as_str().is_some_and(|old| old.eq_ignore_ascii_case(&name))) {
        return exists("A policy", &name);
    }
    let arn = world.arn("iam", &format!("policy/{name}"));
    let row = json!({
        "PolicyName": name, "Arn": arn, "Path": "/", "IsAttachable": true, "CreateDate": world.date(), "Tags": asked["Tags"],
        "_versions": [{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": world.date(), "Document": document}], "_made": 1,
    });
    world.table("policies").insert(arn, row.clone());
    Ok(json!({"Policy": shown_policy(&row)}))
}

fn create_version(world: &mut World, asked: &Value) -> Reply {
    let (document, date) = (document(asked, "PolicyDocument")?, world.date());
    let row = policy(world, asked)?;
    if list(row, "_versions").len() >= 5 {
        return Err(Refusal {
            code: "LimitExceeded",
            message: "A managed policy can have up to 5 versions.".to_owned(),
            status: 409,
        });
    }
    let number = row["_made"].as_i64().unwrap_or_default() + 1;
    row["_made"] = json!(number);
    let default = asked["SetAsDefault"] == "true";
    let made = json!({"VersionId": format!("v{number}"), "IsDefaultVersion": default, "CreateDate": date, "Document": document});
    for version in row["_versions"].as_array_mut().into_iter().flatten().filter(|_| default) {
        version["IsDefaultVersion"] = json!(false);
    }
    row["_versions"].as_array_mut().into_iter().for_each(|versions| versions.push(made.clone()));
    Ok(json!({"PolicyVersion": made}))
}

fn get_version(world: &mut World, asked: &Value) -> Reply {
    let id = need(asked, "VersionId")?;
    let found = list(policy(world, asked)?, "_versions").iter().find(|version| version["VersionId"] == id).cloned();
    found.map_or_else(|| absent("policy version", id), |version| Ok(json!({"PolicyVersion": version})))
}

fn set_default(world: &mut World, asked: &Value) -> Reply {
    get_version(world, asked)?;
    let id = need(asked, "VersionId")?;
    for version in policy(world, asked)?["_versions"].as_array_mut().into_iter().flatten() {
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
    let having = world.rows("roles").filter(|row| list(row, "_attached").contains(&arn));
    let roles: Vec<Value> = having.map(|row| json!({"RoleName": row["RoleName"], "RoleId": row["RoleId"]})).collect();
    Ok(json!({"PolicyRoles": roles, "PolicyUsers": [], "PolicyGroups": [], "IsTruncated": false}))
}

fn delete_policy(world: &mut World, asked: &Value) -> Reply {
    let held = !list(&entities(world, asked)?, "PolicyRoles").is_empty();
    if held {
        return conflict("Cannot delete a policy attached to entities.");
    }
    if list(policy(world, asked)?, "_versions").len() > 1 {
        return conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.",
        );
    }
    world.table("policies").remove(need(asked, "PolicyArn")?);
    Ok(json!({}))
}

fn create_role(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "RoleName")?.to_owned();
    let trust = document(asked, "AssumeRolePolicyDocument")?;
    if world.row("roles", &name).is_some() {
        return exists("Role", &name);
    }
    world.counter += 1;
    let row = json!({
        "RoleName": name, "Arn": world.arn("iam", &format!("role/{name}")), "Path": "/", "RoleId": format!("AROA{:016X}", world.counter),
        "CreateDate": world.date(), "AssumeRolePolicyDocument": trust, "Tags": asked["Tags"], "MaxSessionDuration": 3600, "_attached": [],
    });
    world.table("roles").insert(name, row.clone());
    Ok(json!({"Role": row}))
}

fn change_attached(world: &mut World, asked: &Value, attach: bool) -> Reply {
    let arn = Value::from(need(asked, "PolicyArn")?);
    let row = role(world, asked)?;
    let mut attached = list(row, "_attached").to_vec();
    if !attach && !attached.contains(&arn) {
        return absent("attached policy", arn.as_str().unwrap_or_default());
    }
    attached.retain(|old| *old != arn);
    attached.extend(attach.then_some(arn));
    row["_attached"] = Value::Array(attached);
    Ok(json!({}))
}

fn delete_role(world: &mut World, asked: &Value) -> Reply {
    let row = role(world, asked)?.clone();
    if !list(&row, "_attached").is_empty() {
        return conflict("Cannot delete entity, must detach all policies first.");
    }
    if world.rows("profiles").any(|profile| profile["_role"] == row["RoleName"]) {
        return conflict("Cannot delete entity, must remove roles from instance profile first.");
    }
    world.table("roles").remove(need(asked, "RoleName")?);
    Ok(json!({}))
}

fn shown_profile(world: &World, row: &Value) -> Value {
    let mut shown = row.clone();
    let role = row["_role"].as_str().and_then(|name| world.row("roles", name));
    shown["Roles"] = role.into_iter().cloned().collect();
    shown
}

fn create_profile(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "InstanceProfileName")?.to_owned();
    if world.row("profiles", &name).is_some() {
        return exists("Instance Profile", &name);
    }
    world.counter += 1;
    let row = json!({
        "InstanceProfileName": name, "Arn": world.arn("iam", &format!("instance-profile/{name}")), "Path": "/",
        "InstanceProfileId": format!("AIPA{:016X}", world.counter), "CreateDate": world.date(), "Tags": asked["Tags"], "_role": null,
        "_made": world.now,
    });
    world.table("profiles").insert(name, row.clone());
    Ok(json!({"InstanceProfile": shown_profile(world, &row)}))
}

/// The quota is one, the same role again included (API reference, AddRoleToInstanceProfile).
fn add_role(world: &mut World, asked: &Value) -> Reply {
    let (name, now) = (role(world, asked)?["RoleName"].clone(), world.now);
    let row = profile(world, asked)?;
    if row["_role"].is_string() {
        return Err(Refusal {
            code: "LimitExceeded",
            message: "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1".to_owned(),
            status: 409,
        });
    }
    row["_role"] = name;
    row["_made"] = json!(now);
    Ok(json!({}))
}
