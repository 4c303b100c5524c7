//! IAM: roles, their policies and their trust.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::documents::{Purpose, checked};
use super::policies::attach;
use super::{absent, conflict, exists, names, new_tags, profiles, tag, under, untag, whole, without_tags};
use crate::sandbox::wire::{Refusal, Reply, list, need, number, refuse};
use crate::sandbox::world::World;

/// One call; `None`: it is not about roles.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateRole" => create(world, asked),
        "GetRole" => match service_role(world, asked) {
            Some(row) => Ok(json!({ "Role": row })),
            None => role(world, asked).map(|row| json!({"Role": with_last_use(row)})),
        },
        "ListRoles" => {
            let rows = world.rows("roles").filter(|row| under(row, asked));
            whole("Roles", rows.cloned().map(without_tags).collect())
        }
        "UpdateRole" | "UpdateRoleDescription" => update(world, operation, asked),
        "UpdateAssumeRolePolicy" => update_trust(world, asked),
        "TagRole" => role(world, asked).and_then(|row| tag(row, asked)),
        "UntagRole" => role(world, asked).and_then(|row| untag(row, asked)),
        "ListRoleTags" => role(world, asked).and_then(|row| whole("Tags", list(row, "Tags").to_vec())),
        "ListInstanceProfilesForRole" => holding(world, asked),
        "DeleteRole" => delete(world, asked),
        "CreateServiceLinkedRole" => linked(world, asked),
        _ => return None,
    })
}

/// One call about a role's policies; `None`: it is not.
pub fn policies(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "AttachRolePolicy" => name(asked).and_then(|name| attach(world, name, asked, true)),
        "DetachRolePolicy" => name(asked).and_then(|name| attach(world, name, asked, false)),
        "ListAttachedRolePolicies" => role(world, asked).and_then(|row| whole("AttachedPolicies", attached(row))),
        "PutRolePolicy" => put_inline(world, asked),
        "GetRolePolicy" => get_inline(world, asked),
        "ListRolePolicies" => role(world, asked).and_then(|row| {
            let names = list(row, "_inline").iter().map(|policy| policy["PolicyName"].clone());
            whole("PolicyNames", names.collect())
        }),
        "DeleteRolePolicy" => get_inline(world, asked).and_then(|gone| {
            let row = role(world, asked)?;
            let mut left = list(row, "_inline").to_vec();
            left.retain(|policy| policy["PolicyName"] != gone["PolicyName"]);
            row["_inline"] = Value::Array(left);
            Ok(json!({}))
        }),
        _ => return None,
    })
}

fn name(asked: &Value) -> Result<&str, Refusal> {
    need(asked, "RoleName")
}

/// The role of a request.
pub fn role<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let name = name(asked)?;
    match world.row_mut("roles", name) {
        Some(row) => Ok(row),
        None => absent(format!("The role with name {name} cannot be found.")),
    }
}

fn with_last_use(row: &Value) -> Value {
    let mut row = row.clone();
    row["RoleLastUsed"] = json!({});
    row
}

fn attached(row: &Value) -> Vec<Value> {
    let shown =
        |arn: &Value| json!({"PolicyArn": arn, "PolicyName": arn.as_str().and_then(|arn| arn.rsplit('/').next())});
    list(row, "_attached").iter().map(shown).collect()
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let (name, path) = (names::checked(asked, "RoleName", 64)?.to_owned(), names::path(asked)?);
    let trust = checked(asked, "AssumeRolePolicyDocument", Purpose::Trust)?;
    let (session, tags) = (session(asked)?, new_tags(asked)?);
    if names::is_taken(world, "roles", "RoleName", &name) {
        return exists(format!("Role with name {name} already exists."));
    }
    world.counter += 1;
    let row = json!({
        "RoleName": name, "Arn": world.arn("iam", &format!("role{path}{name}")), "Path": path,
        "RoleId": format!("AROA{:016X}", world.counter), "CreateDate": world.date(), "AssumeRolePolicyDocument": trust,
        "Description": asked["Description"], "Tags": tags, "MaxSessionDuration": session.unwrap_or(3600),
        "_attached": [], "_inline": [],
    });
    world.table("roles").insert(name, row.clone());
    Ok(json!({ "Role": row }))
}

/// From one hour to twelve (API reference, CreateRole).
fn session(asked: &Value) -> Result<Option<i64>, Refusal> {
    let session = number(asked, "MaxSessionDuration");
    match session.filter(|seconds| !(3600..=43_200).contains(seconds)) {
        Some(seconds) => refuse(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: \
                 Member must have value between 3600 and 43200"
            ),
        ),
        None => Ok(session),
    }
}

