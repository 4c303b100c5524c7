//! The only place that prints: the result on stdout, the story on stderr.

mod html;
mod json;
mod junit;
mod progress;
mod schedule;
mod stacks;
mod text;

use std::io::Write;

use crate::event::Event;
use crate::outcome::{Change, Frame, Outcome, Problem};
use crate::oz::Capture;
pub use html::html;
pub use junit::junit;
use progress::Progress;

/// Who prints, and how.
pub struct Report {
    json: bool,
    progress: Progress,
}

impl Report {
    /// Progress as bars at a terminal, as lines elsewhere, not at all when `quiet`.
    pub fn new(json: bool, quiet: bool) -> Report {
        Report { json, progress: Progress::new(quiet) }
    }

    /// Something happened.
    pub fn event(&self, event: Event) {
        self.progress.event(event);
    }

    /// For whoever calls it every few seconds: tells again what is under way when nothing was told for a minute.
    pub fn beat(&self) {
        self.progress.beat();
    }

    /// A line of the story.
    pub fn note(&self, text: &str) {
        self.progress.note(text);
    }

    /// What must not be missed, quiet or not.
    pub fn warn(&self, text: &str) {
        self.progress.note_always(&format!("warning: {text}"));
    }

    /// Says what of a capture will be sent, and warns of what is missing.
    pub fn say_capture(&self, capture: &Capture, skips_first: bool) {
        let first = if skips_first { "left out" } else { "included" };
        self.note(&format!("{} frames as {}, the first one {first}", capture.frames, capture.tag));
        if let Some(order) = &capture.order {
            self.warn(order);
        }
        if capture.additional_info.is_none() {
            self.warn(&format!(
                "the capture has no additional_info: the service needs it in the capture architecture and may decline \
                 for its lack; {} FILE adds it",
                crate::flags::ADDITIONAL_INFO
            ));
        }
    }

    /// A question on stderr, for an answer on stdin.
    pub fn ask(&self, question: &str) {
        to_stderr(question);
    }

    /// The result, once, at the end.
    ///
    /// # Errors
    /// It could not be written.
    pub fn result(&self, frame: &Frame, outcome: &Outcome) -> std::io::Result<()> {
        self.progress.finish();
        for problem in &outcome.problems {
            to_stderr(&text::problem(problem));
        }
        let text = if self.json { format!("{}\n", json::envelope(frame, outcome)) } else { text::result(outcome) };
        let text = if frame.shows_steps && !self.json { text + &schedule::text(frame) } else { text };
        let written = to_stdout(&text);
        if !outcome.summary.is_empty() {
            to_stderr(&format!("{}\n", outcome.summary));
        }
        judged(written)
    }

    /// A line of a running service's own result, at once.
    ///
    /// # Errors
    /// It could not be written.
    pub fn line(&self, text: &str) -> std::io::Result<()> {
        judged(to_stdout(&format!("{text}\n")))
    }
}

/// What the command line's parser has to say: help is a result, a refusal belongs to the story.
///
/// # Errors
/// It is a result, and could not be written.
pub fn parsed(said: &clap::Error) -> std::io::Result<()> {
    let printed = said.print();
    if said.use_stderr() { Ok(()) } else { judged(printed) }
}

fn to_stdout(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}

/// Who closes the pipe has read enough: that is no error, and the run's own exit code stays. A full disk is one.
fn judged(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            to_stderr(&format!("error: the result could not be written to stdout: {error}\n"));
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

/// The document of `--json`.
pub fn envelope(frame: &Frame, outcome: &Outcome) -> serde_json::Value {
    json::envelope(frame, outcome)
}

/// What is told on the way is advisory: whoever does not read it changes nothing.
fn to_stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A plan as text: what `deploy plan` prints.
pub fn plan_text(changes: &[Change]) -> String {
    text::plan(changes)
}

/// A problem as a person reads it: one line, then the cause and what to do.
pub fn problem_text(problem: &Problem) -> String {
    text::problem(problem)
}
