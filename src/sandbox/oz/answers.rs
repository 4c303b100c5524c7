//! Answers in the shapes of the guide's examples, which are `templates/oz-*.json`, repaired where they are not JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The guide's liveness answer, with what this capture deserves.
pub fn liveness(shot: Option<&[u8]>, spoof: bool, tag: &str, meta: &Value) -> Value {
    let mut answer = example(include_str!("../../../templates/oz-liveness.json"));
    answer["meta_data"] = meta.clone();
    answer["media"][0]["tags"] = json!([tag]);
    let media = &mut answer["analyses"][0]["results_media"][0];
    // The name is from the changelog of API 5.0.0; the values are synthetic.
    media["results_data"] = json!({"confidence_spoofing": if spoof { 0.97 } else { 0.02 }});
    match shot {
        Some(shot) => media["output_images"][0]["image_b64"] = json!(STANDARD.encode(shot)),
        None => media["output_images"] = json!([]),
    }
    if spoof { resolved(answer, "DECLINED") } else { answer }
}

/// The guide's biometry answer; the confidence is synthetic.
pub fn biometry(same: bool, meta: &Value) -> Value {
    let mut answer = example(include_str!("../../../templates/oz-biometry.json"));
    answer["meta_data"] = meta.clone();
    let confidence = if same { 0.99 } else { 0.12 };
    answer["analyses"][0]["results_data"] = json!({"min_confidence": confidence, "max_confidence": confidence});
    if same { answer } else { resolved(answer, "DECLINED") }
}

/// The same with another decision, everywhere.
pub fn resolved(mut answer: Value, decision: &str) -> Value {
    answer["system_resolution"] = json!(decision);
    answer["analyses"][0]["resolution_status"] = json!(decision);
    answer["analyses"][0]["resolution"] = json!(decision);
    answer
}

/// A technical failure (Statuses in API: FAILED); its message is synthetic.
pub fn failed(answer: Value) -> Value {
    let mut answer = resolved(answer, "FAILED");
    answer["resolution_status"] = json!("FAILED");
    answer["analyses"][0]["state"] = json!("FAILED");
    answer["analyses"][0]["error_code"] = json!(0);
    answer["analyses"][0]["error_message"] = json!("Unknown server side error occurred");
    answer
}

/// Not finished (Statuses in API: PROCESSING).
pub fn processing(answer: Value) -> Value {
    let mut answer = resolved(answer, "PROCESSING");
    answer["resolution_status"] = json!("PROCESSING");
    answer["analyses"][0]["state"] = json!("PROCESSING");
    answer
}

/// The same with another value at this JSON pointer; a last segment that is missing is added.
pub fn with(mut answer: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    match answer.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.insert(key.to_owned(), value)),
        Some(Value::Array(values)) => match key.parse::<usize>().ok().and_then(|index| values.get_mut(index)) {
            Some(place) => *place = value,
            None => values.push(value),
        },
        _ => {}
    }
    answer
}

fn example(text: &str) -> Value {
    serde_json::from_str(text).expect("the bundled example is JSON")
}
