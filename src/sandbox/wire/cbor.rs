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

/// A tree as CBOR.
pub fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = ciborium::into_writer(value, &mut bytes); // a tree into memory: it cannot fail
    bytes
}
