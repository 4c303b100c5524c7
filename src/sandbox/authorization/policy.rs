//! IAM's evaluation of policies: what a document says of an action on a resource (IAM user guide, "Policy evaluation
//! logic"). A denial wins; without a statement that allows, nothing is allowed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What is asked of a caller's policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// `ec2:CreateSecurityGroup`
    pub action: String,
    /// The resource's ARN; `*` where the action knows none.
    pub resource: String,
    /// What is known of the request, by condition key: `aws:RequestTag/…` and the like.
    pub context: BTreeMap<String, Vec<String>>,
}

/// What they answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// No statement allows it; the condition keys that statements asked for in vain.
    NotAllowed(BTreeSet<String>),
    /// A statement denies it.
    Denied,
}

impl Decision {
    /// As IAM's simulator writes it.
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Allowed => "allowed",
            Decision::NotAllowed(_) => "implicitDeny",
            Decision::Denied => "explicitDeny",
        }
    }
}

/// What these documents say together.
pub fn decide(documents: &[Value], question: &Question) -> Decision {
    let mut missing = BTreeSet::new();
    let (mut allowed, mut denied) = (false, false);
    for statement in documents.iter().flat_map(|document| many(&document["Statement"])) {
        let fits = covers(statement, question) && conditions_hold(&statement["Condition"], question, &mut missing);
        denied |= fits && statement["Effect"] == "Deny";
        allowed |= fits && statement["Effect"] == "Allow";
    }
    match (denied, allowed) {
        (true, _) => Decision::Denied,
        (false, true) => Decision::Allowed,
        (false, false) => Decision::NotAllowed(missing),
    }
}

/// One or many.
fn many(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn covers(statement: &Value, question: &Question) -> bool {
    let action = question.action.to_lowercase();
    let is_action = |pattern: &Value| fits(pattern, &|pattern| matches(&pattern.to_lowercase(), &action));
    let is_resource = |pattern: &Value| fits(pattern, &|pattern| matches(pattern, &question.resource));
    let one_of = |name: &str, not: &str, is: &dyn Fn(&Value) -> bool| match &statement[not] {
        Value::Null => many(&statement[name]).iter().any(is),
        others => !many(others).iter().any(is),
    };
    one_of("Action", "NotAction", &is_action) && one_of("Resource", "NotResource", &is_resource)
}

fn fits(pattern: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    pattern.as_str().is_some_and(is)
}

/// Every condition must hold. Notes the keys that were asked for and are not known.
fn conditions_hold(conditions: &Value, question: &Question, missing: &mut BTreeSet<String>) -> bool {
    let all = conditions.as_object().into_iter().flatten();
    let mut holds = true;
    for (operator, keys) in all {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let known = question.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            let values = known.map(|(_, values)| values.as_slice());
            if values.is_none() && !operator.ends_with("IfExists") && operator != "Null" {
                missing.insert(key.clone());
            }
            holds &= condition_holds(operator, values, many(wanted));
        }
    }
    holds
}

