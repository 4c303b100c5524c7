//! deploy.yaml.example: what each key means, and how a deploy.yaml is written that says only what differs from it.
//!
//! It is the only place where a key's meaning stands in words: editors read it through the schema.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The file itself.
pub const EXAMPLE: &str = include_str!("../../deploy.yaml.example");

/// What a line of it is.
enum Line {
    /// A key, its value, which is empty for a mapping or a list below it, and what it means.
    Key { path: String, value: &'static str, comment: &'static str },
    /// An item of the list before it.
    Item { value: &'static str },
    /// An empty line, or words about the whole file.
    Other,
}

/// A value of a deploy.yaml that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, put in quotes where YAML would read something else.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// Texts, each with what is known of it.
    List(Vec<(String, String)>),
}

/// What a deploy.yaml is to say.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// By path, `network.vpc`. All other keys become comments with their defaults.
    pub values: BTreeMap<&'static str, Value>,
    /// What is to be known of a key, above it.
    pub notes: BTreeMap<&'static str, Vec<String>>,
}

impl Filled {
    /// Notes something above a key.
    pub fn note(&mut self, path: &'static str, note: impl Into<String>) {
        self.notes.entry(path).or_default().push(note.into());
    }

    /// Leaves the example's own value at a key that has no default.
    pub fn placeholder(&mut self, path: &'static str) {
        let mut lines = lines().into_iter().skip_while(|(_, line)| !is_key(line, path)).map(|(_, line)| line);
        let Some(Line::Key { value, .. }) = lines.next() else { return };
        let items = lines.map_while(|line| match line {
            Line::Item { value } => Some((value.to_owned(), String::new())),
            _ => None,
        });
        let value = if value.is_empty() { Value::List(items.collect()) } else { Value::Text(value.to_owned()) };
        self.values.insert(path, value);
    }

    /// The whole file, below these words about it.
    pub fn render(&self, about: &[String]) -> String {
        let mut text = String::new();
        // How editors know it, as in the example.
        let head = EXAMPLE.lines().take_while(|line| *line != "#");
        for line in head.map(str::to_owned).chain(about.iter().chain(&closing()).map(|line| format!("# {line}"))) {
            text += &format!("{line}\n");
        }
        let body = lines().into_iter().skip_while(|(_, line)| !matches!(line, Line::Key { .. }));
        // An item belongs to the key before it: written with its value, or a comment like it.
        let mut items_are = Items::Comments;
        text.push('\n');
        for (written, line) in body {
            match &line {
                Line::Other => text += &format!("{written}\n"),
                Line::Item { .. } => match items_are {
                    Items::Left => {}
                    Items::Comments => text += &format!("# {written}\n"),
                },
                Line::Key { path, comment, .. } => {
                    items_are = self.key(&mut text, written, path, comment);
                }
            }
        }
        text
    }

    fn key(&self, text: &mut String, written: &str, path: &str, comment: &str) -> Items {
        let bare = written.trim_start();
        let indent = &written[..written.len() - bare.len()];
        // A comment without its mark is the line as it would be: beside what is said, or with all of its section.
        let (outer, inner) = if self.has_beside(path) { (indent, "") } else { ("", indent) };
        for note in self.notes.get(path).into_iter().flatten() {
            let mark = if inner.is_empty() { "" } else { "# " };
            let _ = writeln!(text, "{outer}{mark}{inner}# {note}");
        }
        let name = path.rsplit('.').next().unwrap_or_default();
        let meant = |start: String| {
            if comment.is_empty() { start } else { format!("{start:COMMENT_COLUMN$}  # {comment}") }
        };
        let head = |value: &str| meant(format!("{indent}{name}:{value}"));
        match self.values.get(path) {
            Some(Value::List(items)) => {
                let _ = writeln!(text, "{}", head(""));
                for (item, known) in items {
                    let start = format!("{indent}  - {}", scalar(item));
                    let known = if known.is_empty() { String::new() } else { format!("  # {known}") };
                    let _ = writeln!(text, "{}", format!("{start:COMMENT_COLUMN$}{known}").trim_end());
                }
                return Items::Left;
            }
            Some(Value::Text(value)) => text.push_str(&head(&format!(" {}", scalar(value)))),
            Some(Value::Flag(flag)) => text.push_str(&head(&format!(" {flag}"))),
            None if self.has_below(path) => text.push_str(written),
            None => {
                let code = bare.split_once(" #").map_or(bare, |(code, _)| code.trim_end());
                text.push_str(&meant(format!("{outer}# {inner}{code}")));
            }
        }
        text.push('\n');
        Items::Comments
    }

