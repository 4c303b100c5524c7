//! What happens, on stderr: a spinner for each resource at a terminal, one line for each change of state elsewhere.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::to_stderr;
use crate::event::{Event, What};
use crate::outcome::few;

/// After so long without a word, the last state is told again: pipelines end what is silent.
pub const HEARTBEAT: Duration = Duration::from_secs(60);

/// Shows events.
pub struct Progress {
    quiet: bool,
    start: Instant,
    /// When something was told last.
    told: Cell<Instant>,
    bars: Option<MultiProgress>,
    running: RefCell<BTreeMap<&'static str, Running>>,
    /// How many resources and waits have come to their end.
    done: Cell<usize>,
    /// The last of the bars.
    total: RefCell<Option<ProgressBar>>,
}

struct Running {
    since: Instant,
    last: String,
    /// As it was told.
    line: String,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Bars only at a terminal that can show them.
    pub fn new(quiet: bool) -> Progress {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        // A pipeline's log keeps every frame of a bar.
        let pipeline = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        let terminal = std::io::stderr().is_terminal() && !dumb && !pipeline;
        let (start, bars) = (Instant::now(), (terminal && !quiet).then(MultiProgress::new));
        let (running, total) = (RefCell::default(), RefCell::default());
        Progress { quiet, start, told: Cell::new(start), bars, running, done: Cell::new(0), total }
    }

    /// Lines in place of bars.
    pub fn without_bars(&mut self) {
        self.bars = None;
    }

    /// A line of the story.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.note_always(text);
        }
    }

    /// Tells again what is under way, when nothing was told for a while. At a terminal the bars show it.
    pub fn beat(&self) {
        if let Some(text) = self.due() {
            self.note(&text);
        }
    }

    fn due(&self) -> Option<String> {
        if self.bars.is_some() || self.told.get().elapsed() < HEARTBEAT {
            return None;
        }
        let took = |since: Instant| format!("[{}]", minutes(since.elapsed()));
        let running: Vec<String> =
            self.running.borrow().values().map(|one| format!("{} {}", one.line, took(one.since))).collect();
        if running.is_empty() {
            return Some(format!("still at work {}", took(self.start)));
        }
        Some(few(&running, "; "))
    }

    /// A line that is told to the quiet too.
    pub fn note_always(&self, text: &str) {
        self.told.set(Instant::now());
        match &self.bars {
            // Not `suspend`: that panics when the terminal has gone away.
            Some(bars) => drop(bars.println(text)),
            None => to_stderr(&format!("{text}\n")),
        }
    }

    /// Something happened.
    pub fn event(&self, event: Event) {
        let Event { key, name, what } = event;
        match what {
            What::Turn(_) => {}
            What::Started(verb) => self.state(key, &name, doing(verb)),
            What::Waiting(why) => self.state(key, &name, &why),
            What::Finished(verb) => self.ended(key, &name, done(verb)),
            What::Warned(words) => self.note(&format!("{key} {name}: AWS warns: {words}")),
            What::Failed(why) => self.ended(key, &name, &format!("failed: {why}")),
            What::Skipped(because) => self.note(&format!("{key} {name}: skipped, {because} failed")),
        }
    }

    /// A bar above the line of totals. It ticks when it has its place: before, it would draw beside the others.
    fn spinner(&self, bars: &MultiProgress) -> ProgressBar {
        let mut total = self.total.borrow_mut();
        let total = total.get_or_insert_with(|| {
            let total = bars.add(spinner());
            total.enable_steady_tick(TICK);
            total
        });
        let bar = bars.insert_before(total, spinner());
        bar.enable_steady_tick(TICK);
        bar
    }

    /// How far everything is, below the bars.
    fn count(&self) {
        if let Some(total) = self.total.borrow().as_ref() {
            let (done, running) = (self.done.get(), self.running.borrow().len());
            total.set_message(format!("{done} done, {running} under way; ^C ends it after the calls in flight"));
        }
    }

    /// Clears what is left on the screen.
    pub fn finish(&self) {
        self.running.borrow_mut().clear();
        self.total.borrow_mut().take();
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }

    fn state(&self, key: &'static str, name: &str, state: &str) {
        let mut running = self.running.borrow_mut();
        let one = running.entry(key).or_insert_with(|| Running {
            since: Instant::now(),
            last: String::new(),
            line: String::new(),
            bar: self.bars.as_ref().map(|bars| self.spinner(bars)),
        });
        if one.last == state {
            return;
        }
        state.clone_into(&mut one.last);
        one.line = format!("{key} {name}: {state}");
        match &one.bar {
            Some(bar) => bar.set_message(one.line.clone()),
            None => self.note(&one.line),
        }
        drop(running);
        self.count();
    }

    fn ended(&self, key: &'static str, name: &str, how: &str) {
        let one = self.running.borrow_mut().remove(key);
        let took = one.as_ref().map(|one| one.since.elapsed()).unwrap_or_default();
        if let Some(bar) = one.and_then(|one| one.bar) {
            bar.finish_and_clear();
        }
        self.done.set(self.done.get() + 1);
        self.count();
        self.note(&format!("{key} {name}: {how} [{:.1}s]", took.as_secs_f64()));
    }
}

/// `3m05s`
fn minutes(time: Duration) -> String {
    format!("{}m{:02}s", time.as_secs() / 60, time.as_secs() % 60)
}

fn spinner() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}").unwrap_or(ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

/// How often a bar moves.
const TICK: Duration = Duration::from_millis(120);

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::elapse;

    #[tokio::test(start_paused = true)]
    async fn the_last_state_is_told_again_after_a_minute_of_silence() {
        let progress = Progress { bars: None, ..Progress::new(true) };
        let waiting = |why: &str| {
            let what = What::Waiting(why.to_owned());
            progress.event(Event { key: "target_health", name: "app-tg".to_owned(), what });
        };
        elapse(Duration::from_secs(59)).await;
        assert_eq!(progress.due(), None);
        elapse(Duration::from_secs(6)).await;
        assert_eq!(progress.due().as_deref(), Some("still at work [1m05s]"));
        waiting("0 of 2");
        progress.told.set(Instant::now()); // as if it were not quiet
        elapse(Duration::from_secs(59)).await;
        assert_eq!(progress.due(), None);
        elapse(Duration::from_secs(66)).await;
        assert_eq!(progress.due().as_deref(), Some("target_health app-tg: 0 of 2 [2m05s]"));
    }
}
