//! Versions of launch templates.

use serde_json::{Map, Value, json};

use super::filters::passing;
use super::instances;
use super::launch_templates::{data, named, number, once};
use super::nouns::INSTANCE;
use crate::sandbox::parameters::{Refusal, Reply, list, need, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// DescribeLaunchTemplateVersions, newest first.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let wanted = texts(asked, "LaunchTemplateVersion");
    if asked["LaunchTemplateId"].is_null() && asked["LaunchTemplateName"].is_null() {
        return every_template(world, &wanted, &asked["Filter"]);
    }
    let row = named(world, asked)?;
    if let Some(missing) = wanted.iter().find(|text| !text.starts_with('$') && data(row, text).is_none()) {
        let id = row["launchTemplateId"].as_str().unwrap_or_default();
        let message = format!("Could not find the specified version {missing} for the launch template with ID {id}.");
        return refuse("InvalidLaunchTemplateId.VersionNotFound", message);
    }
    let bound = |name: &str| asked[name].as_str().and_then(|text| number(row, text));
    let (least, most) = (bound("MinVersion"), bound("MaxVersion"));
    let numbers: Vec<Option<i64>> = wanted.iter().map(|text| number(row, text)).collect();
    let mut versions = list(row, "_versions").to_vec();
    versions.retain(|version| {
        let number = version["versionNumber"].as_i64();
        (numbers.is_empty() || numbers.contains(&number))
            && (least.is_none() || number >= least)
            && (most.is_none() || number <= most)
    });
    versions.reverse();
    for version in &mut versions {
        version["defaultVersion"] = json!(version["versionNumber"] == row["defaultVersionNumber"]);
    }
    let known = [
        ("create-time", "createTime"),
        ("image-id", "launchTemplateData.imageId"),
        ("instance-type", "launchTemplateData.instanceType"),
        ("ebs-optimized", "launchTemplateData.ebsOptimized"),
        (
            "iam-instance-profile",
            "launchTemplateData.iamInstanceProfile.name|launchTemplateData.iamInstanceProfile.arn",
        ),
        ("http-tokens", "launchTemplateData.metadataOptions.httpTokens"),
        ("http-endpoint", "launchTemplateData.metadataOptions.httpEndpoint"),
        ("is-default-version", "defaultVersion"),
    ];
    let versions = passing(versions, asked, &known)?;
    Ok(json!({"launchTemplateVersionSet": versions}))
}

/// "To describe all the latest and default versions, specify $Latest and $Default" without a template
/// (DescribeLaunchTemplateVersions).
fn every_template(world: &mut World, wanted: &[String], filters: &Value) -> Reply {
    if wanted.is_empty() || wanted.iter().any(|text| !text.starts_with('$')) {
        return refuse(
            "MissingParameter",
            "You must specify either the launch template ID or the launch template name.",
        );
    }
    let ids: Vec<String> = world.table(tables::TEMPLATES).keys().cloned().collect();
    let mut all = Vec::new();
    for id in ids {
        let of = json!({"LaunchTemplateId": id, "LaunchTemplateVersion": wanted, "Filter": filters});
        all.extend(list(&describe(world, &of)?, "launchTemplateVersionSet").to_vec());
    }
    Ok(json!({"launchTemplateVersionSet": all}))
}

/// CreateLaunchTemplateVersion.
pub fn create_once(world: &mut World, asked: &Value) -> Reply {
    once(world, asked, create)
}

/// "The new version inherits the same launch parameters as the source version, except for parameters that you specify."
fn create(world: &mut World, asked: &Value) -> Reply {
    let date = world.date();
    let row = named(world, asked)?;
    let latest = row["latestVersionNumber"].as_i64().unwrap_or_default();
    let number = row["_last"].as_i64().unwrap_or_default().max(latest) + 1;
    let mut made = version(row, (number, &date), asked)?;
    if let Some(source) = asked["SourceVersion"].as_str() {
        let Some(source) = data(row, source) else {
            return refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version.");
        };
        for (name, value) in source.as_object().into_iter().flatten() {
            let set = &mut made["launchTemplateData"][name];
            if set.is_null() {
                *set = value.clone();
            }
        }
    }
    (row["latestVersionNumber"], row["_last"]) = (json!(number), json!(number));
    row["_versions"].as_array_mut().into_iter().for_each(|versions| versions.push(made.clone()));
    Ok(json!({"launchTemplateVersion": made, "warning": warning(world, asked)}))
}

/// A version of a template, as a request describes it.
///
/// # Errors
/// It describes none, or its description is too long.
pub fn version(row: &Value, (number, date): (i64, &str), asked: &Value) -> Result<Value, Refusal> {
    if !asked["LaunchTemplateData"].is_object() && asked["SourceVersion"].is_null() {
        return refuse("MissingParameter", "The request must contain the parameter LaunchTemplateData");
    }
    let description = asked["VersionDescription"].as_str();
    if description.is_some_and(|text| text.len() > 255) {
        let message = "Value for parameter VersionDescription is invalid. It must be 255 characters or less.";
        return refuse("InvalidParameterValue", message);
    }
    let asked_data = &asked["LaunchTemplateData"];
    let shown = if asked_data.is_object() { as_shown(asked_data) } else { json!({}) };
    check(&shown)?;
    Ok(json!({
        "launchTemplateId": row["launchTemplateId"], "launchTemplateName": row["launchTemplateName"],
        "versionNumber": number, "versionDescription": description, "createTime": date,
        "createdBy": row["createdBy"], "defaultVersion": number == 1, "launchTemplateData": shown,
    }))
}

