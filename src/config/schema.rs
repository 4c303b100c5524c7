//! The JSON Schema of deploy.yaml, made of what the loader asks for: a key that it reads is in it.
//!
//! It never refuses what the loader takes. The loader refuses more: rules of several keys, and what no pattern says.

use serde_json::{Value, json};

use super::mistake::{Described, Findings, Place};
use super::tree::Node;
use super::{example, forms, names, shape};

/// It, in the dialect of 2020-12.
pub fn schema() -> Value {
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "deploy.yaml",
        "description": "The AWS stack of Oz Liveness. What is left out is as in the vendor's guide.",
        "type": "object",
    });
    let meanings = example::meanings();
    for Described { path, mut schema, is_required } in asked() {
        if let Some(meaning) = meanings.get(&path) {
            schema["description"] = json!(meaning);
        }
        let pattern = forms::of(&path).map(|form| form.pattern.to_owned()).or_else(|| names::pattern(&path));
        if let Some(pattern) = pattern {
            let text = if schema["items"].is_object() { &mut schema["items"] } else { &mut schema };
            text["pattern"] = json!(pattern);
        }
        put(&mut root, &path, schema, is_required);
    }
    close(&mut root);
    root
}

/// What the loader asks for, of a file without a key.
fn asked() -> Vec<Described> {
    let top = Place::Whole("deploy.yaml".into());
    let mut findings = Findings::new(top.clone());
    findings.described = Some(Vec::new());
    shape::config(Node::empty(top), &mut findings);
    findings.described.unwrap_or_default()
}

fn put(root: &mut Value, path: &str, schema: Value, is_required: bool) {
    let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
    let place = above.split('.').filter(|key| !key.is_empty()).fold(root, |at, key| &mut at["properties"][key]);
    if key == "*" {
        place["additionalProperties"] = schema;
        return;
    }
    place["properties"][key] = schema;
    if is_required {
        match place["required"].as_array_mut() {
            Some(required) => required.push(json!(key)),
            None => place["required"] = json!([key]),
        }
    }
}

/// No mapping takes other keys, unless the user chooses them.
fn close(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    if fields.contains_key("properties") {
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(close);
    }
}
