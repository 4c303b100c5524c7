//! What the caller may do: everything that `up` and `teardown` ask of IAM, simulated before the first write. What only
//! a teardown needs is a warning: it may be somebody else's to make.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use serde_json::Value;

use super::about;
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::stack::{Stack, unanswered};
use crate::cloud::{self, Cloud, Identity};
use crate::outcome::Status;
use crate::permissions::{Need, Statement, Where, statements};

/// Whether the caller may make the calls of `up` and of `teardown`.
pub struct Permissions;

/// What stands for the part of an ARN that AWS will choose.
const ANY: &str = "0123456789abcdef0";
/// As many answers as a page of the simulator has.
const PAGE: i32 = 1000;

#[async_trait(?Send)]
impl Check for Permissions {
    fn about(&self) -> &'static About {
        const { &about("permissions", 0, "the caller may do what up and teardown do") }
    }

    /// A stack that stands was made by somebody who might: only what is about to be changed would matter.
    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        cx.stack().is_ok_and(|stack| stack.ids.is_empty())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let identity = match stack.cloud.identity().await {
            Ok(identity) => identity,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let caller = match principal(stack.cloud, &identity.caller).await {
            Ok(Principal::Root) => return Ok(finding.pass("the account's root may do everything")),
            Ok(Principal::Entity(arn)) => arn,
            Ok(Principal::Other) => {
                let evidence = format!("{} is neither a user nor a role", identity.caller);
                let fix = "`deploy iam-policy` prints what the verbs need.";
                return Ok(finding.found(Status::Unknown, evidence).because("IAM simulates users and roles only", fix));
            }
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let asked = asked(stack, identity);
        let answers = match simulated(stack.cloud, &caller, &asked).await {
            Ok(answers) => answers,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let of = |wanted: &[Answer]| -> BTreeSet<&str> {
            let is = |asked: &&(String, String)| answers.get(*asked).is_some_and(|answer| wanted.contains(answer));
            asked.actions.keys().filter(is).map(|(action, _)| action.as_str()).collect()
        };
        let (denied, unsure) = (of(&[Answer::Denied]), of(&[Answer::Unsure]));
        let fix = "`deploy iam-policy` prints the policy that allows all of it.";
        let cause = format!("no policy of {caller} allows it, or one denies it, as IAM simulates them");
        let of_up: BTreeSet<&str> =
            asked.actions.iter().filter(|(_, of_up)| **of_up).map(|((action, _), _)| action.as_str()).collect();
        let (of_up, of_teardown): (BTreeSet<&str>, BTreeSet<&str>) =
            denied.into_iter().partition(|action| of_up.contains(action));
        let words = [("up", of_up), ("teardown", of_teardown)].map(|(verb, denied)| {
            (!denied.is_empty()).then(|| format!("{verb} needs {}", denied.into_iter().collect::<Vec<_>>().join(", ")))
        });
        let evidence = words.iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ");
        match words {
            [Some(_), _] => return Ok(finding.fail(evidence, cause, fix)),
            [None, Some(_)] => return Ok(finding.found(Status::Warn, evidence).because(cause, fix)),
            [None, None] => {}
        }
        if !unsure.is_empty() {
            let cause = "policies of the caller ask for conditions that are known only when the call is made";
            let unsure = unsure.into_iter().collect::<Vec<_>>().join(", ");
            let evidence = format!("IAM's simulator does not say whether the caller may {unsure}");
            return Ok(finding.found(Status::Unknown, evidence).because(cause, fix));
        }
        Ok(finding.pass(format!("{} actions, as IAM simulates them", asked.actions.len())))
    }
}

/// Whose policies count.
enum Principal {
    Root,
    /// A user's or role's ARN.
    Entity(String),
    Other,
}

/// The caller's user or role. A role's session names the role without its path, which only the role itself tells.
async fn principal(cloud: &Cloud, caller: &str) -> cloud::Result<Principal> {
    if caller.ends_with(":root") {
        return Ok(Principal::Root);
    }
    if caller.contains(":user/") || caller.contains(":role/") {
        return Ok(Principal::Entity(caller.to_owned()));
    }
    let Some(role) = caller.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next()) else {
        return Ok(Principal::Other);
    };
    let reply = cloud.iam.get_role().role_name(role).send().await?;
    Ok(reply.role.map_or(Principal::Other, |role| Principal::Entity(role.arn)))
}

/// What is asked of the simulator: actions with the resource of each, and what is known of the requests.
struct AskedOf {
    /// Whether `up` needs it; else `teardown` alone.
    actions: BTreeMap<(String, String), bool>,
    context: Vec<ContextEntry>,
}

