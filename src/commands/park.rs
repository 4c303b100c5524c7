//! `deploy park` and `deploy unpark`: a stack without instances for the night, and back.

use aws_sdk_autoscaling::types::AutoScalingGroup;

use super::stack::WHICH_STACKS;
use super::{Session, late};
use crate::checks::{self, Fleet, Unproven};
use crate::cli;
use crate::clock::{Attempt, Label, Wait};
use crate::cloud::{RetryBudget, tags};
use crate::config::Scheme;
use crate::engine::{Goal, outputs_of};
use crate::exit::Exit;
use crate::outcome::{Failed, Finding, Outcome, Problem};
use crate::site::OWNER_TAG;
use crate::steps::auto_scaling::refresh::{Refresh, refreshes};
use crate::steps::auto_scaling::{self, Sizes};

/// Notes the group's sizes, takes all of its instances and waits until they are gone.
///
/// # Errors
/// There is no group of this stack, something keeps its instances, or AWS refuses.
pub async fn run(session: &Session<'_>, args: &cli::Park) -> Result<Outcome, Failed> {
    let wait = session.wait(args.timeout);
    let group = own_group(session, &wait).await?;
    let name = &session.config.names.auto_scaling_group;
    let is_parked = auto_scaling::parked(&group);
    if is_parked.is_some() && group.instances().is_empty() {
        return Ok(Outcome::new(Exit::Done, "unchanged", format!("{name} is parked already.")));
    }
    let sizes = is_parked.unwrap_or(Sizes::of(&group));
    if is_parked.is_none() {
        refuse_kept(session, &group, &wait).await?;
        let parked = wait.within(auto_scaling::park(&session.cloud, name, sizes)).await.map_err(late)?;
        parked.map_err(|error| Outcome::failed("failed; running it again goes on from here").problem(&error))?;
    }
    until_empty(session, &wait).await?;
    let summary = format!("Parked: no instance of {name} runs. `deploy unpark` gives it its sizes back ({sizes}).");
    Ok(Outcome::new(Exit::Done, "changed", summary))
}

/// Gives a parked group its sizes back, and waits until it is healthy and answers.
///
/// # Errors
/// There is no group of this stack, AWS refuses, or the service does not come back.
pub async fn undo(session: &Session<'_>, args: &cli::Park) -> Result<Outcome, Failed> {
    let wait = session.wait(args.timeout);
    let group = own_group(session, &wait).await?;
    let name = &session.config.names.auto_scaling_group;
    let Some(sizes) = auto_scaling::parked(&group) else {
        return Ok(Outcome::new(Exit::Done, "unchanged", format!("{name} is not parked.")));
    };
    let stack = session.read_stack(Goal::Present, false, &wait).await?;
    let unparked = wait.within(auto_scaling::unpark(&session.cloud, name, sizes)).await.map_err(late)?;
    unparked.map_err(|error| Outcome::failed("failed; running it again goes on from here").problem(&error))?;
    let ids = outputs_of(&stack.live);
    let fleet = Fleet { cloud: &session.cloud, site: &stack.site, ids: &ids, is_new: false };
    let proven = prove(session, &fleet, &wait).await;
    let (outcome, checks) = match proven {
        Ok(checks) => (Outcome::new(Exit::Done, "changed", format!("{name} is back: {sizes}.")), checks),
        Err(error) => (checks::unproven(&wait, &error), Vec::new()),
    };
    Ok(Outcome { checks, ..outcome })
}

async fn prove(session: &Session<'_>, fleet: &Fleet<'_>, wait: &Wait<'_>) -> Result<Vec<Finding>, Unproven> {
    let mut findings = vec![fleet.wait_healthy(wait).await?];
    if let Some(service) = checks::through_load_balancer(fleet.site, fleet.ids) {
        let is_internal = session.config.load_balancer.scheme == Scheme::Internal;
        let version = checks::version(&service, is_internal, &*session.transport, wait).await;
        findings.push(version.map_err(|error| checks::behind_login(error, fleet.ids))?);
    }
    Ok(findings)
}

/// The group of this stack, and of no other.
async fn own_group(session: &Session<'_>, wait: &Wait<'_>) -> Result<AutoScalingGroup, Failed> {
    session.identify(wait).await?;
    let (name, stack) = (&session.config.names.auto_scaling_group, &session.config.stack);
    let found = wait.within(auto_scaling::find_group(&session.cloud, name)).await.map_err(late)?;
    let found = found.map_err(|error| Outcome::failed("failed; nothing was changed").problem(&error))?;
    let refused = |what: String, exit: Exit| {
        Outcome::new(exit, "refused", "refused; nothing was changed").problem(Problem::new(what, WHICH_STACKS))
    };
    let group = found.ok_or_else(|| refused(format!("there is no auto scaling group {name}"), Exit::Refused))?;
    if tags::from_autoscaling(group.tags()).get(OWNER_TAG) != Some(stack) {
        return Err(refused(format!("the auto scaling group {name} is not of the stack {stack}"), Exit::Foreign).into());
    }
    Ok(group)
}

/// What a person keeps, or a rollout that is under way, would be lost or would stay half done.
async fn refuse_kept(session: &Session<'_>, group: &AutoScalingGroup, wait: &Wait<'_>) -> Result<(), Failed> {
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let read = wait.within(refreshes(&session.cloud, name)).await.map_err(late)?;
    let all = read.map_err(|error| Outcome::failed("failed; nothing was changed").problem(&error))?;
    let rollout = all.into_iter().flatten().find(Refresh::active).map(|refresh| auto_scaling::summary(&refresh));
    let kept = auto_scaling::holding(group).into_iter();
    let told = kept.map(|what| Problem::new(what, "Take that off first, or leave the stack as it is."));
    let rolling = rollout.map(|what| Problem::new(what, "`deploy up` follows it to its end; park afterwards."));
    let problems: Vec<Problem> = told.chain(rolling).map(|problem| problem.of(name)).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Outcome::preflight("refused; nothing was changed").with_problems(problems).into())
}

async fn until_empty(session: &Session<'_>, wait: &Wait<'_>) -> Result<(), Failed> {
    let name = &session.config.names.auto_scaling_group;
    let (label, mut budget) = (Label::new("auto_scaling_group", name.clone()), RetryBudget::default());
    let ended = wait.until(&label, async || match auto_scaling::find_group(&session.cloud, name).await {
        Ok(Some(group)) if !group.instances().is_empty() => {
            Ok(Attempt::Again(format!("{} instances are still there", group.instances().len())))
        }
        Ok(_) => Ok(Attempt::Done(())),
        Err(error) => Ok::<_, Unproven>(Attempt::Again(budget.allow(error, &wait.clock)?.to_owned())),
    });
    let unseen = |why| Outcome { summary: STILL_ENDING.to_owned(), ..checks::unproven(wait, &why) };
    Ok(ended.await.map_err(unseen)?)
}

const STILL_ENDING: &str = "parked; that its instances are gone was not seen";
