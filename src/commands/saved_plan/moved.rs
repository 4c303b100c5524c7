//! What has moved between a plan that was reviewed and one of now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::outcome::{Change, shown};

/// What one plan has and the other has not, in lines.
pub fn moved_since(planned: &[Value], now: &[Change]) -> Vec<String> {
    let now: Vec<Value> = now.iter().map(|change| json!(change)).collect();
    let by_resource = |changes: &'_ [Value]| -> BTreeMap<String, Value> {
        changes.iter().map(|change| (named(change), change.clone())).collect()
    };
    let (planned, now) = (by_resource(planned), by_resource(&now));
    let mut moved = Vec::new();
    for name in planned.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        match (planned.get(name), now.get(name)) {
            (Some(planned), Some(now)) if planned["action"] != now["action"] => {
                moved.push(format!("{name}: planned {}, now {}", word(planned), word(now)));
            }
            (Some(planned), Some(now)) => moved.extend(moved_fields(name, planned, now)),
            (Some(planned), None) => moved.push(format!("{name}: planned {}, now as wanted", word(planned))),
            (None, Some(now)) => moved.push(format!("{name}: not in the plan, now {}", word(now))),
            (None, None) => {}
        }
    }
    moved
}

fn moved_fields(name: &str, planned: &Value, now: &Value) -> Vec<String> {
    let fields = |change: &Value| -> BTreeMap<String, (Value, Value)> {
        let fields = change["fields"].as_array().cloned().unwrap_or_default();
        let field = |one: Value| {
            (one["field"].as_str().unwrap_or_default().to_owned(), (one["old"].clone(), one["new"].clone()))
        };
        fields.into_iter().map(field).collect()
    };
    let (planned, now) = (fields(planned), fields(now));
    let written = |change: Option<&(Value, Value)>| match change {
        Some((old, new)) => format!("{} -> {}", shown(old), shown(new)),
        None => "no change".to_owned(),
    };
    let all: BTreeSet<&String> = planned.keys().chain(now.keys()).collect();
    let differ = all.into_iter().filter(|field| planned.get(*field) != now.get(*field));
    let line = |field: &String| {
        format!("{name}, {field}: planned {}, now {}", written(planned.get(field)), written(now.get(field)))
    };
    differ.map(line).collect()
}

fn named(change: &Value) -> String {
    let text = |field: &str| change[field].as_str().unwrap_or_default();
    format!("{} {}", text("resource"), text("name"))
}

fn word(change: &Value) -> &str {
    change["action"].as_str().unwrap_or_default()
}
