//! The invariants of the code map, src/README.md.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Graph, STACK, Site, config, configuration};

fn sources(below: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut open, mut files) = (vec![root.join(below)], Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry: Result<fs::DirEntry, _>| entry.unwrap().path()));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let name: PathBuf = path.strip_prefix(root).unwrap().to_owned();
            files.push((name.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    files
}

fn only_in(words: &[&str], below: &str, allowed: &[&str]) {
    for (name, text) in sources(below) {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let found = words.iter().find(|word| code.contains(*word));
        let allowed = allowed.iter().any(|prefix| name.starts_with(prefix));
        assert!(found.is_none() || allowed, "{name} has {found:?}");
    }
}

#[test]
fn only_the_clock_sleeps() {
    only_in(&["sleep(", "sleep_until(", "interval("], "src", &["src/engine/clock.rs"]);
}

#[test]
fn only_the_report_prints() {
    only_in(&["println!", "print!(", "eprint"], "src", &["src/report/"]);
}

#[test]
fn the_engine_knows_no_service_and_the_steps_know_no_time() {
    only_in(&["aws_sdk", "ec2", "elb.", "iam."], "src/engine", &[]);
    only_in(&["Clock", "Instant", "Duration", "loop {"], "src/steps", &[]);
}

#[test]
fn every_step_is_in_the_stack_and_the_stack_has_an_order() {
    let config = config::parse(&configuration(), "deploy.yaml", &[]).unwrap();
    let site = Site::blank(config, "eu-central-1");
    assert_eq!(Graph::trace(STACK, &site).nodes().len(), STACK.len());
    let listed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/steps/mod.rs")).unwrap();
    for (name, _) in sources("src/steps") {
        let below = name.strip_prefix("src/steps/").unwrap();
        let module = below.split(['/', '.']).next().unwrap();
        assert!(module == "mod" || listed.contains(&format!("&{module}::")), "{module} is not in STACK");
    }
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/README.md")).unwrap();
    for node in STACK {
        assert!(map.contains(&format!("`{}`", node.key())), "src/README.md does not name {}", node.key());
    }
}

#[test]
fn files_stay_readable() {
    for (name, text) in sources("src").into_iter().chain(sources("tests")) {
        assert!(text.lines().count() <= 600, "{name} has more than 600 lines");
    }
}
