//! The payload part: built, never templated from the guide's sample, which is no JSON.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::capture::Capture;
use super::meta::Meta;

/// The parts' names; they tie files to tags.
pub const KEYS: [&str; 2] = ["media_key1", "media_key2"];

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "folder:meta_data")]
    folder: &'a RawValue,
    #[serde(rename = "media:meta_data", skip_serializing_if = "Option::is_none")]
    media: Option<Value>,
    #[serde(rename = "media:tags")]
    tags: Value,
    analyses: Value,
}

impl Payload<'_> {
    fn json(&self) -> String {
        serde_json::to_string(self).expect("keys are text, and values are JSON")
    }
}

/// Liveness: one ZIP, the action as its tag, the best shot asked for (pages of the vendor disagree on the default).
pub fn liveness(capture: &Capture) -> String {
    let info = capture.additional_info.as_ref().map(|info| json!({"additional_info": info.expose()}));
    let payload = Payload {
        folder: capture.meta.expose(),
        media: Some(json!({ KEYS[0]: info.unwrap_or_else(|| json!({})) })),
        tags: json!({ KEYS[0]: [capture.tag] }),
        analyses: json!([{"type": "quality", "params": {"extract_best_shot": true}}]),
    };
    payload.json()
}

/// Biometry: two photos and the meta of the liveness folder.
pub fn biometry(meta: &Meta) -> String {
    let payload = Payload {
        folder: meta.expose(),
        media: None,
        tags: json!({ KEYS[0]: ["photo_selfie"], KEYS[1]: ["photo_selfie"] }),
        analyses: json!([{"type": "biometry"}]),
    };
    payload.json()
}