fn update(world: &mut World, operation: &str, asked: &Value) -> Reply {
    let session = session(asked)?;
    let row = role(world, asked)?;
    if asked["Description"].is_string() {
        row["Description"] = asked["Description"].clone();
    }
    if let Some(session) = session {
        row["MaxSessionDuration"] = json!(session);
    }
    Ok(if operation == "UpdateRole" { json!({}) } else { json!({"Role": row.clone()}) })
}

fn update_trust(world: &mut World, asked: &Value) -> Reply {
    role(world, asked)?;
    let document = checked(asked, "PolicyDocument", Purpose::Trust)?;
    role(world, asked)?["AssumeRolePolicyDocument"] = document;
    Ok(json!({}))
}

fn put_inline(world: &mut World, asked: &Value) -> Reply {
    role(world, asked)?;
    let policy = names::checked(asked, "PolicyName", 128)?;
    let document = checked(asked, "PolicyDocument", Purpose::Permissions)?;
    let row = role(world, asked)?;
    let mut inline = list(row, "_inline").to_vec();
    inline.retain(|old| old["PolicyName"] != policy);
    inline.push(json!({"PolicyName": policy, "PolicyDocument": document}));
    row["_inline"] = Value::Array(inline);
    Ok(json!({}))
}

fn get_inline(world: &mut World, asked: &Value) -> Reply {
    let policy = need(asked, "PolicyName")?;
    let row = role(world, asked)?;
    match list(row, "_inline").iter().find(|one| one["PolicyName"] == policy) {
        Some(one) => Ok(json!({
            "RoleName": row["RoleName"], "PolicyName": policy, "PolicyDocument": one["PolicyDocument"],
        })),
        None => absent(format!("The role policy with name {policy} cannot be found.")),
    }
}

fn holding(world: &mut World, asked: &Value) -> Reply {
    let name = role(world, asked)?["RoleName"].clone();
    let holding = world.rows("profiles").filter(|row| row["_role"] == name);
    whole("InstanceProfiles", holding.map(|row| without_tags(profiles::shown(world, row))).collect())
}

fn delete(world: &mut World, asked: &Value) -> Reply {
    let row = role(world, asked)?.clone();
    if !list(&row, "_attached").is_empty() {
        return conflict("Cannot delete entity, must detach all policies first.");
    }
    if !list(&row, "_inline").is_empty() {
        return conflict("Cannot delete entity, must delete policies first.");
    }
    if world.rows("profiles").any(|profile| profile["_role"] == row["RoleName"]) {
        return conflict("Cannot delete entity, must remove roles from instance profile first.");
    }
    world.table("roles").remove(name(asked)?);
    Ok(json!({}))
}

/// An account that has used these services has their roles.
fn linked(world: &World, asked: &Value) -> Reply {
    let service = need(asked, "AWSServiceName")?;
    let Some((role, _)) = SERVICE_ROLES.iter().find(|(_, of)| *of == service) else {
        return refuse("InvalidInput", format!("Service principal {service} is not valid."));
    };
    if world.weather.unused_account {
        return Ok(json!({"Role": as_service_role(world, role, service)}));
    }
    refuse(
        "InvalidInput",
        format!("Service role name {role} has been taken in this account, please try a different suffix."),
    )
}

/// The roles by which services act in an account, and whose they are.
const SERVICE_ROLES: [(&str, &str); 2] = [
    ("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com"),
    ("AWSServiceRoleForElasticLoadBalancing", "elasticloadbalancing.amazonaws.com"),
];

/// The service-linked role of a request; `None`: it asks for another one, or nobody has used the service here.
fn service_role(world: &World, asked: &Value) -> Option<Value> {
    let (role, service) = SERVICE_ROLES.iter().find(|(role, _)| asked["RoleName"] == *role)?;
    (!world.weather.unused_account).then(|| as_service_role(world, role, service))
}

fn as_service_role(world: &World, role: &str, service: &str) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
    ]});
    let path = format!("/aws-service-role/{service}/");
    json!({
        "RoleName": role, "Path": path, "Arn": world.arn("iam", &format!("role{path}{role}")),
        "RoleId": format!("AROA{:016X}", role.len()),
        "CreateDate": "2025-12-01T00:00:00Z", "MaxSessionDuration": 3600, "RoleLastUsed": {},
        "AssumeRolePolicyDocument": utf8_percent_encode(&trust.to_string(), NON_ALPHANUMERIC).to_string(),
    })
}
