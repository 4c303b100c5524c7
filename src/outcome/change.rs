//! What was done to a resource or would be, and how it differs.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// What is done to a resource: Terraform's verbs, and three of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is absent.
    Create,
    /// Some fields are changed in place.
    Update,
    /// It gets our tag, and the fields that differ are changed.
    Adopt,
    /// It is removed and made again.
    Replace,
    /// It is removed.
    Delete,
    /// AWS is busy with it.
    Wait,
    /// It has our name and is not ours: nothing is done.
    Foreign,
}

impl Action {
    /// Whether `up` does it; otherwise it holds `up` back.
    pub fn is_done(self) -> bool {
        !matches!(self, Action::Wait | Action::Foreign)
    }

    /// As plans and events name it.
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Adopt => "adopt",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Wait => "wait",
            Action::Foreign => "foreign",
        }
    }
}

/// One line of a plan, or of what was done.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// The resource's key.
    pub resource: &'static str,
    /// AWS's name of it.
    pub name: String,
    /// The guide's step.
    pub step: u8,
    /// What differs, field by field; everything, for a create.
    pub fields: Vec<FieldChange>,
    /// Why it must be replaced, whose it is, or what else happens with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Why `up` refuses it, and the flag that allows it; none: it does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// One field that is not as wanted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(into = "FieldDocument")]
pub struct FieldChange {
    /// Where: `health_check.port`, `rules."tcp 443 from ::/0"`.
    pub field: String,
    /// What AWS has; null when absent.
    pub old: Value,
    /// What is wanted; null when it is to go.
    pub new: Value,
}

/// A field as `--json` shows it: what is not known yet is null, with a flag.
#[derive(Serialize, JsonSchema)]
struct FieldDocument {
    /// Where: `health_check.port`.
    field: String,
    /// What AWS has; null when absent.
    old: Value,
    /// What is wanted; null when it is to go, or is not known yet. In a list, what is not known yet is null.
    new: Value,
    /// A part of `new` is known only when other resources are made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    new_unknown: bool,
}

impl From<FieldChange> for FieldDocument {
    fn from(FieldChange { field, old, new }: FieldChange) -> FieldDocument {
        let (new, new_unknown) = without_unknown(new);
        FieldDocument { field, old, new, new_unknown }
    }
}

/// The value with null for what is not known yet, and whether there was any.
fn without_unknown(value: Value) -> (Value, bool) {
    match value {
        Value::String(text) if is_unknown(&text) => (Value::Null, true),
        Value::Array(values) => {
            let (values, unknown): (Vec<Value>, Vec<bool>) = values.into_iter().map(without_unknown).unzip();
            (Value::Array(values), unknown.contains(&true))
        }
        known => (known, false),
    }
}

/// Whether this stands for an id that a resource gets when it is made.
fn is_unknown(text: &str) -> bool {
    text.starts_with('(') && text.ends_with("known after apply)")
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.field, shown(&self.old), shown(&self.new))
    }
}

/// A value as a plan shows it: what is not known yet and what is absent in words, everything else as JSON.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(absent)".to_owned(),
        Value::String(text) if is_unknown(text) => "(known after apply)".to_owned(),
        other => other.to_string(),
    }
}

/// One thing that exists, for `status`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Standing {
    /// The resource's key.
    pub resource: &'static str,
    /// AWS's name of it.
    pub name: String,
    /// The guide's step.
    pub step: u8,
    /// AWS's id or ARN; null when it has none.
    pub id: Option<String>,
    /// `ok`, `absent`, `differs`, `foreign`, `rolling`, `leaving`.
    pub state: &'static str,
}
