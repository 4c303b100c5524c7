//! The schema of `--json`, to which every document of every test is held.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::program::{progress_schema, result_schema};

/// The schema as it is printed, closed: a field that it does not name is a mistake too.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| closed(result_schema()));
/// That of a line of progress, the same way.
static PROGRESS: LazyLock<Validator> = LazyLock::new(|| closed(progress_schema()));

fn closed(mut schema: Value) -> Validator {
    close(&mut schema);
    jsonschema::draft202012::new(&schema).unwrap()
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_open = fields.get("properties").is_some_and(Value::is_object) && fields.contains_key("type");
            if is_open && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

/// The document, which must be one of `--json`.
#[track_caller]
pub fn valid(document: Value) -> Value {
    fits(&SCHEMA, "result", document)
}

/// The line, which must be one of `--progress json`.
#[track_caller]
pub fn valid_line(line: Value) -> Value {
    fits(&PROGRESS, "progress", line)
}

#[track_caller]
fn fits(schema: &Validator, of: &str, document: Value) -> Value {
    let wrong: Vec<String> =
        schema.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(wrong, Vec::<String>::new(), "it does not fit `schema --of {of}`:\n{document:#}");
    document
}
