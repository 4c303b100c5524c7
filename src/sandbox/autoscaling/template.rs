//! The launch template of a group: which one, which version, what is in it.

use serde_json::{Value, json};

use super::invalid;
use crate::sandbox::templates;
use crate::sandbox::wire::{Refusal, Reply};
use crate::sandbox::world::World;

/// The template of a group as it is shown: id, name and version.
pub fn template(world: &mut World, asked: &Value) -> Reply {
    let (id, name) = (asked["LaunchTemplateId"].as_str(), asked["LaunchTemplateName"].as_str());
    if id.is_some() == name.is_some() {
        return invalid("Valid requests must contain either launchTemplateId or launchTemplateName");
    }
    let wanted = |row: &&Value| row["launchTemplateId"].as_str() == id || row["launchTemplateName"].as_str() == name;
    let version = asked["Version"].as_str().unwrap_or("$Default").to_owned();
    let Some(row) = world.rows("templates").find(wanted) else {
        return invalid(
            "You must use a valid fully-formed launch template. The specified launch template does not exist.",
        );
    };
    if templates::data(row, &version).is_none() {
        return invalid(
            "You must use a valid fully-formed launch template. The specified launch template version does not exist.",
        );
    }
    Ok(json!({
        "LaunchTemplateId": row["launchTemplateId"], "LaunchTemplateName": row["launchTemplateName"],
        "Version": version,
    }))
}

/// A group's template or its mixed instances policy, as the group shows them: the one that is not asked for is null.
///
/// # Errors
/// Both or neither are asked for, or the template does not exist.
pub fn source(world: &mut World, asked: &Value) -> Result<(Value, Value), Refusal> {
    let policy = &asked["MixedInstancesPolicy"];
    match (asked["LaunchTemplate"].is_object(), policy.is_object()) {
        (true, false) => Ok((template(world, &asked["LaunchTemplate"])?, Value::Null)),
        (false, true) => Ok((Value::Null, mixed(world, policy)?)),
        _ => invalid(
            "Valid requests must contain either launchTemplate, LaunchConfigurationName, InstanceId or \
             MixedInstancesPolicy parameter.",
        ),
    }
}

/// A policy with what AWS sets where nothing is said (API reference, InstancesDistribution).
fn mixed(world: &mut World, asked: &Value) -> Reply {
    let mut shown = asked.clone();
    shown["LaunchTemplate"]["LaunchTemplateSpecification"] =
        template(world, &asked["LaunchTemplate"]["LaunchTemplateSpecification"])?;
    if shown["LaunchTemplate"]["Overrides"].is_null() {
        shown["LaunchTemplate"]["Overrides"] = json!([]);
    }
    for (field, default) in [
        ("OnDemandAllocationStrategy", "prioritized"),
        ("OnDemandBaseCapacity", "0"),
        ("OnDemandPercentageAboveBaseCapacity", "100"),
        ("SpotAllocationStrategy", "lowest-price"),
    ] {
        if shown["InstancesDistribution"][field].is_null() {
            shown["InstancesDistribution"][field] = json!(default);
        }
    }
    Ok(shown)
}

/// The template that a group, or a refresh's desired configuration, launches from.
pub fn of(row: &Value) -> Value {
    match &row["LaunchTemplate"] {
        Value::Null => row["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"].clone(),
        template => template.clone(),
    }
}

/// A template with its version's number, as instances show it.
pub fn numbered(world: &World, template: &Value) -> Value {
    let mut numbered = template.clone();
    if let Some((row, version)) = of_world(world, template)
        && let Some(number) = templates::number(row, version)
    {
        numbered["Version"] = json!(number.to_string());
    }
    numbered
}

/// The data that a group's instances are launched from.
pub fn data(world: &World, template: &Value) -> Value {
    let found = of_world(world, template).and_then(|(row, version)| templates::data(row, version));
    found.cloned().unwrap_or_default()
}

/// A template that is referred to, and by which version.
fn of_world<'a>(world: &'a World, template: &'a Value) -> Option<(&'a Value, &'a str)> {
    let row = world.row("templates", template["LaunchTemplateId"].as_str()?)?;
    Some((row, template["Version"].as_str().unwrap_or("$Default")))
}

/// What is checked of it with a group or a refresh.
pub fn checked_profile(world: &World, template: &Value) -> Result<(), Refusal> {
    match hidden_profile(world, template, world.weather.iam_delay_seconds, world.weather.role_delay_seconds) {
        Some(words) => invalid(format!("You must use a valid fully-formed launch template. {words}")),
        None => Ok(()),
    }
}

/// EC2 sees an instance profile some time after IAM has it, and the profile's role later still: what it says so long.
pub fn hidden_profile(world: &World, template: &Value, profiles: f64, roles: f64) -> Option<String> {
    let data = data(world, template);
    let profile = data["iamInstanceProfile"]["name"].as_str()?;
    let seen = |since: &Value, delay: f64| world.now >= since.as_f64().unwrap_or_default() + delay;
    match world.row("profiles", profile).filter(|row| seen(&row["_made"], profiles)) {
        None => Some(format!(
            "Value ({profile}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
        )),
        Some(row) if row["_role"].is_null() || !seen(&row["_role_made"], roles) => {
            let arn = row["Arn"].as_str().unwrap_or(profile);
            Some(format!("IAM Instance Profile \"{arn}\" has no associated IAM Roles"))
        }
        Some(_) => None,
    }
}
