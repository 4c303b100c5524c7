//! What happens, on stderr: a spinner for each resource at a terminal, one line for each change of state elsewhere.

mod screen;
mod stream;
mod usual;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use tokio::time::Instant;

use super::to_stderr;
use crate::event::{Event, What};
use crate::outcome::few;
use crate::text::times::{so_far, took};
use screen::Screen;
pub use stream::schema;
use stream::{About, State};
pub use usual::USUAL;
use usual::Usual;

/// After so long without a word, the last state is told again: pipelines end what is silent.
pub const HEARTBEAT: Duration = Duration::from_secs(60);

/// How progress is shown on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressForm {
    /// Bars at a terminal, lines elsewhere
    Auto,
    /// A line for each change of state
    Lines,
    /// A JSON object for each change of state, a line each: `deploy schema --of progress`
    Json,
}

/// Shows events.
pub struct Progress {
    quiet: bool,
    start: Instant,
    /// When something was told last.
    told: Cell<Instant>,
    form: Form,
    /// How many times as fast as on AWS time runs.
    pace: f64,
    running: RefCell<BTreeMap<&'static str, Running>>,
    /// How many resources and waits have come to their end.
    done: Cell<usize>,
    /// The last of the bars.
    total: RefCell<Option<ProgressBar>>,
}

enum Form {
    Bars(MultiProgress, Screen),
    Lines,
    Json,
}

struct Running {
    since: Instant,
    name: String,
    /// Empty: it is only waited for.
    verb: &'static str,
    last: String,
    bar: Option<ProgressBar>,
    /// Whether it was told that this is longer than usual.
    is_late: bool,
}

impl Progress {
    /// Bars only at a terminal that can show them.
    pub fn new(quiet: bool) -> Progress {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        // A pipeline's log keeps every frame of a bar.
        let pipeline = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        let terminal = std::io::stderr().is_terminal() && !dumb && !pipeline;
        let start = Instant::now();
        let form = if terminal && !quiet { bars() } else { Form::Lines };
        let (told, done) = (Cell::new(start), Cell::new(0));
        let (running, total) = (RefCell::default(), RefCell::default());
        Progress { quiet, start, told, form, pace: 1.0, running, done, total }
    }

    /// In this form, whatever stderr is; where time runs so many times as fast as on AWS.
    pub fn shown_as(&mut self, form: ProgressForm, pace: f64) {
        self.pace = pace;
        match form {
            ProgressForm::Auto => {}
            ProgressForm::Lines => self.form = Form::Lines,
            ProgressForm::Json => self.form = Form::Json,
        }
    }

    /// Lines in place of bars.
    pub fn without_bars(&mut self) {
        if let Form::Bars(..) = self.form {
            self.form = Form::Lines;
        }
    }

