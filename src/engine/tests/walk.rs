//! What a walk does, in which order, and what it does when something goes wrong.

use std::time::Duration;

use super::toy::{Answer, outage, refused, toy};
use super::{Lab, pending};
use crate::clock::{Cancel, Clock, Signal, elapse};
use crate::engine::refs::Edge::{After, Awaits, Follows, Outlives, Value};
use crate::engine::{Blocker, Error, Goal, NodeError, Status, WalkResult};

/// A chain: c needs b, which needs a.
async fn chain() -> Lab {
    Lab::new(|world| {
        vec![toy::<'c'>(world, &[(Value, 'b')]), toy::<'b'>(world, &[(Value, 'a')]), toy::<'a'>(world, &[])]
    })
    .await
}

/// A single toy.
async fn alone() -> Lab {
    Lab::new(|world| vec![toy::<'a'>(world, &[])]).await
}

/// A single toy that was made.
async fn made() -> Lab {
    let lab = alone().await;
    assert!(lab.act(Goal::Present).await.errors.is_empty());
    lab
}

fn errors(result: &WalkResult) -> Vec<String> {
    result.errors.iter().map(|NodeError { key, error, .. }| format!("{key}: {error}")).collect()
}

#[tokio::test(start_paused = true)]
async fn things_are_made_after_what_they_need_and_removed_before_it() {
    let lab = chain().await;
    let result = lab.act(Goal::Present).await;
    assert_eq!(lab.world.calls(), ["create a", "create b", "create c"]);
    let ids: Vec<&str> = result.outputs.values().map(String::as_str).collect();
    assert_eq!(ids, ["a-1", "b-2", "c-3"]);
    assert_eq!(lab.world.toys.borrow()["c"].spec.uses["b"], "b-2", "ids are known when they are needed");

    lab.act(Goal::Absent).await;
    assert_eq!(lab.world.calls()[3..], ["delete c", "delete b", "delete a"]);
    assert!(lab.world.toys.borrow().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_aws_warns_of_is_told_and_is_no_id() {
    let lab = alone().await;
    lab.world.warning.replace(Some("there is no such image".to_owned()));
    let made = lab.act(Goal::Present).await;
    assert!(lab.events().contains(&r#"a: Warned("there is no such image")"#.to_owned()), "{:?}", lab.events());
    assert_eq!(made.outputs.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_order_may_hold_without_an_id_and_for_the_removal_alone() {
    let lab = Lab::new(|world| {
        vec![toy::<'a'>(world, &[(After, 'b')]), toy::<'b'>(world, &[]), toy::<'c'>(world, &[(Outlives, 'a')])]
    })
    .await;
    lab.act(Goal::Present).await;
    assert_eq!(lab.world.calls(), ["create b", "create c", "create a"], "c waits for nothing");
    lab.act(Goal::Absent).await;
    assert_eq!(lab.world.calls()[3..], ["delete a", "delete b", "delete c"], "c is removed after a");
}

#[tokio::test(start_paused = true)]
async fn what_awaits_a_removal_comes_after_it_also_when_that_fails() {
    let lab = Lab::new(|world| vec![toy::<'a'>(world, &[(Awaits, 'b')]), toy::<'b'>(world, &[])]).await;
    lab.act(Goal::Present).await;
    assert_eq!(lab.millis(), 10_000, "they are made side by side");
    lab.world.script("delete b", [Answer::Refuses(refused("AccessDenied"))]);
    assert_eq!(errors(&lab.act(Goal::Absent).await), ["b: toys MakeToy: AccessDenied: no"]);
    assert_eq!(lab.world.calls()[2..], ["delete b", "delete a"]);
}

#[tokio::test(start_paused = true)]
async fn an_order_may_hold_for_the_making_alone() {
    let lab = Lab::new(|world| vec![toy::<'a'>(world, &[(Follows, 'b')]), toy::<'b'>(world, &[])]).await;
    lab.act(Goal::Present).await;
    assert_eq!((lab.world.calls(), lab.millis()), (vec!["create b".to_owned(), "create a".to_owned()], 20_000));
    lab.act(Goal::Absent).await;
    assert_eq!(lab.millis(), 30_000, "both are removed side by side");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_depend_on_one_another_is_made_side_by_side() {
    let lab = Lab::new(|world| {
        vec![toy::<'a'>(world, &[]), toy::<'b'>(world, &[]), toy::<'c'>(world, &[(Value, 'a'), (Value, 'b')])]
    })
    .await;
    lab.act(Goal::Present).await;
    assert_eq!(lab.world.calls(), ["create a", "create b", "create c"]);
    assert!(lab.events().contains(&r#"c: Turn(["a", "b"])"#.to_owned()), "{:?}", lab.events());
    assert_eq!(lab.millis(), 20_000, "two calls one after the other, of ten seconds each");
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_only_what_depends_on_it() {
    let lab = Lab::new(|world| {
        vec![
            toy::<'a'>(world, &[]),
            toy::<'b'>(world, &[(Value, 'a')]),
            toy::<'c'>(world, &[(After, 'b')]),
            toy::<'d'>(world, &[]),
        ]
    })
    .await;
    lab.world.script("create a", [Answer::Refuses(refused("AccessDenied"))]);
    let result = lab.act(Goal::Present).await;
    let said = ["a: toys MakeToy: AccessDenied: no", "b: not tried, since a failed", "c: not tried, since b failed"];
    assert_eq!(errors(&result), said);
    assert_eq!(lab.world.calls(), ["create a", "create d"]);
    assert_eq!(result.acted.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["d"]);
    let skipped = ["b: Skipped(\"a\")", "c: Skipped(\"b\")"];
    assert!(skipped.iter().all(|event| lab.events().contains(&(*event).to_owned())), "{:?}", lab.events());
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_fails_skips_all_that_it_depends_on() {
    let lab = chain().await;
    lab.act(Goal::Present).await;
    lab.world.script("delete c", [Answer::Refuses(refused("AccessDenied"))]);
    let result = lab.act(Goal::Absent).await;
    let said = ["c: toys MakeToy: AccessDenied: no", "b: not tried, since c failed", "a: not tried, since b failed"];
    assert_eq!(errors(&result), said);
}

#[tokio::test(start_paused = true)]
async fn what_is_retryable_is_tried_again() {
    let lab = alone().await;
    let throttled = || Answer::Refuses(refused("Throttling"));
    lab.world.script("create a", [throttled(), throttled()]);
    assert!(lab.act(Goal::Present).await.errors.is_empty());
    assert_eq!(lab.world.calls(), ["create a"; 3]);
    let waiting = "a: Waiting(\"AWS asks to slow down\")";
    assert_eq!(lab.events(), ["a: Turn([])", "a: Started(\"create\")", waiting, waiting, "a: Finished(\"create\")"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_made_although_the_answer_was_lost_is_not_made_again() {
    let lab = alone().await;
    lab.world.script("create a", [Answer::Loses(outage())]);
    let result = lab.act(Goal::Present).await;
    assert!(result.errors.is_empty());
    assert_eq!(lab.world.calls(), ["create a"]);
    assert_eq!(result.outputs.values().collect::<Vec<_>>(), ["a-1"], "its id was read");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_wait_and_says_for_what() {
    let lab = Lab { clock: Clock::new(Duration::from_secs(90), 1.0), ..made().await };
    lab.world.script("find a", (0..99).map(|_| Answer::Shows(Status::Pending("it is warming up".to_owned()))));
    lab.world.wanted.borrow_mut().insert("a", (2, 1));
    let result = lab.act(Goal::Present).await;
    assert_eq!(errors(&result), ["a: still waiting when the deadline passed: it is warming up"]);
    assert_eq!(lab.millis(), 90_000);
    assert_eq!(lab.world.calls(), ["create a"], "it was not changed");
}

#[tokio::test(start_paused = true)]
async fn a_signal_lets_calls_finish_and_begins_no_others() {
    let (sender, cancel) = Cancel::channel();
    let lab = Lab { cancel, ..chain().await };
    let signal = async {
        elapse(Duration::from_secs(5)).await;
        sender.send(Some(Signal::Interrupt)).unwrap();
    };
    let (result, ()) = tokio::join!(lab.act(Goal::Present), signal);
    assert_eq!(lab.world.calls(), ["create a"]);
    assert!(lab.world.toys.borrow().contains_key("a"), "the call that was under way was finished");
    let interrupted = |error: &NodeError| matches!(error.error, Error::Interrupted);
    assert!(result.errors.len() == 2 && result.errors.iter().all(interrupted), "{:?}", errors(&result));
}

#[tokio::test(start_paused = true)]
async fn a_removal_waits_for_what_goes_by_itself_and_for_nothing_else() {
    let lab = made().await;
    let blocked = || Answer::Refuses(refused("DeleteConflict"));
    let blocker = |clears_by_itself| vec![Blocker { what: "a cable".to_owned(), clears_by_itself }];
    lab.world.script("delete a", [blocked(), blocked(), blocked()]);

    lab.world.blockers.borrow_mut().insert("a", blocker(false));
    let held = lab.act(Goal::Absent).await;
    assert_eq!(errors(&held), ["a: held by a cable, which is not ours"]);

    lab.world.blockers.borrow_mut().insert("a", blocker(true));
    let unplugged = async {
        elapse(Duration::from_secs(20)).await;
        lab.world.blockers.borrow_mut().clear();
    };
    let (removed, ()) = tokio::join!(lab.act(Goal::Absent), unplugged);
    assert!(removed.errors.is_empty(), "{:?}", errors(&removed));
    let waited = "a: Waiting(\"what was detached is still seen: a cable\")".to_owned();
    assert_eq!(lab.events().iter().filter(|event| **event == waited).count(), 5);
    assert_eq!(lab.world.calls()[1..], ["delete a"; 4], "while something holds it, only that is looked at");
}

#[tokio::test(start_paused = true)]
async fn a_walk_neither_replaces_nor_touches_what_is_not_ours() {
    let lab = made().await;
    lab.world.wanted.borrow_mut().insert("a", (1, 2));
    assert_eq!(errors(&lab.act(Goal::Present).await), ["a: place cannot be changed in place"]);
    lab.world.exists("a", super::toy::untagged());
    for goal in [Goal::Present, Goal::Absent] {
        assert_eq!(errors(&lab.act(goal).await), ["a: not ours: it has no tag oz-deploy:stack"]);
    }
    assert_eq!(lab.world.calls(), ["create a"]);
}

#[tokio::test(start_paused = true)]
async fn a_reading_is_repeated_for_what_is_retryable_and_reports_only_the_cause() {
    let lab = chain().await;
    lab.world.script("find a", [Answer::Refuses(outage())]);
    assert_eq!(lab.read(Goal::Present).await.len(), 3);
    assert_eq!(lab.millis(), 250, "one pause");

    lab.world.script("find a", [Answer::Refuses(refused("AccessDenied"))]);
    let planner = lab.planner(Goal::Present);
    let failed = lab.walk(&planner).read().await.err().unwrap();
    let keys: Vec<&str> = failed.iter().map(|error| error.key).collect();
    assert_eq!(keys, ["a"], "b and c, which could not be read without it, are not reported");
}

#[tokio::test(start_paused = true)]
async fn a_reading_after_a_change_waits_until_aws_shows_it() {
    let lab = alone().await;
    let planner = lab.planner(Goal::Present);
    let walk = lab.walk(&planner);
    let live = walk.read().await.unwrap();
    let keys = pending(&planner.plan(&live));
    let acted = walk.act(live, &keys).await.acted;

    let before = lab.millis();
    lab.world.script("find a", [Answer::Hides, Answer::Hides]);
    assert!(walk.read_after(&acted).await.unwrap()["a"].is_some());
    assert_eq!(lab.millis() - before, 1_250, "two pauses");
    assert!(lab.events().contains(&"a: Waiting(\"done; AWS does not show it yet\")".to_owned()));

    let before = lab.millis();
    lab.world.script("find a", (0..99).map(|_| Answer::Hides));
    assert!(walk.read_after(&acted).await.unwrap()["a"].is_none(), "in the end it is believed");
    assert_eq!(lab.millis() - before, 60_000);
}
