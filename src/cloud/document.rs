//! IAM's documents: as IAM gives them, and equal by meaning.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{Error, Result};

/// A document as IAM returns it: percent-encoded (RFC 3986; `+` is a plus), in its one normal form.
///
/// # Errors
/// It is not JSON.
pub fn decoded(encoded: &str) -> Result<Value> {
    as_written(encoded).map(normal)
}

/// The same in the form in which somebody wrote it.
///
/// # Errors
/// It is not JSON.
pub fn as_written(encoded: &str) -> Result<Value> {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    serde_json::from_str(&text).map_err(|error| Error::Reply(format!("an IAM document: {error}")))
}

/// The same document with its actions spelled as in this other one, so that the two are equal when they mean the same.
pub fn spelled_like(document: Value, other: &Value) -> Value {
    let mut known = BTreeMap::new();
    actions(&mut other.clone(), &mut |action| drop(known.insert(action.to_lowercase(), action.clone())));
    let mut document = document;
    actions(&mut document, &mut |action| {
        if let Some(spelled) = known.get(&action.to_lowercase()) {
            action.clone_from(spelled);
        }
    });
    normal(document)
}

fn actions(document: &mut Value, visit: &mut impl FnMut(&mut String)) {
    let statements = document.get_mut("Statement").and_then(Value::as_array_mut).into_iter().flatten();
    let fields = statements.filter_map(Value::as_object_mut).flat_map(Map::iter_mut);
    let lists = fields.filter(|(name, _)| ["Action", "NotAction"].contains(&name.as_str()));
    for action in lists.filter_map(|(_, value)| value.as_array_mut()).flatten() {
        if let Value::String(action) = action {
            visit(action);
        }
    }
}

/// The one form of all documents of the same meaning: sorted lists without doubles, also where a single value is
/// allowed.
pub fn normal(document: Value) -> Value {
    let Value::Object(mut document) = document else {
        return document;
    };
    let version = document.remove("Version").unwrap_or_else(|| "2008-10-17".into());
    let mut statements: Vec<Value> = listed(document.remove("Statement").unwrap_or_default());
    statements.iter_mut().for_each(|statement| *statement = normal_statement(statement.take()));
    statements.sort_by_key(Value::to_string);
    let mut normal = Map::new();
    normal.insert("Version".to_owned(), version);
    normal.extend(document);
    normal.insert("Statement".to_owned(), Value::Array(statements));
    Value::Object(normal)
}

fn normal_statement(statement: Value) -> Value {
    let Value::Object(fields) = statement else {
        return statement;
    };
    let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let normal = fields.into_iter().map(|(name, value)| {
        let value = match name.as_str() {
            // Names of actions have no case.
            "Action" | "NotAction" => sorted(value, |value| value.to_string().to_lowercase()),
            "Resource" | "NotResource" => sorted(value, Value::to_string),
            "Principal" | "NotPrincipal" => sorted_below(value, 1),
            "Condition" => sorted_below(value, 2),
            _ => value,
        };
        (name, value)
    });
    Value::Object(normal.collect())
}

/// The same with lists of values this many maps down.
fn sorted_below(value: Value, depth: usize) -> Value {
    match value {
        Value::Object(fields) if depth > 0 => {
            fields.into_iter().map(|(name, value)| (name, sorted_below(value, depth - 1))).collect()
        }
        value => sorted(value, Value::to_string),
    }
}

fn sorted(value: Value, key: impl Fn(&Value) -> String) -> Value {
    let mut values: Vec<Value> = listed(value);
    values.sort_by_key(&key);
    values.dedup_by_key(|value| key(value));
    Value::Array(values)
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_of_one_meaning_have_one_form() {
        let ours = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["a:Get", "a:Put"], "Resource": "*"}]});
        let theirs = json!({"Statement": {"Resource": ["*"], "Action": ["a:put", "A:Get"], "Effect": "Allow"},
            "Version": "2012-10-17"});
        let ours = normal(ours);
        assert_eq!(spelled_like(normal(theirs), &ours), ours);
        assert_eq!(ours["Statement"][0]["Action"], json!(["a:Get", "a:Put"]));
    }

    #[test]
    fn a_plus_in_a_document_stays_a_plus() {
        let document = decoded("%7B%22Version%22%3A%222012-10-17%22%2C%22Id%22%3A%22a+b%22%7D").unwrap();
        assert_eq!(document["Id"], "a+b");
    }
}
