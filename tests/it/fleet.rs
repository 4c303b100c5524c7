//! A fleet of any size: neither calls nor lines grow with the instances.

use crate::support::Stage;

/// A stack of this many instances.
async fn of_size(size: usize) -> Stage {
    let mut stage = Stage::new();
    stage.weather(|weather| weather.vcpus = 16_000.0);
    stage.config += &format!("scaling: {{ min: {size}, desired: {size}, max: 500 }}\n");
    stage.succeeds("up").await;
    stage.sandbox.clear_calls();
    stage
}

#[tokio::test(start_paused = true)]
async fn calls_do_not_grow_with_the_fleet() {
    let lines = ["plan", "up", "status", "verify", "diagnose", "teardown --dry-run", "teardown --yes"];
    let mut counts = Vec::new();
    for size in [2, 91, 500] {
        let stage = of_size(size).await;
        let mut counted = Vec::new();
        for line in lines {
            let ended = match line {
                "verify" | "diagnose" => stage.over_sockets(line).await,
                _ => stage.run(line).await,
            };
            ended.succeeds();
            counted.push((line, ended.calls.len()));
        }
        stage.nothing_is_left();
        println!("{size}: {counted:?}");
        counts.push(counted);
    }
    assert!(counts.iter().all(|of_size| *of_size == counts[0]), "{counts:?}");
    let most = |line: &str| counts[0].iter().find(|(other, _)| *other == line).unwrap().1;
    let limits = [("plan", 20), ("up", 21), ("status", 24), ("teardown --dry-run", 27), ("teardown --yes", 60)];
    assert!(limits.iter().all(|(line, limit)| most(line) <= *limit), "{counts:?}");
}

/// Whatever a run shows: its longest line, without what it says of fields.
async fn longest_line(stage: &Stage, line: &str) -> usize {
    let shown = stage.json(line).await;
    let mut longest = 0;
    let mut open = vec![&shown];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::String(text) => longest = longest.max(text.len()),
            serde_json::Value::Array(values) => open.extend(values),
            serde_json::Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    longest
}

/// Each instance is protected, ill, without its profile, and in a group that is being rolled.
#[tokio::test(start_paused = true)]
async fn lines_do_not_grow_with_the_fleet() {
    let stage = of_size(91).await;
    stage.edit(|aws| {
        aws.instances().protect_from_scale_in();
        aws.instances().lose_profile();
    });
    for line in ["plan", "status", "verify", "diagnose", "teardown --dry-run", "teardown --yes"] {
        let longest = longest_line(&stage, line).await;
        assert!(longest < 400, "{line}: a line of {longest} letters");
    }
    let shown = stage.json("status").await;
    assert_eq!(shown["outputs"]["instances"].as_array().unwrap().len(), 91, "a document has them all");
}
