//! Something that is wrong, and what to do about it.

use serde::Serialize;

/// Something wrong, with its cure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Problem {
    /// Which resource, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Why it is so, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
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
