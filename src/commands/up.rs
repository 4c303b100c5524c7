//! `deploy up`: plan, apply, look again, wait until it is healthy and answers.

use std::collections::BTreeSet;

use super::converge::{failed, foreign, ids, outputs, planned, survey, walk};
use super::rollout::{Gate, ROLLS, Rollout, gives_way, is_rollout};
use super::{Session, interrupted};
use crate::cli;
use crate::cloud::{Error, settling};
use crate::engine::walk::{Found, Plan, Trouble, Walked, pending, verb};
use crate::engine::{Clock, Decision, Event, Failure, Goal, Graph, Key, Outputs, Walk};
use crate::exit::Exit;
use crate::report::{Check, Outcome, Planned, Problem};
use crate::site::{self, Site};
use crate::steps::{STACK, auto_scaling};
use crate::verify::{self, Unproven};

/// How many times it plans and applies before it says that AWS does not keep what it is told.
const ROUNDS: u32 = 6;

/// Creates or converges the stack.
pub async fn run(session: &Session<'_>, args: &cli::Up) -> Outcome {
    let clock = session.clock(args.timeout);
    let surveyed = match survey(session, Goal::Present, args.adopt, &clock).await {
        Ok(surveyed) => surveyed,
        Err(outcome) => return outcome,
    };
    let site =
        Site { rollout: site::Rollout { force: args.force, verified: !args.no_verify }, ..surveyed.site.clone() };
    let graph = Graph::trace(STACK, &site);
    let tell = session.tell();
    let walk = walk(session, &site, &graph, Goal::Present, args.adopt, clock, session.stop, &tell);
    let (mut found, mut changes, mut again) = (surveyed.found, Vec::new(), false);
    let (ids, checks) = loop {
        let ids = match converge(session, &walk, found, args, &mut changes).await {
            Ok(ids) => ids,
            Err(outcome) => return stopped_after(*outcome, changes),
        };
        let checks = match args.no_verify {
            true => Ok(Vec::new()),
            false => prove(session, &site, (&ids, &changes), &clock, &tell).await,
        };
        // What does not answer may have changed since, or a lagging look has shown what was not there: once more.
        let next = match &checks {
            Err(Unproven::Cloud(error)) if error.is_outage() => None,
            Err(Unproven::NoAnswer(_) | Unproven::Cloud(_)) if !again => walk.look().await.ok(),
            _ => None,
        };
        match next.filter(|next| differs(&walk, next)) {
            Some(next) => (found, again) = (next, true),
            None => break (ids, checks),
        }
    };
    let mut outcome = match checks {
        Ok(checks) => {
            let (word, summary) = match changes.len() {
                0 => ("unchanged", "Nothing to do: the stack is as deploy.yaml wants it.".to_owned()),
                count => ("changed", format!("Done: {count} resources changed, read back and found as wanted.")),
            };
            Outcome { checks, ..Outcome::new(Exit::Done, word, summary) }
        }
        Err(error) => unproven(session, &error),
    };
    outcome.outputs = outputs(&site, &ids);
    outcome.changes = changes;
    outcome
}

fn differs(walk: &Walk<'_>, found: &Found) -> bool {
    walk.plan(found).iter().any(|(_, what)| pending(what))
}

