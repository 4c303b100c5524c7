//! `deploy up`: plan, apply, look again, wait until it is healthy and answers.

use std::collections::BTreeSet;

use super::converge::{Surveyed, failed, foreign, ids, outputs, planned, survey, walk};
use super::{Session, interrupted};
use crate::cli;
use crate::engine::walk::{Plan, pending};
use crate::engine::{Clock, Decision, Event, Goal, Graph, Key, Outputs, Walk};
use crate::exit::Exit;
use crate::report::{Check, Outcome, Planned, Problem};
use crate::site::Site;
use crate::steps::STACK;
use crate::verify::{self, Unproven};

/// How many times it plans and applies before it says that AWS does not keep what it is told.
const PASSES: usize = 4;

/// Creates or converges the stack.
pub async fn run(session: &Session<'_>, args: &cli::Up) -> Outcome {
    let clock = session.clock(args.timeout);
    let surveyed = match survey(session, Goal::Present, args.adopt).await {
        Ok(surveyed) => surveyed,
        Err(outcome) => return outcome,
    };
    let site = surveyed.site.clone();
    let graph = Graph::trace(STACK, &site);
    let tell = session.tell();
    let walk = walk(
        session,
        &site,
        &graph,
        Goal::Present,
        args.adopt,
        clock,
        session.stop,
        &tell,
    );
    let (changes, ids) = match converge(session, &walk, surveyed, args).await {
        Ok(converged) => converged,
        Err(outcome) => return *outcome,
    };
    let checks = match args.no_verify {
        true => Ok(Vec::new()),
        false => prove(session, &site, &ids, &clock, &tell).await,
    };
    let mut outcome = match checks {
        Ok(checks) => {
            let (word, summary) = match changes.len() {
                0 => (
                    "unchanged",
                    "Nothing to do: the stack is as deploy.yaml wants it.".to_owned(),
                ),
                count => (
                    "changed",
                    format!("Done: {count} resources changed, read back and found as wanted."),
                ),
            };
            Outcome {
                checks,
                ..Outcome::new(Exit::Done, word, summary)
            }
        }
        Err(error) => unproven(session, &error),
    };
    outcome.outputs = outputs(&site, &ids);
    outcome.changes = changes;
    outcome
}

/// Plans and applies until a look finds nothing left to do. What was changed, and the ids of what stands.
async fn converge(
    session: &Session<'_>,
    walk: &Walk<'_>,
    surveyed: Surveyed,
    args: &cli::Up,
) -> Result<(Vec<Planned>, Outputs), Box<Outcome>> {
    let mut found = surveyed.found;
    let mut done: Vec<Planned> = Vec::new();
    for _ in 0..PASSES {
        let plan = walk.plan(&found);
        let changes = planned(&plan, walk.graph, walk.site);
        if changes.is_empty() {
            return Ok((done, ids(&found)));
        }
        if let Some(refused) = foreign(&changes) {
            return Err(Box::new(Outcome {
                changes,
                planned: true,
                ..refused
            }));
        }
        let mut keys: BTreeSet<Key> = plan
            .iter()
            .filter(|(_, what)| pending(what))
            .map(|(key, _)| *key)
            .collect();
        let replaced = replaced(&plan, walk);
        if !replaced.is_empty() {
            if !args.replace {
                return Err(Box::new(needs_replace(changes)));
            }
            remove(walk, found, &replaced).await?;
            found = look(walk).await?;
            keys = walk
                .plan(&found)
                .iter()
                .filter(|(_, what)| pending(what))
                .map(|(key, _)| *key)
                .collect();
        } else if done.is_empty() {
            preflight(session, walk.site, &plan).await?;
        }
        let walked = walk.act(found, &keys).await;
        done.extend(planned(&walked.acted, walk.graph, walk.site));
        if !walked.failures.is_empty() {
            let outcome = failed(
                &walked.failures,
                walk.stop,
                "what was made stays, and running again goes on from here",
            );
            return Err(Box::new(Outcome {
                changes: done,
                ..outcome
            }));
        }
        found = look(walk).await?;
    }
    let left = planned(&walk.plan(&found), walk.graph, walk.site);
    let cure =
        "Somebody else may be changing it at the same time; `deploy plan` shows what differs now.";
    let problem = Problem::new(
        format!("after {PASSES} rounds the stack is still not as wanted"),
        cure,
    );
    let outcome = Outcome::new(
        Exit::Failed,
        "failed",
        "failed; running again goes on from here",
    );
    Err(Box::new(Outcome {
        changes: left,
        planned: true,
        ..outcome.with_problems(vec![problem])
    }))
}

async fn look(walk: &Walk<'_>) -> Result<crate::engine::walk::Found, Box<Outcome>> {
    walk.look().await.map_err(|failures| {
        Box::new(failed(
            &failures,
            walk.stop,
            "running again goes on from here",
        ))
    })
}

/// What must be removed before it can be made again, with everything that holds its id.
fn replaced(plan: &Plan, walk: &Walk) -> BTreeSet<Key> {
    let fixed = plan
        .iter()
        .filter(|(_, what)| matches!(what, Decision::Replace { .. }));
    fixed
        .flat_map(|(key, _)| walk.graph.bound_to(key))
        .collect()
}

