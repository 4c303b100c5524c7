//! One serialised tree compared with another.

use serde_json::{Map, Value};

use crate::outcome::FieldChange;

/// Every leaf that differs, in the order of the wanted tree. Objects are compared field by field, everything else
/// whole.
pub fn diff(live: &Value, want: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(String::new(), live, want, &mut changes);
    changes
}

fn compare(field: String, live: &Value, want: &Value, changes: &mut Vec<FieldChange>) {
    let nothing = Map::new();
    let fields = match (live, want) {
        (Value::Object(old), Value::Object(new)) => Some((old, new)),
        (Value::Null, Value::Object(new)) => Some((&nothing, new)),
        (Value::Object(old), Value::Null) => Some((old, &nothing)),
        _ => None,
    };
    let Some((old, new)) = fields else {
        if !same(live, want) {
            changes.push(FieldChange { field, old: live.clone(), new: want.clone() });
        }
        return;
    };
    for (name, value) in new {
        compare(join(&field, name), old.get(name).unwrap_or(&Value::Null), value, changes);
    }
    for (name, value) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        compare(join(&field, name), value, &Value::Null, changes);
    }
}

/// Equal by meaning: 30 and 30.0 are one number.
fn same(live: &Value, want: &Value) -> bool {
    match (live, want) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => live == want,
    }
}

fn join(field: &str, name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-:".contains(c));
    let name = if plain { name.to_owned() } else { format!("{name:?}") };
    if field.is_empty() { name } else { format!("{field}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(live: Value, want: Value) -> Vec<String> {
        diff(&live, &want).iter().map(FieldChange::to_string).collect()
    }

    #[test]
    fn equal_trees_differ_nowhere() {
        assert!(lines(json!({"a": 30, "b": ["x"]}), json!({"a": 30.0, "b": ["x"]})).is_empty());
    }

    #[test]
    fn each_leaf_is_named_with_old_and_new() {
        let live = json!({"port": 80, "rules": {"tcp 22 from ::/0": ""}});
        let want = json!({"port": "(x.y known after apply)", "rules": {"tcp 443 from ::/0": "https"}});
        assert_eq!(
            lines(live, want),
            [
                "port: 80 -> (known after apply)",
                "rules.\"tcp 443 from ::/0\": (absent) -> \"https\"",
                "rules.\"tcp 22 from ::/0\": \"\" -> (absent)"
            ]
        );
    }
}
