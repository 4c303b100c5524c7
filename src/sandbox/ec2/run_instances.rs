//! RunInstances.

use serde_json::{Value, json};

use super::described::is_id;
use super::launch_templates::{self, data, once};
use super::nouns::{IMAGE, SECURITY_GROUP, SUBNET};
use super::template_versions::as_shown;
use super::{instance_types, instances, tags};
use crate::sandbox::parameters::{Refusal, Reply, list, need, number, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// Parameters that a launch template has too.
const SHARED: [&str; 14] = [
    "ImageId",
    "InstanceType",
    "KeyName",
    "UserData",
    "SecurityGroupId",
    "IamInstanceProfile",
    "BlockDeviceMapping",
    "NetworkInterface",
    "MetadataOptions",
    "Monitoring",
    "TagSpecification",
    "EbsOptimized",
    "DisableApiTermination",
    "PrivateDnsNameOptions",
];

/// RunInstances.
pub fn run(world: &mut World, asked: &Value) -> Reply {
    once(world, asked, launch)
}

fn launch(world: &mut World, asked: &Value) -> Reply {
    let kinds = ["instance", "volume", "network-interface", "spot-instances-request"];
    tags::tags_for(asked, "instance", &kinds)?;
    let (template, data) = whole(world, asked)?;
    let least = count(asked, "MinCount")?;
    let most = count(asked, "MaxCount")?;
    if least > most {
        let message = format!("Value ({most}) for parameter maxCount is invalid. It must be at least minCount.");
        return refuse("InvalidParameterValue", message);
    }
    check(world, &data)?;
    subscribed(world, &data)?;
    let interface = &list(&data, "networkInterfaceSet").first().cloned().unwrap_or_default();
    let Some(subnet) = asked["SubnetId"].as_str().or(interface["subnetId"].as_str()) else {
        let message = "No subnets found for the default VPC. Please specify a subnet.";
        return refuse("MissingInput", message);
    };
    SUBNET.row(world, subnet)?;
    let mut launched = Vec::new();
    for index in 0..most {
        let id = world.launch(subnet, &data, Vec::new());
        if let Some(row) = world.row_mut(tables::INSTANCES, &id) {
            row["amiLaunchIndex"] = json!(index);
            row["clientToken"] = asked["ClientToken"].clone();
            row["_template"] = template.clone();
        }
        let row = world.row(tables::INSTANCES, &id).cloned().unwrap_or_default();
        launched.push(instances::shown(world, &row));
    }
    let reservation = launched.first().map(|row| row["_reservation"].clone());
    Ok(json!({
        "reservationId": reservation, "ownerId": world.account, "groupSet": [], "instancesSet": launched,
    }))
}

/// The template that a request names, and what it and the request say together: the request wins.
fn whole(world: &mut World, asked: &Value) -> Result<(Value, Value), Refusal> {
    let own = SHARED.iter().map(|name| ((*name).to_owned(), asked[*name].clone()));
    let own = as_shown(&Value::Object(own.filter(|(_, value)| !value.is_null()).collect()));
    let named = &asked["LaunchTemplate"];
    if named.is_null() {
        return Ok((Value::Null, own));
    }
    let row = launch_templates::named(world, named)?;
    let version = named["Version"].as_str().unwrap_or("$Default");
    let Some(from) = data(row, version) else {
        return refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version.");
    };
    let mut all = from.clone();
    for (name, value) in own.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    let number = launch_templates::number(row, version).unwrap_or_default();
    Ok((json!({"LaunchTemplateId": row["launchTemplateId"], "Version": number.to_string()}), all))
}

fn count(asked: &Value, name: &str) -> Result<i64, Refusal> {
    need(asked, name)?;
    match number(asked, name) {
        Some(count) if (1..=100).contains(&count) => Ok(count),
        _ => refuse("InvalidParameterValue", format!("Value ({}) for parameter {name} is invalid.", asked[name])),
    }
}

/// The images of a product are for those who subscribed to it (EC2 API reference, error `OptInRequired`).
fn subscribed(world: &World, data: &Value) -> Result<(), Refusal> {
    let image = data["imageId"].as_str().and_then(|id| world.row(tables::IMAGES, id));
    let product = image.and_then(|image| image["productCodes"][0]["productCode"].as_str());
    match product.filter(|_| world.weather.not_subscribed) {
        None => Ok(()),
        Some(product) => {
            let message = format!(
                "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please \
                 visit https://aws.amazon.com/marketplace/pp?sku={product}"
            );
            Err(Refusal { code: "OptInRequired", message, status: 401 })
        }
    }
}

/// What an instance refers to must be there.
///
/// # Errors
/// It is not, in the words of RunInstances.
fn check(world: &World, data: &Value) -> Result<(), Refusal> {
    match data["imageId"].as_str() {
        Some(id) if id.starts_with("resolve:") => {}
        Some(id) if is_id(id, "ami") && world.row(tables::IMAGES, id).is_none() => {
            return refuse("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"));
        }
        Some(id) => {
            IMAGE.row(world, id)?;
        }
        None => return refuse("MissingParameter", "The request must contain the parameter ImageId"),
    }
    if let Some(kind) = data["instanceType"].as_str().filter(|kind| instance_types::kind(kind).is_none()) {
        return refuse("InvalidParameterValue", format!("Invalid value '{kind}' for InstanceType."));
    }
    for id in texts(data, "securityGroupIdSet") {
        SECURITY_GROUP.row(world, &id)?;
    }
    if let Some(key) = data["keyName"].as_str().filter(|key| world.row(tables::KEY_PAIRS, key).is_none()) {
        return refuse("InvalidKeyPair.NotFound", format!("The key pair '{key}' does not exist"));
    }
    let profile = &data["iamInstanceProfile"];
    let named = |row: &Value| row["InstanceProfileName"] == profile["name"] || row["Arn"] == profile["arn"];
    if profile.is_object() && !world.rows(tables::PROFILES).any(named) {
        let shown = profile["name"].as_str().or(profile["arn"].as_str()).unwrap_or_default();
        let message = format!(
            "Value ({shown}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
        );
        return refuse("InvalidParameterValue", message);
    }
    Ok(())
}