async fn remove(
    walk: &Walk<'_>,
    found: crate::engine::walk::Found,
    keys: &BTreeSet<Key>,
) -> Result<(), Box<Outcome>> {
    let removal = Walk {
        goal: Goal::Absent,
        terms: walk.terms.clone(),
        ..*walk
    };
    let removed = removal.act(found, keys).await;
    match removed.failures.is_empty() {
        true => Ok(()),
        false => Err(Box::new(failed(
            &removed.failures,
            walk.stop,
            "the replacement stopped; run again with --replace",
        ))),
    }
}

fn needs_replace(changes: Vec<Planned>) -> Outcome {
    let fixed = changes.iter().filter(|change| change.action == "replace").map(|change| Problem {
        resource: Some(format!("{} {}", change.resource, change.name)),
        message: change.why.clone().unwrap_or_default(),
        cause: None,
        cure: Some("`up --replace` removes it, with what hangs on it, and makes it again: the service is down meanwhile."
            .to_owned()),
    });
    let problems = fixed.collect();
    let outcome = Outcome::new(Exit::Refused, "refused", "refused; nothing was changed")
        .with_problems(problems);
    Outcome {
        changes,
        planned: true,
        ..outcome
    }
}

/// What AWS would refuse minutes later: looked at before the first create.
async fn preflight(session: &Session<'_>, site: &Site, plan: &Plan) -> Result<(), Box<Outcome>> {
    let creates = plan
        .iter()
        .any(|(_, decision)| matches!(decision, Decision::Create(_)));
    let problems = if creates {
        subnets(session, site).await?
    } else {
        Vec::new()
    };
    match problems.is_empty() {
        true => Ok(()),
        false => {
            let outcome = Outcome::new(
                Exit::Refused,
                "refused",
                "preflight refused; nothing was changed",
            );
            Err(Box::new(outcome.with_problems(problems)))
        }
    }
}

async fn subnets(session: &Session<'_>, site: &Site) -> Result<Vec<Problem>, Box<Outcome>> {
    let network = &site.config.network;
    let ids: BTreeSet<&String> = network
        .private_subnets
        .iter()
        .chain(&network.public_subnets)
        .collect();
    let request = session
        .cloud
        .ec2
        .describe_subnets()
        .set_subnet_ids(Some(ids.into_iter().cloned().collect()));
    let subnets = match request.send().await.map_err(crate::cloud::Error::from) {
        Ok(reply) => reply.subnets.unwrap_or_default(),
        Err(error) => {
            let outcome = Outcome::new(
                Exit::Refused,
                "refused",
                "preflight refused; nothing was changed",
            );
            return Err(Box::new(outcome.with_problems(vec![Problem::of(&error)])));
        }
    };
    let mut problems = Vec::new();
    for subnet in subnets
        .iter()
        .filter(|subnet| subnet.vpc_id() != Some(&network.vpc))
    {
        let (id, vpc) = (
            subnet.subnet_id().unwrap_or_default(),
            subnet.vpc_id().unwrap_or_default(),
        );
        problems.push(Problem::new(
            format!("{id} is in {vpc}, not in {}", network.vpc),
            "Name subnets of network.vpc.",
        ));
    }
    for (key, wanted) in [
        ("private", &network.private_subnets),
        ("public", &network.public_subnets),
    ] {
        let of_kind = subnets
            .iter()
            .filter(|subnet| wanted.iter().any(|id| subnet.subnet_id() == Some(id)));
        let zones: BTreeSet<_> = of_kind
            .filter_map(|subnet| subnet.availability_zone())
            .collect();
        if zones.len() < wanted.len().min(2) {
            let what = format!("network.{key}_subnets are all in one availability zone");
            problems.push(Problem::new(
                what,
                "A load balancer needs subnets of at least two zones.",
            ));
        }
    }
    Ok(problems)
}

async fn prove(
    session: &Session<'_>,
    site: &Site,
    ids: &Outputs,
    clock: &Clock,
    tell: &dyn Fn(Event),
) -> Result<Vec<Check>, Unproven> {
    let time = (clock, session.stop);
    let mut checks = verify::wait_healthy(&session.cloud, site, ids, time, tell).await?;
    if let Some(endpoint) = verify::endpoint(site, ids) {
        checks.push(verify::version(&endpoint, session.sandbox.as_ref(), time, tell).await?);
    }
    Ok(checks)
}

fn unproven(session: &Session<'_>, error: &Unproven) -> Outcome {
    let (exit, word) = match (error, session.stop.signal()) {
        (Unproven::Interrupted, Some(signal)) => (interrupted(signal), "interrupted"),
        (Unproven::Deadline(_), _) => (Exit::Deadline, "timeout"),
        (Unproven::NoAnswer(_), _) => (Exit::Unverified, "failed"),
        _ => (Exit::Failed, "failed"),
    };
    let problem = match error {
        Unproven::Cloud(error) => Problem::of(error),
        Unproven::NoAnswer(_) => Problem::new(
            error.to_string(),
            "An internal load balancer answers only inside its VPC: run there, or use --no-verify.",
        ),
        _ => Problem::new(error.to_string(), "Running again goes on from here."),
    };
    Outcome::new(
        exit,
        word,
        "The stack stands; it is not proven that it works.",
    )
    .with_problems(vec![problem])
}