/// Plans and applies until a look finds nothing left to do; `done`: what was changed. The ids of what stands.
async fn converge(
    session: &Session<'_>,
    walk: &Walk<'_>,
    mut found: Found,
    args: &cli::Up,
    done: &mut Vec<Planned>,
) -> Result<Outputs, Box<Outcome>> {
    let mut gate = None;
    let (mut rounds, mut waits) = (0, 0);
    while rounds < ROUNDS {
        let plan = walk.plan(&found);
        let changes = planned(&plan, walk.graph, walk.site);
        let known = ids(&found);
        if changes.is_empty() {
            return Ok(known);
        }
        let replaced = permitted(&plan, &changes, walk, args)?;
        // A refresh to a version that this run is about to replace is not waited for.
        let outdated = changes.iter().any(|change| change.resource == ROLLS[0]);
        let refresh = known.get(&auto_scaling::REFRESH).filter(|_| !outdated);
        let rolls = changes.iter().any(is_rollout) && refresh.is_none();
        let (site, clock, ids) = (walk.site, &walk.clock, &known);
        let rollout = Rollout { session, site, ids, clock };
        if !args.no_verify && gate.is_none() && (refresh.is_some() || rolls) {
            let ready = rollout.gate().await;
            gate = ready.map_err(|refused| Box::new(Outcome::refused(refused)))?;
        }
        if rounds + waits == 0 {
            consented(&changes, &known, args)?;
            preflight(session, walk.site, &plan).await?;
        }
        if !replaced.is_empty() {
            remove(walk, found, &replaced).await?;
            found = look(walk, &Vec::new()).await?;
        }
        let mut keys = to_do(walk, &found);
        let unasked = args.force || !replaced.is_empty() || changes.iter().any(gives_way);
        if rolls && !unasked {
            keys = fit_first(keys, &rollout, gate.as_ref(), !done.is_empty()).await?;
        }
        let walked = walk.act(found, &keys).await;
        done.extend(planned(&walked.acted, walk.graph, walk.site));
        if !walked.failures.is_empty() {
            let next = match rounds + 1 < ROUNDS {
                true => looks_different(walk, &plan, &walked).await,
                false => None,
            };
            let Some(next) = next else {
                let state = match done.is_empty() && walked.failures.iter().all(is_refusal) {
                    true => "nothing was changed",
                    false => "what was made stays, and running again goes on from here",
                };
                return Err(Box::new(failed(&walked.failures, walk.stop, state)));
            };
            (found, rounds) = (next, rounds + 1);
            continue;
        }
        if let Some(id) = refresh {
            rollout.follow(id, gate.as_ref()).await?;
        }
        // A look may show what was before the last change: a round that changes nothing waits, and does not count.
        match walked.acted.is_empty() {
            false => rounds += 1,
            true if walk.clock.pause(waits, walk.stop).await => waits += 1,
            true => return Err(Box::new(still_waiting(changes, walk))),
        }
        if rounds > 1 {
            // What is to be done again may be what reads that lag have shown: they are given time.
            walk.clock.pause(rounds, walk.stop).await;
        }
        found = look(walk, &walked.acted).await?;
    }
    let left = planned(&walk.plan(&found), walk.graph, walk.site);
    Err(Box::new(never_as_wanted(left)))
}

/// What is to be removed and made again. Refused: what is not ours, and a replacement that nobody allowed.
fn permitted(plan: &Plan, changes: &[Planned], walk: &Walk<'_>, args: &cli::Up) -> Result<BTreeSet<Key>, Box<Outcome>> {
    if let Some(refused) = foreign(changes) {
        return Err(Box::new(Outcome { changes: changes.to_vec(), planned: true, ..refused }));
    }
    let replaced = replaced(plan, walk);
    match replaced.is_empty() || args.replace {
        true => Ok(replaced),
        false => Err(Box::new(needs_replace(changes.to_vec()))),
    }
}

/// What may make the group healthy comes before the question whether it is, and a rollout after it.
async fn fit_first(
    keys: BTreeSet<Key>,
    rollout: &Rollout<'_>,
    gate: Option<&Gate>,
    mended: bool,
) -> Result<BTreeSet<Key>, Box<Outcome>> {
    let others: BTreeSet<Key> = keys.iter().copied().filter(|key| !ROLLS.contains(key)).collect();
    if !others.is_empty() {
        return Ok(others);
    }
    rollout.fit(gate, mended).await?;
    Ok(keys)
}

fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.trouble, Trouble::Cloud(Error::Consent { .. }) | Trouble::Skipped(_))
}

/// What ends a run after it has changed something does not say that nothing was changed.
fn stopped_after(outcome: Outcome, done: Vec<Planned>) -> Outcome {
    if done.is_empty() || outcome.planned {
        return outcome;
    }
    let (exit, summary) = match outcome.exit {
        Exit::Refused => {
            (Exit::Failed, "failed; what was changed before stays, and running again goes on from here".to_owned())
        }
        exit => (exit, outcome.summary),
    };
    Outcome { exit, summary, changes: done, ..outcome }
}

/// What a new look shows, when what was waited for in vain is explained by it: something that a lagging look had shown is
/// not there.
async fn looks_different(walk: &Walk<'_>, plan: &Plan, walked: &Walked) -> Option<Found> {
    let in_vain = |failure: &Failure| match &failure.trouble {
        Trouble::Cloud(error) => settling(error).is_some(),
        trouble => matches!(trouble, Trouble::Skipped(_)),
    };
    if !walked.failures.iter().all(in_vain) {
        return None;
    }
    let found = walk.look_after(&walked.acted).await.ok()?;
    let before = |key: &Key| plan.iter().find(|(other, _)| other == key).map(|(_, what)| verb(what));
    let same = |key: &Key, what: &Decision| {
        walked.failures.iter().any(|failure| failure.key == *key) && before(key) == Some(verb(what))
    };
    let next = walk.plan(&found);
    next.iter().any(|(key, what)| pending(what) && !same(key, what)).then_some(found)
}

