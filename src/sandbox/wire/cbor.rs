//! CBOR, which CloudWatch is asked and answers with.

use serde_json::Value;

/// CBOR as a tree; times, which are tagged, as their seconds.
pub fn tree(bytes: &[u8]) -> Value {
    ciborium::from_reader(bytes).map_or(Value::Null, from_cbor)
}

fn from_cbor(value: ciborium::Value) -> Value {
    use ciborium::Value as Cbor;
    match value {
        Cbor::Bool(one) => one.into(),
        Cbor::Integer(one) => i64::try_from(one).map_or(Value::Null, Value::from),
        Cbor::Float(one) => one.into(),
        Cbor::Text(text) => text.into(),
        Cbor::Array(list) => list.into_iter().map(from_cbor).collect(),
        Cbor::Map(map) => {
            let fields = map.into_iter().filter_map(|(key, value)| Some((key.into_text().ok()?, from_cbor(value))));
            Value::Object(fields.collect())
        }
        Cbor::Tag(_, inner) => from_cbor(*inner),
        _ => Value::Null,
    }
}

/// A tree as CBOR; a `Timestamp`, which a tree has in words, as tagged seconds.
pub fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = ciborium::into_writer(&to_cbor("", value), &mut bytes); // a tree into memory: it cannot fail
    bytes
}

fn to_cbor(name: &str, value: &Value) -> ciborium::Value {
    use ciborium::Value as Cbor;
    const SECONDS_SINCE_1970: u64 = 1;
    match value {
        Value::Array(list) => Cbor::Array(list.iter().map(|one| to_cbor("", one)).collect()),
        Value::Object(fields) => {
            Cbor::Map(fields.iter().map(|(key, value)| (key.as_str().into(), to_cbor(key, value))).collect())
        }
        Value::String(text) => match text.parse::<jiff::Timestamp>() {
            Ok(time) if name == "Timestamp" => {
                Cbor::Tag(SECONDS_SINCE_1970, Box::new(Cbor::Float(time.as_second() as f64)))
            }
            _ => Cbor::Text(text.clone()),
        },
        other => Cbor::serialized(other).unwrap_or(Cbor::Null),
    }
}
