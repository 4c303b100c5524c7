//! `deploy teardown`: removes the stack in reverse, and looks that nothing is left.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use super::converge::{failed, ids, planned, survey, walk};
use super::{Session, interrupted};
use crate::cli;
use crate::engine::walk::{Found, Trouble, pending};
use crate::engine::{Decision, Failure, Goal, Graph, Key, Walk};
use crate::exit::Exit;
use crate::report::{Outcome, Planned, Problem};
use crate::steps::{STACK, load_balancer};

/// Removes the stack.
pub async fn run(session: &Session<'_>, args: &cli::Teardown) -> Outcome {
    let clock = session.clock(args.timeout);
    let surveyed = match survey(session, Goal::Absent, false).await {
        Ok(surveyed) => surveyed,
        Err(outcome) => return outcome,
    };
    let site = surveyed.site;
    let graph = Graph::trace(STACK, &site);
    let tell = session.tell();
    let walk = walk(
        session,
        &site,
        &graph,
        Goal::Absent,
        false,
        clock,
        session.stop,
        &tell,
    );
    let mut plan = walk.plan(&surveyed.found);
    plan.reverse();
    let (changes, strangers) = apart(planned(&plan, &graph, &site));
    let mut left: Vec<Problem> = strangers.iter().map(stranger).collect();
    if changes.is_empty() && left.is_empty() {
        return Outcome::new(
            Exit::Done,
            "unchanged",
            "There was nothing of this stack to remove.",
        );
    }
    if args.dry_run {
        let outcome =
            Outcome::new(Exit::Done, "changes_pending", "Nothing was removed.").with_problems(left);
        return Outcome {
            changes,
            planned: true,
            ..outcome
        };
    }
    if !changes.is_empty()
        && let Some(refused) = consent(session, args, &changes)
    {
        return refused;
    }
    match load_balancer::strangers_behind(&session.cloud, &ids(&surveyed.found)).await {
        Ok(arns) => left.extend(arns.iter().map(|arn| Problem {
            resource: Some(arn.clone()),
            message: "a rule on our listener forwarded to it; it is not ours and stays".to_owned(),
            ..Problem::default()
        })),
        Err(error) => left.push(Problem::of(&error)),
    }
    let (done, failures) = remove(&walk, surveyed.found).await;
    conclude(session, done, &failures, left)
}

/// Removes what is ours, then looks until nothing of it is found twice running.
async fn remove(walk: &Walk<'_>, mut found: Found) -> (Vec<Planned>, Vec<Failure>) {
    let mut done = Vec::new();
    for _ in 0..4 {
        let plan = walk.plan(&found);
        let ours = plan
            .iter()
            .filter(|(_, what)| pending(what) && !matches!(what, Decision::Foreign { .. }));
        let keys: BTreeSet<Key> = ours.map(|(key, _)| *key).collect();
        if keys.is_empty() {
            return (done, Vec::new());
        }
        let walked = walk.act(found, &keys).await;
        done.extend(planned(&walked.acted, walk.graph, walk.site));
        if !walked.failures.is_empty() {
            return (done, walked.failures);
        }
        found = match walk.look().await {
            Ok(found) => found,
            Err(failures) => return (done, failures),
        };
    }
    let left = walk
        .plan(&found)
        .into_iter()
        .filter(|(_, what)| pending(what))
        .filter_map(|(key, _)| {
            let node = walk.graph.node(key)?;
            let trouble = Trouble::Deadline("it is there again after every removal".to_owned());
            Some(Failure {
                key,
                name: node.name(walk.site),
                step: node.step(),
                trouble,
            })
        });
    (done, left.collect())
}

fn conclude(
    session: &Session<'_>,
    changes: Vec<Planned>,
    failures: &[Failure],
    left: Vec<Problem>,
) -> Outcome {
    let mut outcome = if !failures.is_empty() {
        let mut outcome = failed(failures, session.stop, "running again goes on from here");
        let held = |failure: &Failure| {
            matches!(
                failure.trouble,
                Trouble::Cloud(crate::cloud::Error::Held(_))
                    | Trouble::Foreign(_)
                    | Trouble::Skipped(_)
            )
        };
        if session.stop.signal().is_none() && failures.iter().all(held) {
            outcome.exit = Exit::Incomplete;
            outcome.outcome = "incomplete";
        }
        outcome.problems.extend(left);
        outcome
    } else if left.is_empty() {
        let summary = format!(
            "Removed {} resources; a look afterwards found none of them.",
            changes.len()
        );
        Outcome::new(Exit::Done, "changed", summary)
    } else {
        let summary = format!(
            "Removed {} resources; {} that are not ours stay.",
            changes.len(),
            left.len()
        );
        Outcome::new(Exit::Incomplete, "incomplete", summary).with_problems(left)
    };
    outcome.changes = changes;
    outcome
}

/// What is ours, and what only has our name.
fn apart(changes: Vec<Planned>) -> (Vec<Planned>, Vec<Planned>) {
    changes
        .into_iter()
        .partition(|change| change.action != "foreign")
}

fn stranger(change: &Planned) -> Problem {
    Problem {
        resource: Some(format!("{} {}", change.resource, change.name)),
        message: change
            .why
            .clone()
            .unwrap_or_default()
            .replace("; with --adopt it would be tagged and changed as above", ""),
        cure: Some("It was left as it is.".to_owned()),
        ..Problem::default()
    }
}

/// The stack's name, typed at a terminal; `None`: go on.
fn consent(session: &Session<'_>, args: &cli::Teardown, changes: &[Planned]) -> Option<Outcome> {
    if args.yes {
        return None;
    }
    let stack = &session.config.stack;
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let problem = Problem::new(
            "teardown asks before it removes, and there is no terminal",
            "Use --yes.",
        );
        return Some(
            Outcome::new(Exit::Usage, "refused", "nothing was removed")
                .with_problems(vec![problem]),
        );
    }
    session.report.note(&crate::report::plan_text(changes));
    session
        .report
        .ask(&format!("Type the stack's name ({stack}) to remove it: "));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    if let Some(signal) = session.stop.signal() {
        return Some(Outcome::new(
            interrupted(signal),
            "interrupted",
            "nothing was removed",
        ));
    }
    match read {
        Ok(_) if answer.trim() == stack => None,
        _ => Some(Outcome::new(
            Exit::Refused,
            "refused",
            "That is not the stack's name; nothing was removed.",
        )),
    }
}
