//! Rules of the listeners: whether one of them takes the service's own requests elsewhere, so that what answers is not
//! this stack.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{Rule, RuleCondition};
use regex_lite::Regex;

use super::check::{About, Asks, Check, CheckContext, Node, NotRun, Place, Ran, Verb};
use super::fleet::endpoint;
use super::stack::{Stack, unanswered};
use crate::cloud;
use crate::outcome::{Finding, Status, few};
use crate::oz::{ANALYSES, VERSION};
use crate::steps::load_balancer::forwards_to;
use crate::steps::load_balancer::rules::{self, demanded, find_rules, forwarded};
use crate::steps::target_group;

/// The requests that clients make: method and path.
const REQUESTS: [(&str, &str); 2] = [("GET", VERSION), ("POST", ANALYSES)];

/// Whether rules leave the service's requests to the default action, or send them to the target group themselves.
pub struct ListenerRules;

#[async_trait(?Send)]
impl Check for ListenerRules {
    fn about(&self) -> &'static About {
        &About {
            id: "listener_rules",
            step: 4,
            title: "no rule takes requests elsewhere",
            places: &[Place::WayTo(Node::TargetGroup)],
            verbs: &[Verb::Verify, Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    /// Where there is no rule, there is nothing to say.
    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let Some(group) = stack.ids.get(&target_group::ARN) else { return Err(NotRun::DoesNotApply) };
        let found = match rules_before(stack, group).await {
            Ok(found) if found.is_empty() => return Err(NotRun::DoesNotApply),
            Ok(found) => found,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let host = stack.site.and_then(|site| endpoint(site, stack.ids)).map(|base| base.host().to_lowercase());
        Ok(judge(finding, &found, group, host.as_deref()))
    }
}

/// The rules of the listener that forwards to the target group.
async fn rules_before(stack: &Stack<'_>, group: &str) -> cloud::Result<Vec<Rule>> {
    let listeners = stack.listeners().await?;
    let ours = listeners.iter().find(|listener| forwards_to(listener, group)).and_then(|one| one.listener_arn());
    match ours {
        Some(listener) => find_rules(stack.cloud, listener).await,
        None => Ok(Vec::new()), // then that is what is wrong
    }
}

/// What a rule does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caught {
    No,
    /// It hangs on what is known only of a real request.
    Perhaps,
    Yes,
}

fn judge(finding: Finding, found: &[Rule], group: &str, host: Option<&str>) -> Finding {
    let is_ours = |rule: &Rule| forwarded(rule) == [group];
    let (mut taken, mut perhaps) = (BTreeSet::new(), BTreeSet::new());
    for request in REQUESTS {
        for rule in found {
            match caught(rule, request, host) {
                Caught::No => {}
                Caught::Perhaps if is_ours(rule) => {}
                Caught::Perhaps => drop(perhaps.insert(rules::in_words(rule))),
                Caught::Yes => {
                    taken.extend((!is_ours(rule)).then(|| rules::in_words(rule)));
                    break;
                }
            }
        }
    }
    let listed = |rules: BTreeSet<String>| few(&Vec::from_iter(rules), "; ");
    let fix = "`aws elbv2 describe-rules --listener-arn …` shows it; `aws elbv2 delete-rule` takes it off. `deploy up` \
               leaves rules alone.";
    if !taken.is_empty() {
        let cause = "a rule is tried before the default action: what answers these requests is not this stack";
        return finding.fail(listed(taken), cause, fix);
    }
    if !perhaps.is_empty() {
        let cause = "whether it takes the service's requests hangs on what is known only of a real one";
        return finding.found(Status::Warn, listed(perhaps)).because(cause, fix);
    }
    let all: Vec<String> = found.iter().map(rules::in_words).collect();
    finding.pass(format!("none of them: {}", few(&all, "; ")))
}

/// Whether a rule takes a request: when all of its conditions hold.
fn caught(rule: &Rule, request: (&str, &str), host: Option<&str>) -> Caught {
    let held: Vec<Caught> = rule.conditions().iter().map(|condition| holds(condition, request, host)).collect();
    match () {
        () if held.contains(&Caught::No) => Caught::No,
        () if held.contains(&Caught::Perhaps) => Caught::Perhaps,
        () => Caught::Yes,
    }
}

fn holds(condition: &RuleCondition, (method, path): (&str, &str), host: Option<&str>) -> Caught {
    let asked = match condition.field() {
        Some("path-pattern") => Some(path.to_owned()),
        Some("http-request-method") => Some(method.to_owned()),
        Some("host-header") => host.map(str::to_lowercase),
        _ => None,
    };
    let patterns = demanded(condition);
    match asked {
        // Without a pattern it has regular expressions, which are not tried here.
        Some(asked) if !patterns.is_empty() => {
            let is_host = condition.field() == Some("host-header");
            let is_met =
                |pattern: &String| fits(&if is_host { pattern.to_lowercase() } else { pattern.clone() }, &asked);
            if patterns.iter().any(is_met) { Caught::Yes } else { Caught::No }
        }
        _ => Caught::Perhaps,
    }
}

/// Whether a text fits a pattern in which `*` stands for any letters and `?` for one ("Listener rules", user guide).
fn fits(pattern: &str, text: &str) -> bool {
    let expression = regex_lite::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    Regex::new(&format!("^{expression}$")).is_ok_and(|expression| expression.is_match(text))
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum};

