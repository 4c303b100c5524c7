//! `deploy status`: what exists now.

use super::Session;
use super::first_reading::FIRST_READING;
use super::stack::{gone, outputs};
use crate::cloud::{self, Memo};
use crate::engine::{AnyLive, Context, Decision, Goal, Outputs, Status, outputs_of};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Standing};
use crate::steps::{STACK, auto_scaling, shared, target_group};

/// Shows each resource, the targets, the capacity and the endpoint.
///
/// # Errors
/// The stack cannot be read.
pub async fn run(session: &Session<'_>) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    let (stack, strays, memo) = session.read_stack_and_strays(false, &wait).await;
    let (stack, strays) = (stack?, strays.problems());
    let (site, live) = (&stack.site, &stack.live);
    let plan = session.planner(site, Goal::Present, false).plan(live);
    let standing = STACK.iter().filter_map(|node| {
        let decision = plan.decision(node.key())?;
        let found = live.get(node.key()).and_then(Option::as_ref);
        if found.is_none() && !decision.is_pending() {
            return None; // neither there nor wanted
        }
        let id = found.and_then(AnyLive::id).unwrap_or_default().to_owned();
        Some(Standing {
            resource: node.key(),
            name: node.name(site),
            step: node.step(),
            id,
            state: state(decision, found),
        })
    });
    let standing: Vec<Standing> = standing.collect();
    let ids = outputs_of(live);
    let absent = standing.iter().all(|resource| resource.state == "absent");
    let (word, summary) = if absent { ("absent", "Nothing of this stack stands.") } else { ("standing", "") };
    let mut outcome = Outcome {
        standing,
        outputs: outputs(site, &ids),
        problems: strays.into_iter().chain(gone(site)).collect(),
        ..Outcome::new(Exit::Done, word, summary)
    };
    match instances(&Context::reading(&session.cloud, site), &memo, &ids).await {
        Ok(lines) => outcome.outputs.extend(lines),
        Err(error) => outcome = Outcome { exit: Exit::Failed, ..outcome.problem(&error) },
    }
    Ok(outcome)
}

fn state(decision: &Decision, found: Option<&AnyLive>) -> &'static str {
    match decision {
        Decision::Nothing => "ok",
        Decision::Create(_) => "absent",
        Decision::Foreign { .. } => "foreign",
        Decision::Wait(_) if found.is_some_and(|found| matches!(found.status, Status::Pending(_))) => "rolling",
        Decision::Wait(_) => "leaving",
        _ => "differs",
    }
}

/// Targets and capacity.
async fn instances(cx: &Context<'_>, memo: &Memo, ids: &Outputs) -> cloud::Result<Vec<(String, String)>> {
    let mut lines = Vec::new();
    if let Some(arn) = ids.get(&target_group::ARN) {
        let targets = target_group::find_targets(cx.cloud, arn).await?;
        let others = if targets.others.is_empty() { String::new() } else { format!("; {}", targets.others()) };
        lines.push(("targets".to_owned(), format!("{} of {} healthy{others}", targets.healthy, targets.registered)));
    }
    if let Some(name) = ids.get(&auto_scaling::NAME)
        && let Some(group) = shared::scaling_group(cx, memo, name).await?
    {
        let size = |size: Option<i32>| size.map_or("?".to_owned(), |size| size.to_string());
        let (min, desired, max) = (size(group.min_size()), size(group.desired_capacity()), size(group.max_size()));
        lines.push(("capacity".to_owned(), format!("desired {desired}, min {min}, max {max}")));
        lines.push(("instances".to_owned(), auto_scaling::members(&group)));
    }
    Ok(lines)
}
