//! What an account has before it makes anything: regions, zones, attributes.

use serde_json::{Value, json};

use super::filters::passing;
use super::nouns::{VPC, zone_id};
use crate::sandbox::parameters::{Reply, need, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// The zones of the seeded network.
pub fn zones(world: &World) -> Vec<String> {
    let mut zones: Vec<String> =
        world.rows(tables::SUBNETS).filter_map(|row| row["availabilityZone"].as_str().map(str::to_owned)).collect();
    zones.sort();
    zones.dedup();
    zones
}

/// DescribeAvailabilityZones.
pub fn availability_zones(world: &mut World, asked: &Value) -> Reply {
    let known = [
        ("zone-name", "zoneName"),
        ("zone-id", "zoneId"),
        ("zone-type", "zoneType"),
        ("region-name", "regionName"),
        ("group-name", "groupName"),
        ("state", "zoneState"),
        ("opt-in-status", "optInStatus"),
    ];
    let (names, ids) = (texts(asked, "ZoneName"), texts(asked, "ZoneId"));
    let mut all = Vec::new();
    for name in zones(world) {
        all.push(json!({
            "zoneName": name, "zoneId": zone_id(&name), "zoneState": "available", "regionName": world.region,
            "groupName": format!("{}-zg-1", world.region), "networkBorderGroup": world.region,
            "optInStatus": "opt-in-not-required", "zoneType": "availability-zone", "messageSet": [],
        }));
    }
    for (wanted, field) in names.iter().map(|one| (one, "zoneName")).chain(ids.iter().map(|one| (one, "zoneId"))) {
        if !all.iter().any(|zone| zone[field] == wanted.as_str()) {
            return refuse("InvalidParameterValue", format!("Invalid availability zone: [{wanted}]"));
        }
    }
    let is_named = |zone: &Value, field: &str, wanted: &[String]| {
        wanted.is_empty() || wanted.iter().any(|one| zone[field] == one.as_str())
    };
    all.retain(|zone| is_named(zone, "zoneName", &names) && is_named(zone, "zoneId", &ids));
    let zones = passing(all, asked, &known)?;
    Ok(json!({"availabilityZoneInfo": zones}))
}

/// DescribeRegions: the world's region, and those in which somebody runs instances.
pub fn regions(world: &mut World, asked: &Value) -> Reply {
    let known = [("region-name", "regionName"), ("endpoint", "regionEndpoint"), ("opt-in-status", "optInStatus")];
    let mut names = vec![world.region.as_str()];
    names.extend(world.rows(tables::INSTANCES).filter_map(|row| row["_region"].as_str()));
    names.extend(world.weather.token_refused_in.iter().chain(&world.weather.no_way_to).map(String::as_str));
    names.dedup();
    let wanted = texts(asked, "RegionName");
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        return refuse("InvalidParameterValue", format!("Invalid region name: {unknown}"));
    }
    names.retain(|name| wanted.is_empty() || wanted.iter().any(|one| one == name));
    let region = |name: &str| {
        let endpoint = format!("ec2.{name}.amazonaws.com");
        json!({"regionName": name, "regionEndpoint": endpoint, "optInStatus": "opt-in-not-required"})
    };
    let regions = passing(names.into_iter().map(region), asked, &known)?;
    Ok(json!({"regionInfo": regions}))
}

/// DescribeAccountAttributes, with the values of a new account without a default VPC.
pub fn account_attributes(_: &mut World, asked: &Value) -> Reply {
    const ALL: [(&str, &str); 6] = [
        ("supported-platforms", "VPC"),
        ("default-vpc", "none"),
        ("max-instances", "20"),
        ("vpc-max-security-groups-per-interface", "5"),
        ("max-elastic-ips", "5"),
        ("vpc-max-elastic-ips", "5"),
    ];
    let wanted = texts(asked, "AttributeName");
    if let Some(unknown) = wanted.iter().find(|name| !ALL.iter().any(|(known, _)| known == name)) {
        return refuse("InvalidParameterValue", format!("Value ({unknown}) for parameter attributeName is invalid."));
    }
    let attributes = ALL.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|one| one == name));
    let shown = attributes
        .map(|(name, value)| json!({"attributeName": name, "attributeValueSet": [{"attributeValue": value}]}));
    Ok(json!({"accountAttributeSet": shown.collect::<Vec<_>>()}))
}

/// DescribeVpcAttribute.
pub fn vpc_attribute(world: &mut World, asked: &Value) -> Reply {
    let row = VPC.row(world, need(asked, "VpcId")?)?;
    let mut reply = json!({"vpcId": row["vpcId"]});
    match need(asked, "Attribute")? {
        name @ ("enableDnsSupport" | "enableDnsHostnames") => reply[name] = json!({"value": true}),
        name @ "enableNetworkAddressUsageMetrics" => reply[name] = json!({"value": false}),
        other => {
            let message = format!("Value ({other}) for parameter attribute is invalid. Unknown attribute.");
            return refuse("InvalidParameterValue", message);
        }
    }
    Ok(reply)
}
