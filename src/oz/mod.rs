//! The client of the Oz service, as a backend would call it: version, liveness, biometry (guide, "Validating Your
//! Client's Liveness" and "Comparing Your Client's Face with Reference Photo").

mod base;
pub mod capture;
mod connection;
mod exchange;
mod file;
mod form;
mod many;
mod meta;
mod payload;
pub mod picture;
pub mod sensitive;
mod service;
mod status;
mod transport;
mod trust;
mod verdict;
mod web;

pub use base::{BaseUrl, Token, Tunnel};
pub use capture::{Capture, CaptureOverrides, Frames};
pub use connection::{NoAnswer, Stage};
pub use exchange::Answer;
pub use many::Many;
pub use meta::Meta;
pub use picture::Picture;
pub use sensitive::{Redaction, Sensitive};
pub use service::{Packed, Service};
pub use transport::{ANALYSES, Network, NoVersion, Transport, VERSION, ask_version, get};
pub use trust::certificates;
pub use verdict::judge;
pub use web::Web;

use crate::outcome::{Failed, Outcome, Problem};

/// Input that is refused before any call: what is wrong, and the cure. Without a byte of what is sensitive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refused {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub cure: String,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        Problem::new(refused.what, refused.cure)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Failed {
        Outcome::refused(refused).into()
    }
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
