//! Route 53: hosted zones, their records, their tags and what becomes of changes.

mod changes;
mod records;
mod rest;

use serde_json::{Value, json};

use super::wire::{Refusal, Reply, list, need, refuse};
use super::world::World;
pub use rest::{many, read_rest};

/// Every zone's name servers.
pub const NAME_SERVERS: [&str; 4] =
    ["ns-1.awsdns-sandbox.org", "ns-2.awsdns-sandbox.net", "ns-3.awsdns-sandbox.com", "ns-4.awsdns-sandbox.co.uk"];

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "ListHostedZones" => {
            let marker = asked["marker"].as_str().unwrap_or_default();
            Ok(json!({"HostedZones": sorted(world), "Marker": marker, "IsTruncated": false, "MaxItems": "100"}))
        }
        "ListHostedZonesByName" => by_name(world, asked),
        "ListHostedZonesByVPC" => Ok(json!({"HostedZoneSummaries": [], "MaxItems": "100"})),
        "GetHostedZoneCount" => Ok(json!({"HostedZoneCount": world.rows("zones").count()})),
        "GetHostedZone" => {
            let row = zone(world, asked)?;
            Ok(if row["Config"]["PrivateZone"] == true {
                json!({"HostedZone": shown(row), "VPCs": row["_vpcs"]})
            } else {
                json!({"HostedZone": shown(row), "DelegationSet": {"NameServers": NAME_SERVERS}})
            })
        }
        "CreateHostedZone" => create_zone(world, asked),
        "UpdateHostedZoneComment" => {
            let comment = asked["Body"]["UpdateHostedZoneCommentRequest"]["Comment"].clone();
            let row = zone_mut(world, asked)?;
            row["Config"]["Comment"] = comment;
            Ok(json!({"HostedZone": shown(row)}))
        }
        "DeleteHostedZone" => delete_zone(world, asked),
        "ListResourceRecordSets" => records::list_records(zone(world, asked)?, asked),
        "ChangeResourceRecordSets" => changes::change(world, asked),
        "GetChange" => changes::get(world, asked),
        "TestDNSAnswer" => test_answer(world, asked),
        "ListTagsForResource" => {
            let tags = list(tagged(world, asked)?, "_tags").to_vec();
            Ok(json!({"ResourceTagSet": {"ResourceType": "hostedzone", "ResourceId": asked["Id"], "Tags": tags}}))
        }
        "ListTagsForResources" => tags_of_many(world, asked),
        "ChangeTagsForResource" => change_tags(world, asked),
        other => refuse("InvalidAction", format!("Could not find operation {other}")),
    }
}

/// A refusal whose status is that of something absent.
fn absent<T>(code: &'static str, message: String) -> Result<T, Refusal> {
    Err(Refusal { code, message, status: 404 })
}

/// The zone of a request: clients leave `/hostedzone/` out or not.
fn zone<'a>(world: &'a World, asked: &Value) -> Result<&'a Value, Refusal> {
    let id = need(asked, "Id")?;
    match world.row("zones", id) {
        Some(row) => Ok(row),
        None => absent("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")),
    }
}

fn zone_mut<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    zone(world, asked)?;
    let id = need(asked, "Id")?;
    match world.row_mut("zones", id) {
        Some(row) => Ok(row),
        None => absent("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")),
    }
}

/// A zone as replies show it: its own two records count.
fn shown(row: &Value) -> Value {
    let mut shown = row.clone();
    shown["ResourceRecordSetCount"] = json!(records::all(row).len());
    shown
}

/// Zones by their names from the right: `com.example.`
fn sorted(world: &World) -> Vec<Value> {
    let mut zones: Vec<Value> = world.rows("zones").map(shown).collect();
    zones.sort_by_key(|zone| records::order(zone["Name"].as_str().unwrap_or_default()));
    zones
}

fn by_name(world: &World, asked: &Value) -> Reply {
    if asked["hostedzoneid"].is_string() && asked["dnsname"].is_null() {
        return refuse("InvalidInput", "The parameter HostedZoneId must be accompanied by DNSName");
    }
    let from = records::order(asked["dnsname"].as_str().unwrap_or_default());
    let mut zones = sorted(world);
    zones.retain(|zone| records::order(zone["Name"].as_str().unwrap_or_default()) >= from);
    Ok(json!({
        "HostedZones": zones, "DNSName": asked["dnsname"], "HostedZoneId": asked["hostedzoneid"], "IsTruncated": false,
        "MaxItems": asked["maxitems"].as_str().unwrap_or("100"),
    }))
}

