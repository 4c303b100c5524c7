//! A picture of the stack, in the languages of those who draw it.

mod dot;
mod layers;
mod mermaid;
mod svg;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

use crate::outcome::Look;

/// Fill, line and text of a look, for those who cannot ask whether the reader's page is dark: each box has a ground of
/// its own, on which its text can be read.
fn colours(look: Look) -> (&'static str, &'static str, &'static str) {
    match look {
        Look::Wanted => ("#eef2f7", "#5b6b7f", "#16202c"),
        Look::Good => ("#e3f4e6", "#2f7d3b", "#10301a"),
        Look::Absent => ("#f4f4f4", "#8a8a8a", "#3c3c3c"),
        Look::Wrong => ("#fde5e0", "#b3321b", "#431007"),
        Look::Given => ("#fff6da", "#94700b", "#3b2c02"),
    }
}
