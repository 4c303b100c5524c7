//! What was done to a resource or would be, and how it differs.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// What is done to a resource: Terraform's verbs, and three of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Where: `health_check.port`, `rules."tcp 443 from ::/0"`.
    pub field: String,
    /// What AWS has; null when absent.
    pub old: Value,
    /// What is wanted; null when it is to go.
    pub new: Value,
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
        Value::String(text) if text.starts_with('(') && text.ends_with("known after apply)") => {
            "(known after apply)".to_owned()
        }
        other => other.to_string(),
    }
}

/// One thing that exists, for `status`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The resource's key.
    pub resource: &'static str,
    /// AWS's name of it.
    pub name: String,
    /// The guide's step.
    pub step: u8,
    /// AWS's id or ARN; empty when it has none.
    pub id: String,
    /// `ok`, `absent`, `differs`, `foreign`, `rolling`, `leaving`.
    pub state: &'static str,
}
