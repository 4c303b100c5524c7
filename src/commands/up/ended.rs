//! What `up` ends in: what was changed, and how far it is proven that it works.

use super::Up;
use crate::checks::{Unproven, unproven};
use crate::commands::expiry::expiry;
use crate::commands::stack::{gone, outputs};
use crate::engine::reconcile::AGAIN;
use crate::engine::{Effect, Outputs, Plan, Planner};
use crate::exit::Exit;
use crate::flags;
use crate::outcome::{Action, Change, Finding, Outcome, Problem, Status};
use crate::site::Site;
use crate::steps::{auto_scaling, launch_template};

/// The outcome of a stack that is as wanted.
pub fn ended(up: &Up<'_>, proven: Result<Vec<Finding>, Unproven>, ids: &Outputs, done: &Plan) -> Outcome {
    let changes = up.walk.planner.changes(done);
    let outcome = match proven {
        Ok(checks) if changes.is_empty() => {
            let summary = if up.walk.cx.site.gone.is_empty() {
                "Nothing to do: the stack is as deploy.yaml wants it."
            } else {
                "Nothing to do, as far as can be known."
            };
            Outcome { checks, ..Outcome::new(Exit::Done, "unchanged", summary) }
        }
        Ok(checks) => {
            let summary = format!("Done: {}; read back and found as wanted.", counted(&changes, done, ids));
            Outcome { checks, ..Outcome::new(Exit::Done, "changed", summary) }
        }
        Err(error) => unproven(&up.walk.wait, &error),
    };
    let outcome = lasting(unasked(outcome, up.args.require_answer), up.walk.cx.site, ids);
    let site = up.walk.cx.site;
    let problems = outcome.problems.into_iter().chain(gone(site)).collect();
    Outcome { outputs: outputs(site, ids), changes, problems, ..outcome }
}

/// `2 created, 1 updated, 2 instances rolled to version 3`
fn counted(changes: &[Change], done: &Plan, ids: &Outputs) -> String {
    const DONE: [(Action, &str); 5] = [
        (Action::Create, "created"),
        (Action::Adopt, "adopted"),
        (Action::Update, "updated"),
        (Action::Replace, "replaced"),
        (Action::Delete, "deleted"),
    ];
    let count = |action: Action| changes.iter().filter(|change| change.action == action).count();
    let counts = DONE.map(|(action, done)| (count(action), done)).into_iter().filter(|(count, _)| *count > 0);
    let mut words: Vec<String> = counts.map(|(count, done)| format!("{count} {done}")).collect();
    if done.effects().any(|(_, effect)| *effect == Effect::ReplacesInstances) {
        let instances = match ids.get(&auto_scaling::DESIRED).map_or("", String::as_str) {
            "1" => "1 instance".to_owned(),
            count => format!("{count} instances"),
        };
        let to = ids.get(&launch_template::VERSION).map(|version| format!(" to version {version}"));
        words.push(format!("{instances} rolled{}", to.unwrap_or_default()));
    }
    words.join(", ")
}

/// What holds for a while: that it has no instances, and until when it is wanted.
fn lasting(mut outcome: Outcome, site: &Site, ids: &Outputs) -> Outcome {
    if let Some(sizes) = ids.get(&auto_scaling::PARKED) {
        outcome.summary += &format!(" It is parked: `deploy unpark` gives it its sizes back ({sizes}).");
    }
    if let Some(time) = site.expires.clone().or_else(|| expiry(ids)) {
        outcome.summary += &format!(" It expires {time}: `deploy touch` moves that.");
    }
    outcome
}

/// What cannot be asked from here is no failure of the stack, unless an answer is required.
fn unasked(mut outcome: Outcome, require_answer: bool) -> Outcome {
    let Some(check) = outcome.checks.iter().find(|check| check.status == Status::Unknown) else {
        return outcome;
    };
    let (evidence, fix) = (check.evidence.clone(), check.fix.clone().unwrap_or_default());
    outcome.summary += &format!(" The service was {evidence}. {fix}");
    if require_answer {
        let problem = Problem::new(evidence, fix).because(format!("{} wants an answer", flags::REQUIRE_ANSWER));
        outcome.problems.push(problem);
        (outcome.exit, outcome.outcome) = (Exit::Unverified, "failed");
    }
    outcome
}

/// Rewrites a refusal that comes after changes: it failed, and what was changed stays. What it would still do is not
/// told: the changes are those that were made.
pub fn stopped_after(outcome: Outcome, planner: &Planner<'_>, done: &Plan) -> Outcome {
    if done.is_empty() {
        return outcome;
    }
    let failed = |exit, why| (exit, "failed", format!("{why}; what was changed before stays, and {AGAIN}"));
    let (exit, word, summary) = match outcome.exit {
        Exit::Refused => failed(Exit::Failed, "failed"),
        Exit::Foreign => failed(Exit::Foreign, "something with our name is not ours"),
        exit => (exit, outcome.outcome, outcome.summary),
    };
    Outcome { exit, outcome: word, summary, changes: planner.changes(done), planned: false, ..outcome }
}
