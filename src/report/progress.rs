//! What happens, on stderr: a spinner for each resource at a terminal, one line for each change of state elsewhere.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::event::{Event, What};

/// Shows events.
pub struct Progress {
    quiet: bool,
    bars: Option<MultiProgress>,
    running: RefCell<BTreeMap<&'static str, Running>>,
}

struct Running {
    since: Instant,
    last: String,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Bars only at a terminal that can show them.
    pub fn new(quiet: bool) -> Progress {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let terminal = std::io::stderr().is_terminal() && !dumb;
        Progress { quiet, bars: (terminal && !quiet).then(MultiProgress::new), running: RefCell::default() }
    }

    /// A line of the story.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.note_always(text);
        }
    }

    /// A line that is told to the quiet too.
    pub fn note_always(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Something happened.
    pub fn event(&self, event: Event) {
        let Event { key, name, what } = event;
        match what {
            What::Started(verb) => self.state(key, &name, doing(verb)),
            What::Waiting(why) => self.state(key, &name, &why),
            What::Finished(verb) => self.ended(key, &name, done(verb)),
            What::Warned(words) => self.note(&format!("{key} {name}: AWS warns: {words}")),
            What::Failed(why) => self.ended(key, &name, &format!("failed: {why}")),
            What::Skipped(because) => self.note(&format!("{key} {name}: skipped, {because} failed")),
        }
    }

    /// Clears what is left on the screen.
    pub fn finish(&self) {
        self.running.borrow_mut().clear();
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }

    fn state(&self, key: &'static str, name: &str, state: &str) {
        let mut running = self.running.borrow_mut();
        let one = running.entry(key).or_insert_with(|| Running {
            since: Instant::now(),
            last: String::new(),
            bar: self.bars.as_ref().map(|bars| bars.add(spinner())),
        });
        if one.last == state {
            return;
        }
        state.clone_into(&mut one.last);
        match &one.bar {
            Some(bar) => bar.set_message(format!("{key} {name}: {state}")),
            None => self.note(&format!("{key} {name}: {state}")),
        }
    }

    fn ended(&self, key: &'static str, name: &str, how: &str) {
        let one = self.running.borrow_mut().remove(key);
        let took = one.as_ref().map(|one| one.since.elapsed()).unwrap_or_default();
        if let Some(bar) = one.and_then(|one| one.bar) {
            bar.finish_and_clear();
        }
        self.note(&format!("{key} {name}: {how} [{:.1}s]", took.as_secs_f64()));
    }
}

fn spinner() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}").unwrap_or(ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn doing(verb: &str) -> &'static str {
    match verb {
        "create" => "creating",
        "adopt" => "adopting",
        "delete" => "deleting",
        "replace" => "replacing",
        "wait" => "waiting",
        _ => "updating",
    }
}

fn done(verb: &'static str) -> &'static str {
    match verb {
        "create" => "created",
        "adopt" => "adopted",
        "delete" => "deleted",
        "replace" => "replaced",
        "update" => "updated",
        other => other,
    }
}
