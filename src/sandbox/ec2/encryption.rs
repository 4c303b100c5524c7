//! EBS: whether new volumes are encrypted, and by which key.

use serde_json::{Value, json};

use crate::sandbox::parameters::Reply;
use crate::sandbox::world::World;

/// GetEbsEncryptionByDefault.
pub fn by_default(world: &mut World, _: &Value) -> Reply {
    let is_on = world.weather.ebs_key.is_some();
    Ok(json!({"ebsEncryptionByDefault": is_on, "sseType": if is_on { "sse-ebs" } else { "none" }}))
}

/// GetEbsDefaultKmsKeyId: AWS's own key, unless the account has chosen another.
pub fn default_key(world: &mut World, _: &Value) -> Reply {
    Ok(json!({"kmsKeyId": world.weather.ebs_key.as_deref().unwrap_or("alias/aws/ebs")}))
}
