//! EC2: launch templates.

use serde_json::{Map, Value, json};

use super::ec2::{found, tags_for};
use super::wire::{Refusal, Reply, list, need, refuse, texts};
use super::world::World;

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "DescribeLaunchTemplates" => {
            let names = texts(asked, "LaunchTemplateName");
            let known = |name: &&String| world.rows("templates").any(|row| row["launchTemplateName"] == name.as_str());
            if names.iter().any(|name| !known(&name)) {
                return refuse(
                    "InvalidLaunchTemplateName.NotFoundException",
                    "At least one of the launch templates specified in the request does not exist.",
                );
            }
            found(world, asked, "templates", "launchTemplates", "LaunchTemplateId", "InvalidLaunchTemplateId.NotFound")
        }
        "DescribeLaunchTemplateVersions" => versions(world, asked),
        "CreateLaunchTemplate" => once(world, asked, create),
        "CreateLaunchTemplateVersion" => once(world, asked, create_version),
        "ModifyLaunchTemplate" => modify(world, asked),
        "DeleteLaunchTemplate" => {
            let row = template(world, asked)?.clone();
            world.table("templates").remove(row["launchTemplateId"].as_str().unwrap_or_default());
            Ok(json!({"launchTemplate": row}))
        }
        other => refuse("InvalidAction", format!("The action {other} is not valid for this web service.")),
    }
}

/// A client token's second use gives the first answer (EC2 developer guide, ensuring idempotency).
fn once(world: &mut World, asked: &Value, make: fn(&mut World, &Value) -> Reply) -> Reply {
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

fn template<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let (id, name) = (asked["LaunchTemplateId"].as_str(), asked["LaunchTemplateName"].as_str());
    let (code, what) = match id {
        Some(id) => ("InvalidLaunchTemplateId.NotFound", id),
        None => ("InvalidLaunchTemplateName.NotFoundException", name.unwrap_or_default()),
    };
    let what = what.to_owned();
    let wanted = |row: &&mut Value| match id {
        Some(id) => row["launchTemplateId"] == id,
        None => row["launchTemplateName"].as_str() == name,
    };
    match world.table("templates").values_mut().find(wanted) {
        Some(row) => Ok(row),
        None => refuse(code, format!("The specified launch template {what} does not exist.")),
    }
}

fn versions(world: &mut World, asked: &Value) -> Reply {
    let wanted = texts(asked, "LaunchTemplateVersion");
    if asked["LaunchTemplateId"].is_null() && asked["LaunchTemplateName"].is_null() {
        return every_template(world, &wanted);
    }
    let row = template(world, asked)?;
    let numbers: Vec<Option<i64>> = wanted.iter().map(|text| number(row, text)).collect();
    let mut versions = row["_versions"].as_array().cloned().unwrap_or_default();
    versions.retain(|version| numbers.is_empty() || numbers.contains(&version["versionNumber"].as_i64()));
    versions.reverse(); // newest first
    for version in &mut versions {
        version["defaultVersion"] = json!(version["versionNumber"] == row["defaultVersionNumber"]);
    }
    Ok(json!({"launchTemplateVersionSet": versions}))
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

/// "To describe all the latest and default versions, specify $Latest and $Default" without a template
/// (DescribeLaunchTemplateVersions).
fn every_template(world: &mut World, wanted: &[String]) -> Reply {
    let ids: Vec<String> = world.table("templates").keys().cloned().collect();
    let mut all = Vec::new();
    for id in ids {
        let of = json!({"LaunchTemplateId": id, "LaunchTemplateVersion": wanted});
        all.extend(list(&versions(world, &of)?, "launchTemplateVersionSet").to_vec());
    }
    Ok(json!({"launchTemplateVersionSet": all}))
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "LaunchTemplateName")?.to_owned();
    if world.rows("templates").any(|row| row["launchTemplateName"] == name.as_str()) {
        return refuse(
            "InvalidLaunchTemplateName.AlreadyExistsException",
            format!("Launch template name already in use: {name}"),
        );
    }
    let id = world.id("lt");
    let row = json!({
        "launchTemplateId": id, "launchTemplateName": name, "createTime": world.date(), "createdBy": world.arn("iam", "root"),
        "defaultVersionNumber": 1, "latestVersionNumber": 1, "tagSet": tags_for(asked, "launch-template"),
        "_versions": [version(&id, &name, 1, &world.date(), asked)],
    });
    world.table("templates").insert(id, row.clone());
    Ok(json!({"launchTemplate": row}))
}

fn create_version(world: &mut World, asked: &Value) -> Reply {
    let date = world.date();
    let row = template(world, asked)?;
    let number = row["latestVersionNumber"].as_i64().unwrap_or_default() + 1;
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let mut made = version(&text("launchTemplateId"), &text("launchTemplateName"), number, &date, asked);
    // "The new version inherits the same launch parameters as the source version, except for parameters that you specify."
    let source = asked["SourceVersion"].as_str().and_then(|text| data(row, text));
    for (name, value) in source.and_then(Value::as_object).into_iter().flatten() {
        let set = &mut made["launchTemplateData"][name];
        if set.is_null() {
            *set = value.clone();
        }
    }
    row["latestVersionNumber"] = json!(number);
    row["_versions"].as_array_mut().into_iter().for_each(|versions| versions.push(made.clone()));
    Ok(json!({"launchTemplateVersion": made}))
}

fn version(id: &str, name: &str, number: i64, date: &str, asked: &Value) -> Value {
    json!({
        "launchTemplateId": id, "launchTemplateName": name, "versionNumber": number, "createTime": date,
        "defaultVersion": number == 1, "launchTemplateData": shown(&asked["LaunchTemplateData"]),
    })
}

fn modify(world: &mut World, asked: &Value) -> Reply {
    let wanted = need(asked, "SetDefaultVersion")?.parse::<i64>().ok();
    let row = template(world, asked)?;
    let latest = row["latestVersionNumber"].as_i64().unwrap_or_default();
    match wanted.filter(|number| (1..=latest).contains(number)) {
        Some(number) => row["defaultVersionNumber"] = json!(number),
        None => {
            return refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version.");
        }
    }
    Ok(json!({"launchTemplate": row.clone()}))
}

/// Data as a reply spells it: `BlockDeviceMapping.1.DeviceName` is `blockDeviceMappingSet/item/deviceName`.
fn shown(asked: &Value) -> Value {
    match asked {
        Value::Object(fields) => {
            let shown = fields.iter().map(|(name, value)| {
                let set = if value.is_array() { "Set" } else { "" };
                (format!("{}{}{set}", name[..1].to_lowercase(), &name[1..]), shown(value))
            });
            Value::Object(shown.collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(shown).collect(),
        value => value.clone(),
    }
}
