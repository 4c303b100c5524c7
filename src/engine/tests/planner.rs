//! What is decided from what was found.

use super::Lab;
use super::toy::{id, toy, untagged};
use crate::cloud::Tags;
use crate::engine::refs::Edge::Value;
use crate::engine::{Decision, Goal, Owner};
use crate::site::OWNER_TAG;

/// b needs a.
async fn pair() -> Lab {
    Lab::new(|world| vec![toy::<'a'>(world, &[]), toy::<'b'>(world, &[(Value, 'a')])]).await
}

fn foreign(decision: &Decision) -> Option<(&str, bool)> {
    match decision {
        Decision::Foreign { whose, adoptable, .. } => Some((whose, *adoptable)),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_has_its_parents_owner() {
    let lab = pair().await;
    let of_another = Owner::Tags(Tags::from([(OWNER_TAG.to_owned(), "another".to_owned())]));
    for (owner, adoptable) in [(untagged(), true), (of_another, false)] {
        lab.world.exists("a", owner);
        lab.world.exists("b", Owner::Parent("a"));
        for goal in [Goal::Present, Goal::Absent] {
            let plan = lab.plan(goal).await;
            let part = plan.iter().find(|(key, _)| *key == "b").and_then(|(_, decision)| foreign(decision));
            assert_eq!(part, Some(("it is a part of a, which is not ours", adoptable)), "{goal:?}");
        }
    }
    lab.world.exists("a", Owner::Tags(lab.site.tags("toy a")));
    let plan = lab.plan(Goal::Absent).await;
    assert!(plan.iter().all(|(_, decision)| *decision == Decision::Delete), "{plan:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_ids_that_are_not_known_yet_and_fills_in_those_that_are() {
    let lab = pair().await;
    let planner = lab.planner(Goal::Present);
    let line = async |lab: &Lab| {
        let live = lab.read(Goal::Present).await;
        planner.changes(&planner.plan(&live)).into_iter().find(|change| change.resource == "b").unwrap()
    };
    let uses = |change: &crate::outcome::Change| change.fields.last().unwrap().to_string();
    assert_eq!(uses(&line(&lab).await), "uses.a: (absent) -> (known after apply)");
    lab.world.exists("a", Owner::Tags(lab.site.tags("toy a")));
    assert_eq!(uses(&line(&lab).await), "uses.a: (absent) -> \"a-0\"");
}

#[tokio::test(start_paused = true)]
async fn a_replacement_takes_everything_along_that_holds_its_id() {
    let lab = Lab::new(|world| {
        vec![
            toy::<'a'>(world, &[]),
            toy::<'b'>(world, &[(Value, 'a')]),
            toy::<'c'>(world, &[(Value, 'b')]),
            toy::<'d'>(world, &[]),
        ]
    })
    .await;
    lab.act(Goal::Present).await;
    lab.world.wanted.borrow_mut().insert("a", (1, 2));
    let planner = lab.planner(Goal::Present);
    let live = lab.read(Goal::Present).await;
    let plan = planner.plan(&live);
    assert_eq!(planner.replaced(&plan).into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(plan.decision("d").is_some_and(|decision| !decision.is_pending()));
    let known = live["a"].as_ref().and_then(|live| live.outputs.get(&id("a")));
    assert_eq!(known.map(String::as_str), Some("a-1"));
}
