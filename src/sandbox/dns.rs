//! Route 53.

use http::Request;
use serde_json::{Value, json};

use super::wire::{Reply, list, need, refuse, xml_tree};
use super::world::World;

/// Every zone's name servers.
pub const NAME_SERVERS: [&str; 2] = ["ns-1.awsdns-sandbox.org", "ns-2.awsdns-sandbox.net"];

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "ListHostedZones" => Ok(
            json!({"HostedZones": world.rows("zones").collect::<Vec<_>>(), "IsTruncated": false, "MaxItems": "100", "Marker": ""}),
        ),
        "ListHostedZonesByName" => {
            let from = asked["dnsname"].as_str().unwrap_or_default();
            let zones = world.rows("zones").filter(|row| row["Name"].as_str() >= Some(from));
            Ok(json!({"HostedZones": zones.collect::<Vec<_>>(), "IsTruncated": false, "MaxItems": "100"}))
        }
        "GetHostedZone" => {
            Ok(json!({"HostedZone": zone(world, asked)?, "DelegationSet": {"NameServers": NAME_SERVERS}}))
        }
        "ListResourceRecordSets" => {
            let from = asked["name"].as_str().unwrap_or_default().trim_end_matches('.').to_lowercase();
            let row = zone(world, asked)?;
            let after = |record: &&Value| {
                record["Name"].as_str().is_some_and(|name| name.trim_end_matches('.') >= from.as_str())
            };
            let records: Vec<&Value> = list(row, "_records").iter().filter(after).collect();
            Ok(json!({"ResourceRecordSets": records, "IsTruncated": false, "MaxItems": "300"}))
        }
        "ChangeResourceRecordSets" => change(world, asked),
        other => refuse("InvalidAction", format!("Could not find operation {other}")),
    }
}

/// A REST request as operation and tree: the query's fields, the path's id, and the body.
pub fn read_rest(request: &Request<Vec<u8>>) -> (String, Value) {
    let path = request.uri().path().trim_start_matches("/2013-04-01/").trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    let get = request.method() == http::Method::GET;
    let (operation, id) = match (parts.as_slice(), get) {
        (["hostedzone"], true) => ("ListHostedZones", ""),
        (["hostedzonesbyname"], true) => ("ListHostedZonesByName", ""),
        (["hostedzone", id], true) => ("GetHostedZone", *id),
        (["hostedzone", id, "rrset"], true) => ("ListResourceRecordSets", *id),
        (["hostedzone", id, "rrset"], false) => ("ChangeResourceRecordSets", *id),
        _ => ("Unknown", ""),
    };
    let mut asked = json!({"Id": id});
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        asked[name.as_ref()] = json!(value);
    }
    asked["Body"] = xml_tree(&String::from_utf8_lossy(request.body()));
    (operation.to_owned(), asked)
}

fn zone<'a>(world: &'a World, asked: &Value) -> Result<&'a Value, super::wire::Refusal> {
    let id = need(asked, "Id")?;
    match world.row("zones", id) {
        Some(row) => Ok(row),
        None => refuse("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")),
    }
}

/// All or nothing; names in lower case with a trailing dot; a deletion must repeat what is there.
fn change(world: &mut World, asked: &Value) -> Reply {
    let id = need(asked, "Id")?.to_owned();
    if zone(world, asked)?["_busy_until"].as_f64().is_some_and(|until| world.now < until) {
        return refuse(
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
        );
    }
    let mut records = list(zone(world, asked)?, "_records").to_vec();
    let changes = asked["Body"]["ChangeResourceRecordSetsRequest"]["ChangeBatch"]["Changes"]["Change"].clone();
    let changes = if changes.is_array() { changes } else { json!([changes]) };
    for change in changes.as_array().into_iter().flatten() {
        let record = normal(&change["ResourceRecordSet"]);
        let (name, kind) = (record["Name"].as_str().unwrap_or_default(), record["Type"].as_str().unwrap_or_default());
        let same = |old: &Value| old["Name"] == record["Name"] && old["Type"] == record["Type"];
        let there = records.iter().any(same);
        let crosses = |old: &Value| old["Name"] == record["Name"] && (old["Type"] == "CNAME") != (kind == "CNAME");
        let refused = match change["Action"].as_str() {
            Some("CREATE") if there => Some(format!(
                "Tried to create resource record set [name='{name}', type='{kind}'] but it already exists"
            )),
            Some("DELETE") if !there => {
                Some(format!("Tried to delete resource record set [name='{name}', type='{kind}'] but it was not found"))
            }
            Some("DELETE") if !records.contains(&record) => Some(format!(
                "Tried to delete resource record set [name='{name}', type='{kind}'] but the values provided do not match the current values"
            )),
            Some("CREATE" | "UPSERT") if records.iter().any(crosses) => Some(format!(
                "RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone"
            )),
            _ => None,
        };
        if let Some(message) = refused {
            return refuse("InvalidChangeBatch", format!("[{message}]"));
        }
        records.retain(|old| !same(old));
        records.extend((change["Action"] != "DELETE").then_some(record));
    }
    records.sort_by_key(|record| record["Name"].to_string());
    let busy_until = world.now + world.weather.zone_busy;
    if let Some(row) = world.row_mut("zones", &id) {
        row["_busy_until"] = json!(busy_until);
        row["ResourceRecordSetCount"] = json!(records.len());
        row["_records"] = Value::Array(records);
    }
    Ok(
        json!({"ChangeInfo": {"Id": format!("/change/C{}", world.counter), "Status": "PENDING", "SubmittedAt": world.date()}}),
    )
}

fn normal(record: &Value) -> Value {
    let dotted = |name: &Value| format!("{}.", name.as_str().unwrap_or_default().trim_end_matches('.').to_lowercase());
    let mut record = record.clone();
    record["Name"] = json!(dotted(&record["Name"]));
    if record["AliasTarget"].is_object() {
        record["AliasTarget"]["DNSName"] = json!(dotted(&record["AliasTarget"]["DNSName"]));
    }
    let values = record["ResourceRecords"]["ResourceRecord"].clone();
    if !values.is_null() {
        record["ResourceRecords"] = if values.is_array() { values } else { json!([values]) };
    }
    record
}
