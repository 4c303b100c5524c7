//! The benchmark of `tests/bench/` measures what it says: the same stack, in every phase. No test asks how fast.

use crate::support::{AwsServer, bench_script, left_out_offline};

#[test]
fn the_peer_makes_the_stack_that_deploy_wants_and_removes_it() {
    if left_out_offline() {
        return;
    }
    let server = AwsServer::sandbox_at(1000);
    let config = server.path("deploy.yaml").display().to_string();
    let peer = |verb: &str| bench_script("peer.py", &[&server.url, &config, verb]);
    peer("up");
    server.run("plan --exit-code").exits(0).prints("No changes");
    peer("up");
    server.run("plan --exit-code").exits(0);
    peer("down");
    server.run("status").exits(0).prints("nothing of it stands");
}

#[test]
fn the_benchmark_prints_a_row_for_each_phase_of_both() {
    if left_out_offline() {
        return;
    }
    let printed = bench_script("bench.py", &[env!("CARGO_BIN_EXE_deploy"), "--rounds", "1", "--delay-ms", "2"]);
    let rows: Vec<Vec<&str>> = printed
        .lines()
        .filter(|line| ["| create", "| no-op", "| teardown"].iter().any(|phase| line.starts_with(phase)))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 9, "{printed}");
    for three in rows.chunks(3) {
        let rounds = three[0][2].strip_prefix("floor: ").and_then(|text| text.strip_suffix(" rounds")).unwrap();
        assert!((1..=8).contains(&rounds.parse::<u32>().unwrap()), "{printed}");
        for row in &three[1..] {
            let [seconds, calls, against_floor] = [3, 5, 7].map(|column| row[column].parse::<f64>().unwrap());
            assert!(seconds > 0.0 && calls >= 10.0 && against_floor > 1.0, "{printed}");
        }
    }
}
