//! What a call of EC2 needs. Tags in a create call are an action of their own, `ec2:CreateTags`, on the new resource
//! ("Grant permission to tag Amazon EC2 resources during creation").

use serde_json::Value;

use super::{Pairs, Question, pairs};
use crate::sandbox::parameters::{list, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// The questions of one call.
pub fn questions(world: &World, operation: &str, asked: &Value) -> Vec<Question> {
    match operation {
        "CreateSecurityGroup" => {
            let vpc = asked["VpcId"].as_str().unwrap_or_default();
            let vpc = Question::new(action(operation), world.arn("ec2", &format!("vpc/{vpc}")));
            [vec![vpc], made(world, operation, asked, "security-group")].concat()
        }
        "CreateLaunchTemplate" => made(world, operation, asked, "launch-template"),
        "RunInstances" => launch(world, &asked["LaunchTemplate"]),
        "CreateTags" | "DeleteTags" => {
            let set = pairs(list(asked, "Tag"), "Key", "Value");
            let ids = texts(asked, "ResourceId");
            ids.iter().map(|id| of_row(world, operation, kind(id), id).setting(&set)).collect()
        }
        _ => match subject(world, asked) {
            Some((kind, id)) => {
                let tagged = made(world, operation, asked, "security-group-rule");
                let tagged = if tags(asked, "security-group-rule").is_empty() { Vec::new() } else { tagged };
                [vec![of_row(world, operation, kind, &id)], tagged].concat()
            }
            None => vec![Question::new(action(operation), "*")],
        },
    }
}

/// What Auto Scaling needs of its caller to launch from a template, which it tries as the caller ("Required API
/// permissions" of launch templates, Auto Scaling user guide).
pub fn launch(world: &World, template: &Value) -> Vec<Question> {
    let names = ["LaunchTemplateId", "LaunchTemplateName"];
    let [id, name] = names.map(|name| template[name].as_str());
    let is = |row: &&Value| row["launchTemplateId"].as_str() == id || row["launchTemplateName"].as_str() == name;
    let Some(row) = world.rows(tables::TEMPLATES).find(is) else {
        return vec![Question::new("ec2:RunInstances", world.arn("ec2", "instance/*"))];
    };
    let arn = |rest: &str| world.arn("ec2", rest);
    let own = arn(&format!("launch-template/{}", row["launchTemplateId"].as_str().unwrap_or_default()));
    let asks = |action: &str, resource: String| {
        let asked = Question::new(action, resource).knowing("ec2:LaunchTemplate", &own);
        asked.knowing("ec2:IsLaunchTemplateResource", "true")
    };
    let version = template["Version"].as_str().unwrap_or("$Default");
    let data = crate::sandbox::templates::data(row, version).unwrap_or(&Value::Null);
    let own_tags = pairs(list(row, "tagSet"), "key", "value");
    let resources = ["instance/*", "volume/*", "network-interface/*", "subnet/*", "security-group/*"].map(arn);
    let image = format!("arn:aws:ec2:{}::image/{}", world.region, data["imageId"].as_str().unwrap_or("*"));
    let key_pair = data["keyName"].as_str().map(|name| arn(&format!("key-pair/{name}")));
    let run = resources.into_iter().chain([image]).chain(key_pair).map(|one| asks("ec2:RunInstances", one));
    let template = asks("ec2:RunInstances", own.clone()).tagged(&own_tags);
    let tagged = list(data, "tagSpecificationSet").iter().map(|one| {
        let kind = one["resourceType"].as_str().unwrap_or("instance");
        let tags = pairs(list(one, "tagSet"), "key", "value");
        let tagged = Question::new("ec2:CreateTags", world.arn("ec2", &format!("{kind}/*"))).setting(&tags);
        tagged.knowing("ec2:CreateAction", "RunInstances")
    });
    let profile = &data["iamInstanceProfile"];
    let profile = profile["name"].as_str().or_else(|| profile["arn"].as_str()?.rsplit('/').next());
    let role = profile.and_then(|name| world.row(tables::PROFILES, name)?["_role"].as_str());
    let passed = role.map(|role| super::questions::passed(world, role));
    run.chain([template]).chain(tagged).chain(passed).collect()
}

fn action(operation: &str) -> String {
    format!("ec2:{operation}")
}

/// A new resource, and its tags.
fn made(world: &World, operation: &str, asked: &Value, kind: &str) -> Vec<Question> {
    let (arn, tags) = (world.arn("ec2", &format!("{kind}/*")), tags(asked, kind));
    let make = Question::new(action(operation), &arn).setting(&tags);
    if tags.is_empty() {
        return vec![make];
    }
    let tag = Question::new("ec2:CreateTags", arn).setting(&tags).knowing("ec2:CreateAction", operation);
    vec![make, tag]
}

fn tags(asked: &Value, kind: &str) -> Pairs {
    let of_kind = list(asked, "TagSpecification").iter().filter(|one| one["ResourceType"] == kind);
    of_kind.flat_map(|one| pairs(list(one, "Tag"), "Key", "Value")).collect()
}

/// What is there, with its tags.
fn of_row(world: &World, operation: &str, kind: &str, id: &str) -> Question {
    let table = match kind {
        "launch-template" => tables::TEMPLATES,
        "volume" => tables::VOLUMES,
        "network-interface" => tables::INTERFACES,
        "instance" => tables::INSTANCES,
        _ => tables::GROUPS,
    };
    let tags = world.row(table, id).map(|row| pairs(list(row, "tagSet"), "key", "value")).unwrap_or_default();
    Question::new(action(operation), world.arn("ec2", &format!("{kind}/{id}"))).tagged(&tags)
}

/// What a call changes or removes; `None`: it only reads.
fn subject(world: &World, asked: &Value) -> Option<(&'static str, String)> {
    let id = |name: &str| asked[name].as_str().map(str::to_owned);
    let named = |name: &str| {
        let row = world.rows(tables::TEMPLATES).find(|row| row["launchTemplateName"] == name)?;
        row["launchTemplateId"].as_str().map(str::to_owned)
    };
    let template = || id("LaunchTemplateId").or_else(|| named(asked["LaunchTemplateName"].as_str()?));
    let of = |kind: &'static str, id: Option<String>| id.map(|id| (kind, id));
    of("security-group", id("GroupId"))
        .or_else(|| of("volume", id("VolumeId")))
        .or_else(|| of("network-interface", id("NetworkInterfaceId")))
        .or_else(|| of("launch-template", template()))
}

/// The kind of thing that an id is of.
fn kind(id: &str) -> &'static str {
    match id.split('-').next().unwrap_or_default() {
        "lt" => "launch-template",
        "vol" => "volume",
        "eni" => "network-interface",
        "i" => "instance",
        _ => "security-group",
    }
}
