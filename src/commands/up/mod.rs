//! `deploy up`: plan, apply, read back, wait until it is healthy and answers.

mod allowed;
mod consent;
mod gate;
mod policy;

use super::Session;
use super::stack::{gone, outputs};
use super::strays::refuse_second;
use crate::checks::{self, Fleet, Unproven};
use crate::cli;
use crate::clock::Wait;
use crate::engine::reconcile::{AGAIN, reconcile};
use crate::engine::{Context, Decision, Goal, LiveStack, Outputs, Plan, Planner, Walk, outputs_of};
use crate::exit::Exit;
use crate::outcome::{Failed, Finding, Outcome, Problem};
use crate::report::problem_text;
use crate::steps::auto_scaling;
use policy::UpPolicy;

pub use allowed::{Consents, unasked};

/// Creates or converges the stack.
///
/// # Errors
/// It was refused, or failed; the outcome lists what was changed.
pub async fn run(session: &Session<'_>, args: &cli::Up) -> Result<Outcome, Failed> {
    let wait = session.wait(args.timeout);
    let (stack, strays) = tokio::join!(session.read_stack(Goal::Present, args.adopt, &wait), session.strays(&wait));
    let stack = stack?;
    let planner = session.planner(&stack.site, Goal::Present, args.adopt);
    refuse_second(&strays, &planner.plan(&stack.live))?;
    strays.problems().iter().for_each(|stray| session.report.note(&problem_text(stray)));
    let cx = Context {
        verified_rollout: !args.no_verify,
        kept: allowed::kept(args),
        ..Context::reading(&session.cloud, &stack.site)
    };
    let up = Up { session, args, walk: Walk { planner: &planner, cx, wait } };
    let mut done = Plan::default();
    let ended = up.converge(stack.live, &mut done).await;
    ended.map_err(|failed| failed.map(|outcome| stopped_after(outcome, &planner, &done)))
}

struct Up<'a> {
    session: &'a Session<'a>,
    args: &'a cli::Up,
    walk: Walk<'a>,
}

impl Up<'_> {
    /// Makes the stack as wanted and proves it. What does not answer may have changed since, or a lagging read has
    /// shown what was not there: then once more.
    async fn converge(&self, mut live: LiveStack, done: &mut Plan) -> Result<Outcome, Failed> {
        let mut is_second = false;
        loop {
            let mut policy = UpPolicy::new(self.session, self.args);
            live = reconcile(&self.walk, live, &mut policy, done).await?;
            let ids = outputs_of(&live);
            let proven = self.prove(&ids, done).await;
            if let Err(error) = &proven
                && !is_second
                && error.may_have_changed()
                && let Ok(next) = self.walk.read().await
                && !self.walk.planner.plan(&next).is_settled()
            {
                (live, is_second) = (next, true);
                continue;
            }
            return Ok(self.outcome(proven, &ids, done));
        }
    }

    async fn prove(&self, ids: &Outputs, done: &Plan) -> Result<Vec<Finding>, Unproven> {
        if self.args.no_verify {
            return Ok(Vec::new());
        }
        let Walk { cx, wait, .. } = &self.walk;
        let is_new = matches!(done.decision(auto_scaling::NAME.0), Some(Decision::Create(_)));
        let fleet = Fleet { cloud: cx.cloud, site: cx.site, ids, is_new };
        let mut findings = vec![fleet.wait_healthy(wait).await?];
        if let Some(endpoint) = checks::endpoint(cx.site, ids) {
            findings.push(checks::version(&endpoint, &*self.session.transport, wait).await?);
        }
        Ok(findings)
    }

    fn outcome(&self, proven: Result<Vec<Finding>, Unproven>, ids: &Outputs, done: &Plan) -> Outcome {
        let changes = self.walk.planner.changes(done);
        let outcome = match proven {
            Ok(checks) if changes.is_empty() => {
                let summary = if self.walk.cx.site.gone.is_empty() {
                    "Nothing to do: the stack is as deploy.yaml wants it."
                } else {
                    "Nothing to do, as far as can be known."
                };
                Outcome { checks, ..Outcome::new(Exit::Done, "unchanged", summary) }
            }
            Ok(checks) => {
                let summary = format!("Done: {} resources changed, read back and found as wanted.", changes.len());
                Outcome { checks, ..Outcome::new(Exit::Done, "changed", summary) }
            }
            Err(error) => unproven(&self.walk.wait, &error),
        };
        let site = self.walk.cx.site;
        let problems = outcome.problems.into_iter().chain(gone(site)).collect();
        Outcome { outputs: outputs(site, ids), changes, problems, ..outcome }
    }
}

/// Rewrites a refusal that comes after changes: exit 1, and what was changed stays.
fn stopped_after(outcome: Outcome, planner: &Planner<'_>, done: &Plan) -> Outcome {
    if done.is_empty() || outcome.planned {
        return outcome;
    }
    let (exit, summary) = match outcome.exit {
        Exit::Refused => (Exit::Failed, format!("failed; what was changed before stays, and {AGAIN}")),
        exit => (exit, outcome.summary),
    };
    Outcome { exit, summary, changes: planner.changes(done), ..outcome }
}

fn unproven(wait: &Wait<'_>, error: &Unproven) -> Outcome {
    const SUMMARY: &str = "The stack stands; it is not proven that it works.";
    let outcome = match error {
        Unproven::Late(late) => Outcome::ended(late.ended, SUMMARY),
        Unproven::NoAnswer(_) | Unproven::Never { refused: false, .. } => {
            Outcome::new(Exit::Unverified, "failed", SUMMARY)
        }
        _ => Outcome::failed(SUMMARY),
    };
    let problem = match error {
        Unproven::Cloud(error) => error.into(),
        Unproven::Never { what, cause, fix, .. } => Problem::new(what, fix).because(cause),
        Unproven::NoAnswer(_) => Problem::new(
            error.to_string(),
            "An internal load balancer answers only inside its VPC: run there, or use --no-verify.",
        ),
        Unproven::Late(late) if wait.cancel.signal().is_none() => {
            Problem::new(&late.why, "Running again goes on from here.")
        }
        Unproven::Late(_) => Problem::new("interrupted", "Running again goes on from here."),
    };
    outcome.problem(problem)
}
