//! Mistakes of a deploy.yaml: the place, what is wrong, and what would be right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::outcome::{At, Problem};

/// Where a mistake is. The order is that of reading: the file from top to bottom, then the command line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole: it is empty, or too long.
    Whole(Arc<str>),
    /// A key or a value in the file.
    File {
        /// As the user named the file.
        file: Arc<str>,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// An override, as the user wrote it: `a.b=c`.
    Set(Arc<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole(file) => write!(f, "{file}"),
            Place::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Place::Set(set) => write!(f, "{} {}", crate::flags::SET, shown(set)),
        }
    }
}

/// One mistake, on one line: `deploy.yaml:12:5: what is wrong; what would be right`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}; {cure}")]
pub struct Mistake {
    /// The offending key or value; for a missing key, the mapping that lacks it.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub cure: String,
}

impl Mistake {
    /// As a problem, with the line of `text` that it is about.
    pub fn problem(&self, text: &str) -> Problem {
        let mut problem = Problem::new(format!("{}: {}", self.place, self.what), &self.cure);
        if let Place::File { file, line, column } = &self.place {
            let source = text.lines().nth(line - 1).unwrap_or_default().trim_end();
            // A long line is shown up to the place, and what is no text is not shown.
            let source: String =
                source.chars().map(|c| if c.is_control() { ' ' } else { c }).take(column + 100).collect();
            let key = source.trim_start().trim_start_matches("- ").split_once(':').map(|(key, _)| shown(key));
            problem.at = Some(Box::new(At { file: file.to_string(), line: *line, column: *column, key, source }));
        }
        problem
    }
}

/// Every mistake of a file and its overrides, sorted by place, one a line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Mistake::to_string).collect();
        write!(f, "{}", lines.join("\n"))
    }
}

/// What was found so far: mistakes, and the place of every value that was read.
#[derive(Debug)]
pub(super) struct Findings {
    mistakes: Vec<Mistake>,
    /// Paths of the values that were read: `scaling.min`, `network.private_subnets[0]`.
    places: BTreeMap<String, Place>,
    /// Paths of the values that could not be read.
    spoiled: BTreeSet<String>,
    top: Place,
    /// What was asked for, when the keys are to be described.
    pub described: Option<Vec<Described>>,
}

/// A key as the loader asks for it.
#[derive(Debug)]
pub(super) struct Described {
    /// From the top of the file; `tags.*` is any key of `tags`.
    pub path: String,
    /// What JSON Schema says of it.
    pub schema: serde_json::Value,
    /// Whether its absence is a mistake.
    pub is_required: bool,
}

impl Findings {
    /// `top` is the place of a mistake that is about the whole file.
    pub fn new(top: Place) -> Findings {
        Findings { mistakes: Vec::new(), places: BTreeMap::new(), spoiled: BTreeSet::new(), top, described: None }
    }

    /// Adds a mistake whose place is known.
    pub fn add(&mut self, place: Place, what: impl Into<String>, cure: impl Into<String>) {
        self.mistakes.push(Mistake { place, what: what.into(), cure: cure.into() });
    }

    /// Remembers the place of the value of `path`.
    pub fn locate(&mut self, path: &str, place: &Place) {
        self.places.insert(path.to_owned(), place.clone());
    }

    /// The value of `path` could not be read and was replaced by a default. Rules about it are not reported.
    pub fn spoil(&mut self, path: &str) {
        self.spoiled.insert(path.to_owned());
    }

    /// Adds the mistake that the values of `paths` break a rule, at the first of them that was given. Adds nothing when
    /// one of them could not be read: the rule would be about a default that the user never wrote.
    pub fn refuse(&mut self, paths: &[&str], what: impl Into<String>, cure: impl Into<String>) {
        if paths.iter().any(|path| enclosing(path).any(|path| self.spoiled.contains(path))) {
            return;
        }
        let given = paths.iter().find_map(|path| self.places.get(*path));
        let around = paths.iter().flat_map(|path| enclosing(path)).filter(|path| !path.is_empty());
        let place = given.or_else(|| around.into_iter().find_map(|path| self.places.get(path))).cloned();
        // No line of the file is to blame for what nobody wrote.
        let whole = || match &self.top {
            Place::File { file, .. } => Place::Whole(file.clone()),
            top => top.clone(),
        };
        self.add(place.unwrap_or_else(whole), what, cure);
    }

    /// Adds the mistake after which nothing of the file can be read. No rule about the file is reported then.
    pub fn halt(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
        self.spoil("");
    }

    /// All mistakes in the order of reading, or none.
    pub fn into_result(mut self) -> Result<(), Mistakes> {
        self.mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        if self.mistakes.is_empty() { Ok(()) } else { Err(Mistakes(self.mistakes)) }
    }
}

/// `a.b[0]`, then `a.b`, then `a`, then the empty path of the file itself.
fn enclosing(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind(['.', '[']).map(|end| &path[..end])).chain([""])
}

/// The user's own words, shortened and escaped for one line of a terminal.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut line: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
