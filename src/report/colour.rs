//! The colours of results. They repeat what the words say, and are taken out where nobody sees them.

use anstyle::{AnsiColor, Style};

use crate::outcome::{Action, Conformity, Status};

const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();
const PLAIN: Style = Style::new();

/// Words in a style; padding belongs into the words, since the codes have a length too.
pub fn painted(style: Style, words: &str) -> String {
    if style == PLAIN { words.to_owned() } else { format!("{style}{words}{style:#}") }
}

/// Of a line of a plan.
pub fn of_action(action: Action) -> Style {
    match action {
        Action::Create => GREEN,
        Action::Update | Action::Adopt => YELLOW,
        Action::Replace | Action::Delete | Action::Foreign => RED,
        Action::Wait => PLAIN,
    }
}

/// Of a check.
pub fn of_status(status: Status) -> Style {
    match status {
        Status::Pass => GREEN,
        Status::Warn => YELLOW,
        Status::Fail => RED,
        Status::Skip | Status::Unknown => PLAIN,
    }
}

/// Of a setting of the guide.
pub fn of_conformity(conformity: Conformity) -> Style {
    match conformity {
        Conformity::Equal => GREEN,
        Conformity::Chosen | Conformity::Decided => PLAIN,
        Conformity::Differs | Conformity::Absent => RED,
    }
}

/// Of the word `error`, and of carets.
pub fn of_error() -> Style {
    RED.bold()
}
