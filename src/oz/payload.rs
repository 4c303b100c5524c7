//! The payload part: built, never templated from the guide's sample, which is no JSON.

use serde_json::{Value, json};

use super::capture::Capture;

/// The parts' names; they tie files to tags.
pub const KEYS: [&str; 2] = ["media_key1", "media_key2"];

/// Liveness: one ZIP, the action as its tag, the best shot asked for (pages of the vendor disagree on the default).
pub fn liveness(capture: &Capture) -> Value {
    let info = capture.additional_info.as_ref().map(|info| json!({"additional_info": info.expose()}));
    json!({
        "folder:meta_data": capture.meta.expose(),
        "media:meta_data": { KEYS[0]: info.unwrap_or_else(|| json!({})) },
        "media:tags": { KEYS[0]: [capture.tag] },
        "analyses": [{"type": "quality", "params": {"extract_best_shot": true}}],
    })
}

/// Biometry: two photos and the meta of the liveness folder.
pub fn biometry(meta: &serde_json::Map<String, Value>) -> Value {
    json!({
        "folder:meta_data": meta,
        "media:tags": { KEYS[0]: ["photo_selfie"], KEYS[1]: ["photo_selfie"] },
        "analyses": [{"type": "biometry"}],
    })
}
