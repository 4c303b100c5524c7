//! One mapping of deploy.yaml, read key by key. The keys that are asked for are the known ones: no second list exists.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::json;

use super::mistake::{Described, Findings, Place, shown};
use super::tree::{Key, Kind, Node, Value};

/// A mapping whose keys are being read.
pub(super) struct Section<'a> {
    /// From the top of the file: `instance.volume`; empty for the file itself.
    path: String,
    place: Place,
    /// What was not asked for yet.
    entries: Vec<(Key, Node)>,
    asked: Vec<&'static str>,
    /// Where mistakes go.
    pub findings: &'a mut Findings,
}

/// Reads `node`, found at `path`, as a mapping, and reports the keys that `read` did not ask for.
pub(super) fn read<T>(path: &str, node: Node, findings: &mut Findings, read: impl FnOnce(&mut Section) -> T) -> T {
    findings.locate(path, &node.place);
    let refused = matches!(node.value, Value::Refused);
    let null = node.kind() == Some(Kind::Null);
    let found = node.found();
    let entries = if let Value::Map(entries) = node.value {
        entries
    } else {
        if !refused && !null {
            let what = format!("{} must be a mapping, found {found}", named(path));
            findings.add(node.place.clone(), what, "write its keys indented below it, as deploy.yaml.example does");
        }
        if !null {
            findings.spoil(path);
        }
        Vec::new()
    };
    let mut section = Section { path: path.to_owned(), place: node.place, entries, asked: Vec::new(), findings };
    let value = read(&mut section);
    section.refuse_unknown();
    value
}

fn named(path: &str) -> String {
    if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") }
}

