//! IAM: policy documents, and what IAM refuses in them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::sandbox::wire::{Reply, need, refuse};

/// What RFC 3986 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Characters without white space ("IAM and AWS STS quotas").
const LONGEST: usize = 6144;
/// The elements of a statement (IAM JSON policy reference).
const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"];

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What an identity may do.
    Permissions,
    /// Who may assume a role.
    Trust,
}

/// A document, encoded as IAM gives it back.
pub fn checked(asked: &Value, name: &str, purpose: Purpose) -> Reply {
    let text = need(asked, name)?;
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(words) = malformed(&document, purpose) {
        return refuse("MalformedPolicyDocument", words);
    }
    let limit = if purpose == Purpose::Trust { 2048 } else { LONGEST };
    if text.chars().filter(|one| !one.is_whitespace()).count() > limit {
        let quota = if purpose == Purpose::Trust { "ACLSizePerRole" } else { "PolicySize" };
        return super::too_many(quota, limit);
    }
    Ok(Value::from(utf8_percent_encode(text, ENCODED).to_string()))
}

/// A document that was kept, as a tree.
pub fn read(kept: &Value) -> Value {
    let text = percent_decode_str(kept.as_str().unwrap_or_default()).decode_utf8_lossy().into_owned();
    serde_json::from_str(&text).unwrap_or_default()
}

/// One or many, as a list.
pub fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

fn malformed(document: &Value, purpose: Purpose) -> Option<&'static str> {
    let known = |name: &String| ["Version", "Id", "Statement"].contains(&name.as_str());
    if !document.as_object().is_some_and(|fields| fields.keys().all(known)) {
        return Some("Syntax errors in policy.");
    }
    let version = &document["Version"];
    if !version.is_null() && version != "2012-10-17" && version != "2008-10-17" {
        return Some("The policy must contain a valid version string");
    }
    let statements = many(&document["Statement"]);
    if statements.is_empty() || statements.iter().any(|one| !one.is_object()) {
        return Some("Syntax errors in policy.");
    }
    statements.into_iter().find_map(|statement| unfit(statement, purpose))
}

fn unfit(statement: &Value, purpose: Purpose) -> Option<&'static str> {
    let has = |name: &str| !statement[name].is_null();
    if statement.as_object()?.keys().any(|name| !ELEMENTS.contains(&name.as_str())) {
        return Some("Syntax errors in policy.");
    }
    if statement["Effect"] != "Allow" && statement["Effect"] != "Deny" {
        return Some(if has("Effect") { "Syntax errors in policy." } else { "Missing required field Effect" });
    }
    if has("Action") == has("NotAction") {
        return Some(if has("Action") { "Syntax errors in policy." } else { "Policy statement must contain actions." });
    }
    let actions = many(&statement["Action"]).into_iter().chain(many(&statement["NotAction"]));
    if actions.into_iter().any(|action| action.as_str().is_none_or(|action| action != "*" && !action.contains(':'))) {
        return Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    }
    let (resource, principal) = (has("Resource") || has("NotResource"), has("Principal") || has("NotPrincipal"));
    match purpose {
        Purpose::Permissions if principal => Some("Policy document should not specify a principal."),
        Purpose::Permissions if !resource => Some("Policy statement must contain resources."),
        Purpose::Trust if resource => Some("Has prohibited field Resource"),
        Purpose::Trust if !principal => Some("Missing required field Principal"),
        Purpose::Trust if !only_assumes(statement) => {
            Some("AssumeRole policy may only specify STS AssumeRole actions.")
        }
        _ => None,
    }
}

fn only_assumes(statement: &Value) -> bool {
    let allowed = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"];
    let fits = |action: &str| allowed.iter().any(|one| action.starts_with(one)) || action == "sts:*";
    many(&statement["Action"]).iter().all(|action| action.as_str().is_some_and(fits))
}
