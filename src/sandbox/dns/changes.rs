//! Route 53: changes of records, and how far they are.

use serde_json::{Value, json};

use super::{absent, records, rest, zone};
use crate::sandbox::wire::{Refusal, Reply, list, need, refuse};
use crate::sandbox::world::World;

/// Seconds until every name server has a change ("Changes generally propagate … within 60 seconds", GetChange).
const IN_SYNC: f64 = 30.0;

/// All or nothing; names in lower case with a trailing dot; a deletion must repeat what is there.
pub fn change(world: &mut World, asked: &Value) -> Reply {
    let id = need(asked, "Id")?.to_owned();
    let row = zone(world, asked)?.clone();
    if row["_busy_until"].as_f64().is_some_and(|until| world.now < until) {
        return refuse(
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
        );
    }
    let changes = rest::many(&asked["Body"]["ChangeResourceRecordSetsRequest"]["ChangeBatch"]["Changes"]["Change"]);
    if changes.is_empty() {
        return refuse("InvalidInput", "Invalid request: the change batch holds no changes");
    }
    let mut now = records::all(&row);
    let before = now.clone();
    for change in &changes {
        let record = records::normal(&change["ResourceRecordSet"]);
        let action = change["Action"].as_str().unwrap_or_default();
        records::check_form(action, &record)?;
        if let Some(message) = refused(&row, &now, action, &record) {
            return refuse("InvalidChangeBatch", format!("[{message}]"));
        }
        now.retain(|old| !records::is_same(old, &record));
        now.extend((action != "DELETE").then_some(record));
    }
    // What a zone has by itself is stored when it was changed.
    let unchanged = |record: &Value| is_own(&row, record) && before.contains(record);
    now.retain(|record| !unchanged(record) || list(&row, "_records").contains(record));
    now.sort_by_key(|record| record["Name"].to_string());
    let busy_until = world.now + world.weather.zone_busy_seconds;
    if let Some(row) = world.row_mut("zones", &id) {
        row["_busy_until"] = json!(busy_until);
        row["_records"] = Value::Array(now);
    }
    let mut info = record(world, &id);
    info["Comment"] = asked["Body"]["ChangeResourceRecordSetsRequest"]["ChangeBatch"]["Comment"].clone();
    Ok(json!({ "ChangeInfo": info }))
}

/// The two records that each zone has by itself.
fn is_own(zone: &Value, record: &Value) -> bool {
    record["Name"] == zone["Name"] && (record["Type"] == "NS" || record["Type"] == "SOA")
}

/// Why Route 53 refuses one change of a batch.
fn refused(zone: &Value, records: &[Value], action: &str, record: &Value) -> Option<String> {
    let (name, kind) = (record["Name"].as_str().unwrap_or_default(), record["Type"].as_str().unwrap_or_default());
    let there = records.iter().any(|old| records::is_same(old, record));
    let crosses = |old: &Value| old["Name"] == record["Name"] && (old["Type"] == "CNAME") != (kind == "CNAME");
    if let Some(message) = records::unfit(zone, record) {
        return Some(message);
    }
    match action {
        "CREATE" if there => {
            Some(format!("Tried to create resource record set [name='{name}', type='{kind}'] but it already exists"))
        }
        "DELETE" if !there => {
            Some(format!("Tried to delete resource record set [name='{name}', type='{kind}'] but it was not found"))
        }
        "DELETE" if !records.contains(record) => Some(format!(
            "Tried to delete resource record set [name='{name}', type='{kind}'] but the values provided do not match \
             the current values"
        )),
        "DELETE" if is_own(zone, record) => Some(match kind {
            "SOA" => "A HostedZone must contain exactly one SOA record.".to_owned(),
            _ => "A HostedZone must contain at least one NS record for the zone itself.".to_owned(),
        }),
        "CREATE" | "UPSERT" if records.iter().any(crosses) => Some(format!(
            "RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the \
             same DNS name in zone"
        )),
        _ => None,
    }
}

/// Notes a change of a zone; how it is now.
pub fn record(world: &mut World, zone: &str) -> Value {
    let (at, date) = (world.now, world.date());
    let Some(row) = world.row_mut("zones", zone) else {
        return Value::Null;
    };
    let mut changes = list(row, "_changes").to_vec();
    let id = format!("/change/C{:04}{zone}", changes.len());
    let change = json!({"Id": id, "Status": "PENDING", "SubmittedAt": date, "_at": at});
    changes.push(change.clone());
    row["_changes"] = Value::Array(changes);
    change
}

/// GetChange.
pub fn get(world: &World, asked: &Value) -> Result<Value, Refusal> {
    let id = need(asked, "Id")?;
    let mut changes = world.rows("zones").flat_map(|zone| list(zone, "_changes"));
    let found = changes.find(|change| change["Id"].as_str().and_then(|full| full.rsplit('/').next()) == Some(id));
    let Some(mut change) = found.cloned() else {
        return absent("NoSuchChange", format!("Could not find resource with ID: {id}"));
    };
    if world.now >= change["_at"].as_f64().unwrap_or_default() + IN_SYNC {
        change["Status"] = json!("INSYNC");
    }
    Ok(json!({ "ChangeInfo": change }))
}
