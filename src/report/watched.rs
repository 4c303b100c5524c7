//! `status --watch`: one screen that is drawn anew, or a line for each change.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::time::Duration;

use super::{status, text, to_stdout};
use crate::outcome::{Frame, Outcome};
use crate::text::times::took;

/// What was shown last.
#[derive(Default)]
pub struct Watched {
    line: RefCell<String>,
}

impl Watched {
    /// Shows a look. Whoever closes the pipe has read enough: the next signal ends the run.
    pub fn show(&self, frame: &Frame, outcome: &Outcome, since: Duration) {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if std::io::stdout().is_terminal() && !is_dumb {
            let problems: String = outcome.problems.iter().map(text::problem).collect();
            let screen = format!("{}{problems}", text::result(frame, outcome, true)).replace('\n', "\x1b[K\n");
            let _ = to_stdout(&format!("\x1b[H{screen}\x1b[J"));
            return;
        }
        let line = match &outcome.overview {
            Some(overview) if outcome.outcome == "standing" => status::line(overview),
            _ => outcome.problems.first().map_or(&outcome.summary, |problem| &problem.message).clone(),
        };
        if self.line.replace(line.clone()) != line {
            let _ = to_stdout(&format!("+{} {line}\n", took(since.as_secs_f64())));
        }
    }
}