    use super::*;

    const OURS: &str = "arn:ours";

    fn rule(priority: u32, conditions: &[(&str, &str)], to: &str) -> Rule {
        let conditions = conditions.iter().map(|(field, value)| {
            let condition = RuleCondition::builder().field(*field);
            if value.is_empty() { condition.regex_values("^/api").build() } else { condition.values(*value).build() }
        });
        let action = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(to).build();
        Rule::builder()
            .priority(priority.to_string())
            .set_conditions(Some(conditions.collect()))
            .actions(action)
            .build()
    }

    #[test]
    fn a_rule_is_named_once_whatever_it_takes() {
        let (one, other) = (("source-ip", "10.0.0.0/8"), ("source-ip", "192.0.2.0/24"));
        let rules = [rule(1, &[one], "arn:theirs"), rule(2, &[other], "arn:theirs")];
        let found = judge(ListenerRules.finding(), &rules, OURS, None);
        assert_eq!(found.evidence.matches("rule 1 ").count(), 1, "{}", found.evidence);
    }

    #[test]
    fn a_rule_that_takes_the_services_requests_is_told_from_one_that_does_not() {
        let theirs = "arn:theirs";
        let rows = [
            (vec![rule(1, &[("path-pattern", "/api/*")], theirs)], Status::Fail),
            (vec![rule(1, &[("path-pattern", "/api/v?rsion")], theirs)], Status::Fail),
            (vec![rule(1, &[("path-pattern", "/API/*")], theirs)], Status::Pass),
            (vec![rule(1, &[("path-pattern", "/admin/*")], theirs)], Status::Pass),
            (vec![rule(1, &[("path-pattern", "/api/*")], OURS)], Status::Pass),
            (vec![rule(1, &[("host-header", "APP.example.com")], theirs)], Status::Fail),
            (vec![rule(1, &[("host-header", "*.example.org")], theirs)], Status::Pass),
            (vec![rule(1, &[("http-request-method", "PUT")], theirs)], Status::Pass),
            (vec![rule(1, &[("http-request-method", "POST")], theirs)], Status::Fail),
            (vec![rule(1, &[("path-pattern", "/api/*"), ("http-request-method", "PUT")], theirs)], Status::Pass),
            (vec![rule(1, &[("path-pattern", "/api/*"), ("source-ip", "10.0.0.0/8")], theirs)], Status::Warn),
            (vec![rule(1, &[("path-pattern", "")], theirs)], Status::Warn),
            // The first that takes it decides.
            (
                vec![rule(1, &[("path-pattern", "/api/*")], OURS), rule(2, &[("path-pattern", "*")], theirs)],
                Status::Pass,
            ),
            (
                vec![rule(1, &[("path-pattern", "*")], theirs), rule(2, &[("path-pattern", "/api/*")], OURS)],
                Status::Fail,
            ),
        ];
        for (rules, status) in rows {
            let found = judge(ListenerRules.finding(), &rules, OURS, Some("app.example.com"));
            assert_eq!(found.status, status, "{}", found.evidence);
        }
    }
}
