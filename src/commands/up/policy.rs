//! What `up` allows and refuses in a round of the reconcile loop, and the rollout that a round may begin.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::announce::announce;
use super::consent::{permit, refuse_protected, to_do, without_rolled_back};
use super::gate::prepare;
use crate::cli;
use crate::cloud::{Memo, retryable};
use crate::commands::expiry::mark_once;
use crate::commands::saved_plan::SavedPlan;
use crate::commands::{Session, preflight};
use crate::engine::reconcile::{AGAIN, Next, Policy, Round, failed};
use crate::engine::{Decision, Effect, Error, Key, LiveStack, NodeError, Outputs, Plan, Walk, WalkResult, outputs_of};
use crate::outcome::{Failed, Outcome, Problem};
use crate::rollout::{HealthGate, ROLLOUT_KEYS, Rollout, repairs};
use crate::steps::auto_scaling;

/// The policy of `up`.
pub struct UpPolicy<'a> {
    session: &'a Session<'a>,
    args: &'a cli::Up,
    saved: Option<&'a SavedPlan>,
    /// What the first look has read.
    pub memo: Rc<Memo>,
    is_marked: bool,
    gate: Option<HealthGate<'a>>,
    /// The instance refresh that this round follows, and the ids of what existed before it.
    follows: Option<(String, Outputs)>,
}

impl<'a> UpPolicy<'a> {
    /// A policy with the consents of these arguments.
    pub fn new(session: &'a Session<'a>, args: &'a cli::Up, saved: Option<&'a SavedPlan>) -> UpPolicy<'a> {
        UpPolicy { session, args, saved, memo: Rc::default(), is_marked: false, gate: None, follows: None }
    }

    /// What may make the group healthy comes before the question whether it is, and a rollout after it.
    async fn hold_rollout_until_healthy(
        &self,
        walk: &Walk<'_>,
        ids: &Outputs,
        keys: BTreeSet<Key>,
        changed_before: bool,
    ) -> Result<BTreeSet<Key>, Failed> {
        let others: BTreeSet<Key> = keys.iter().copied().filter(|key| !ROLLOUT_KEYS.contains(key)).collect();
        if !others.is_empty() {
            return Ok(others);
        }
        rollout(walk, ids).admit(self.gate.as_ref(), changed_before).await?;
        Ok(keys)
    }
}

impl Policy for UpPolicy<'_> {
    const ROUNDS_MAX: u32 = 6;

    async fn review(&mut self, walk: &Walk<'_>, round: &Round<'_>) -> Result<Next, Failed> {
        if round.plan.is_settled() {
            mark_once(&mut self.is_marked, self.session, walk).await?;
            return Ok(Next::Settled);
        }
        if let Some(saved) = self.saved {
            saved.hold(walk.planner, round.plan.pending().map(|(key, _)| key))?;
        }
        let ids = outputs_of(round.live);
        let replaced = permit(self.args, walk, round)?;
        // A refresh to a version that this run is about to replace is not waited for.
        let outdated = round.plan.decision(ROLLOUT_KEYS[0]).is_some_and(Decision::is_pending);
        let refresh = ids.get(&auto_scaling::REFRESH).filter(|_| !outdated);
        let has = |which: fn(&Effect) -> bool| round.plan.effects().any(|(_, effect)| which(effect));
        let rolls = has(|effect| *effect == Effect::ReplacesInstances) && refresh.is_none();
        if refresh.is_some() || rolls {
            self.gate = prepare(self.gate.take(), self.session, self.args, (walk.cx.site, &ids)).await?;
        }
        if round.is_first {
            preflight::admit(self.session, walk.planner, (round.plan, &ids), Rc::clone(&self.memo), &walk.wait).await?;
        }
        refuse_protected(walk, round, &walk.planner.removed(round.plan)).await?;
        if !replaced.is_empty() {
            announce(self.session, self.args, walk, round).await?;
            mark_once(&mut self.is_marked, self.session, walk).await?;
            return Ok(Next::Remove(replaced));
        }
        let cancels = has(|effect| matches!(effect, Effect::CancelsRefresh { .. }));
        let all = to_do(round.plan, &ids);
        let mut keys = without_rolled_back(self.args, walk, round.plan, all)?;
        if rolls && !self.args.force && !cancels {
            keys = self.hold_rollout_until_healthy(walk, &ids, keys, !round.done.is_empty()).await?;
        }
        announce(self.session, self.args, walk, round).await?;
        self.follows = refresh.map(|id| (id.clone(), ids.clone()));
        mark_once(&mut self.is_marked, self.session, walk).await?;
        Ok(Next::Act(keys))
    }

    async fn acted(&mut self, walk: &Walk<'_>, result: &WalkResult) -> Result<(), Failed> {
        if let Some((id, ids)) = self.follows.take() {
            rollout(walk, &ids).follow(&id, self.gate.as_mut(), repairs(&result.acted)).await?;
        }
        Ok(())
    }

    /// Something that a lagging read had shown is not there, or the other way round.
    async fn explained(&mut self, walk: &Walk<'_>, plan: &Plan, result: &WalkResult) -> Option<LiveStack> {
        if !result.errors.iter().all(|error| is_retryable(&error.error)) {
            return None;
        }
        let live = walk.read_after(&result.acted).await.ok()?;
        let same = |key: Key, decision: &Decision| {
            let before = plan.decision(key).and_then(Decision::action);
            result.errors.iter().any(|error| error.key == key) && before == decision.action()
        };
        let next = walk.planner.plan(&live);
        let differs = next.pending().any(|(key, decision)| !same(key, decision));
        differs.then_some(live)
    }

    fn failed(&self, walk: &Walk<'_>, _: &Plan, errors: &[NodeError]) -> Outcome {
        failed(errors, walk.wait.cancel, &format!("what was made stays, and {AGAIN}"))
    }

    fn still_waiting(&self, walk: &Walk<'_>, plan: &Plan) -> Outcome {
        let changes = walk.planner.changes(plan);
        let waited = changes.iter().map(|change| {
            Problem::bare(change.why.clone().unwrap_or_default()).of(format!("{} {}", change.resource, change.name))
        });
        failed(&[], walk.wait.cancel, "").with_problems(waited.collect()).with_plan(changes)
    }

    fn never_settles(&self, walk: &Walk<'_>, plan: &Plan) -> Outcome {
        let problem = Problem::new(
            format!("after {} rounds the stack is still not as wanted", Self::ROUNDS_MAX),
            "Somebody else may be changing it at the same time; `deploy plan` shows what differs now.",
        );
        Outcome::failed(format!("failed; {AGAIN}")).problem(problem).with_plan(walk.planner.changes(plan))
    }
}

fn rollout<'a>(walk: &Walk<'a>, ids: &'a Outputs) -> Rollout<'a> {
    Rollout { walk: *walk, ids }
}

fn is_retryable(error: &Error) -> bool {
    match error {
        Error::Cloud(error) => retryable(error).is_some(),
        other => matches!(other, Error::Skipped(_)),
    }
}
