//! Policy documents by meaning: one action a line.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::outcome::FieldChange;

/// What the statements of a document allow and deny, a line each: those that go with `-`, those that come with `+`.
/// `None`: it is no document, or the difference is not in what is allowed.
pub fn lines(change: &FieldChange) -> Option<Vec<String>> {
    if change.field != "Statement" && !change.field.ends_with(".Statement") {
        return None;
    }
    let (old, new) = (allowed(&change.old)?, allowed(&change.new)?);
    let lines = |sign: &'static str, some: &BTreeSet<String>, others: &BTreeSet<String>| {
        some.difference(others).map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    let changed = [lines("-", &old, &new), lines("+", &new, &old)].concat();
    (!changed.is_empty()).then_some(changed)
}

fn allowed(statements: &Value) -> Option<BTreeSet<String>> {
    let statements = match statements {
        Value::Null => return Some(BTreeSet::new()),
        other => other.as_array()?,
    };
    let mut lines = BTreeSet::new();
    for statement in statements {
        let statement = statement.as_object()?;
        let effect = statement.get("Effect").and_then(Value::as_str).unwrap_or("Allow");
        let about = about(statement);
        let (but, actions) = match (statement.get("Action"), statement.get("NotAction")) {
            (Some(actions), _) => ("", actions),
            (None, Some(others)) => ("all but ", others),
            (None, None) => return None,
        };
        lines.extend(texts(actions).iter().map(|action| format!("{effect} {but}{action}{about}")));
    }
    Some(lines)
}

/// ` on *`, ` to ec2.amazonaws.com`, ` if {...}`
fn about(statement: &Map<String, Value>) -> String {
    let mut words = String::new();
    for (name, word) in [
        ("Resource", "on"),
        ("NotResource", "on all but"),
        ("Principal", "to"),
        ("NotPrincipal", "to all but"),
        ("Condition", "if"),
    ] {
        match statement.get(name) {
            Some(Value::Object(fields)) if name != "Condition" => {
                let all: Vec<String> = fields.values().flat_map(texts).collect();
                words += &format!(" {word} {}", all.join(", "));
            }
            Some(value @ Value::Object(_)) => words += &format!(" {word} {value}"),
            Some(value) => words += &format!(" {word} {}", texts(value).join(", ")),
            None => {}
        }
    }
    words
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}