impl Section<'_> {
    /// A mapping below this one; absent or null, it has no keys.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section) -> T) -> T {
        self.describes(key, false, || json!({"type": ["object", "null"]}));
        let node = self.take(key);
        self.below(key, node, read)
    }

    /// As `section`, but `None` when absent or null.
    pub fn optional_section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section) -> T) -> Option<T> {
        self.describes(key, false, || json!({"type": ["object", "null"]}));
        let node = self.take_some(key);
        // Absent, it has keys all the same, for whoever wants to know them.
        (node.is_some() || self.findings.described.is_some()).then(|| self.below(key, node, read))
    }

    /// As `section`, but absence is a mistake.
    pub fn required_section<T>(&mut self, key: &'static str, cure: &str, read: impl FnOnce(&mut Section) -> T) -> T {
        self.describes(key, true, || json!({"type": "object"}));
        let node = self.take_some(key);
        if node.is_none() {
            self.missing(key, cure);
        }
        self.below(key, node, read)
    }

    fn below<T>(&mut self, key: &str, node: Option<Node>, reader: impl FnOnce(&mut Section) -> T) -> T {
        let path = self.path_of(key);
        if let Some(node) = node {
            return read(&path, node, self.findings, reader);
        }
        // No place of its own: a rule about it is reported at what encloses it.
        let (place, entries, asked) = (self.place.clone(), Vec::new(), Vec::new());
        reader(&mut Section { path, place, entries, asked, findings: self.findings })
    }

    /// A text.
    pub fn text(&mut self, key: &'static str, default: String) -> String {
        self.describes(key, false, || json!({"type": "string", "default": default}));
        self.value(key, default, text)
    }

    /// A text; absent or null, `None`.
    pub fn optional_text(&mut self, key: &'static str) -> Option<String> {
        self.describes(key, false, || json!({"type": ["string", "null"], "default": null}));
        self.optional(key, text)
    }

    /// A text whose absence is a mistake.
    pub fn required_text(&mut self, key: &'static str, cure: &str) -> String {
        self.describes(key, true, || json!({"type": "string"}));
        if let Some(node) = self.take(key) {
            self.convert(key, &node, text).unwrap_or_default()
        } else {
            self.missing(key, cure);
            String::new()
        }
    }

    /// A text that may look like a number, taken as written: `404`, `1.10`.
    pub fn code(&mut self, key: &'static str, default: String) -> String {
        self.describes(key, false, || json!({"type": CODE, "default": default}));
        self.value(key, default, code)
    }

    /// As `code`; absent or null, `None`.
    pub fn optional_code(&mut self, key: &'static str) -> Option<String> {
        let types = CODE.iter().chain(&["null"]).collect::<Vec<_>>();
        self.describes(key, false, || json!({"type": types, "default": null}));
        self.optional(key, code)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.describes(key, false, || json!({"type": "boolean", "default": default}));
        self.value(key, default, flag)
    }

    /// `true` or `false`; absent or null, `None`.
    pub fn optional_flag(&mut self, key: &'static str) -> Option<bool> {
        self.describes(key, false, || json!({"type": ["boolean", "null"], "default": null}));
        self.optional(key, flag)
    }

    /// A whole number within AWS's limits.
    pub fn whole<T>(&mut self, key: &'static str, default: T, limits: RangeInclusive<i64>) -> T
    where
        T: TryFrom<i64> + Serialize,
    {
        let (least, most) = (limits.start(), limits.end());
        let schema = || json!({"type": "integer", "minimum": least, "maximum": most, "default": default});
        self.describes(key, false, schema);
        self.value(key, default, |node| {
            let example = format!("write a whole number from {} to {}, without quotes", limits.start(), limits.end());
            let Some(written) = number(node) else {
                return Err(wrong("a whole number", node, example));
            };
            match written.parse::<i64>() {
                Ok(whole) if limits.contains(&whole) => {
                    T::try_from(whole).map_err(|_| wrong("a whole number", node, example))
                }
                Err(_) if written.contains(['.', 'e', 'E']) => Err(wrong("a whole number", node, example)),
                _ => Err((format!("is {}, beyond the limits", shown(written)), example)),
            }
        })
    }

    /// A number, whole or not, within AWS's limits.
    pub fn number(&mut self, key: &'static str, default: f64, limits: RangeInclusive<f64>) -> f64 {
        let (least, most) = (limits.start(), limits.end());
        self.describes(key, false, || json!({"type": "number", "minimum": least, "maximum": most, "default": default}));
        self.value(key, default, |node| {
            let example = format!("write a number from {} to {}, without quotes", limits.start(), limits.end());
            let Some(written) = number(node) else {
                return Err(wrong("a number", node, example));
            };
            let parsed = written.parse().ok().filter(|number| limits.contains(number));
            parsed.ok_or_else(|| (format!("is {}, beyond the limits", shown(written)), example))
        })
    }

    /// One of a few words.
    pub fn choice<T: Copy + PartialEq>(&mut self, key: &'static str, default: T, choices: &[(&'static str, T)]) -> T {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let default_word = choices.iter().find(|(_, value)| *value == default).map(|(word, _)| *word);
        self.describes(key, false, || json!({"enum": words, "default": default_word}));
        self.value(key, default, |node| {
            let Value::Scalar { text, .. } = &node.value else {
                return Err(wrong("a word", node, one_of(&words)));
            };
            let chosen = choices.iter().find(|(word, _)| word == text);
            chosen.map(|(_, value)| *value).ok_or_else(|| {
                let cure =
                    nearest(text, &words).map_or_else(|| one_of(&words), |word| format!("did you mean `{word}`?"));
                (format!("cannot be `{}`", shown(text)), cure)
            })
        })
    }

    /// A list of so many texts or more, no two alike. An item that is not a text is reported and read as an empty one,
    /// so that the count stays right.
    pub fn texts(&mut self, key: &'static str, default: Vec<String>, least: usize) -> Vec<String> {
        self.describes(key, false, || {
            let mut schema = list(least);
            schema["default"] = json!(default);
            schema
        });
        self.read_texts(key, default)
    }

    fn read_texts(&mut self, key: &'static str, default: Vec<String>) -> Vec<String> {
        let Some(node) = self.take(key) else {
            return default;
        };
        let cure = "write a list in brackets, such as [one, two], or one line with a `-` for each";
        let Value::List(items) = node.value else {
            self.wrong(key, &node, wrong("a list of texts", &node, cure));
            return default;
        };
        let item = |(at, item): (usize, Node)| {
            let key = format!("{key}[{at}]");
            let path = self.path_of(&key);
            self.findings.locate(&path, &item.place);
            self.convert(&key, &item, text).unwrap_or_default()
        };
        items.into_iter().enumerate().map(item).collect()
    }

    /// A list of some of these words.
    pub fn choices(&mut self, key: &'static str, words: &[&str]) -> Vec<String> {
        self.describes(key, false, || {
            let mut schema = list(0);
            schema["items"]["enum"] = json!(words);
            schema["default"] = json!([]);
            schema
        });
        let written = self.read_texts(key, Vec::new());
        for (at, word) in written.iter().enumerate().filter(|(_, word)| !words.contains(&word.as_str())) {
            let path = self.path_of(&format!("{key}[{at}]"));
            let cure = nearest(word, words).map_or_else(|| one_of(words), |near| format!("did you mean `{near}`?"));
            self.findings.refuse(&[&path], format!("`{path}` cannot be `{}`", shown(word)), cure);
        }
        written
    }

    /// As `texts`, but absence is a mistake.
    pub fn required_texts(&mut self, key: &'static str, cure: &str, least: usize) -> Vec<String> {
        self.describes(key, true, || list(least));
        if !self.entries.iter().any(|(entry, _)| entry.text == key) {
            self.missing(key, cure);
        }
        self.read_texts(key, Vec::new())
    }

    /// Every key with its text, for a mapping whose keys the user chooses.
    pub fn all_codes(&mut self) -> Vec<(String, String)> {
        self.describes("*", false, || json!({"type": CODE}));
        let entries = std::mem::take(&mut self.entries);
        let one = |(key, node): (Key, Node)| {
            let path = self.path_of(&key.text);
            self.findings.locate(&path, &key.place);
            Some((self.convert(&key.text, &node, code)?, key.text))
        };
        entries.into_iter().filter_map(one).map(|(value, key)| (key, value)).collect()
    }

    /// Says what this key may hold, when somebody wants to know. Every key that is read is described here.
    fn describes(&mut self, key: &str, is_required: bool, schema: impl FnOnce() -> serde_json::Value) {
        let path = self.path_of(key);
        if let Some(described) = &mut self.findings.described {
            described.push(Described { path, schema: schema(), is_required });
        }
    }

    fn value<T>(&mut self, key: &'static str, default: T, convert: impl FnOnce(&Node) -> Result<T, Wrong>) -> T {
        let node = self.take(key);
        node.and_then(|node| self.convert(key, &node, convert)).unwrap_or(default)
    }

    fn optional<T>(&mut self, key: &'static str, convert: impl FnOnce(&Node) -> Result<T, Wrong>) -> Option<T> {
        let node = self.take_some(key)?;
        self.convert(key, &node, convert)
    }

    fn convert<T>(&mut self, key: &str, node: &Node, convert: impl FnOnce(&Node) -> Result<T, Wrong>) -> Option<T> {
        if let Value::Scalar { text, .. } = &node.value
            && let Some(variable) = variable(text)
        {
            let path = self.path_of(key);
            let settable = shown(path.split('[').next().unwrap_or_default());
            let what = format!("`{}` holds {}, and variables are not expanded", shown(&path), shown(variable));
            self.refuse(key, node, what, format!("write the value, or pass {} {settable}=VALUE", crate::flags::SET));
            return None;
        }
        convert(node).map_err(|wrong| self.wrong(key, node, wrong)).ok()
    }

    fn wrong(&mut self, key: &str, node: &Node, (what, cure): Wrong) {
        let what = format!("`{}` {what}", shown(&self.path_of(key)));
        self.refuse(key, node, what, cure);
    }

    fn refuse(&mut self, key: &str, node: &Node, what: String, cure: String) {
        self.findings.spoil(&self.path_of(key));
        if !matches!(node.value, Value::Refused) {
            self.findings.add(node.place.clone(), what, cure);
        }
    }

    fn missing(&mut self, key: &'static str, cure: &str) {
        let path = self.path_of(key);
        self.findings.refuse(&[&path], format!("`{path}` is missing"), cure);
        self.findings.spoil(&path);
    }

    fn take_some(&mut self, key: &'static str) -> Option<Node> {
        self.take(key).filter(|node| node.kind() != Some(Kind::Null))
    }

    fn take(&mut self, key: &'static str) -> Option<Node> {
        self.asked.push(key);
        let at = self.entries.iter().position(|(entry, _)| entry.text == key)?;
        let (_, node) = self.entries.remove(at);
        let path = self.path_of(key);
        self.findings.locate(&path, &node.place);
        Some(node)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn refuse_unknown(&mut self) {
        for (key, _) in std::mem::take(&mut self.entries) {
            let within = if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
            let cure = nearest(&key.text, &self.asked)
                .map_or_else(|| one_of(&self.asked), |near| format!("did you mean `{near}`?"));
            self.findings.add(key.place, format!("unknown key `{}`{within}", shown(&key.text)), cure);
        }
    }
}

