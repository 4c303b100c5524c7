//! Rounds of read, plan and act, until nothing is left to do. What differs between making and removing is a policy.

use std::collections::BTreeSet;

use super::resource::Key;
use super::{Error, LiveStack, NodeError, Plan, Walk, WalkResult};
use crate::clock::Cancel;
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};

/// What a policy wants done in a round.
#[derive(Debug)]
pub enum Next {
    /// Nothing is left to do.
    Settled,
    /// Act on these.
    Act(BTreeSet<Key>),
    /// Remove these first, then plan anew: they cannot be changed in place.
    Remove(BTreeSet<Key>),
}

/// One round, as a policy sees it.
pub struct Round<'a> {
    /// Whether nothing was changed or waited for yet.
    pub is_first: bool,
    /// What is left to do.
    pub plan: &'a Plan,
    /// What was found.
    pub live: &'a LiveStack,
    /// What was done so far.
    pub done: &'a Plan,
}

/// What differs between making a stack and removing it.
#[allow(async_fn_in_trait)] // one thread
pub trait Policy {
    /// How many rounds may change something before the run fails because AWS does not keep the changes.
    const ROUNDS_MAX: u32;

    /// What to do in this round. Refusals, consent and preflight belong here: nothing of the round was changed yet.
    ///
    /// # Errors
    /// The run ends here, with this outcome.
    async fn review(&mut self, walk: &Walk<'_>, round: &Round<'_>) -> Result<Next, Failed>;

    /// After everything of a round was done.
    ///
    /// # Errors
    /// The run ends here, with this outcome.
    async fn acted(&mut self, _walk: &Walk<'_>, _result: &WalkResult) -> Result<(), Failed> {
        Ok(())
    }

    /// Whether a round that did everything ends the run: what proves it comes afterwards, and needs no reading.
    fn ends_with_round(&self) -> bool {
        false
    }

    /// After a round that failed in part: a new reading, when it shows something that explains the failure. Then
    /// another round follows.
    async fn explained(&mut self, _walk: &Walk<'_>, _plan: &Plan, _result: &WalkResult) -> Option<LiveStack> {
        None
    }

    /// The outcome when a round failed.
    fn failed(&self, walk: &Walk<'_>, done: &Plan, errors: &[NodeError]) -> Outcome;

    /// The outcome when the deadline or a signal ended a wait for what AWS is busy with.
    fn still_waiting(&self, walk: &Walk<'_>, plan: &Plan) -> Outcome;

    /// The outcome when every round found something to do.
    fn never_settles(&self, walk: &Walk<'_>, plan: &Plan) -> Outcome;
}

/// Plans and acts until the policy finds nothing left to do. `done` grows by what was done, also when the run fails.
/// What was found last.
///
/// # Errors
/// The policy ended the run, a round failed, or the rounds are used up.
pub async fn reconcile<P: Policy>(
    walk: &Walk<'_>,
    mut live: LiveStack,
    policy: &mut P,
    done: &mut Plan,
) -> Result<LiveStack, Failed> {
    let (mut number, mut waits) = (0, 0);
    loop {
        let plan = walk.planner.plan(&live);
        let round = Round { is_first: number + waits == 0, plan: &plan, live: &live, done };
        let next = policy.review(walk, &round).await?;
        if number >= P::ROUNDS_MAX && !matches!(next, Next::Settled) {
            return Err(policy.never_settles(walk, &plan).into());
        }
        let result = match next {
            Next::Settled => return Ok(live),
            Next::Act(keys) => walk.act(live, &keys).await,
            Next::Remove(keys) => {
                let planner = walk.planner.removing();
                let removed = Walk { planner: &planner, ..*walk }.act(live, &keys).await;
                if !removed.errors.is_empty() {
                    return Err(policy.failed(walk, done, &removed.errors).into());
                }
                number += 1;
                live = read_after(walk, &Plan::default()).await?;
                continue;
            }
        };
        done.extend(result.acted.clone());
        if !result.errors.is_empty() {
            let explained =
                if number + 1 < P::ROUNDS_MAX { policy.explained(walk, &plan, &result).await } else { None };
            let Some(next) = explained else {
                return Err(policy.failed(walk, done, &result.errors).into());
            };
            (live, number) = (next, number + 1);
            continue;
        }
        policy.acted(walk, &result).await?;
        if policy.ends_with_round() {
            return Ok(LiveStack::default());
        }
        if !result.acted.is_empty() {
            number += 1;
        } else if walk.wait.pause(waits).await.is_ok() {
            waits += 1;
        } else {
            return Err(policy.still_waiting(walk, &plan).into());
        }
        if number > 1 {
            // A change may be planned again only because reads lag: they are given time. A deadline or a signal ends
            // the next reading.
            let _ = walk.wait.pause(number + 1).await;
        }
        live = read_after(walk, &result.acted).await?;
    }
}

async fn read_after(walk: &Walk<'_>, acted: &Plan) -> Result<LiveStack, Failed> {
    let read = walk.read_after(acted).await;
    read.map_err(|errors| failed(&errors, walk.wait.cancel, AGAIN).into())
}

/// The advice of a run that ended early.
pub const AGAIN: &str = "running again goes on from here";

/// What could not be done, as an outcome. The worst of the reasons gives the exit code.
pub fn failed(errors: &[NodeError], cancel: &Cancel, state: &str) -> Outcome {
    let has = |which: fn(&Error) -> bool| errors.iter().any(|error| which(&error.error));
    let outcome = if let Some(signal) = cancel.signal() {
        Outcome::new(signal.into(), "interrupted", format!("interrupted; {AGAIN}"))
    } else if has(|error| matches!(error, Error::Foreign(_))) {
        let summary = format!("something with our name is not ours and was not touched; {state}");
        Outcome::new(Exit::Foreign, "refused", summary)
    } else if has(|error| matches!(error, Error::Cloud(_) | Error::Held(_) | Error::NeedsReplacement(_))) {
        Outcome::failed(format!("failed; {state}"))
    } else {
        Outcome::new(Exit::Deadline, "timeout", format!("the deadline passed; {AGAIN}"))
    };
    let is_skipped = |error: &NodeError| matches!(error.error, Error::Skipped(_));
    let told = errors.iter().filter(|error| !matches!(error.error, Error::Interrupted) && !is_skipped(error));
    let skipped: Vec<&str> = errors.iter().filter(|error| is_skipped(error)).map(|error| error.key).collect();
    let not_tried =
        (!skipped.is_empty()).then(|| Problem::bare(format!("not tried after that: {}", skipped.join(", "))));
    outcome.with_problems(told.map(problem).chain(not_tried).collect())
}

fn problem(error: &NodeError) -> Problem {
    Problem::from(&error.error).of(format!("{} {} (guide step {})", error.key, error.name, error.step))
}
