//! What must reach no log, report, error or panic: a type that cannot be printed, and the cleaning of foreign words.

use std::fmt;

use serde_json::Value;

/// A token, a picture or what belongs to a person. It has no `Display` and no `Serialize`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Withholds this from everything that prints.
    pub fn new(value: T) -> Sensitive<T> {
        Sensitive(value)
    }

    /// The value, to be sent to the service and nowhere else.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// The value, to be sent to the service and nowhere else.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[withheld]")
    }
}

/// Cleans words of a server before they are shown: it may echo what it was sent.
#[derive(Debug, Clone, Default)]
pub struct Redaction(Sensitive<Vec<String>>);

/// Shorter values than this are in every text: `a`, `1`, `de`.
const SHORTEST: usize = 3;
/// A run of as many base64 characters is taken for data, not for words.
const DATA: usize = 32;
/// More than this of a server's words is not shown.
const LONGEST: usize = 300;

impl Redaction {
    /// A tree without what is withheld, in keys and values.
    pub fn clean_tree(&self, tree: Value) -> Value {
        match tree {
            Value::String(text) => Value::String(self.clean(&text)),
            Value::Array(values) => values.into_iter().map(|value| self.clean_tree(value)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(key, value)| (self.clean(&key), self.clean_tree(value))).collect()
            }
            other => other,
        }
    }

    /// Withholds this value wherever it occurs.
    pub fn withhold(&mut self, value: &str) {
        if value.len() >= SHORTEST {
            let escaped = Value::from(value).to_string();
            let escaped = escaped.trim_matches('"').to_owned();
            self.0.0.extend([value.to_owned(), in_ascii(&escaped), escaped]);
            // The longest first: one value may be a part of another.
            self.0.0.sort_by_key(|value| std::cmp::Reverse(value.len()));
            self.0.0.dedup();
        }
    }

    /// A server's words without what was withheld, data or control characters, and not too many of them.
    pub fn clean(&self, words: &str) -> String {
        let mut text = words.to_owned();
        for value in self.0.expose() {
            text = text.replace(value.as_str(), "[withheld]");
        }
        let text: String = text.split_inclusive(|c| !is_data(c)).map(shown).collect();
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

/// JSON as many servers write it: `caf\u00e9`.
fn in_ascii(json: &str) -> String {
    let mut written = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            _ if c.is_ascii() => written.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| written.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    written
}

fn is_data(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '%')
}

fn shown(run: &str) -> String {
    let data = run.trim_end_matches(|c| !is_data(c));
    let uuid = data.len() == 36 && data.bytes().filter(|byte| *byte == b'-').count() == 4;
    if data.len() >= DATA && !uuid { format!("[withheld]{}", &run[data.len()..]) } else { run.to_owned() }
}
