//! Route 53 speaks REST: the operation is in the method and the path.

use http::Request;
use serde_json::{Value, json};

use crate::sandbox::wire::xml_tree;

/// A REST request as operation and tree: the query's fields, the path's ids, and the body.
pub fn read_rest(request: &Request<Vec<u8>>) -> (String, Value) {
    let path = request.uri().path().trim_start_matches("/2013-04-01/").trim_end_matches('/');
    let parts: Vec<String> = path.split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (operation, id, kind) = match (request.method().as_str(), parts.as_slice()) {
        ("GET", ["hostedzone"]) => ("ListHostedZones", "", ""),
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", "", ""),
        ("GET", ["hostedzonesbyvpc"]) => ("ListHostedZonesByVPC", "", ""),
        ("GET", ["hostedzonecount"]) => ("GetHostedZoneCount", "", ""),
        ("POST", ["hostedzone"]) => ("CreateHostedZone", "", ""),
        ("GET", ["hostedzone", id]) => ("GetHostedZone", *id, ""),
        ("POST", ["hostedzone", id]) => ("UpdateHostedZoneComment", *id, ""),
        ("DELETE", ["hostedzone", id]) => ("DeleteHostedZone", *id, ""),
        ("GET", ["hostedzone", id, "rrset"]) => ("ListResourceRecordSets", *id, ""),
        ("POST", ["hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", *id, ""),
        ("GET", ["change", id]) => ("GetChange", *id, ""),
        ("GET", ["tags", kind, id]) => ("ListTagsForResource", *id, *kind),
        ("POST", ["tags", kind, id]) => ("ChangeTagsForResource", *id, *kind),
        ("POST", ["tags", kind]) => ("ListTagsForResources", "", *kind),
        ("GET", ["testdnsanswer"]) => ("TestDNSAnswer", "", ""),
        _ => ("Unknown", "", ""),
    };
    let mut asked = json!({"Id": id, "ResourceType": kind});
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        asked[name.as_ref()] = json!(value);
    }
    asked["Body"] = xml_tree(&String::from_utf8_lossy(request.body()));
    (operation.to_owned(), asked)
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// What XML has as one element or as many, as a list.
pub fn many(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    }
}
