//! What `deploy explain` knows, from where the code itself has it: keys, exit codes, checks, steps, errors of AWS.

use super::explain::Entry;
use crate::cloud::{Row, table};
use crate::exit::Exit;
use crate::outcome::CODES;
use crate::site::Site;
use crate::steps::STACK;
use crate::{checks, config};

/// The keys that a word names: a whole path, or the last name of one.
pub fn keys(word: &str, values: &[(String, String)]) -> Vec<Entry> {
    let is_meant = |key: &config::Key| key.path == word || key.path.rsplit('.').next() == Some(word);
    let below = |key: &config::Key| key.path.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'));
    let all = config::keys();
    let exact: Vec<_> = all.iter().filter(|key| is_meant(key)).collect();
    let chosen = if exact.is_empty() { all.iter().filter(|key| below(key)).collect() } else { exact };
    let entry = |key: &config::Key| {
        // A name's section is of five steps; the name itself is of one.
        let named = STACK.iter().find(|node| key.path.strip_prefix("names.") == Some(node.key()));
        let here = values.iter().find(|(path, _)| *path == key.path).map(|(_, value)| value.clone());
        Entry::new(&key.path, "key of deploy.yaml")
            .with("meaning", &key.meaning)
            .with("section", &key.section)
            .with("step", &named.map_or_else(String::new, |node| step(node.step())))
            .with("default", &key.default)
            .with("here", &here.unwrap_or_default())
    };
    chosen.into_iter().map(entry).collect()
}

/// The exit code of this number.
pub fn exits(word: &str) -> Vec<Entry> {
    let number = word.trim_start_matches("exit").trim();
    let one = Exit::ALL.into_iter().filter(|exit| (*exit as u8).to_string() == number);
    one.map(|exit| Entry::new(number, "exit code").with("meaning", exit.meaning())).collect()
}

/// The check of this id or code.
pub fn checks_of(word: &str) -> Vec<Entry> {
    let code = |about: &checks::About| CODES.iter().find(|(_, id)| *id == about.id).map_or("", |(code, _)| *code);
    let entry = |about: &'static checks::About| {
        let verbs: Vec<String> = about.verbs.iter().map(|verb| format!("{verb:?}").to_lowercase()).collect();
        let verbs =
            if verbs.is_empty() { "verify, with a capture: a metered call".to_owned() } else { verbs.join(", ") };
        Entry::new(about.id, "check")
            .with("code", code(about))
            .with("title", about.title)
            .with("verbs", &verbs)
            .with("step", &step(about.step))
    };
    let is_meant = |about: &&checks::About| about.id == word || code(about).eq_ignore_ascii_case(word);
    checks::abouts().filter(is_meant).map(entry).collect()
}

/// `step 4`: what is made, checked and set there.
pub fn steps(word: &str) -> Vec<Entry> {
    let number = ["step", "guide step", "guide"].iter().find_map(|before| word.strip_prefix(before));
    let Some(number) = number.and_then(|number| number.trim().parse::<u8>().ok()) else { return Vec::new() };
    let made: Vec<&str> = STACK.iter().filter(|node| node.step() == number).map(|node| node.key()).collect();
    let asked: Vec<&str> = checks::abouts().filter(|about| about.step == number).map(|about| about.id).collect();
    let set = config::keys().into_iter().filter(|key| names_step(&format!("{} {}", key.meaning, key.section), number));
    let set: Vec<String> = set.map(|key| key.path).collect();
    if made.is_empty() && asked.is_empty() && set.is_empty() {
        return Vec::new();
    }
    let entry = Entry::new(&format!("step {number}"), "step of the vendor's guide");
    vec![entry.with("resources", &made.join(", ")).with("keys", &set.join(", ")).with("checks", &asked.join(", "))]
}

/// `(guide steps 1 and 4)`, `guide steps 1 to 5`, `guide step 7`.
fn names_step(text: &str, number: u8) -> bool {
    let Some((_, rest)) = text.split_once("guide step") else { return false };
    let named: Vec<u8> = rest.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    match named[..] {
        [first, last] if rest.contains(" to ") => (first..=last).contains(&number),
        _ => named.contains(&number),
    }
}

/// The rows of an error code of AWS, or of words that it says.
pub fn errors(word: &str) -> Vec<Entry> {
    let has = |row: &&Row| row.code.iter().any(|code| code.eq_ignore_ascii_case(word));
    let says = |row: &&Row| word.len() > 8 && row.words.iter().any(|words| word.contains(words.as_str()));
    let entry = |row: &Row| {
        let when = [&row.operation, &row.says].map(|words| words.join(", "));
        Entry::new(word, "answer of AWS")
            .with("to", &when[0])
            .with("saying", &when[1])
            .with("cause", &row.cause)
            .with("fix", &row.fix)
            .with("step", &row.step.map(step).unwrap_or_default())
    };
    table().iter().filter(|row| has(row) || says(row)).map(entry).collect()
}

/// The resource of this name.
pub fn resources(word: &str, site: Option<&Site>) -> Vec<Entry> {
    let entry = |node: &&dyn crate::engine::Node| {
        let name = site.map(|site| node.name(site)).unwrap_or_default();
        Entry::new(node.key(), "resource of the stack").with("name", &name).with("step", &step(node.step()))
    };
    STACK.iter().filter(|node| node.key() == word).map(entry).collect()
}

fn step(number: u8) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

/// Every word that has an explanation, for those that have none.
pub fn words() -> Vec<String> {
    let codes = table().iter().flat_map(|row| row.code.iter().cloned());
    let ids = checks::abouts().map(|about| about.id.to_owned());
    let resources = STACK.iter().map(|node| node.key().to_owned());
    let numbered = CODES.iter().map(|(code, _)| (*code).to_owned());
    let keys = config::keys().into_iter().map(|key| key.path);
    keys.chain(ids).chain(numbered).chain(resources).chain(codes).collect()
}