    /// A line of the story.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.tell(About::default(), State::Note, text);
        }
    }

    /// What is told to the quiet too.
    pub fn warn(&self, text: &str) {
        let text = if self.is_json() { text.to_owned() } else { format!("warning: {text}") };
        self.tell(About::default(), State::Warned, &text);
    }

    /// Whether every line is to be a JSON object.
    pub fn is_json(&self) -> bool {
        matches!(self.form, Form::Json)
    }

    /// What is wrong with the run, and what the run came to.
    pub fn end(&self, problems: &[String], summary: &str) {
        problems.iter().for_each(|text| self.tell(About::default(), State::Problem, text));
        if !self.quiet || !problems.is_empty() {
            self.tell(About::default(), State::Ended, summary);
        }
    }

    /// Tells what takes longer than usual, and again what is under way when nothing was told for a while: at a terminal
    /// the bars show it.
    pub fn beat(&self) {
        for (key, name, verb, text) in self.late() {
            self.tell_of((key, &name), verb, State::Warned, &text);
        }
        if let Some(text) = self.due() {
            self.note(&text);
        }
    }

    fn late(&self) -> Vec<(&'static str, String, &'static str, String)> {
        let mut running = self.running.borrow_mut();
        let late = running.iter_mut().filter_map(|(key, one)| {
            let (usual, time) = (Usual::of(key, one.verb)?, one.since.elapsed());
            if one.is_late || !usual.is_late(time, self.pace) {
                return None;
            }
            one.is_late = true;
            let words = usual.words(self.pace);
            let text = format!("longer than usual, {} so far ({words}): {}", so_far(time), one.last);
            Some((*key, one.name.clone(), one.verb, text))
        });
        late.collect()
    }

    fn due(&self) -> Option<String> {
        if matches!(self.form, Form::Bars(..)) || self.told.get().elapsed() < HEARTBEAT {
            return None;
        }
        let told = |(key, one): (&&'static str, &Running)| {
            let time = since(one.since.elapsed(), Usual::of(key, one.verb), self.pace);
            format!("{} [{time}]", one.line(key))
        };
        let running: Vec<String> = self.running.borrow().iter().map(told).collect();
        if running.is_empty() {
            return Some(format!("still at work [{}]", so_far(self.start.elapsed())));
        }
        Some(few(&running, "; "))
    }

    /// A line, in the form in which all of them are told.
    fn tell(&self, about: About<'_>, state: State, text: &str) {
        self.told.set(Instant::now());
        match &self.form {
            // Not `suspend`: that panics when the terminal has gone away.
            Form::Bars(bars, _) if self.total.borrow().is_some() => drop(bars.println(text)),
            Form::Bars(..) | Form::Lines => to_stderr(&format!("{text}\n")),
            Form::Json => to_stderr(&format!("{}\n", stream::line(about, state, text, self.start.elapsed()))),
        }
    }

    /// A line about one resource. In JSON its name is a field of its own.
    fn tell_of(&self, (key, name): (&'static str, &str), verb: &'static str, state: State, text: &str) {
        if self.quiet {
            return;
        }
        let verb = Some(verb).filter(|verb| !verb.is_empty());
        let usual = Usual::of(key, verb.unwrap_or_default()).map(|usual| (usual, self.pace));
        let about = About { resource: Some((key, name)), verb, usual };
        match self.form {
            Form::Json => self.tell(about, state, text),
            _ => self.tell(about, state, &format!("{key} {name}: {text}")),
        }
    }

    /// Something happened.
    pub fn event(&self, event: Event) {
        let Event { key, name, what } = event;
        let of = (key, name.as_str());
        match what {
            What::Turn(_) => {}
            What::Started(verb) => self.state(of, Some(verb), doing(verb)),
            What::Waiting(why) => self.state(of, None, &why),
            What::Finished(verb) => self.ended(of, verb, State::Finished, done(verb)),
            What::Warned(words) => self.tell_of(of, "", State::Warned, &format!("AWS warns: {words}")),
            What::Failed(why) => self.ended(of, "", State::Failed, &format!("failed: {why}")),
            What::Skipped(because) => self.tell_of(of, "", State::Skipped, &format!("skipped, {because} failed")),
        }
    }

    /// A bar above the line of totals. It ticks when it has its place: before, it would draw beside the others.
    fn spinner(&self, bars: &MultiProgress, words: String) -> ProgressBar {
        let mut total = self.total.borrow_mut();
        let total = total.get_or_insert_with(|| {
            let total = bars.add(ProgressBar::new_spinner().with_style(style(String::new(), None, self.pace)));
            total.enable_steady_tick(TICK);
            total
        });
        let bar = bars.insert_before(total, ProgressBar::new_spinner().with_style(style(words, None, self.pace)));
        bar.enable_steady_tick(TICK);
        bar
    }

    /// How far everything is, below the bars.
    fn count(&self) {
        if let Some(total) = self.total.borrow().as_ref() {
            let (done, running) = (self.done.get(), self.running.borrow().len());
            let words = format!("{done} done, {running} under way; ^C ends it after the calls in flight");
            total.set_style(style(words, None, self.pace));
        }
    }

    /// Clears what is left on the screen.
    pub fn finish(&self) {
        self.running.borrow_mut().clear();
        self.total.borrow_mut().take();
        if let Form::Bars(bars, screen) = &self.form {
            let _ = bars.clear();
            screen.end();
        }
    }

    fn state(&self, (key, name): (&'static str, &str), verb: Option<&'static str>, state: &str) {
        let mut running = self.running.borrow_mut();
        let one = running.entry(key).or_insert_with(|| {
            let bar = match &self.form {
                Form::Bars(bars, _) => Some(self.spinner(bars, format!("{key} {name}: {state}"))),
                Form::Lines | Form::Json => None,
            };
            Running { since: Instant::now(), name: String::new(), verb: "", last: String::new(), bar, is_late: false }
        });
        if one.last == state {
            return;
        }
        state.clone_into(&mut one.last);
        name.clone_into(&mut one.name);
        one.verb = verb.unwrap_or(one.verb);
        let verb_now = one.verb;
        if let Some(bar) = &one.bar {
            bar.set_style(style(one.line(key), Usual::of(key, verb_now), self.pace));
        }
        let has_bar = one.bar.is_some();
        drop(running);
        if !has_bar {
            let what = if verb.is_some() { State::Started } else { State::Waiting };
            self.tell_of((key, name), verb_now, what, state);
        }
        self.count();
    }

    fn ended(&self, of: (&'static str, &str), verb: &'static str, state: State, how: &str) {
        let one = self.running.borrow_mut().remove(of.0);
        let time = one.as_ref().map(|one| one.since.elapsed()).unwrap_or_default();
        if let Some(bar) = one.and_then(|one| one.bar) {
            bar.finish_and_clear();
        }
        self.done.set(self.done.get() + 1);
        self.count();
        self.tell_of(of, verb, state, &format!("{how} [{}]", took(time.as_secs_f64())));
    }
}

impl Running {
    /// As it is told.
    fn line(&self, key: &str) -> String {
        format!("{key} {}: {}", self.name, self.last)
    }
}

/// `3m05s`; `3m05s of usually 3-6m` where that is known.
fn since(time: Duration, usual: Option<&Usual>, pace: f64) -> String {
    usual.map_or_else(|| so_far(time), |usual| format!("{} of {}", so_far(time), usual.words(pace)))
}

fn bars() -> Form {
    let screen = Screen::default();
    Form::Bars(MultiProgress::with_draw_target(screen.target()), screen)
}

/// How a bar looks: its time stands first, to be seen in whatever window; words that find no room are cut visibly.
fn style(words: String, usual: Option<&'static Usual>, pace: f64) -> ProgressStyle {
    let line = move |state: &ProgressState, to: &mut dyn std::fmt::Write| {
        let line = format!("{:>4}  {words}", since(state.elapsed(), usual, pace));
        let _ = to.write_str(&cut(&line, screen::columns().saturating_sub(SPINNER)));
    };
    let style = ProgressStyle::with_template("{spinner} {line}");
    style.unwrap_or(ProgressStyle::default_spinner()).with_key("line", line)
}

/// How many columns stand before the line of a bar.
const SPINNER: usize = 2;

/// A line in at most so many columns.
fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let mut kept: String = line.chars().take(columns.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept + "…"
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
        "roll out" => "rolling out",
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

    fn waiting(progress: &Progress, key: &'static str, why: &str) {
        let what = What::Waiting(why.to_owned());
        progress.event(Event { key, name: "app-tg".to_owned(), what });
        progress.told.set(Instant::now()); // as if it were not quiet
    }

    #[test]
    fn what_finds_no_room_is_cut_where_it_is_seen() {
        assert_eq!(
            (cut("0 of 2", 6).as_str(), cut("0 of 2", 5).as_str(), cut("", 0).as_str()),
            ("0 of 2", "0 of…", "")
        );
    }

    fn lines() -> Progress {
        Progress { form: Form::Lines, ..Progress::new(true) }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_state_is_told_again_after_a_minute_of_silence() {
        let progress = lines();
        elapse(Duration::from_secs(59)).await;
        assert_eq!(progress.due(), None);
        elapse(Duration::from_secs(6)).await;
        assert_eq!(progress.due().as_deref(), Some("still at work [1m05s]"));
        waiting(&progress, "toy", "0 of 2");
        elapse(Duration::from_secs(59)).await;
        assert_eq!(progress.due(), None);
        elapse(Duration::from_secs(66)).await;
        assert_eq!(progress.due().as_deref(), Some("toy app-tg: 0 of 2 [2m05s]"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_usually_takes_minutes_is_told_with_them_and_once_when_it_takes_longer() {
        let progress = lines();
        waiting(&progress, "target_health", "0 of 2");
        elapse(Duration::from_secs(65)).await;
        assert_eq!(progress.due().as_deref(), Some("target_health app-tg: 0 of 2 [1m05s of usually 3-6m]"));
        assert!(progress.late().is_empty());
        elapse(Duration::from_secs(660)).await;
        let late = "longer than usual, 12m05s so far (usually 3-6m): 0 of 2".to_owned();
        assert_eq!(progress.late(), [("target_health", "app-tg".to_owned(), "", late)]);
        assert!(progress.late().is_empty(), "it is told once");
    }
}
