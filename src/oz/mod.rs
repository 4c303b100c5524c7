//! The client of the Oz service, as a backend would call it: version, liveness, biometry (guide, "Validating Your
//! Client's Liveness" and "Comparing Your Client's Face with Reference Photo").

mod base;
pub mod capture;
mod payload;
pub mod picture;
pub mod sensitive;
mod service;
mod verdict;
mod web;

pub use base::{BaseUrl, Token};
pub use capture::Capture;
pub use picture::Picture;
pub use sensitive::{Redaction, Sensitive};
pub use service::{Answered, Late, Service, Version};
pub use verdict::{Analysis, Decision, Level, Verdict};
pub use web::{Web, why};

/// Input that is refused before any call: what is wrong, and the cure. Without a byte of what is sensitive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refused {
    pub what: String,
    pub cure: String,
}

impl Refused {
    /// Refuses.
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Refused {
        Refused { what: what.into(), cure: cure.into() }
    }

    /// The same with its place.
    pub fn at(self, place: &str) -> Refused {
        Refused { what: format!("{place}: {}", self.what), ..self }
    }
}
