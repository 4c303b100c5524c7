//! What the program is packed in: the image, and the archives of a release. There is no Docker in the tests, and no
//! GitHub: what can be held is that the files agree with each other, and that their scripts do what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use crate::support::{Home, Run};

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn release() -> Value {
    serde_yaml::from_str(&text(".github/workflows/release.yml")).unwrap()
}

/// What stands between these two in the first line that begins with the first.
fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("no line {start}"));
    rest.split(end).next().unwrap().to_owned()
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn every_file_names_the_same_rust() {
    let oldest = between(&text("Cargo.toml"), "rust-version = \"", "\"");
    let image = between(&text("Dockerfile"), "FROM docker.io/library/rust:", "-");
    assert_eq!(image, oldest, "Dockerfile and Cargo.toml");
    let channel = between(&text("rust-toolchain.toml"), "channel = \"", "\"");
    assert!(channel == "stable" || version(&channel) >= version(&oldest), "rust-toolchain.toml has {channel}");
    assert!(text("README.md").contains(&format!("Rust {oldest} or later")), "README does not ask for Rust {oldest}");
}

#[test]
fn the_image_is_given_all_that_the_program_is_made_of_and_no_more() {
    let dockerfile = text("Dockerfile");
    let copies =
        dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.contains("--from"));
    let copied: BTreeSet<&str> = copies.flat_map(|line| line.split(' ').rev().skip(1)).collect();
    let ignore = text(".dockerignore");
    let let_through: BTreeSet<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert_eq!(copied, let_through);
    // A file of the top level that is built in would be missed only when the image is made.
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        for included in fs::read_to_string(&path).unwrap().split("include_str!(\"").skip(1) {
            let included = path.parent().unwrap().join(included.split('"').next().unwrap()).canonicalize().unwrap();
            let below = included.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            let top = below.iter().next().unwrap().to_str().unwrap();
            assert!(copied.contains(top), "{} needs {top}", path.display());
        }
    }
    assert!(dockerfile.contains("\nENTRYPOINT [\"deploy\"]\n") && dockerfile.contains("\nUSER 10001\n"));
    assert!(dockerfile.contains("ca-certificates"), "TLS needs authorities");
}

#[test]
fn the_release_is_built_for_systems_whose_licences_are_looked_at() {
    let targets: Vec<String> = release()["jobs"]["build"]["strategy"]["matrix"]["include"]
        .as_sequence()
        .unwrap()
        .iter()
        .map(|one| one["target"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(targets.len(), 4);
    let deny = text("deny.toml");
    for target in &targets {
        assert!(deny.contains(&format!("\"{target}\"")), "deny.toml does not have {target}");
    }
    let jobs = release()["jobs"].clone();
    for needed in jobs["publish"]["needs"].as_sequence().unwrap() {
        assert!(jobs[needed].is_mapping(), "there is no job {needed:?}");
    }
    assert_eq!(jobs["publish"]["if"], "github.ref_type == 'tag'", "a run by hand publishes nothing");
}

/// The script of the only step of a job that holds these words.
fn script(job: &str, words: &str) -> String {
    let jobs = release()["jobs"].clone();
    let steps = jobs[job]["steps"].as_sequence().unwrap().iter().filter_map(|step| step["run"].as_str());
    let found: Vec<&str> = steps.filter(|script| script.contains(words)).collect();
    assert_eq!(found.len(), 1, "{job}: {words}");
    found[0].to_owned()
}

fn bash(home: &Home, script: &str, environment: &[(&str, &str)]) -> Run {
    let mut command = Command::new("bash");
    command.args(["-e", "-c", script]).current_dir(home.path(".")).envs(environment.iter().copied());
    Run::of(command.env("DEPLOY_SANDBOX_WORLD", home.path("world.json")))
}

#[test]
fn the_notes_of_a_release_are_its_section_of_the_changelog() {
    let home = Home::new();
    let notes = script("notes", "notes.md");
    home.write("Cargo.toml", "[package]\nversion = \"1.2.0\"\n");
    home.write("CHANGELOG.md", "# Log\n\n## [Unreleased]\n\nnext\n\n## [1.2.0]\n\nnow\n\n## [1.1.0]\n\nbefore\n");
    let run = |kind: &str, name: &str| bash(&home, &notes, &[("GITHUB_REF_TYPE", kind), ("GITHUB_REF_NAME", name)]);
    let written = || fs::read_to_string(home.path("notes.md")).unwrap().trim().to_owned();
    run("tag", "v1.2.0").exits(0);
    assert_eq!(written(), "now");
    run("branch", "main").exits(0);
    assert_eq!(written(), "next");
    run("tag", "v1.3.0").exits(1).says("the tag is v1.3.0, Cargo.toml says 1.2.0");
    home.write("Cargo.toml", "[package]\nversion = \"1.3.0\"\n");
    run("tag", "v1.3.0").exits(1).says("CHANGELOG.md has no section [1.3.0]");
    for (file, words) in [("Cargo.toml", text("Cargo.toml")), ("CHANGELOG.md", text("CHANGELOG.md"))] {
        home.write(file, words);
    }
    run("branch", "main").exits(0);
}

/// The program is tried and packed, and its sum is right: with the program of these tests in the place of a release's.
#[test]
fn a_program_is_tried_before_it_is_packed() {
    let home = Home::new();
    fs::create_dir_all(home.path("target/here/release")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_deploy"), home.path("target/here/release/deploy")).unwrap();
    for file in ["LICENSE", "README.md", "CHANGELOG.md", "deploy.yaml.example"] {
        home.write(file, text(file));
    }
    let target = [("TARGET", "here")];
    bash(&home, &script("build", "--sandbox up"), &target).exits(0).prints("Verified: ").says("Removed 16 resources");
    bash(&home, &script("build", "completions"), &target).exits(0);
    for file in ["deploy", "man/deploy-up.1", "completions/deploy.fish", "LICENSE"] {
        assert!(home.path("dist/deploy-here").join(file).is_file(), "{file} is not packed");
    }
    fs::remove_dir_all(home.path("dist/deploy-here")).unwrap();
    home.write("dist/notes.md", "now");
    bash(&home, &script("publish", "SHA256SUMS"), &[]).exits(0).prints("deploy-here.tar.gz: OK");
}

/// Each crate that is built in with its licence, and none whose licence is unknown.
#[test]
fn licences_are_listed_without_a_network() {
    let home = Home::new();
    fs::create_dir(home.path("dist")).unwrap();
    let script = script("contents", "LICENSES.txt");
    let (_, listing) = script.split_once("mv ./*.cdx.json dist/deploy.cdx.json\n").unwrap();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let listing = listing.replace("cargo tree", &format!("cargo tree --offline --manifest-path '{manifest}'"));
    bash(&home, &listing, &[]).exits(0);
    let listed = fs::read_to_string(home.path("dist/LICENSES.txt")).unwrap();
    assert!(
        listed.lines().count() > 200
            && listed.contains(concat!("\ndeploy v", env!("CARGO_PKG_VERSION"), ": Apache-2.0\n")),
        "{listed}"
    );
    for line in listed.lines() {
        let (_, licence) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
        assert!(!licence.trim().is_empty() && !line.contains("(*)"), "{line}");
    }
}