/// What a code may look like to YAML.
const CODE: [&str; 3] = ["string", "number", "boolean"];

/// A list of texts for the schema. Whoever reads one refuses two alike.
fn list(least: usize) -> serde_json::Value {
    json!({"type": "array", "items": {"type": "string"}, "minItems": least, "uniqueItems": true})
}

/// What is wrong with a value, and the cure.
type Wrong = (String, String);

fn wrong(expected: &str, node: &Node, cure: impl Into<String>) -> Wrong {
    (format!("must be {expected}, found {}", node.found()), cure.into())
}

fn flag(node: &Node) -> Result<bool, Wrong> {
    match node.kind() {
        Some(Kind::Bool(flag)) => Ok(flag),
        _ => Err(wrong("true or false", node, "write true or false, without quotes")),
    }
}

fn text(node: &Node) -> Result<String, Wrong> {
    match (&node.value, node.kind()) {
        (Value::Scalar { text, .. }, Some(Kind::Text)) => Ok(text.clone()),
        (Value::Scalar { text, .. }, Some(Kind::Bool(_) | Kind::Number)) => {
            Err(wrong("a text", node, format!("put it in quotes: \"{}\"", shown(text))))
        }
        (_, Some(Kind::Null)) => Err(wrong("a text", node, "write a value, or leave the key out")),
        _ => Err(wrong("a text", node, "write one value")),
    }
}

fn code(node: &Node) -> Result<String, Wrong> {
    match (&node.value, node.kind()) {
        (Value::Scalar { text, .. }, Some(Kind::Bool(_) | Kind::Number)) => Ok(text.clone()),
        _ => text(node),
    }
}

/// The digits of an unquoted number.
fn number(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } if node.kind() == Some(Kind::Number) => Some(text),
        _ => None,
    }
}

/// The `${NAME}` in a text, if there is one.
fn variable(text: &str) -> Option<&str> {
    let start = text.find("${")?;
    let length = text[start..].find('}')?;
    Some(&text[start..=start + length])
}

fn one_of(words: &[&str]) -> String {
    format!("write one of {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
}

/// The word that was probably meant.
fn nearest<'a>(written: &str, words: &[&'a str]) -> Option<&'a str> {
    const NEAR: f64 = 0.8;
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let written = plain(written);
    let likeness = |word: &str| strsim::jaro_winkler(&written, &plain(word));
    let best = words.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let slip = strsim::damerau_levenshtein(&written, &plain(best)) <= 1;
    (slip || likeness(best) >= NEAR).then_some(*best)
}
