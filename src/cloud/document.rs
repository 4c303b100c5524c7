//! IAM's documents: as IAM gives them, and equal by meaning.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{Error, Result};

/// A document as IAM returns it: percent-encoded (RFC 3986; `+` is a plus), in its one normal form.
///
/// # Errors
/// It is not JSON.
pub fn decoded(encoded: &str) -> Result<Value> {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    let document = serde_json::from_str(&text).map_err(|error| Error::Reply(format!("an IAM document: {error}")))?;
    Ok(normal(document))
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
            "Action" | "NotAction" => sorted(value, str::to_lowercase), // names of actions have no case
            "Resource" | "NotResource" => sorted(value, str::to_owned),
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
        value => sorted(value, str::to_owned),
    }
}

fn sorted(value: Value, spelled: impl Fn(&str) -> String) -> Value {
    let text = |value: Value| value.as_str().map(|text| Value::from(spelled(text))).unwrap_or(value);
    let mut values: Vec<Value> = listed(value).into_iter().map(text).collect();
    values.sort_by_key(Value::to_string);
    values.dedup();
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
        assert_eq!(normal(ours), normal(theirs));
    }

    #[test]
    fn a_plus_in_a_document_stays_a_plus() {
        let document = decoded("%7B%22Version%22%3A%222012-10-17%22%2C%22Id%22%3A%22a+b%22%7D").unwrap();
        assert_eq!(document["Id"], "a+b");
    }
}