fn still_waiting(changes: Vec<Planned>, walk: &Walk<'_>) -> Outcome {
    let waited = changes.iter().map(|change| Problem {
        resource: Some(format!("{} {}", change.resource, change.name)),
        message: change.why.clone().unwrap_or_default(),
        ..Problem::default()
    });
    let outcome = failed(&[], walk.stop, "").with_problems(waited.collect());
    Outcome { changes, planned: true, ..outcome }
}

fn never_as_wanted(left: Vec<Planned>) -> Outcome {
    let problem = Problem::new(
        format!("after {ROUNDS} rounds the stack is still not as wanted"),
        "Somebody else may be changing it at the same time; `deploy plan` shows what differs now.",
    );
    let summary = "failed; running again goes on from here";
    Outcome {
        changes: left,
        planned: true,
        ..Outcome::new(Exit::Failed, "failed", summary).with_problems(vec![problem])
    }
}

async fn look(walk: &Walk<'_>, acted: &Plan) -> Result<Found, Box<Outcome>> {
    walk.look_after(acted)
        .await
        .map_err(|failures| Box::new(failed(&failures, walk.stop, "running again goes on from here")))
}

/// What must be removed before it can be made again, with everything that holds its id.
fn replaced(plan: &Plan, walk: &Walk) -> BTreeSet<Key> {
    let fixed = plan.iter().filter(|(_, what)| matches!(what, Decision::Replace { .. }));
    fixed.flat_map(|(key, _)| walk.graph.bound_to(key)).collect()
}

async fn remove(walk: &Walk<'_>, found: Found, keys: &BTreeSet<Key>) -> Result<(), Box<Outcome>> {
    let removal = Walk { goal: Goal::Absent, terms: walk.terms.clone(), ..*walk };
    let removed = removal.act(found, keys).await;
    match removed.failures.is_empty() {
        true => Ok(()),
        false => {
            Err(Box::new(failed(&removed.failures, walk.stop, "the replacement stopped; run again with --replace")))
        }
    }
}

fn needs_replace(changes: Vec<Planned>) -> Outcome {
    let fixed = changes.iter().filter(|change| change.action == "replace").map(|change| Problem {
        resource: Some(format!("{} {}", change.resource, change.name)),
        message: change.why.clone().unwrap_or_default(),
        cause: None,
        cure: Some(
            "`up --replace` removes it, with what hangs on it, and makes it again: the service is down meanwhile."
                .to_owned(),
        ),
    });
    let problems = fixed.collect();
    let outcome = Outcome::new(Exit::Refused, "refused", "refused; nothing was changed").with_problems(problems);
    Outcome { changes, planned: true, ..outcome }
}

fn to_do(walk: &Walk<'_>, found: &Found) -> BTreeSet<Key> {
    let rolled = ids(found).contains_key(&auto_scaling::REFRESH); // it is followed, not acted on
    let plan = walk.plan(found).into_iter();
    plan.filter(|(key, what)| pending(what) && !(rolled && *key == auto_scaling::NAME.0)).map(|(key, _)| key).collect()
}

/// A new size below what runs terminates instances (Auto Scaling API reference, UpdateAutoScalingGroup).
fn consented(changes: &[Planned], known: &Outputs, args: &cli::Up) -> Result<(), Box<Outcome>> {
    let running: i64 = known.get(&auto_scaling::DESIRED).and_then(|size| size.parse().ok()).unwrap_or_default();
    let group = changes.iter().find(|change| change.resource == auto_scaling::NAME.0 && change.action != "create");
    let field = group.and_then(|group| group.fields.iter().find(|field| field.field == "max"));
    let max = field.and_then(|field| field.new.as_i64());
    let Some(max) = max.filter(|max| *max < running && !args.allow_scale_in) else {
        return Ok(());
    };
    let problem = Problem {
        resource: group.map(|group| format!("{} {}", group.resource, group.name)),
        message: format!("scaling.max {max} is below the {running} instances that the group keeps now"),
        cause: Some(format!("AWS would terminate {} of them at once", running - max)),
        cure: Some("Wait until the load falls, or use --allow-scale-in.".to_owned()),
    };
    let outcome = Outcome::new(Exit::Refused, "refused", "refused; nothing was changed");
    Err(Box::new(outcome.with_problems(vec![problem])))
}

