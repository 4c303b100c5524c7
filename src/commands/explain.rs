//! `deploy explain`: what a word of this program means.

use super::deploy_yaml::configuration;
use super::known;
use crate::cli::{Explain, Global};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::report::Report;
use crate::site::Site;
use crate::{checks, config};

/// An explanation: what is explained, which kind it is of, and what is known of it.
pub struct Entry {
    word: String,
    kind: &'static str,
    facts: Vec<(&'static str, String)>,
}

impl Entry {
    /// Of a word, without any fact.
    pub fn new(word: &str, kind: &'static str) -> Entry {
        Entry { word: word.to_owned(), kind, facts: Vec::new() }
    }

    /// With one more fact, if there is one.
    pub fn with(mut self, name: &'static str, fact: &str) -> Entry {
        if !fact.is_empty() {
            self.facts.push((name, fact.to_owned()));
        }
        self
    }

    fn text(&self) -> String {
        let facts = self.facts.iter().map(|(name, fact)| format!("  {name:9}  {fact}\n"));
        format!("{}: {}\n{}", self.word, self.kind, facts.collect::<String>())
    }
}

/// Explains a word, or says what there is to explain.
///
/// # Errors
/// The word is not known.
pub fn run(args: &Explain, global: &Global, report: &Report) -> Result<Outcome, Failed> {
    let word = args.word.join(" ");
    let text = if word.is_empty() {
        kinds()
    } else {
        let found = entries(word.trim(), global);
        if found.is_empty() {
            return Err(unknown(&word).into());
        }
        found.iter().map(Entry::text).collect::<Vec<_>>().join("\n")
    };
    report.text("explanation", &text).map_err(|_| Outcome::failed("").into())
}

fn entries(word: &str, global: &Global) -> Vec<Entry> {
    // What this deploy.yaml says, when there is one without a mistake.
    let here = configuration(global).ok().and_then(|(file, text)| config::parse(&text, &file, &global.set).ok());
    let values = here.as_ref().map(config::values).unwrap_or_default();
    let site = here.map(|here| Site::blank(here, "eu-central-1"));
    let mut found = known::exits(word);
    found.extend(known::steps(word));
    found.extend(known::keys(word, &values));
    found.extend(known::checks_of(word));
    found.extend(known::resources(word, site.as_ref()));
    found.extend(known::errors(word));
    found
}

/// What there is to explain.
fn kinds() -> String {
    let keys: Vec<String> = config::keys().into_iter().map(|key| key.path).collect();
    let codes = Exit::ALL.map(|exit| (exit as u8).to_string());
    let ids: Vec<&str> = checks::abouts().map(|about| about.id).collect();
    format!(
        "deploy explain WORD explains\n  a key of deploy.yaml: {}\n  an exit code: {}\n  a check: {}\n  \
         a step of the guide: step 1 to step 7\n  a resource of the stack, such as launch_template\n  \
         an error code of AWS, such as UnauthorizedOperation\n",
        keys.join(", "),
        codes.join(", "),
        ids.join(", "),
    )
}

fn unknown(word: &str) -> Outcome {
    let near = |known: &String| strsim::jaro_winkler(&known.to_lowercase(), &word.to_lowercase());
    let last = |known: &String| strsim::jaro_winkler(known.rsplit('.').next().unwrap_or_default(), word);
    let mut close: Vec<(f64, String)> =
        known::words().into_iter().map(|known| (near(&known).max(last(&known)), known)).collect();
    close.sort_by(|one, other| other.0.total_cmp(&one.0));
    close.dedup();
    let close: Vec<String> =
        close.into_iter().filter(|(like, _)| *like > 0.85).map(|(_, known)| known).take(3).collect();
    let cure = if close.is_empty() {
        "`deploy explain` lists what there is.".to_owned()
    } else {
        format!("Did you mean {}? `deploy explain` lists what there is.", close.join(" or "))
    };
    Outcome::refused(Problem::new(format!("nothing is known of {word:?}"), cure))
}
