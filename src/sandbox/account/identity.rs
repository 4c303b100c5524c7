//! STS: who calls, and what a denial was about.

use base64::Engine;
use serde_json::{Value, json};

use crate::sandbox::authorization::USER;
use crate::sandbox::wire::{Refusal, Reply, need, refuse};
use crate::sandbox::world::World;

/// What EC2 encodes when it denies something. The real encoding is secret; this one is base64.
pub fn encoded(action: &str, resource: &str, principal: &str) -> String {
    let told = json!({
        "allowed": false, "explicitDeny": false,
        "context": {"principal": {"arn": principal}, "action": action, "resource": resource},
    });
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(told.to_string())
}

/// One call; `None`: not one of STS that the sandbox has.
pub fn call(world: &World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "GetCallerIdentity" => {
            let (id, name) = if world.weather.root_user {
                (world.account.as_str(), "root")
            } else {
                ("AIDASANDBOX0000000001", USER)
            };
            Ok(json!({"Account": world.account, "UserId": id, "Arn": world.arn("iam", name)}))
        }
        "DecodeAuthorizationMessage" => decode(world, asked),
        "GetAccessKeyInfo" => need(asked, "AccessKeyId").map(|_| json!({"Account": world.account})),
        _ => return None,
    })
}

fn decode(world: &World, asked: &Value) -> Reply {
    if !world.weather.may_decode {
        return Err(Refusal {
            code: "AccessDenied",
            message: "User is not authorized to perform: sts:DecodeAuthorizationMessage".to_owned(),
            status: 403,
        });
    }
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(need(asked, "EncodedMessage")?);
    match bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(message) => Ok(json!({"DecodedMessage": message})),
        None => refuse("InvalidAuthorizationMessageException", "Message is not valid"),
    }
}
