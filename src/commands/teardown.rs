//! `deploy teardown`: removes the stack in reverse, and looks that nothing is left.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use super::converge::{failed, ids, planned, survey, walk};
use super::{Session, interrupted};
use crate::cli;
use crate::cloud::Error;
use crate::engine::walk::{Found, Trouble, pending};
use crate::engine::{Decision, Event, Failure, Goal, Graph, Key, Patience, Walk};
use crate::exit::Exit;
use crate::report::{Outcome, Planned, Problem};
use crate::steps::leftovers::{is_leftover, tagged};
use crate::steps::{STACK, load_balancer};

/// How many times it removes what it finds before it says that somebody makes it again.
const ROUNDS: usize = 4;

/// Removes the stack.
pub async fn run(session: &Session<'_>, args: &cli::Teardown) -> Outcome {
    let clock = session.clock(args.timeout);
    let surveyed = match survey(session, Goal::Absent, false, &clock).await {
        Ok(surveyed) => surveyed,
        Err(outcome) => return outcome,
    };
    let site = surveyed.site;
    let graph = Graph::trace(STACK, &site);
    let tell = session.tell();
    let walk = walk(session, &site, &graph, Goal::Absent, false, clock, session.stop, &tell);
    let mut plan = walk.plan(&surveyed.found);
    plan.reverse();
    // What leaves with its instance is no line of its own.
    plan.retain(|(key, what)| !(is_leftover(key) && matches!(what, Decision::Wait(_))));
    let (changes, strangers) = apart(planned(&plan, &graph, &site));
    let mut left: Vec<Problem> = strangers.iter().map(stranger).collect();
    if changes.is_empty() && left.is_empty() {
        return nothing_to_remove(&walk).await;
    }
    let protected = match protections(&walk, &surveyed.found).await {
        Ok(protected) => protected,
        Err(error) => return unread(&error),
    };
    if args.dry_run {
        left.extend(protected);
        let outcome = Outcome::new(Exit::Done, "changes_pending", "Nothing was removed.").with_problems(left);
        return Outcome { changes, planned: true, ..outcome };
    }
    if !protected.is_empty() && !args.lift_protection {
        let outcome = Outcome::new(Exit::Refused, "refused", "refused; nothing was removed");
        return Outcome { changes, planned: true, ..outcome.with_problems(protected) };
    }
    if !changes.is_empty()
        && let Some(refused) = consent(session, args, &changes)
    {
        return refused;
    }
    match load_balancer::strangers_behind(&session.cloud, &site, &ids(&surveyed.found)).await {
        Ok(arns) => left.extend(arns.iter().map(|arn| Problem {
            resource: Some(arn.clone()),
            message: "a rule on our listener forwarded to it; it is not ours and stays".to_owned(),
            ..Problem::default()
        })),
        Err(error) => return unread(&error),
    }
    if !protected.is_empty()
        && let Err(error) = lift(&walk, &surveyed.found).await
    {
        return unread(&error);
    }
    let (done, failures) = remove(&walk, surveyed.found).await;
    if failures.is_empty() {
        match left_by_tag(&walk, done.len(), &strangers).await {
            Ok(more) => left.extend(more),
            Err(mut outcome) => {
                outcome.changes = done;
                outcome.problems.extend(left);
                return *outcome;
            }
        }
    }
    conclude(session, done, &failures, left)
}

/// By name there is nothing; what carries our tag under other names is told.
async fn nothing_to_remove(walk: &Walk<'_>) -> Outcome {
    let left = match left_by_tag(walk, 0, &[]).await {
        Ok(left) => left,
        Err(outcome) => return *outcome,
    };
    match left.is_empty() {
        true => Outcome::new(Exit::Done, "unchanged", "There was nothing of this stack to remove."),
        false => Outcome::new(
            Exit::Incomplete,
            "incomplete",
            "There was nothing of these names to remove, and other things carry the stack's tag.",
        )
        .with_problems(left),
    }
}

/// What keeps ours from being removed on purpose, with what would take it off.
async fn protections(walk: &Walk<'_>, found: &Found) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    for (key, what) in walk.plan(found) {
        let (Decision::Delete, Some(node), Some(Some(seen))) = (what, walk.graph.node(key), found.get(key)) else {
            continue;
        };
        for protection in node.protections(walk.cloud, seen).await? {
            problems.push(Problem {
                resource: Some(format!("{key} {}", node.name(walk.site))),
                message: protection,
                cause: None,
                cure: Some("`teardown --lift-protection` takes it off first.".to_owned()),
            });
        }
    }
    Ok(problems)
}

async fn lift(walk: &Walk<'_>, found: &Found) -> Result<(), Error> {
    for (key, what) in walk.plan(found) {
        if let (Decision::Delete, Some(node), Some(Some(seen))) = (what, walk.graph.node(key), found.get(key)) {
            node.lift(walk.cloud, seen).await?;
        }
    }
    Ok(())
}

fn unread(error: &Error) -> Outcome {
    Outcome::new(Exit::Failed, "failed", "failed; nothing was removed").with_problems(vec![Problem::of(error)])
}