/// What a version refers to and is not there: it is made, and AWS warns (ValidationWarning in the EC2 API reference).
pub fn warning(world: &World, asked: &Value) -> Option<Value> {
    let id = asked["LaunchTemplateData"]["ImageId"].as_str().filter(|id| id.starts_with("ami-"))?;
    if world.row(tables::IMAGES, id).is_some() {
        return None;
    }
    let message = format!("The image id '[{id}]' does not exist");
    Some(json!({"errorSet": [{"code": "InvalidAMIID.NotFound", "message": message}]}))
}

/// Launch templates are checked for form only: what they refer to need not be there (EC2 user guide, "Create a launch
/// template").
fn check(data: &Value) -> Result<(), Refusal> {
    let malformed =
        |id: &str, code, prefix: &str| refuse(code, format!("Invalid id: \"{id}\" (expecting \"{prefix}-...\")"));
    if let Some(id) = data["imageId"].as_str() {
        let is_parameter = id.starts_with("resolve:ssm:");
        if !is_parameter && !id.starts_with("ami-") {
            return malformed(id, "InvalidAMIID.Malformed", "ami");
        }
    }
    if let Some(id) = texts(data, "securityGroupIdSet").iter().find(|id| !id.starts_with("sg-")) {
        return malformed(id, "InvalidGroupId.Malformed", "sg");
    }
    if let Some(text) = data["userData"].as_str() {
        use base64::Engine;
        if base64::engine::general_purpose::STANDARD.decode(text).is_err() {
            return refuse("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
        }
    }
    let tokens = &data["metadataOptions"]["httpTokens"];
    if tokens.as_str().is_some_and(|tokens| !["optional", "required"].contains(&tokens)) {
        return refuse("InvalidParameterValue", format!("Invalid value {tokens} for HttpTokens."));
    }
    Ok(())
}

/// DeleteLaunchTemplateVersions: the default version stays, and its number is not used again.
pub fn delete(world: &mut World, asked: &Value) -> Reply {
    let wanted = texts(asked, "LaunchTemplateVersion");
    if wanted.is_empty() {
        return refuse("MissingParameter", "The request must contain the parameter LaunchTemplateVersion");
    }
    let row = named(world, asked)?;
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for text in &wanted {
        let number = text.parse::<i64>().ok();
        let mut one = json!({
            "launchTemplateId": row["launchTemplateId"], "launchTemplateName": row["launchTemplateName"],
            "versionNumber": number,
        });
        let error = if number.is_none() || data(row, text).is_none() {
            Some(("launchTemplateVersionDoesNotExist", "The specified launch template version does not exist."))
        } else if row["defaultVersionNumber"].as_i64() == number {
            Some(("unexpectedError", "Cannot delete the default version of a launch template."))
        } else {
            None
        };
        if let Some((code, message)) = error {
            one["responseError"] = json!({"code": code, "message": message});
            kept.push(one);
            continue;
        }
        let versions = row["_versions"].as_array_mut().into_iter();
        versions.for_each(|versions| versions.retain(|version| version["versionNumber"].as_i64() != number));
        gone.push(one);
    }
    if row["_last"].is_null() {
        row["_last"] = row["latestVersionNumber"].clone();
    }
    let latest = list(row, "_versions").iter().filter_map(|version| version["versionNumber"].as_i64()).max();
    row["latestVersionNumber"] = json!(latest);
    Ok(json!({
        "successfullyDeletedLaunchTemplateVersionSet": gone, "unsuccessfullyDeletedLaunchTemplateVersionSet": kept,
    }))
}

/// GetLaunchTemplateData: what would launch another instance like this one.
pub fn data_of_instance(world: &mut World, asked: &Value) -> Reply {
    let row = INSTANCE.row(world, need(asked, "InstanceId")?)?;
    let row = instances::shown(world, row);
    let groups: Vec<&Value> = list(&row, "groupSet").iter().map(|group| &group["groupId"]).collect();
    let tags: Vec<&Value> = list(&row, "tagSet").iter().collect();
    Ok(json!({"launchTemplateData": {
        "imageId": row["imageId"], "instanceType": row["instanceType"], "ebsOptimized": row["ebsOptimized"],
        "securityGroupIdSet": groups, "iamInstanceProfile": {"arn": row["iamInstanceProfile"]["arn"]},
        "metadataOptions": row["metadataOptions"], "monitoring": {"enabled": row["monitoring"]["state"] == "enabled"},
        "tagSpecificationSet": [{"resourceType": "instance", "tagSet": tags}], "userData": row["_user_data"],
    }}))
}

/// Data as a reply spells it: `BlockDeviceMapping.1.DeviceName` is `blockDeviceMappingSet/item/deviceName`.
pub fn as_shown(asked: &Value) -> Value {
    let mut shown = in_small_letters(asked);
    for interface in shown["networkInterfaceSet"].as_array_mut().into_iter().flatten() {
        if let Some(groups) = interface.as_object_mut().and_then(|fields| fields.remove("securityGroupIdSet")) {
            interface["groupSet"] = groups;
        }
    }
    shown
}

fn in_small_letters(asked: &Value) -> Value {
    match asked {
        Value::Object(fields) => {
            let shown = fields.iter().map(|(name, value)| {
                let set = if value.is_array() { "Set" } else { "" };
                (format!("{}{}{set}", name[..1].to_lowercase(), &name[1..]), in_small_letters(value))
            });
            Value::Object(shown.collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(in_small_letters).collect(),
        value => value.clone(),
    }
}
