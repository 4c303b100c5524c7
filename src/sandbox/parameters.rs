//! What a call is asked with and what it gives back: trees of JSON, whatever the protocol was.

use serde_json::Value;

/// A refusal as AWS would put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error's code, such as `InvalidGroup.NotFound`.
    pub code: &'static str,
    /// The error's message.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

/// What a call gives back.
pub type Reply = Result<Value, Refusal>;

/// A refusal of the usual status.
///
/// # Errors
/// Always: that is what it is for.
pub fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.into(), status: 400 })
}

/// A parameter that AWS requires.
///
/// # Errors
/// It is missing or empty.
pub fn need<'a>(asked: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    match asked[name].as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => refuse("MissingParameter", format!("The request must contain the parameter {name}")),
    }
}

/// The reply as services other than EC2 give it, which refuse a missing parameter with `code`, in one form of words.
pub fn missing_as(code: &'static str, reply: Reply) -> Reply {
    reply.map_err(|refusal| {
        let name = refusal.message.rsplit(' ').next().unwrap_or_default();
        match refusal.code {
            "MissingParameter" if !name.is_empty() => Refusal {
                message: format!(
                    "1 validation error detected: Value null at '{}{}' failed to satisfy constraint: Member must not \
                     be null",
                    name[..1].to_lowercase(),
                    &name[1..],
                ),
                code,
                ..refusal
            },
            _ => refusal,
        }
    })
}

/// A list parameter; empty when it is absent.
pub fn list<'a>(asked: &'a Value, name: &str) -> &'a [Value] {
    asked[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A list parameter of texts.
pub fn texts(asked: &Value, name: &str) -> Vec<String> {
    list(asked, name).iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A number parameter. Forms carry it as text.
pub fn number(asked: &Value, name: &str) -> Option<i64> {
    let value = &asked[name];
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// A yes-or-no parameter. Forms carry it as text.
pub fn flag(asked: &Value, name: &str) -> Option<bool> {
    let value = &asked[name];
    value.as_bool().or_else(|| value.as_str()?.parse().ok())
}