fn asked(stack: &Stack<'_>, identity: &Identity) -> AskedOf {
    let (partition, account) = (identity.account.partition.as_str(), identity.account.id.as_str());
    let place = Where { partition, region: &stack.cloud.region, account };
    // Who may not read is told so by the reads themselves.
    let of = |need: Need| statements(stack.config, &place, &[need]).into_iter().map(move |one| (one, need == Need::Up));
    let all: Vec<(Statement, bool)> = of(Need::Teardown).chain(of(Need::Up)).collect();
    let mut actions = BTreeMap::new();
    for (one, of_up) in &all {
        let asked = one.writes().filter_map(|action| Some((action.clone(), resource_of(action, &one.resources)?)));
        actions.extend(asked.map(|asked| (asked, *of_up))); // what both need is up's
    }
    let mut known: BTreeMap<String, Vec<String>> =
        BTreeMap::from([("aws:RequestedRegion".to_owned(), vec![stack.cloud.region.clone()])]);
    for (key, value) in all.iter().filter_map(|(one, _)| one.conditions.as_ref()).flat_map(keys) {
        // One request creates one thing, and names one service.
        known.entry(key).or_insert(value);
    }
    let entry = |(key, values): (String, Vec<String>)| {
        let kind = if values.len() > 1 { ContextKeyTypeEnum::StringList } else { ContextKeyTypeEnum::String };
        let entry = ContextEntry::builder().context_key_name(key).context_key_type(kind);
        entry.set_context_key_values(Some(values)).build()
    };
    AskedOf { actions, context: known.into_iter().map(entry).collect() }
}

/// The condition keys of a statement, with what satisfies them.
fn keys(conditions: &Value) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (operator, keys) in conditions.as_object().into_iter().flatten() {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let values = wanted.as_array().map_or(std::slice::from_ref(wanted), Vec::as_slice);
            let values = values.iter().filter_map(Value::as_str).map(|value| value.replace('*', ANY));
            let most = if operator.starts_with("ForAllValues") { usize::MAX } else { 1 };
            all.push((key.clone(), values.take(most).collect()));
        }
    }
    all
}

/// One resource of those of a statement, for an action that may be asked of it.
fn resource_of(action: &str, resources: &[String]) -> Option<String> {
    let noun = |words: &[&str]| words.iter().any(|word| action.contains(word));
    let kind = match action {
        _ if noun(&["InstanceProfile"]) => ":instance-profile/",
        _ if noun(&["RunInstances"]) => ":instance/",
        _ if noun(&["LaunchTemplate"]) => ":launch-template/",
        _ if noun(&["NetworkInterface"]) => ":network-interface/",
        _ if noun(&["DeleteVolume"]) => ":volume/",
        _ if noun(&["ec2:"]) => ":security-group/",
        _ if noun(&["TargetGroup"]) => ":targetgroup/",
        _ if noun(&["ModifyListener", "DeleteListener"]) => ":listener/",
        _ if noun(&["elasticloadbalancing:"]) => ":loadbalancer/",
        _ if noun(&["iam:"]) && noun(&["PassRole", "Role"]) => ":role/",
        _ if noun(&["iam:"]) => ":policy/",
        _ => "",
    };
    // Load balancers and their listeners share a pattern.
    let named = resources.iter().map(|resource| resource.replace(":*/app/", &format!("{kind}app/")));
    let of_kind = named.into_iter().find(|resource| resource.contains(kind));
    let any = || resources.iter().find_map(|resource| Some(resource.strip_suffix(":*/*")?.to_owned() + kind + "*"));
    let only = || (resources.len() == 1).then(|| resources[0].clone());
    Some(of_kind.or_else(any).or_else(only)?.replace('*', ANY))
}

/// What the simulator says of one action on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Allowed,
    Denied,
    Unsure,
}

/// What the simulator does not answer is unsure.
async fn simulated(cloud: &Cloud, caller: &str, asked: &AskedOf) -> cloud::Result<BTreeMap<(String, String), Answer>> {
    let set = |all: BTreeSet<&String>| Some(all.into_iter().cloned().collect());
    let request = cloud
        .iam
        .simulate_principal_policy()
        .policy_source_arn(caller)
        .set_action_names(set(asked.actions.keys().map(|(action, _)| action).collect()))
        .set_resource_arns(set(asked.actions.keys().map(|(_, resource)| resource).collect()))
        .set_context_entries(Some(asked.context.clone()))
        .max_items(PAGE);
    let results: Vec<EvaluationResult> = request.into_paginator().items().send().try_collect().await?;
    let said: BTreeMap<(&str, &str), Answer> = results
        .iter()
        .map(|one| ((one.eval_action_name.as_str(), one.eval_resource_name().unwrap_or("*")), answer(one)))
        .collect();
    let of = |asked: &(String, String)| {
        let said = said.get(&(asked.0.as_str(), asked.1.as_str()));
        (asked.clone(), said.copied().unwrap_or(Answer::Unsure))
    };
    Ok(asked.actions.keys().map(of).collect())
}

fn answer(result: &EvaluationResult) -> Answer {
    match result.eval_decision {
        PolicyEvaluationDecisionType::Allowed => Answer::Allowed,
        // A denial that hangs on what was not told is none yet.
        _ if !result.missing_context_values().is_empty() => Answer::Unsure,
        _ => Answer::Denied,
    }
}