/// Removes what is ours, until two looks in a row find none of it.
async fn remove(walk: &Walk<'_>, mut found: Found) -> (Vec<Planned>, Vec<Failure>) {
    let mut done = Vec::new();
    let mut empty = 0;
    for attempt in 0.. {
        let keys = ours(walk, &found);
        empty = if keys.is_empty() { empty + 1 } else { 0 };
        if empty == 2 || (keys.is_empty() && done.is_empty()) {
            return (done, Vec::new());
        }
        if attempt == 2 * ROUNDS {
            return (done, keys.iter().filter_map(|key| remade(walk, key)).collect());
        }
        let acted = match keys.is_empty() {
            true => {
                // A moment later, so that a read that lags does not pass twice.
                walk.clock.pause(0, walk.stop).await;
                Vec::new()
            }
            false => {
                let walked = walk.act(found, &keys).await;
                done.extend(planned(&walked.acted, walk.graph, walk.site));
                if !walked.failures.is_empty() {
                    return (done, walked.failures);
                }
                walked.acted
            }
        };
        found = match walk.look_after(&acted).await {
            Ok(found) => found,
            Err(failures) => return (done, failures),
        };
    }
    unreachable!("the rounds are bounded")
}

fn ours(walk: &Walk<'_>, found: &Found) -> BTreeSet<Key> {
    let plan = walk.plan(found).into_iter();
    plan.filter(|(_, what)| pending(what) && !matches!(what, Decision::Foreign { .. })).map(|(key, _)| key).collect()
}

fn remade(walk: &Walk<'_>, key: Key) -> Option<Failure> {
    let node = walk.graph.node(key)?;
    Some(Failure {
        key,
        name: node.name(walk.site),
        step: node.step(),
        trouble: Trouble::Deadline("it is there again after every removal".to_owned()),
    })
}

/// The last look: what carries our tag, whatever its name, twice. What is known to stay for others is not ours. An
/// outcome: it did not come to its end, and nothing is proven.
async fn left_by_tag(walk: &Walk<'_>, removed: usize, strangers: &[Planned]) -> Result<Vec<Problem>, Box<Outcome>> {
    let (mut before, mut same, mut patience) = (None, 0, Patience::default());
    let mut left = Vec::new();
    for attempt in 0.. {
        let why = match tagged(walk.cloud, walk.site).await {
            Ok(found) => {
                left = found;
                same = match before.replace(left.clone()) {
                    Some(before) if before == left => same + 1,
                    _ => 0,
                };
                match left.is_empty() {
                    true if same > 0 || removed == 0 => break,
                    true => "nothing carries the stack's tag; looking once more".to_owned(),
                    // What is on its way out changes.
                    false if same > 2 => break,
                    false => format!("still there by tag: {}", left.join("; ")),
                }
            }
            Err(error) => match patience.with(error, &walk.clock) {
                Ok(why) => why.to_owned(),
                Err(error) => return Err(Box::new(unlooked(&error))),
            },
        };
        let name = walk.site.config.stack.clone();
        (walk.tell)(Event::Waiting { key: "last_look", name, why });
        match walk.clock.pause(attempt, walk.stop).await {
            true => {}
            false if walk.stop.signal().is_none() && !left.is_empty() => break,
            false => return Err(Box::new(failed(&[], walk.stop, ""))),
        }
    }
    let named = |one: &&String| !strangers.iter().any(|stranger| one.ends_with(&stranger.name));
    let problem = |one: &String| Problem {
        resource: Some(one.trim().to_owned()),
        message: "carries the stack's tag under another name than deploy.yaml's".to_owned(),
        cause: Some("it was made under other names, or tagged by hand".to_owned()),
        cure: Some("Run teardown with the deploy.yaml that made it, or remove it by hand.".to_owned()),
    };
    Ok(left.iter().filter(named).map(problem).collect())
}

fn unlooked(error: &Error) -> Outcome {
    let summary = "failed; what was found is gone, and whether anything else carries the stack's tag is not known";
    Outcome::new(Exit::Failed, "failed", summary).with_problems(vec![Problem::of(error)])
}

fn conclude(session: &Session<'_>, changes: Vec<Planned>, failures: &[Failure], left: Vec<Problem>) -> Outcome {
    let mut outcome = if !failures.is_empty() {
        let mut outcome = failed(failures, session.stop, "running again goes on from here");
        let held = |failure: &Failure| {
            matches!(failure.trouble, Trouble::Cloud(Error::Held(_)) | Trouble::Foreign(_) | Trouble::Skipped(_))
        };
        if session.stop.signal().is_none() && failures.iter().all(held) {
            outcome.exit = Exit::Incomplete;
            outcome.outcome = "incomplete";
            outcome.summary = format!("Removed {} resources; what is held by others stays.", changes.len());
        }
        outcome.problems.extend(left);
        outcome
    } else if left.is_empty() {
        let summary = format!(
            "Removed {} resources; two looks afterwards, by name and by tag, found none of them.",
            changes.len()
        );
        Outcome::new(Exit::Done, "changed", summary)
    } else {
        let summary = format!("Removed {} resources; {} that are not ours stay.", changes.len(), left.len());
        Outcome::new(Exit::Incomplete, "incomplete", summary).with_problems(left)
    };
    outcome.changes = changes;
    outcome
}

/// What is ours, and what only has our name.
fn apart(changes: Vec<Planned>) -> (Vec<Planned>, Vec<Planned>) {
    changes.into_iter().partition(|change| change.action != "foreign")
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
        let problem = Problem::new("teardown asks before it removes, and there is no terminal", "Use --yes.");
        return Some(Outcome::new(Exit::Usage, "refused", "nothing was removed").with_problems(vec![problem]));
    }
    session.report.note(&crate::report::plan_text(changes));
    session.report.ask(&format!("Type the stack's name ({stack}) to remove it: "));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    if let Some(signal) = session.stop.signal() {
        return Some(Outcome::new(interrupted(signal), "interrupted", "nothing was removed"));
    }
    match read {
        Ok(_) if answer.trim() == stack => None,
        _ => Some(Outcome::new(Exit::Refused, "refused", "That is not the stack's name; nothing was removed.")),
    }
}