/// One condition (IAM user guide, "IAM JSON policy elements: Condition operators"). An operator that is not known here
/// never holds.
fn condition_holds(operator: &str, values: Option<&[String]>, wanted: &[Value]) -> bool {
    let (set, operator) = match operator.split_once(':') {
        Some((set, operator)) => (set, operator),
        None => ("", operator),
    };
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if operator == "Null" {
        return wanted.iter().any(|wanted| (text(wanted) == "true") == values.is_none());
    }
    let Some(values) = values else {
        return if_exists || set == "ForAllValues";
    };
    let (operator, negated) = match operator.replace("Not", "") {
        plain if plain != operator => (plain, true),
        plain => (plain, false),
    };
    let is = |value: &String, wanted: &Value| match operator.as_str() {
        "StringEquals" => *value == text(wanted),
        "StringLike" | "ArnLike" | "ArnEquals" => matches(&text(wanted), value),
        "Bool" | "StringEqualsIgnoreCase" => value.eq_ignore_ascii_case(&text(wanted)),
        _ => negated,
    };
    let one_is = |value: &String| wanted.iter().any(|wanted| is(value, wanted)) != negated;
    if set == "ForAllValues" { values.iter().all(one_is) } else { values.iter().any(one_is) }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `*` means any characters, `?` one.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
        }
        Some(first) => {
            let mut chars = text.chars();
            chars.next().is_some_and(|next| first == '?' || first == next)
                && matches(&pattern[first.len_utf8()..], chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(action: &str, resource: &str, context: &[(&str, &str)]) -> Question {
        let context = context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect();
        Question { action: action.to_owned(), resource: resource.to_owned(), context }
    }

    fn decision(statement: Value, question: &Question) -> &'static str {
        decide(&[json!({"Statement": statement})], question).word()
    }

    #[test]
    fn a_statement_is_of_its_actions_resources_and_conditions() {
        let statement = json!({"Effect": "Allow", "Action": "ec2:Delete*", "Resource": ["arn:aws:ec2:*:*:volume/*"],
            "Condition": {"StringEquals": {"aws:ResourceTag/stack": ["a", "b"]}}});
        let volume = "arn:aws:ec2:eu-central-1:1:volume/vol-1";
        for (action, resource, tag, wanted) in [
            ("ec2:DeleteVolume", volume, "b", "allowed"),
            ("EC2:deletevolume", volume, "a", "allowed"),
            ("ec2:DeleteVolume", volume, "c", "implicitDeny"),
            ("ec2:CreateVolume", volume, "a", "implicitDeny"),
            ("ec2:DeleteVolume", "arn:aws:ec2:eu-central-1:1:instance/i-1", "a", "implicitDeny"),
        ] {
            let question = asked(action, resource, &[("aws:ResourceTag/stack", tag)]);
            assert_eq!(decision(statement.clone(), &question), wanted, "{action} {resource} {tag}");
        }
        let untagged = decide(&[json!({"Statement": statement})], &asked("ec2:DeleteVolume", volume, &[]));
        assert_eq!(untagged, Decision::NotAllowed(BTreeSet::from(["aws:ResourceTag/stack".to_owned()])));
    }

    #[test]
    fn a_denial_wins_and_operators_mean_what_iam_says() {
        let both = json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": "iam:Get*", "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}},
        ]);
        let there = [("aws:RequestedRegion", "us-east-1")];
        assert_eq!(decision(both.clone(), &asked("ec2:RunInstances", "*", &there)), "explicitDeny");
        assert_eq!(decision(both.clone(), &asked("iam:GetRole", "*", &there)), "allowed");
        assert_eq!(decision(both, &asked("ec2:Run", "*", &[("aws:RequestedRegion", "eu-central-1")])), "allowed");
        for (operator, wanted, value, holds) in [
            ("ForAllValues:StringEquals", json!(["A", "B"]), Some("A"), true),
            ("ForAllValues:StringEquals", json!(["B"]), Some("A"), false),
            ("ForAllValues:StringEquals", json!(["B"]), None, true),
            ("StringEqualsIfExists", json!("B"), None, true),
            ("StringEqualsIfExists", json!("B"), Some("A"), false),
            ("StringLike", json!("a?c*"), Some("abcd"), true),
            ("ArnLike", json!("arn:aws:ec2:*:*:launch-template/*"), Some("arn:aws:ec2:e:1:launch-template/lt-1"), true),
            ("Bool", json!(true), Some("true"), true),
            ("Null", json!("true"), None, true),
            ("Null", json!("true"), Some("A"), false),
            ("NumericLessThan", json!("7"), Some("5"), false),
        ] {
            let values = value.map(|value| vec![value.to_owned()]);
            assert_eq!(condition_holds(operator, values.as_deref(), many(&wanted)), holds, "{operator} {wanted}");
        }
    }
}
