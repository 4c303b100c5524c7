//! The rules of a listener: what others put before its default action. None is ever ours.

use aws_sdk_elasticloadbalancingv2::types::{Rule, RuleCondition};

use super::actions;
use crate::cloud::{self, Absent, Cloud};

/// The rules of a listener, in the order in which they are tried, without its default action; none when there is no
/// such listener.
///
/// # Errors
/// Elastic Load Balancing does not describe them.
pub async fn find_rules(cloud: &Cloud, listener: &str) -> cloud::Result<Vec<Rule>> {
    let pages = cloud.elb.describe_rules().listener_arn(listener).page_size(400).into_paginator().items().send();
    let mut rules: Vec<Rule> = pages.try_collect().await.or_absent()?.unwrap_or_default();
    rules.retain(|rule| rule.is_default() != Some(true));
    rules.sort_by_key(priority);
    Ok(rules)
}

/// Its priority, conditions and actions: `rule 10 (path-pattern /admin/* -> fixed-response 403)`.
pub fn in_words(rule: &Rule) -> String {
    let conditions: Vec<String> = rule.conditions().iter().map(condition_in_words).collect();
    let (authentication, (kinds, to)) = actions::read(rule.actions());
    let login: Vec<String> = authentication.iter().map(actions::in_words).collect();
    let ends = format!("{kinds} {to}");
    let actions: Vec<&str> = login.iter().map(String::as_str).chain([ends.as_str()]).collect();
    format!("rule {} ({} -> {})", rule.priority().unwrap_or("?"), conditions.join(", "), actions.join(", then "))
}

/// The target groups that a rule forwards to; none where it answers itself or leads elsewhere.
pub fn forwarded(rule: &Rule) -> Vec<String> {
    let mut arns: Vec<String> = rule.actions().iter().flat_map(actions::targets_of).collect();
    arns.dedup();
    arns
}

/// What a condition demands; nothing where it has regular expressions. AWS gives hosts and paths in two places.
pub fn demanded(condition: &RuleCondition) -> &[String] {
    let plain = condition.values.as_deref().filter(|values| !values.is_empty());
    let of_host = || condition.host_header_config.as_ref()?.values.as_deref();
    let of_path = || condition.path_pattern_config.as_ref()?.values.as_deref();
    let of_method = || condition.http_request_method_config.as_ref()?.values.as_deref();
    let of_source = || condition.source_ip_config.as_ref()?.values.as_deref();
    let of_header = || condition.http_header_config.as_ref()?.values.as_deref();
    plain.or_else(of_host).or_else(of_path).or_else(of_method).or_else(of_source).or_else(of_header).unwrap_or_default()
}

fn condition_in_words(condition: &RuleCondition) -> String {
    let field = condition.field().unwrap_or("a condition");
    match demanded(condition) {
        [] => field.to_owned(),
        values => format!("{field} {}", values.join(" or ")),
    }
}

fn priority(rule: &Rule) -> u32 {
    rule.priority().and_then(|priority| priority.parse().ok()).unwrap_or(u32::MAX)
}