    fn has_below(&self, path: &str) -> bool {
        self.values.keys().any(|one| one.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    fn has_beside(&self, path: &str) -> bool {
        path.rsplit_once('.').is_none_or(|(above, _)| self.has_below(above))
    }
}

/// The last words above a file.
fn closing() -> [String; 1] {
    ["What is commented out is the default: take away the mark, and that of its section, to change it.".to_owned()]
}

/// What becomes of the example's own items of a list.
enum Items {
    Left,
    Comments,
}

/// Where the example's comments begin.
const COMMENT_COLUMN: usize = 34;

/// The lines of the example, each with what it is.
fn lines() -> Vec<(&'static str, Line)> {
    let mut above: Vec<&str> = Vec::new();
    let line = |written: &'static str| {
        let bare = written.trim_start();
        let depth = (written.len() - bare.len()) / 2;
        let (code, comment) = bare.split_once(" #").unwrap_or((bare, ""));
        let (code, comment) = (code.trim_end(), comment.trim());
        if let Some(value) = bare.strip_prefix("- ") {
            return (written, Line::Item { value });
        }
        match code.split_once(':') {
            Some((key, value)) if !code.starts_with('#') => {
                above.truncate(depth);
                above.push(key);
                (written, Line::Key { path: above.join("."), value: value.trim(), comment })
            }
            _ => (written, Line::Other),
        }
    };
    EXAMPLE.lines().map(line).collect()
}

fn is_key(line: &Line, wanted: &str) -> bool {
    matches!(line, Line::Key { path, .. } if path == wanted)
}

/// What each key means, by path.
pub(super) fn meanings() -> BTreeMap<String, &'static str> {
    let meaning = |(_, line)| match line {
        Line::Key { path, comment, .. } if !comment.is_empty() => Some((path, comment)),
        _ => None,
    };
    lines().into_iter().filter_map(meaning).collect()
}

/// A text as YAML reads it as one.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let starts_as_word = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_plain = starts_as_word
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/:-".contains(c))
        && !text.ends_with(':')
        && !WORDS.contains(&text.to_lowercase().as_str());
    // A JSON string is a YAML one.
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_example_says_what_it_means() {
        let keys = lines().into_iter().filter_map(|(written, line)| match line {
            Line::Key { comment: "", .. } => Some(written),
            _ => None,
        });
        assert_eq!(keys.collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn nothing_filled_is_a_file_of_comments_and_everything_is_the_example() {
        let text = Filled::default().render(&[]);
        let is_comment = |line: &str| line.is_empty() || line.starts_with('#');
        assert!(text.lines().all(is_comment), "{text}");
        let mut filled = Filled::default();
        for path in ["network.vpc", "network.private_subnets", "dns.zone"] {
            filled.placeholder(path);
        }
        let text = filled.render(&[]);
        let config = super::super::parse(&text, "deploy.yaml", &[]).unwrap();
        let example = super::super::parse(EXAMPLE, "deploy.yaml", &[]).unwrap();
        assert_eq!(super::super::Config { region: None, ..example }, config, "{text}");
    }

    #[test]
    fn a_comment_without_its_mark_is_the_line() {
        let mut filled = Filled::default();
        for path in ["network.vpc", "network.private_subnets", "dns.zone"] {
            filled.placeholder(path);
        }
        filled.note("instance.image", "a note");
        let text = filled.render(&[]);
        let body = text.split_once("\n\n").unwrap().1;
        let mut whole = String::new();
        for line in body.lines() {
            let bare = line.trim_start();
            let indent = &line[..line.len() - bare.len()];
            whole += &format!("{indent}{}\n", bare.strip_prefix("# ").unwrap_or(bare));
        }
        let whole = super::super::parse(&whole, "deploy.yaml", &[]).unwrap();
        assert_eq!(whole, super::super::parse(EXAMPLE, "deploy.yaml", &[]).unwrap());
    }

    #[test]
    fn a_text_stays_one() {
        for (text, written) in [
            ("vpc-0123", "vpc-0123"),
            ("arn:aws:acm:eu-central-1:1:certificate/a", "arn:aws:acm:eu-central-1:1:certificate/a"),
            ("123456789012", "\"123456789012\""),
            ("no", "\"no\""),
            ("@", "\"@\""),
            ("a: b", "\"a: b\""),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }
}
