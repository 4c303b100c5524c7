//! Several runs at once, in one account.

use futures_util::future::join_all;

use crate::support::{Sandbox, Stage, World, count_by_kind, fast_timers, settled};

fn stage() -> Stage {
    let stage = Stage::new();
    stage.sandbox.change(fast_timers);
    stage
}

/// The same sandbox, by another process.
fn beside(stage: &Stage) -> Stage {
    stage.as_config(stage.config.clone())
}

#[tokio::test(start_paused = true)]
async fn two_and_ten_ups_end_in_one_stack() {
    let alone = stage();
    alone.succeeds("up").await;
    let wanted = count_by_kind(&settled(&alone).await);
    for runs in [2, 10] {
        for seed in 0..5u32 {
            let stage = stage();
            stage
                .sandbox
                .change(|world| (world.weather.iam_delay, world.weather.describe_lag) = (10.0, f64::from(seed)));
            stage.sandbox.seed(seed.into());
            let all: Vec<Stage> = (0..runs).map(|_| beside(&stage)).collect();
            let outcomes = join_all(all.iter().map(|one| one.run("up"))).await;
            for outcome in outcomes {
                assert_eq!(outcome.exit as u8, 0, "{runs} at once, seed {seed}: {:?}", outcome.problems);
            }
            let found = count_by_kind(&settled(&stage).await);
            assert_eq!(found, wanted, "{runs} at once, seed {seed}");
            stage.writes();
            stage.succeeds("up").await;
            assert_eq!(stage.writes(), Vec::<String>::new(), "{runs} at once, seed {seed}");
        }
    }
}

/// A changed configuration, by two at once: one refresh, one new version.
#[tokio::test(start_paused = true)]
async fn two_rollouts_are_one() {
    let stage = stage();
    stage.succeeds("up").await;
    let line = "up --set instance.image=api-instant-next --set scaling.max=9";
    let all = [beside(&stage), beside(&stage), beside(&stage)];
    for outcome in join_all(all.iter().map(|one| one.run(line))).await {
        assert_eq!(outcome.exit as u8, 0, "{:?}", outcome.problems);
    }
    let world = stage.sandbox.world();
    let versions = world.rows("templates").next().unwrap()["_versions"].as_array().unwrap().len();
    assert_eq!((versions, world.rows("refreshes").count()), (2, 1));
}

/// Whoever wins, one more run of its kind leaves a whole stack or nothing.
#[tokio::test(start_paused = true)]
async fn an_up_beside_a_teardown_leaves_no_orphan() {
    let standing = stage();
    standing.succeeds("up").await;
    let (whole, world) = (count_by_kind(&settled(&standing).await), standing.sandbox.world());
    let empty = stage().sandbox.world();
    let on = |world: &World| Stage { sandbox: Sandbox::of(world.clone(), 1.0), ..Stage::new() };
    for baseline in [&empty, &world] {
        for delay in [0, 1, 3, 7, 20, 60] {
            let stage = on(baseline);
            let other = beside(&stage);
            let later = async {
                tokio::time::sleep(std::time::Duration::from_secs(delay)).await;
                other.run("teardown --yes").await
            };
            tokio::join!(stage.run("up"), later);
            let one_more = on(&stage.sandbox.world());
            one_more.succeeds("up").await;
            assert_eq!(count_by_kind(&settled(&one_more).await), whole, "delay {delay}");
            stage.succeeds("teardown --yes").await;
            assert_eq!(settled(&stage).await.leftovers(), Vec::<String>::new(), "delay {delay}");
        }
    }
}
