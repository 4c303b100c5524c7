//! The checks as one page.

use super::{Frame, Outcome};

pub fn html(_frame: &Frame, _outcome: &Outcome) -> String {
    String::new()
}
