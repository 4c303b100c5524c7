//! Route 53: the records of a zone.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::{NAME_SERVERS, rest};
use crate::sandbox::wire::{Refusal, Reply, list, refuse};

/// The zone of aliases to load balancers in eu-central-1 (AWS General Reference, "Elastic Load Balancing endpoints").
const ALIAS_ZONE: &str = "Z215JYRZR1TBD5";
/// The types that Route 53 has, without those that need a delegation of trust.
const TYPES: [&str; 16] = [
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TXT",
];

/// Every record of a zone in Route 53's order: also those that each zone has by itself.
pub fn all(zone: &Value) -> Vec<Value> {
    let servers: Vec<Value> = NAME_SERVERS.iter().map(|name| json!({"Value": format!("{name}.")})).collect();
    let authority = format!("{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", NAME_SERVERS[0]);
    let own = [
        json!({"Name": zone["Name"], "Type": "NS", "TTL": "172800", "ResourceRecords": servers}),
        json!({"Name": zone["Name"], "Type": "SOA", "TTL": "900", "ResourceRecords": [{"Value": authority}]}),
    ];
    let stored = list(zone, "_records");
    let kept = own.into_iter().filter(|own| !stored.iter().any(|one| is_same(own, one)));
    let mut all: Vec<Value> = kept.chain(stored.iter().cloned()).collect();
    all.sort_by_key(place);
    all
}

/// Whether two records are one set.
pub fn is_same(one: &Value, other: &Value) -> bool {
    ["Name", "Type", "SetIdentifier"].iter().all(|part| one[part] == other[part])
}

/// How Route 53 sorts names: by their labels from the right (API reference, ListResourceRecordSets).
pub fn order(name: &str) -> Vec<String> {
    let name = name.trim_end_matches('.').to_lowercase();
    name.split('.').rev().filter(|label| !label.is_empty()).map(str::to_owned).collect()
}

fn place(record: &Value) -> (Vec<String>, String) {
    let text = |part: &str| record[part].as_str().unwrap_or_default().to_owned();
    (order(&text("Name")), text("Type"))
}

/// From a name on, and a type.
pub fn list_records(zone: &Value, asked: &Value) -> Reply {
    let (name, kind) = (asked["name"].as_str(), asked["type"].as_str());
    if name.is_none() && kind.is_some() {
        return refuse("InvalidInput", "The parameter type must be accompanied by name");
    }
    let from = (order(name.unwrap_or_default()), kind.unwrap_or_default().to_owned());
    let records: Vec<Value> = all(zone).into_iter().filter(|record| place(record) >= from).collect();
    Ok(json!({
        "ResourceRecordSets": records, "IsTruncated": false,
        "MaxItems": asked["maxitems"].as_str().unwrap_or("300"),
    }))
}

/// A record as Route 53 keeps it: names in lower case with a trailing dot.
pub fn normal(record: &Value) -> Value {
    let dotted = |name: &Value| format!("{}.", name.as_str().unwrap_or_default().trim_end_matches('.').to_lowercase());
    let mut record = record.clone();
    record["Name"] = json!(dotted(&record["Name"]));
    if record["AliasTarget"].is_object() {
        record["AliasTarget"]["DNSName"] = json!(dotted(&record["AliasTarget"]["DNSName"]));
    }
    let values = rest::many(&record["ResourceRecords"]["ResourceRecord"]);
    if !values.is_empty() {
        record["ResourceRecords"] = Value::Array(values);
    }
    record
}

/// What is wrong with a record's form: that refuses a request before its changes are looked at.
pub fn check_form(action: &str, record: &Value) -> Result<(), Refusal> {
    let (name, kind) = (record["Name"].as_str().unwrap_or_default(), record["Type"].as_str().unwrap_or_default());
    if !["CREATE", "DELETE", "UPSERT"].contains(&action) || !TYPES.contains(&kind) {
        return refuse("InvalidInput", format!("Invalid XML ; Value '{action}' or '{kind}' is not facet-valid"));
    }
    let is_plain = record["TTL"].is_string() && !list(record, "ResourceRecords").is_empty();
    if is_plain == record["AliasTarget"].is_object() {
        let found = if is_plain { "more than one" } else { "none" };
        return refuse(
            "InvalidInput",
            format!(
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or \
                 TrafficPolicyInstanceId], but found {found} in Change with [Action={action}, Name={name}, \
                 Type={kind}, SetIdentifier=null]"
            ),
        );
    }
    Ok(())
}

/// What is wrong with a record in this zone, in Route 53's words.
pub fn unfit(zone: &Value, record: &Value) -> Option<String> {
    let apex = zone["Name"].as_str().unwrap_or_default();
    let (name, kind) = (record["Name"].as_str().unwrap_or_default(), record["Type"].as_str().unwrap_or_default());
    let shown = apex.trim_end_matches('.');
    if name != apex && !name.ends_with(&format!(".{apex}")) {
        return Some(format!("RRSet with DNS name {name} is not permitted in zone {apex}"));
    }
    if name == apex && kind == "CNAME" {
        return Some(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"));
    }
    if name.trim_end_matches('.').split('.').any(|label| label.is_empty() || label.len() > 63) || name.len() > 255 {
        return Some(format!(
            "FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{shown}'"
        ));
    }
    let values = list(record, "ResourceRecords").iter().filter_map(|one| one["Value"].as_str());
    values.into_iter().find_map(|value| bad_value(kind, value)).or_else(|| bad_alias(zone, record))
}

fn bad_value(kind: &str, value: &str) -> Option<String> {
    let (problem, words) = match kind {
        "A" if value.parse::<Ipv4Addr>().is_err() => ("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address"),
        "AAAA" if value.parse::<Ipv6Addr>().is_err() => {
            ("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address")
        }
        "TXT" | "SPF" if !(value.starts_with('"') && value.ends_with('"') && value.len() > 1) => {
            ("InvalidCharacterString", "Value should be enclosed in quotation marks")
        }
        _ => return None,
    };
    Some(format!("Invalid Resource Record: 'FATAL problem: {problem} ({words}) encountered with '{value}''"))
}

/// An alias leads into the zone that it names.
fn bad_alias(zone: &Value, record: &Value) -> Option<String> {
    let alias = &record["AliasTarget"];
    let (target, id) = (alias["DNSName"].as_str()?, alias["HostedZoneId"].as_str().unwrap_or_default());
    let own = zone["Id"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let within = match id {
        ALIAS_ZONE => target.ends_with(".eu-central-1.elb.amazonaws.com."),
        id if id == own => {
            let apex = zone["Name"].as_str().unwrap_or_default();
            target == apex || target.ends_with(&format!(".{apex}"))
        }
        _ => !target.ends_with(".elb.amazonaws.com."),
    };
    let kind = record["Type"].as_str().unwrap_or_default();
    (!within).then(|| {
        format!(
            "Tried to create an alias that targets {target}, type {kind} in zone {id}, but the alias target name does \
             not lie within the target zone"
        )
    })
}
