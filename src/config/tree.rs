//! YAML text as a tree in which every key and value knows its place.
//!
//! No crate has this tree (looked at in November 2026). `yaml_serde` and `serde-saphyr` 2.2 stop at the first error,
//! as serde does, where every mistake is to be reported at once. `MarkedYaml` of `saphyr` 0.3 has places, but a key
//! given twice either ends the reading, without the place of the first, or replaces the first in silence; and aliases
//! become copies of what they name, so that they cannot be refused. The YAML itself is read by saphyr's own parser,
//! `saphyr-parser`.

use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::mistake::{Findings, Mistake, Place, shown};

/// Levels of nesting. A deploy.yaml has three; what has more than this is another file, and recursion needs a bound.
const DEEPEST: usize = 32;

/// A deploy.yaml has a hundred lines; what is longer than this is another file.
const LONGEST_BYTES: usize = 1 << 20;

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// Scalars stay as written, because what they mean depends on what is expected: `404`, `1.10`.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Any single value.
    Scalar {
        /// As written, without its quotes.
        text: String,
        /// Without quotes.
        plain: bool,
    },
    /// `[a, b]`, or one line with a `-` for each.
    List(Vec<Node>),
    /// Keys in the order of the file; each occurs once.
    Map(Vec<(Key, Node)>),
    /// Something whose mistake was reported already.
    Refused,
}

/// A key and its place.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Without its quotes.
    pub text: String,
    /// Where it begins.
    pub place: Place,
}

/// What a scalar is by YAML 1.2. What YAML 1.1 reads otherwise is a text here: `010`, `yes`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Whole or not; its digits stay as written.
    Number,
    /// Everything else, and whatever is in quotes.
    Text,
}

impl Node {
    /// A mapping without keys.
    pub fn empty(place: Place) -> Node {
        Node { place, value: Value::Map(Vec::new()) }
    }

    /// The kind of a scalar; of anything else, `None`.
    pub fn kind(&self) -> Option<Kind> {
        match &self.value {
            Value::Scalar { text, plain: true } => Some(kind(text)),
            Value::Scalar { plain: false, .. } => Some(Kind::Text),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub fn found(&self) -> String {
        match (&self.value, self.kind()) {
            (Value::List(_), _) => "a list".to_owned(),
            (Value::Map(_), _) => "a mapping".to_owned(),
            (Value::Scalar { text, .. }, Some(Kind::Text)) => format!("the text {:?}", shown(text)),
            (Value::Scalar { text, .. }, Some(Kind::Number)) => format!("the number {}", shown(text)),
            (Value::Scalar { text, .. }, Some(Kind::Bool(_))) => text.clone(),
            _ => "nothing".to_owned(),
        }
    }

    /// Puts `value` at `path` in place of what is there, and makes the mappings above it.
    pub fn set(&mut self, path: &[&str], value: Node) {
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self.value, Value::Map(_)) {
            *self = Node::empty(value.place.clone());
        }
        let Value::Map(entries) = &mut self.value else {
            return;
        };
        let at = entries.iter().position(|(key, _)| key.text == *first).unwrap_or_else(|| {
            let key = Key { text: (*first).to_owned(), place: value.place.clone() };
            entries.push((key, Node::empty(value.place.clone())));
            entries.len() - 1
        });
        entries[at].1.set(rest, value);
    }
}

fn kind(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        // Rust reads words such as `inf` as numbers too.
        _ if text.contains(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok() && !has_leading_zero(text) => {
            Kind::Number
        }
        _ => Kind::Text,
    }
}

/// `010` is eight in YAML 1.1 and ten in 1.2.
fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit()
}

/// The tree of a whole file; an empty one is a mistake.
///
/// # Errors
/// A mistake after which nothing can be read: of syntax, mostly.
pub(super) fn parse(text: &str, file: &str, findings: &mut Findings) -> Result<Node, Mistake> {
    let file: Arc<str> = file.into();
    let whole = |what: &str, cure: &str| {
        Err(Mistake { place: Place::Whole(file.clone()), what: what.to_owned(), cure: cure.to_owned() })
    };
    if text.len() > LONGEST_BYTES {
        return whole("the file is longer than 1 MiB", &format!("name a deploy.yaml with {}", crate::flags::CONFIG));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let at = |line, column| Place::File { file: file.clone(), line, column };
    match Builder::new(text, &at, findings).document()? {
        Some(node) => Ok(node),
        None => whole("the file is empty", "begin with network:, its vpc and its private_subnets"),
    }
}

/// The tree of an override's value. Only lists, mappings and quoted texts are YAML there; the rest is taken as it is,
/// so that `dns.record=@` and `dns.record=` need no quotes within quotes.
///
/// # Errors
/// A mistake of syntax.
pub(super) fn parse_override(text: &str, place: &Place, findings: &mut Findings) -> Result<Node, Mistake> {
    if text.starts_with(['[', '{', '"', '\'']) {
        let at = |_, _| place.clone();
        return Ok(Builder::new(text, &at, findings).document()?.unwrap_or_else(|| Node::empty(place.clone())));
    }
    let text = text.trim();
    Ok(Node { place: place.clone(), value: Value::Scalar { text: text.to_owned(), plain: !text.is_empty() } })
}

/// Makes the tree out of the parser's events.
struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    /// The place of a line and column.
    at: &'a dyn Fn(usize, usize) -> Place,
    findings: &'a mut Findings,
}

