//! Several runs at once, in one account.

use futures_util::future::join_all;

use crate::support::{Stage, count_by_kind, fast_timers, settled, tables};

fn stage() -> Stage {
    let stage = Stage::new();
    stage.sandbox.change(fast_timers);
    stage
}

#[tokio::test(start_paused = true)]
async fn two_and_ten_ups_end_in_one_stack() {
    let alone = stage();
    alone.succeeds("up").await;
    let wanted = count_by_kind(&settled(&alone).await);
    for runs in [2, 10] {
        for seed in 0..5u32 {
            let stage = stage().seeded(seed.into());
            stage
                .weather(|weather| (weather.iam_delay_seconds, weather.describe_lag_seconds) = (10.0, f64::from(seed)));
            let all: Vec<Stage> = (0..runs).map(|_| stage.again()).collect();
            for ended in join_all(all.iter().map(|stage| stage.run("up"))).await {
                ended.succeeds();
            }
            let found = count_by_kind(&settled(&stage).await);
            assert_eq!(found, wanted, "{runs} at once, seed {seed}");
            stage.unchanged_by("up").await;
        }
    }
}

/// A changed configuration, by two at once: one refresh, one new version.
#[tokio::test(start_paused = true)]
async fn two_rollouts_are_one() {
    let stage = stage();
    stage.succeeds("up").await;
    let line = "up --set instance.image=api-instant-next --set scaling.max=9";
    let all = [stage.again(), stage.again(), stage.again()];
    for ended in join_all(all.iter().map(|stage| stage.run(line))).await {
        ended.succeeds();
    }
    let world = stage.sandbox.world();
    let versions = world.rows(tables::TEMPLATES).next().unwrap()["_versions"].as_array().unwrap().len();
    assert_eq!((versions, world.rows(tables::REFRESHES).count()), (2, 1));
}

/// Whoever wins, one more run of its kind leaves a whole stack or nothing.
#[tokio::test(start_paused = true)]
async fn an_up_beside_a_teardown_leaves_no_orphan() {
    let standing = stage();
    standing.succeeds("up").await;
    let (whole, world) = (count_by_kind(&settled(&standing).await), standing.sandbox.world());
    let empty = stage().sandbox.world();
    for baseline in [&empty, &world] {
        for delay in [0, 1, 3, 7, 20, 60] {
            let stage = Stage::of(baseline).noting(format!("delay {delay}"));
            let other = stage.again();
            let later = async {
                tokio::time::sleep(std::time::Duration::from_secs(delay)).await;
                other.run("teardown --yes").await
            };
            tokio::join!(stage.run("up"), later);
            let one_more = Stage::of(&stage.sandbox.world());
            one_more.succeeds("up").await;
            assert_eq!(count_by_kind(&settled(&one_more).await), whole, "delay {delay}");
            stage.succeeds("teardown --yes").await;
            assert_eq!(settled(&stage).await.leftovers(), Vec::<String>::new(), "delay {delay}");
        }
    }
}