fn create_zone(world: &mut World, asked: &Value) -> Reply {
    let asked = &asked["Body"]["CreateHostedZoneRequest"];
    let (name, reference) = (need(asked, "Name")?, need(asked, "CallerReference")?);
    if world.rows("zones").any(|zone| zone["CallerReference"] == reference) {
        let message =
            format!("A hosted zone has already been created with the specified caller reference: {reference}");
        return Err(Refusal { code: "HostedZoneAlreadyExists", message, status: 409 });
    }
    let name = format!("{}.", name.trim_end_matches('.').to_lowercase());
    if name.contains("..") || name == "." {
        return refuse("InvalidDomainName", format!("The domain name {name} is not valid"));
    }
    let id = format!("Z{:020}", world.rows("zones").count());
    let row = json!({
        "Id": format!("/hostedzone/{id}"), "Name": name, "CallerReference": reference, "_records": [], "_tags": [],
        "_vpcs": if asked["VPC"].is_object() { json!([asked["VPC"]]) } else { json!([]) },
        "Config": {"PrivateZone": asked["VPC"].is_object(), "Comment": asked["HostedZoneConfig"]["Comment"]},
    });
    world.table("zones").insert(id.clone(), row.clone());
    let change = changes::record(world, &id);
    Ok(json!({"HostedZone": shown(&row), "ChangeInfo": change, "DelegationSet": {"NameServers": NAME_SERVERS}}))
}

fn delete_zone(world: &mut World, asked: &Value) -> Reply {
    let (id, row) = (need(asked, "Id")?.to_owned(), zone(world, asked)?);
    if !list(row, "_records").is_empty() {
        return refuse(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        );
    }
    let change = changes::record(world, &id);
    world.table("zones").remove(&id);
    Ok(json!({ "ChangeInfo": change }))
}

fn test_answer(world: &World, asked: &Value) -> Reply {
    let (name, kind) = (need(asked, "recordname")?, need(asked, "recordtype")?);
    let zone = zone(world, &json!({"Id": need(asked, "hostedzoneid")?}))?;
    let dotted = format!("{}.", name.trim_end_matches('.').to_lowercase());
    let all = records::all(zone);
    let found = all.iter().find(|record| record["Name"] == dotted.as_str() && record["Type"] == kind);
    let of_alias = found.and_then(|record| record["AliasTarget"]["DNSName"].as_str()).map(|_| "192.0.2.1".to_owned());
    let values = found.into_iter().flat_map(|record| list(record, "ResourceRecords"));
    let data: Vec<String> =
        values.filter_map(|value| value["Value"].as_str().map(str::to_owned)).chain(of_alias).collect();
    Ok(json!({
        "Nameserver": NAME_SERVERS[0], "RecordName": name, "RecordType": kind, "Protocol": "UDP",
        "RecordData": {"RecordDataEntry": data.first()},
        "ResponseCode": if found.is_some() { "NOERROR" } else { "NXDOMAIN" },
    }))
}

/// A zone with tags; health checks, which can have some too, do not exist here.
fn tagged<'a>(world: &'a World, asked: &Value) -> Result<&'a Value, Refusal> {
    let (kind, id) = (need(asked, "ResourceType")?, need(asked, "Id")?);
    match kind {
        "hostedzone" => zone(world, asked),
        "healthcheck" => absent("NoSuchHealthCheck", format!("The specified health check {id} does not exist.")),
        _ => refuse("InvalidInput", format!("Value '{kind}' at 'resourceType' failed to satisfy constraint")),
    }
}

fn tags_of_many(world: &World, asked: &Value) -> Reply {
    let ids = rest::many(&asked["Body"]["ListTagsForResourcesRequest"]["ResourceIds"]["ResourceId"]);
    let mut sets = Vec::new();
    for id in ids {
        let row = tagged(world, &json!({"Id": id, "ResourceType": asked["ResourceType"]}))?;
        sets.push(json!({"ResourceType": asked["ResourceType"], "ResourceId": id, "Tags": list(row, "_tags")}));
    }
    Ok(json!({ "ResourceTagSets": sets }))
}

fn change_tags(world: &mut World, asked: &Value) -> Reply {
    tagged(world, asked)?;
    let request = &asked["Body"]["ChangeTagsForResourceRequest"];
    let (add, remove) = (rest::many(&request["AddTags"]["Tag"]), rest::many(&request["RemoveTagKeys"]["Key"]));
    if add.is_empty() && remove.is_empty() {
        return refuse("InvalidInput", "The request must contain AddTags or RemoveTagKeys");
    }
    let row = zone_mut(world, asked)?;
    super::ec2::set_tags(row, ("_tags", "Key", "Value"), &add);
    let left: Vec<Value> = list(row, "_tags").iter().filter(|tag| !remove.contains(&tag["Key"])).cloned().collect();
    row["_tags"] = Value::Array(left);
    Ok(json!({}))
}
