//! Something that is wrong, and what to do about it.

use schemars::JsonSchema;
use serde::Serialize;

/// Something wrong, with its cure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// Which resource, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Where in a file it is.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub at: Option<Box<At>>,
    /// Why it is so, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// A place in a file, with the words there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct At {
    /// As the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The key on that line, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The line itself, for people.
    #[serde(skip)]
    pub source: String,
}

impl At {
    /// How many characters of the line are meant: the word or the quoted text that begins there.
    pub fn width(&self) -> usize {
        let rest: Vec<char> = self.source.chars().skip(self.column.saturating_sub(1)).collect();
        match rest.first() {
            Some(quote @ ('"' | '\'')) => rest[1..].iter().position(|c| c == quote).map_or(1, |end| end + 2),
            _ => rest.iter().position(|c| c.is_whitespace() || ":,]}#".contains(*c)).unwrap_or(rest.len()).max(1),
        }
    }
}

impl Problem {
    /// A problem of no resource, with its cure.
    pub fn new(message: impl Into<String>, cure: impl Into<String>) -> Problem {
        Problem { cure: Some(cure.into()), ..Problem::bare(message) }
    }

    /// A problem that says all there is to say.
    pub fn bare(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), ..Problem::default() }
    }

    /// The same about this resource.
    pub fn of(self, resource: impl Into<String>) -> Problem {
        Problem { resource: Some(resource.into()), ..self }
    }

    /// The same with its cause.
    pub fn because(self, cause: impl Into<String>) -> Problem {
        Problem { cause: Some(cause.into()), ..self }
    }
}
