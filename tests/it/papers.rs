//! What README, CONTRIBUTING, the changelog and the map of the code name exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAPERS: [&str; 4] = ["README.md", "CHANGELOG.md", ".github/CONTRIBUTING.md", "src/README.md"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn papers() -> impl Iterator<Item = (&'static str, String)> {
    PAPERS.into_iter().map(|paper| (paper, fs::read_to_string(root().join(paper)).unwrap()))
}

/// What is written between backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// The names that GitHub gives to headings, for links.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |heading: &str| heading.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>();
    headings.map(|heading| kept(heading).to_lowercase().replace(' ', "-")).collect()
}

#[test]
fn links_lead_somewhere() {
    for (paper, text) in papers() {
        let below = Path::new(paper).parent().unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let exists = link.starts_with("https://")
                || link.strip_prefix('#').is_some_and(|anchor| anchors(&text).contains(anchor))
                || (!link.starts_with('#') && root().join(below).join(link).exists());
            assert!(exists, "{paper} links {link}");
        }
    }
}

#[test]
fn files_that_are_named_exist() {
    let mut named = 0;
    for (paper, text) in papers() {
        for path in
            quoted(&text).into_iter().filter(|word| word.starts_with("tests/") || word.starts_with("templates/"))
        {
            assert!(root().join(path).exists(), "{paper} names {path}");
            named += 1;
        }
    }
    assert!(named > 10, "only {named} files are named");
}

/// A test is named as the test runner takes it, `file::name`; its name is a sentence, so that it has an underscore.
#[test]
fn tests_that_are_named_exist() {
    let mut named = 0;
    for (paper, text) in papers() {
        for (file, name) in quoted(&text).into_iter().filter_map(|word| word.split_once("::")) {
            let Ok(tests) = fs::read_to_string(root().join(format!("tests/it/{file}.rs"))) else { continue };
            if name.contains('_') {
                assert!(tests.contains(&format!("fn {name}()")), "{paper} names the test {file}::{name}");
                named += 1;
            }
        }
    }
    assert!(named > 10, "only {named} tests are named");
}