type Spanned<'a> = (Event<'a>, Span);

impl<'a> Builder<'a> {
    fn new(text: &'a str, at: &'a dyn Fn(usize, usize) -> Place, findings: &'a mut Findings) -> Builder<'a> {
        Builder { events: Parser::new_from_str(text), at, findings }
    }

    /// The only document, if there is one.
    fn document(&mut self) -> Result<Option<Node>, Mistake> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    let cure = "keep one document, without `---` in between";
                    return Err(self.mistake(&span, "a second document begins here", cure));
                }
                Event::DocumentStart(_) => {
                    let first = self.next()?;
                    root = Some(self.node(first, 0)?);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Spanned<'a>, Mistake> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, (event, span): Spanned<'a>, depth: usize) -> Result<Node, Mistake> {
        if depth > DEEPEST {
            return Err(self.mistake(&span, format!("nested more than {DEEPEST} deep"), "see deploy.yaml.example"));
        }
        let place = self.place(&span);
        let value = match event {
            Event::Scalar(text, style, _, None) => {
                Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(_, None) => Value::List(self.list(depth)?),
            Event::MappingStart(_, None) => Value::Map(self.map(depth)?),
            Event::Alias(_) => self.refused(&place, "aliases (`*name`) are not read here", "write the value out"),
            Event::Scalar(_, _, _, Some(tag)) => {
                let what = format!("the tag `{}` is not read here", shown(&tag.suffix));
                self.refused(&place, &what, "remove it; quotes make a text of a number")
            }
            // The parser's events of what a tag was written before are still to come.
            Event::SequenceStart(..) => {
                self.list(depth)?;
                self.refused_tag(&place)
            }
            Event::MappingStart(..) => {
                self.map(depth)?;
                self.refused_tag(&place)
            }
            _ => Value::Refused,
        };
        Ok(Node { place, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Mistake> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(items),
                item => items.push(self.node(item, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Mistake> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(entries),
                key => self.node(key, depth + 1)?,
            };
            let value = self.next()?;
            // A value that is left out has no width: its mistake is reported at its key.
            let unseen = value.1.is_empty() && matches!(value.0, Event::Scalar(..));
            let mut value = self.node(value, depth + 1)?;
            if unseen {
                value.place = key.place.clone();
            }
            let Some(key) = self.key(key) else { continue };
            match entries.iter().position(|(other, _)| other.text == key.text) {
                Some(first) => self.twice(&entries[first].0, key),
                None => entries.push((key, value)),
            }
        }
    }

    fn key(&mut self, node: Node) -> Option<Key> {
        match node.value {
            Value::Scalar { text, plain: true } if text == "<<" => {
                self.findings.add(node.place, "merge keys (`<<`) are not read here", "write the keys out");
                None
            }
            Value::Scalar { text, .. } => Some(Key { text, place: node.place }),
            Value::Refused => None,
            Value::List(_) | Value::Map(_) => {
                let what = format!("a key must be a word, found {}", node.found());
                self.findings.add(node.place, what, "see deploy.yaml.example");
                None
            }
        }
    }

    fn twice(&mut self, first: &Key, second: Key) {
        let what = format!("`{}` is given twice, first at {}", shown(&second.text), first.place);
        self.findings.add(second.place, what, "keep one of them");
    }

    fn refused_tag(&mut self, place: &Place) -> Value {
        self.refused(place, "tags (`!name`) are not read here", "remove it")
    }

    fn refused(&mut self, place: &Place, what: &str, cure: &str) -> Value {
        self.findings.add(place.clone(), what, cure);
        Value::Refused
    }

    fn place(&self, span: &Span) -> Place {
        (self.at)(span.start.line(), span.start.col() + 1)
    }

    fn mistake(&self, span: &Span, what: impl Into<String>, cure: &str) -> Mistake {
        Mistake { place: self.place(span), what: what.into(), cure: cure.to_owned() }
    }

    fn syntax(&self, error: &ScanError) -> Mistake {
        let what = format!("not YAML: {}", shown(error.info()));
        let cure = if error.info().contains("tab") {
            "indent with spaces"
        } else {
            "look at the quotes, brackets and indentation here and on the line before"
        };
        Mistake { place: (self.at)(error.marker().line(), error.marker().col() + 1), what, cure: cure.to_owned() }
    }
}
