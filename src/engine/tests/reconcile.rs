//! Rounds of read, plan and act.

use std::time::Duration;

use super::toy::{Answer, refused, toy};
use super::{Lab, pending};
use crate::clock::Clock;
use crate::engine::reconcile::{Next, Policy, Round, failed, reconcile};
use crate::engine::refs::Edge::Value;
use crate::engine::{Decision, Goal, Key, NodeError, Plan, Status, Walk, WalkResult};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome};

/// Allows everything and notes what happens.
#[derive(Default)]
struct Permissive {
    /// The keys of each round, and whether it was the first.
    rounds: Vec<(Vec<Key>, bool)>,
    /// Rounds after which everything of them was done.
    acted: usize,
    refuses: bool,
}

impl Policy for Permissive {
    const ROUNDS_MAX: u32 = 3;

    async fn review(&mut self, walk: &Walk<'_>, round: &Round<'_>) -> Result<Next, Failed> {
        self.rounds.push((round.plan.pending().map(|(key, _)| key).collect(), round.is_first));
        if self.refuses {
            return Err(Outcome::preflight("refused by the policy").into());
        }
        let replaced = walk.planner.replaced(round.plan);
        if !replaced.is_empty() {
            return Ok(Next::Remove(replaced));
        }
        let mut keys = pending(round.plan);
        if keys.is_empty() {
            return Ok(Next::Settled);
        }
        keys.retain(|key| !matches!(round.plan.decision(key), Some(Decision::Wait(_))));
        Ok(Next::Act(keys))
    }

    async fn acted(&mut self, _: &Walk<'_>, _: &WalkResult) -> Result<(), Failed> {
        self.acted += 1;
        Ok(())
    }

    fn failed(&self, walk: &Walk<'_>, _: &Plan, errors: &[NodeError]) -> Outcome {
        failed(errors, walk.wait.cancel, "something was changed")
    }

    fn still_waiting(&self, _: &Walk<'_>, _: &Plan) -> Outcome {
        Outcome::new(Exit::Deadline, "timeout", "still waiting")
    }

    fn never_settles(&self, _: &Walk<'_>, plan: &Plan) -> Outcome {
        let keys: Vec<Key> = plan.pending().map(|(key, _)| key).collect();
        Outcome::failed(format!("never settles: {}", keys.join(", ")))
    }
}

/// b needs a.
async fn pair() -> Lab {
    Lab::new(|world| vec![toy::<'a'>(world, &[]), toy::<'b'>(world, &[(Value, 'a')])]).await
}

/// Reconciles to `Present`. Why it failed, and what was done.
async fn run(lab: &Lab, policy: &mut Permissive) -> (Option<Outcome>, Vec<Key>) {
    let planner = lab.planner(Goal::Present);
    let walk = lab.walk(&planner);
    let live = walk.read().await.unwrap();
    let mut done = Plan::default();
    let end = reconcile(&walk, live, policy, &mut done).await;
    (end.err().map(Outcome::from), done.iter().map(|(key, _)| key).collect())
}

#[tokio::test(start_paused = true)]
async fn rounds_end_when_nothing_is_left_to_do() {
    let (lab, mut policy) = (pair().await, Permissive::default());
    let (failed, done) = run(&lab, &mut policy).await;
    assert!(failed.is_none());
    assert_eq!(done, ["a", "b"]);
    assert_eq!(policy.rounds, [(vec!["a", "b"], true), (vec![], false)]);
    assert_eq!(policy.acted, 1);

    let mut again = Permissive::default();
    run(&lab, &mut again).await;
    assert_eq!(again.rounds, [(vec![], true)]);
    assert_eq!(lab.world.calls(), ["create a", "create b"], "a second run changes nothing");
}

#[tokio::test(start_paused = true)]
async fn what_is_replaced_is_removed_with_what_holds_its_id_and_made_anew() {
    let (lab, mut policy) = (pair().await, Permissive::default());
    run(&lab, &mut policy).await;
    lab.world.wanted.borrow_mut().insert("a", (1, 2));
    let (failed, _) = run(&lab, &mut policy).await;
    assert!(failed.is_none());
    assert_eq!(lab.world.calls()[2..], ["delete b", "delete a", "create a", "create b"]);
    assert_eq!(lab.world.toys.borrow()["a"].spec.place, 2);
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_keep_ends_after_the_last_round() {
    let (lab, mut policy) = (pair().await, Permissive::default());
    run(&lab, &mut policy).await;
    lab.world.wanted.borrow_mut().insert("a", (2, 1));
    lab.world.script("update a", (0..9).map(|_| Answer::Ignores));
    let (failed, _) = run(&lab, &mut policy).await;
    assert_eq!(failed.unwrap().summary, "never settles: a");
    let updates = lab.world.calls().iter().filter(|call| *call == "update a").count();
    assert_eq!(updates, usize::try_from(Permissive::ROUNDS_MAX).unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_aws_is_busy_with_is_waited_for_without_using_up_rounds() {
    let (lab, mut policy) = (pair().await, Permissive::default());
    run(&lab, &mut policy).await;
    lab.world.wanted.borrow_mut().insert("a", (2, 1));
    let warming = || Answer::Shows(Status::Pending("it is warming up".to_owned()));
    lab.world.script("find a", (0..10).map(|_| warming()));
    let (failed, done) = run(&lab, &mut policy).await;
    assert!(failed.is_none());
    assert_eq!(done, ["a"]);

    let lab = Lab { clock: Clock::new(Duration::from_mins(5), 1.0), ..lab };
    lab.world.wanted.borrow_mut().insert("a", (3, 1));
    lab.world.script("find a", (0..999).map(|_| warming()));
    let (failed, _) = run(&lab, &mut policy).await;
    assert_eq!(failed.unwrap().summary, "still waiting");
}

#[tokio::test(start_paused = true)]
async fn a_policy_refuses_before_anything_is_changed() {
    let (lab, mut policy) = (pair().await, Permissive { refuses: true, ..Permissive::default() });
    let (failed, done) = run(&lab, &mut policy).await;
    assert_eq!(failed.unwrap().summary, "refused by the policy");
    assert!(done.is_empty() && lab.world.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_round_that_failed_in_part_keeps_what_was_done() {
    let (lab, mut policy) = (pair().await, Permissive::default());
    lab.world.script("create b", [Answer::Refuses(refused("AccessDenied"))]);
    let (failed, done) = run(&lab, &mut policy).await;
    let failed = failed.unwrap();
    assert_eq!((failed.exit, failed.summary.as_str()), (Exit::Failed, "failed; something was changed"));
    assert_eq!(failed.problems[0].resource.as_deref(), Some("b toy b (guide step 1)"));
    assert_eq!(done, ["a"]);
    assert_eq!(policy.acted, 0);
}
