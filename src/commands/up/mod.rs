//! `deploy up`: plan, apply, read back, wait until it is healthy and answers.

mod allowed;
mod announce;
mod consent;
mod ended;
mod gate;
mod meanwhile;
mod named;
mod policy;

use std::future::pending;
use std::rc::Rc;

use tokio::time::Instant;

use super::Session;
use super::cost::refuse_above;
use super::expiry::{after, written};
use super::saved_plan::SavedPlan;
use super::strays::{refuse_second, telling};
use crate::checks::{self, Fleet, Unproven};
use crate::cli;
use crate::cloud::Memo;
use crate::config::Scheme;
use crate::engine::reconcile::reconcile;
use crate::engine::{Context, Decision, Goal, LiveStack, Outputs, Plan, Walk, outputs_of};
use crate::outcome::{Failed, Finding, Outcome};
use crate::report::problem_text;
use crate::steps::auto_scaling;
use ended::{ended, stopped_after};
use policy::UpPolicy;

pub use allowed::{Consents, unasked};

/// Creates or converges the stack.
///
/// # Errors
/// It was refused, or failed; the outcome lists what was changed.
pub async fn run(session: &Session<'_>, args: &cli::Up) -> Result<Outcome, Failed> {
    announce::can_ask(args)?;
    let start = Instant::now();
    let saved = args.plan.as_deref().map(SavedPlan::read).transpose().map_err(Outcome::refused)?;
    let of_plan = saved.as_ref().map(|saved| cli::Up { adopt: saved.adopt, replace: saved.replace, ..args.clone() });
    let args = of_plan.as_ref().unwrap_or(args);
    let wait = session.wait(args.timeout);
    let (stack, strays, memo) = session.read_stack_and_strays(args.adopt, &wait).await;
    let mut stack = stack?;
    stack.site.expires = args.ttl.map(|lasts| written(after(lasts)));
    let planner = session.planner(&stack.site, Goal::Present, args.adopt);
    let plan = planner.plan(&stack.live);
    if let Some(saved) = &saved {
        session.report.note(&saved.age());
        saved.admit(session, &planner.changes(&plan))?;
    }
    refuse_second(&strays, &plan)?;
    if args.max_monthly.is_some() && !plan.is_settled() {
        refuse_above(&session.cost(&stack.live, &wait).await, args.max_monthly)?;
    }
    let strays = strays.problems();
    let before = strays.iter().filter(|_| args.replace); // what leads to what goes is named before it goes
    before.for_each(|stray| session.report.note(&problem_text(stray)));
    let cx = Context {
        verified_rollout: args.waits(),
        kept: allowed::kept(args),
        ..Context::reading(&session.cloud, &stack.site)
    };
    let up = Up { session, args, start, saved: saved.as_ref(), walk: Walk { planner: &planner, cx, wait } };
    let mut done = Plan::default();
    let converged = up.converge((stack.live, memo), &mut done).await;
    let converged = converged.map_err(|failed| failed.map(|outcome| stopped_after(outcome, &planner, &done)));
    telling(converged, strays)
}

struct Up<'a> {
    session: &'a Session<'a>,
    args: &'a cli::Up,
    saved: Option<&'a SavedPlan>,
    start: Instant,
    walk: Walk<'a>,
}

impl Up<'_> {
    /// Makes the stack as wanted and proves it. What does not answer may have changed since, or a lagging read has
    /// shown what was not there: then once more.
    async fn converge(&self, (mut live, memo): (LiveStack, Rc<Memo>), done: &mut Plan) -> Result<Outcome, Failed> {
        let (mut is_second, mut memo) = (false, Some(memo));
        loop {
            let mut policy = UpPolicy::new(self.session, self.args, self.saved);
            policy.memo = memo.take().unwrap_or_default();
            live = reconcile(&self.walk, live, &mut policy, done).await?;
            let ids = outputs_of(&live);
            let changed = async { if is_second { pending().await } else { meanwhile::changed(&self.walk).await } };
            let proven = tokio::select! {
                biased;
                proven = self.prove(&ids, done) => proven,
                changed = changed => Err(changed),
            };
            if let Err(error) = &proven
                && !is_second
                && error.may_have_changed()
                && let Ok(next) = self.walk.read().await
                && !self.walk.planner.plan(&next).is_settled()
            {
                (live, is_second) = (next, true);
                continue;
            }
            return Ok(ended(self, proven, &ids, done));
        }
    }

    async fn prove(&self, ids: &Outputs, done: &Plan) -> Result<Vec<Finding>, Unproven> {
        if !self.args.waits() || ids.contains_key(&auto_scaling::PARKED) {
            return Ok(Vec::new());
        }
        let Walk { cx, wait, .. } = &self.walk;
        let is_new = matches!(done.decision(auto_scaling::NAME.0), Some(Decision::Create(_)));
        let fleet = Fleet { cloud: cx.cloud, site: cx.site, ids, is_new };
        let since = Instant::now();
        let mut findings = vec![self.timed(fleet.wait_healthy(wait).await?, since)];
        if let Some(service) = checks::through_load_balancer(cx.site, ids).filter(|_| self.args.asks()) {
            let is_internal = cx.site.config.load_balancer.scheme == Scheme::Internal;
            let since = Instant::now();
            let version = checks::version(&service, is_internal, &*self.session.transport, wait).await;
            let version = version.map_err(|error| checks::behind_login(error, ids))?;
            findings.push(self.timed(version, since));
            findings.extend(named::look(self, ids).await?);
        }
        Ok(findings)
    }

    fn timed(&self, finding: Finding, since: Instant) -> Finding {
        let started_ms = since.duration_since(self.start).as_millis() as u64;
        Finding { started_ms, duration_ms: since.elapsed().as_millis() as u64, ..finding }
    }
}
