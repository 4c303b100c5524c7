//! `deploy status`: what stands now.

use super::Session;
use super::converge::{FIRST_LOOK, ids, outputs, survey, walk};
use crate::cloud;
use crate::engine::{Decision, Event, Goal, Graph, Stop};
use crate::exit::Exit;
use crate::report::{Outcome, Problem, Standing};
use crate::steps::{STACK, auto_scaling, target_group};
use crate::verify;

/// Shows each resource, the targets, the capacity and the endpoint.
pub async fn run(session: &Session<'_>) -> Outcome {
    let clock = session.clock(FIRST_LOOK);
    let surveyed = match survey(session, Goal::Present, false, &clock).await {
        Ok(surveyed) => surveyed,
        Err(outcome) => return outcome,
    };
    let (site, found) = (&surveyed.site, &surveyed.found);
    let graph = Graph::trace(STACK, site);
    let (stop, quiet) = (Stop::never(), |_: Event| {});
    let plan = walk(session, site, &graph, Goal::Present, false, clock, &stop, &quiet).plan(found);
    let standing: Vec<Standing> = STACK
        .iter()
        .filter_map(|node| {
            let (_, decision) = plan.iter().find(|(key, _)| *key == node.key())?;
            let seen = found.get(node.key()).and_then(Option::as_ref);
            if seen.is_none() && *decision == Decision::Nothing {
                return None; // neither there nor wanted
            }
            let id = seen.and_then(|seen| seen.outputs.values().next().cloned()).unwrap_or_default();
            let state = state(decision);
            Some(Standing { resource: node.key(), name: node.name(site), step: node.step(), id, state })
        })
        .collect();
    let ids = ids(found);
    let mut shown = outputs(site, &ids);
    let mut problems = Vec::new();
    match live(session, &ids).await {
        Ok(lines) => shown.extend(lines),
        Err(error) => problems.push(Problem::of(&error)),
    }
    let absent = standing.iter().all(|one| one.state == "absent");
    let exit = if problems.is_empty() { Exit::Done } else { Exit::Failed };
    let (word, summary) = if absent { ("absent", "Nothing of this stack stands.") } else { ("standing", "") };
    Outcome { standing, outputs: shown, ..Outcome::new(exit, word, summary).with_problems(problems) }
}

fn state(decision: &Decision) -> &'static str {
    match decision {
        Decision::Nothing => "ok",
        Decision::Create(_) => "absent",
        Decision::Foreign { .. } => "foreign",
        Decision::Wait(_) => "leaving",
        _ => "differs",
    }
}

/// Targets and capacity.
async fn live(session: &Session<'_>, ids: &crate::engine::Outputs) -> cloud::Result<Vec<(String, String)>> {
    let mut lines = Vec::new();
    if let Some(arn) = ids.get(&target_group::ARN) {
        let targets = verify::targets(&session.cloud, arn).await?;
        let others = if targets.others.is_empty() { String::new() } else { format!("; {}", targets.others()) };
        lines.push(("targets".to_owned(), format!("{} of {} healthy{others}", targets.healthy, targets.registered)));
    }
    if let Some(name) = ids.get(&auto_scaling::NAME)
        && let Some(group) = cloud::group(&session.cloud, name).await?
    {
        let size = |size: Option<i32>| size.map_or("?".to_owned(), |size| size.to_string());
        let (min, desired, max) = (size(group.min_size()), size(group.desired_capacity()), size(group.max_size()));
        lines.push(("capacity".to_owned(), format!("desired {desired}, min {min}, max {max}")));
        let instances = group.instances().iter().map(|one| {
            let state = one.lifecycle_state().map_or("?", |state| state.as_str());
            format!("{} {state}", one.instance_id().unwrap_or("?"))
        });
        lines.push(("instances".to_owned(), instances.collect::<Vec<_>>().join("; ")));
    }
    Ok(lines)
}
