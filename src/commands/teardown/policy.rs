//! What `teardown` does in a round of the reconcile loop: everything of ours. The last look comes after it.

use std::collections::BTreeSet;

use crate::engine::reconcile::{AGAIN, Next, Policy, Round, failed};
use crate::engine::{Decision, Error, Key, NodeError, Plan, Walk};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome};

/// The policy of `teardown`.
pub struct TeardownPolicy;

impl Policy for TeardownPolicy {
    const ROUNDS_MAX: u32 = 4;

    async fn review(&mut self, _: &Walk<'_>, round: &Round<'_>) -> Result<Next, Failed> {
        let keys = ours(round.plan);
        Ok(if keys.is_empty() { Next::Settled } else { Next::Act(keys) })
    }

    fn ends_with_round(&self) -> bool {
        true
    }

    fn failed(&self, walk: &Walk<'_>, done: &Plan, errors: &[NodeError]) -> Outcome {
        let outcome = failed(errors, walk.wait.cancel, AGAIN);
        let held = |error: &NodeError| matches!(error.error, Error::Held(_) | Error::Foreign(_) | Error::Skipped(_));
        if walk.wait.cancel.signal().is_some() || !errors.iter().all(held) {
            return outcome;
        }
        let summary = format!("Removed {} resources; what is held by others stays.", done.iter().count());
        Outcome::new(Exit::Incomplete, "incomplete", summary).with_problems(outcome.problems)
    }

    fn still_waiting(&self, walk: &Walk<'_>, _: &Plan) -> Outcome {
        failed(&[], walk.wait.cancel, AGAIN)
    }

    fn never_settles(&self, walk: &Walk<'_>, plan: &Plan) -> Outcome {
        let remade = |key| walk.planner.error(key, Error::TimedOut("it is there again after every removal".to_owned()));
        let errors: Vec<NodeError> = ours(plan).into_iter().filter_map(remade).collect();
        failed(&errors, walk.wait.cancel, AGAIN)
    }
}

/// What is ours and not gone.
pub fn ours(plan: &Plan) -> BTreeSet<Key> {
    let ours = plan.pending().filter(|(_, decision)| !matches!(decision, Decision::Foreign { .. }));
    ours.map(|(key, _)| key).collect()
}
