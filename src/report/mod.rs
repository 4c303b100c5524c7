//! The only place that prints: the result on stdout, the story on stderr.

mod colour;
mod diagram;
mod html;
mod json;
mod junit;
mod load;
mod markdown;
mod mask;
mod policy;
mod progress;
mod schedule;
mod stacks;
mod status;
mod text;
mod watched;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::event::Event;
use crate::exit::Exit;
use crate::outcome::{Change, Frame, Outcome, Problem, meaning};
use crate::oz::Capture;
pub use diagram::{dot, mermaid, svg};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use mask::Mask;
use progress::Progress;
pub use progress::{ProgressForm, USUAL};
use watched::Watched;

/// Verbs whose last line is their result.
const LOOKS: [&str; 6] = ["plan", "preflight", "conform", "status", "verify", "diagnose"];

/// Who prints, and how.
pub struct Report {
    json: bool,
    progress: Progress,
    watched: Watched,
    /// Whether a person reads the result, who asked for no more than usual.
    is_brief: bool,
}

impl Report {
    /// Progress as bars at a terminal, as lines elsewhere, not at all when `quiet`.
    pub fn new(json: bool, quiet: bool) -> Report {
        Report { json, progress: Progress::new(quiet), watched: Watched::default(), is_brief: false }
    }

    /// The same with bars only if these may be.
    pub fn with_bars(mut self, may_be: bool) -> Report {
        if !may_be {
            self.progress.without_bars();
        }
        self
    }

    /// The same in brief at a terminal: what passed is counted where something else did not.
    pub fn in_brief(mut self, may_be: bool) -> Report {
        self.is_brief = may_be && std::io::stdout().is_terminal();
        self
    }

    /// The same with progress in this form, where time runs so many times as fast as on AWS.
    pub fn with_progress(mut self, form: ProgressForm, pace: f64) -> Report {
        self.progress.shown_as(form, pace);
        self
    }

    /// Whether the result is one JSON document.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Something happened.
    pub fn event(&self, event: Event) {
        self.progress.event(event);
    }

    /// For whoever calls it every few seconds: tells again what is under way when nothing was told for a minute.
    pub fn beat(&self) {
        self.progress.beat();
    }

    /// A look of `status --watch`.
    pub fn watched(&self, frame: &Frame, outcome: &Outcome, since: Duration) {
        self.watched.show(frame, outcome, since);
    }

    /// A line of the story.
    pub fn note(&self, text: &str) {
        self.progress.note(text);
    }

    /// What must not be missed, quiet or not.
    pub fn warn(&self, text: &str) {
        self.progress.warn(text);
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
        if !self.progress.is_json() {
            to_stderr(&text::problems(&outcome.problems));
        }
        let mut text = if self.json {
            format!("{}\n", json::envelope(frame, outcome))
        } else {
            text::result(frame, outcome, self.is_brief)
        };
        if frame.shows_steps && !self.json {
            text += &schedule::text(frame);
        }
        // A screen has said it.
        let is_said = outcome.overview.is_some() && !self.json;
        let said = text::summary(frame, outcome);
        let mut summary = if is_said || said.is_empty() { String::new() } else { format!("{said}\n") };
        // Who only looks has the answer on stdout; what was done is the story of a run.
        if !self.json && LOOKS.contains(&frame.command) && !outcome.exit.is_early() {
            text += &std::mem::take(&mut summary);
        }
        let written = to_stdout(&text);
        if self.progress.is_json() {
            let problems: Vec<String> =
                outcome.problems.iter().map(|one| problem_text(one).trim_end().into()).collect();
            self.progress.end(&problems, if said.is_empty() { meaning(outcome.outcome) } else { &said });
        } else {
            to_stderr(&summary);
        }
        judged(written)
    }

    /// The text that is a verb's whole result, or the document that carries it under `name`.
    ///
    /// # Errors
    /// It could not be written.
    pub fn text(&self, name: &str, text: &str) -> std::io::Result<Outcome> {
        let mut outcome = Outcome::new(Exit::Done, "unchanged", "");
        if self.json {
            outcome.outputs.insert(name.to_owned(), text.trim_end().to_owned());
        } else {
            self.line(text.trim_end())?;
        }
        Ok(outcome)
    }

    /// A line of a running service's own result, at once.
    ///
    /// # Errors
    /// It could not be written.
    pub fn line(&self, text: &str) -> std::io::Result<()> {
        judged(to_stdout(&format!("{text}\n")))
    }
}

/// Whether results are coloured, whatever stdout is: `--color`. Auto asks NO_COLOR, CLICOLOR_FORCE and the terminal.
pub fn colours(choice: clap::ColorChoice) {
    let choice = match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// A line of the story from beside a run, such as a call that was made.
pub fn told(line: &str) {
    to_stderr(&format!("{line}\n"));
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
    let mut stdout = anstream::AutoStream::auto(std::io::stdout().lock());
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

/// The JSON Schema of that document.
pub fn result_schema() -> serde_json::Value {
    json::schema()
}

/// The JSON Schema of a line of progress.
pub fn progress_schema() -> serde_json::Value {
    progress::schema()
}

/// How many columns stdout's terminal has; elsewhere no line is wrapped.
fn columns() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    size.map_or(usize::MAX, |(terminal_size::Width(columns), _)| columns.max(40).into())
}

/// What is told on the way is advisory: whoever does not read it changes nothing.
fn to_stderr(text: &str) {
    let _ = anstream::AutoStream::auto(std::io::stderr().lock()).write_all(text.as_bytes());
}

/// A plan as text: what `deploy plan` prints.
pub fn plan_text(changes: &[Change]) -> String {
    anstream::adapter::strip_str(&text::plan(changes)).to_string()
}

/// `status` as a terminal of this width shows it.
pub fn status_text(frame: &Frame, outcome: &Outcome, width: usize) -> String {
    outcome.overview.as_ref().map_or_else(String::new, |overview| status::screen(frame, outcome, overview, width))
}

/// A problem as a person reads it: one line, then the cause and what to do.
pub fn problem_text(problem: &Problem) -> String {
    anstream::adapter::strip_str(&text::problem(problem)).to_string()
}
