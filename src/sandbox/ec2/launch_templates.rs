//! Launch templates.

use serde_json::{Value, json};

use super::nouns::LAUNCH_TEMPLATE;
use super::tags::tags_for;
use super::template_versions::{version, warning};
use crate::sandbox::parameters::{Refusal, Reply, list, need, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// A client token's second use gives the first answer (EC2 developer guide, ensuring idempotency).
pub fn once(world: &mut World, asked: &Value, make: fn(&mut World, &Value) -> Reply) -> Reply {
    let token = asked["ClientToken"].as_str().unwrap_or_default().to_owned();
    match world.tokens.get(&token) {
        Some((first, reply)) if first == asked => return Ok(reply.clone()),
        Some(_) => {
            return refuse("IdempotentParameterMismatch", "The client token was used before with other parameters.");
        }
        None => {}
    }
    let reply = make(world, asked)?;
    if !token.is_empty() {
        world.tokens.insert(token, (asked.clone(), reply.clone()));
    }
    Ok(reply)
}

/// The template that a request names, by its id or by its name.
///
/// # Errors
/// There is none, or both or neither are given.
pub fn named<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    match (asked["LaunchTemplateId"].as_str(), asked["LaunchTemplateName"].as_str()) {
        (Some(_), Some(_)) => refuse(
            "InvalidParameterCombination",
            "You can specify either the launch template ID or the launch template name, but not both.",
        ),
        (None, None) => {
            refuse("MissingParameter", "You must specify either the launch template ID or the launch template name.")
        }
        (Some(id), None) => LAUNCH_TEMPLATE.row_mut(world, id),
        (None, Some(name)) => {
            let mut rows = world.table(tables::TEMPLATES).values_mut();
            match rows.find(|row| row["launchTemplateName"] == name) {
                Some(row) => Ok(row),
                None => refuse(
                    "InvalidLaunchTemplateName.NotFoundException",
                    format!("The specified launch template, with template name {name}, does not exist."),
                ),
            }
        }
    }
}

/// DescribeLaunchTemplates: by ids, names, filters.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let names = texts(asked, "LaunchTemplateName");
    let has = |name: &str| world.rows(tables::TEMPLATES).any(|row| row["launchTemplateName"] == name);
    if names.iter().any(|name| !has(name)) {
        return refuse(
            "InvalidLaunchTemplateName.NotFoundException",
            "At least one of the launch templates specified in the request does not exist.",
        );
    }
    let mut rows = LAUNCH_TEMPLATE.rows(world, asked)?;
    rows.retain(|row| names.is_empty() || names.iter().any(|name| row["launchTemplateName"] == name.as_str()));
    Ok(json!({"launchTemplates": rows}))
}

/// CreateLaunchTemplate.
pub fn create_once(world: &mut World, asked: &Value) -> Reply {
    once(world, asked, create)
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "LaunchTemplateName")?.to_owned();
    let is_allowed = |one: char| one.is_ascii_alphanumeric() || "()./_-".contains(one);
    if !(3..=128).contains(&name.len()) || !name.chars().all(is_allowed) {
        return refuse(
            "InvalidLaunchTemplateName.MalformedException",
            "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the \
             following characters: - ( ) . / _.",
        );
    }
    if world.rows(tables::TEMPLATES).any(|row| row["launchTemplateName"] == name.as_str()) {
        return refuse(
            "InvalidLaunchTemplateName.AlreadyExistsException",
            format!("Launch template name already in use: {name}"),
        );
    }
    let tags = tags_for(asked, "launch-template", &["launch-template"])?;
    let (id, date, by) = (world.id("lt"), world.date(), world.arn("iam", "root"));
    let mut row = json!({
        "launchTemplateId": id, "launchTemplateName": name, "createTime": date, "createdBy": by,
        "defaultVersionNumber": 1, "latestVersionNumber": 1, "tagSet": tags, "_last": 1,
    });
    row["_versions"] = json!([version(&row, (1, &date), asked)?]);
    world.table(tables::TEMPLATES).insert(id, row.clone());
    Ok(json!({"launchTemplate": row, "warning": warning(world, asked)}))
}

/// ModifyLaunchTemplate: another default version.
pub fn modify(world: &mut World, asked: &Value) -> Reply {
    let wanted = need(asked, "SetDefaultVersion")?.to_owned();
    let row = named(world, asked)?;
    match number(row, &wanted).filter(|_| data(row, &wanted).is_some()) {
        Some(number) => row["defaultVersionNumber"] = json!(number),
        None => {
            return refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version.");
        }
    }
    Ok(json!({"launchTemplate": row.clone()}))
}

/// DeleteLaunchTemplate, with all its versions.
pub fn delete(world: &mut World, asked: &Value) -> Reply {
    let row = named(world, asked)?.clone();
    world.table(tables::TEMPLATES).remove(row["launchTemplateId"].as_str().unwrap_or_default());
    Ok(json!({"launchTemplate": row}))
}

/// The number that `$Default`, `$Latest` or a number stands for.
pub fn number(row: &Value, version: &str) -> Option<i64> {
    match version {
        "$Default" => row["defaultVersionNumber"].as_i64(),
        "$Latest" => row["latestVersionNumber"].as_i64(),
        number => number.parse().ok(),
    }
}

/// What a version holds.
pub fn data<'a>(row: &'a Value, version: &str) -> Option<&'a Value> {
    let number = number(row, version)?;
    let mut versions = list(row, "_versions").iter();
    let found = versions.find(|one| one["versionNumber"].as_i64() == Some(number))?;
    Some(&found["launchTemplateData"])
}
