//! IAM: instance profiles.

use serde_json::{Value, json};

use super::roles::role;
use super::{absent, conflict, exists, names, new_tags, tag, too_many, under, untag, whole, without_tags};
use crate::sandbox::wire::{Refusal, Reply, list, need};
use crate::sandbox::world::World;

/// One call; `None`: it is not about instance profiles.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateInstanceProfile" => create(world, asked),
        "GetInstanceProfile" => {
            profile(world, asked).cloned().map(|row| json!({"InstanceProfile": shown(world, &row)}))
        }
        "ListInstanceProfiles" => {
            let rows = world.rows("profiles").filter(|row| under(row, asked));
            whole("InstanceProfiles", rows.map(|row| without_tags(shown(world, row))).collect())
        }
        "AddRoleToInstanceProfile" => add_role(world, asked),
        "RemoveRoleFromInstanceProfile" => remove_role(world, asked),
        "TagInstanceProfile" => profile(world, asked).and_then(|row| tag(row, asked)),
        "UntagInstanceProfile" => profile(world, asked).and_then(|row| untag(row, asked)),
        "ListInstanceProfileTags" => profile(world, asked).and_then(|row| whole("Tags", list(row, "Tags").to_vec())),
        "DeleteInstanceProfile" => delete(world, asked),
        _ => return None,
    })
}

fn profile<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let name = need(asked, "InstanceProfileName")?;
    match world.row_mut("profiles", name) {
        Some(row) => Ok(row),
        None => absent(format!("Instance Profile {name} cannot be found.")),
    }
}

/// A profile as replies show it: with its role.
pub fn shown(world: &World, row: &Value) -> Value {
    let mut shown = row.clone();
    let role = row["_role"].as_str().and_then(|name| world.row("roles", name));
    shown["Roles"] = role.into_iter().cloned().map(without_tags).collect();
    shown
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let (name, path) = (names::checked(asked, "InstanceProfileName", 128)?.to_owned(), names::path(asked)?);
    let tags = new_tags(asked)?;
    if names::is_taken(world, "profiles", "InstanceProfileName", &name) {
        return exists(format!("Instance Profile {name} already exists."));
    }
    world.counter += 1;
    let row = json!({
        "InstanceProfileName": name, "Arn": world.arn("iam", &format!("instance-profile{path}{name}")), "Path": path,
        "InstanceProfileId": format!("AIPA{:016X}", world.counter), "CreateDate": world.date(), "Tags": tags,
        "_role": null, "_made": world.now, "_role_made": null,
    });
    world.table("profiles").insert(name, row.clone());
    Ok(json!({"InstanceProfile": shown(world, &row)}))
}

/// The quota is one, the same role again included (API reference, AddRoleToInstanceProfile).
fn add_role(world: &mut World, asked: &Value) -> Reply {
    profile(world, asked)?;
    let (name, now) = (role(world, asked)?["RoleName"].clone(), world.now);
    let row = profile(world, asked)?;
    if row["_role"].is_string() {
        return too_many("InstanceSessionsPerInstanceProfile", 1);
    }
    (row["_role"], row["_role_made"]) = (name, json!(now));
    Ok(json!({}))
}

fn remove_role(world: &mut World, asked: &Value) -> Reply {
    let wanted = need(asked, "RoleName")?;
    let row = profile(world, asked)?;
    if row["_role"] != wanted {
        return absent(format!("The role with name {wanted} cannot be found."));
    }
    row["_role"] = Value::Null;
    Ok(json!({}))
}

fn delete(world: &mut World, asked: &Value) -> Reply {
    if profile(world, asked)?["_role"].is_string() {
        return conflict("Cannot delete entity, must remove roles from instance profile first.");
    }
    world.table("profiles").remove(need(asked, "InstanceProfileName")?);
    Ok(json!({}))
}