/// What AWS would refuse minutes later: looked at before the first create.
async fn preflight(session: &Session<'_>, site: &Site, plan: &Plan) -> Result<(), Box<Outcome>> {
    let creates = plan.iter().any(|(_, decision)| matches!(decision, Decision::Create(_)));
    let problems = if creates { subnets(session, site).await? } else { Vec::new() };
    match problems.is_empty() {
        true => Ok(()),
        false => {
            let outcome = Outcome::new(Exit::Refused, "refused", "preflight refused; nothing was changed");
            Err(Box::new(outcome.with_problems(problems)))
        }
    }
}

async fn subnets(session: &Session<'_>, site: &Site) -> Result<Vec<Problem>, Box<Outcome>> {
    let network = &site.config.network;
    let ids: BTreeSet<&String> = network.private_subnets.iter().chain(&network.public_subnets).collect();
    let request = session.cloud.ec2.describe_subnets().set_subnet_ids(Some(ids.into_iter().cloned().collect()));
    let subnets = match request.send().await.map_err(Error::from) {
        Ok(reply) => reply.subnets.unwrap_or_default(),
        Err(error) => {
            let outcome = Outcome::new(Exit::Refused, "refused", "preflight refused; nothing was changed");
            return Err(Box::new(outcome.with_problems(vec![Problem::of(&error)])));
        }
    };
    let mut problems = Vec::new();
    for subnet in subnets.iter().filter(|subnet| subnet.vpc_id() != Some(&network.vpc)) {
        let (id, vpc) = (subnet.subnet_id().unwrap_or_default(), subnet.vpc_id().unwrap_or_default());
        problems
            .push(Problem::new(format!("{id} is in {vpc}, not in {}", network.vpc), "Name subnets of network.vpc."));
    }
    for (key, wanted) in [("private", &network.private_subnets), ("public", &network.public_subnets)] {
        let of_kind = subnets.iter().filter(|subnet| wanted.iter().any(|id| subnet.subnet_id() == Some(id)));
        let zones: BTreeSet<_> = of_kind.filter_map(|subnet| subnet.availability_zone()).collect();
        if zones.len() < wanted.len().min(2) {
            let what = format!("network.{key}_subnets are all in one availability zone");
            problems.push(Problem::new(what, "A load balancer needs subnets of at least two zones."));
        }
    }
    Ok(problems)
}

async fn prove(
    session: &Session<'_>,
    site: &Site,
    (ids, changes): (&Outputs, &[Planned]),
    clock: &Clock,
    tell: &dyn Fn(Event),
) -> Result<Vec<Check>, Unproven> {
    let time = (clock, session.stop);
    let made = |change: &Planned| change.resource == auto_scaling::NAME.0 && change.action == "create";
    let ids_made = (ids, changes.iter().any(made));
    let mut checks = verify::wait_healthy(&session.cloud, site, ids_made, time, tell).await?;
    if let Some(endpoint) = verify::endpoint(site, ids) {
        checks.push(verify::version(&endpoint, session.sandbox.as_ref(), time, tell).await?);
    }
    Ok(checks)
}

fn unproven(session: &Session<'_>, error: &Unproven) -> Outcome {
    let (exit, word) = match (error, session.stop.signal()) {
        (Unproven::Interrupted, Some(signal)) => (interrupted(signal), "interrupted"),
        (Unproven::Deadline(_), _) => (Exit::Deadline, "timeout"),
        (Unproven::NoAnswer(_) | Unproven::Never { refused: false, .. }, _) => (Exit::Unverified, "failed"),
        _ => (Exit::Failed, "failed"),
    };
    let problem = match error {
        Unproven::Cloud(error) => Problem::of(error),
        Unproven::Never { what, cause, fix, .. } => Problem { cause: Some(cause.clone()), ..Problem::new(what, fix) },
        Unproven::NoAnswer(_) => Problem::new(
            error.to_string(),
            "An internal load balancer answers only inside its VPC: run there, or use --no-verify.",
        ),
        _ => Problem::new(error.to_string(), "Running again goes on from here."),
    };
    Outcome::new(exit, word, "The stack stands; it is not proven that it works.").with_problems(vec![problem])
}
