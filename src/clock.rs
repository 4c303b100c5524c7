//! Deadlines, pauses and cancellation: the only place that sleeps, and the one way to wait.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::event::{Event, What};

/// The one deadline of a run, and how long to pause between two reads of one thing.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    deadline: Instant,
    /// The shortest and the longest pause.
    pause: (Duration, Duration),
}

impl Clock {
    /// A deadline that far from now, with pauses that suit AWS; they are shorter where its time passes `pace` times as
    /// fast.
    pub fn new(timeout: Duration, pace: f64) -> Clock {
        let start = Instant::now();
        let pause = |seconds: f64| Duration::from_secs_f64(seconds / pace.max(0.001));
        Clock { deadline: start + timeout, pause: (pause(0.25), pause(10.0)) }
    }

    /// The same pauses with an earlier deadline: that far from now, never past this one's.
    pub fn at_most(&self, timeout: Duration) -> Clock {
        let now = Instant::now();
        Clock { deadline: self.deadline.min(now + timeout), pause: self.pause }
    }

    /// The same deadline with longer pauses in the end, for what takes AWS many minutes.
    pub fn patient(&self) -> Clock {
        Clock { pause: (self.pause.0, self.pause.1 * 2), ..*self }
    }

    /// Whether the deadline has passed.
    pub fn expired(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// The pause before the `attempt`-th repetition (from 0): a short one, for what is ready in a moment; then four
    /// times as long, and twice as long each time, up to the longest.
    fn pause_before(&self, attempt: u32) -> Duration {
        let (shortest, longest) = self.pause;
        let times = if attempt == 0 { 1 } else { 2u32.saturating_pow(attempt.min(16) + 1) };
        shortest.saturating_mul(times).min(longest)
    }

    /// The same of a wait that has lasted so long: at most twenty of the shortest, or a twentieth of that time, so that
    /// what is waited for is not seen much later than it is there.
    fn pause_after(&self, attempt: u32, waited: Duration) -> Duration {
        self.pause_before(attempt).min((self.pause.0 * 20).max(waited / 20))
    }
}

/// Since when something has been so, at every look.
#[derive(Debug, Default)]
pub struct Streak(Option<Instant>);

impl Streak {
    /// Another look; for how long it has been so without a break.
    pub fn look(&mut self, is_so: bool) -> Duration {
        self.0 = is_so.then(|| self.0.unwrap_or_else(Instant::now));
        self.0.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// What every wait has: a deadline, a way to cancel it, and a listener. Passed as one.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// The deadline and the pauses.
    pub clock: Clock,
    /// Who may end it.
    pub cancel: &'a Cancel,
    /// Who is told what it waits for.
    pub watch: &'a dyn Fn(Event),
}

/// What is waited for, as events name it.
#[derive(Debug, Clone)]
pub struct Label {
    /// The resource's key, or another noun.
    pub key: &'static str,
    /// AWS's name of it.
    pub name: String,
}

impl Label {
    /// A label.
    pub fn new(key: &'static str, name: impl Into<String>) -> Label {
        Label { key, name: name.into() }
    }

    /// The event that says why it is not ready.
    pub fn waiting(&self, why: impl Into<String>) -> Event {
        Event { key: self.key, name: self.name.clone(), what: What::Waiting(why.into()) }
    }
}

/// What one attempt of a wait came to.
#[derive(Debug)]
pub enum Attempt<T> {
    /// What was waited for.
    Done(T),
    /// Not yet: why.
    Again(String),
    /// Not yet, because of this: why.
    AgainFor(Label, String),
}

/// Why a wait ended without its answer, and what it waited for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{ended}: {why}")]
pub struct Late {
    /// Which of the two ended it.
    pub ended: Ended,
    /// What the last attempt said.
    pub why: String,
}

/// What ends a wait before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The deadline passed.
    #[error("the deadline passed")]
    TimedOut,
    /// A signal asked to stop.
    #[error("interrupted")]
    Cancelled(Signal),
}

impl From<Late> for Ended {
    fn from(late: Late) -> Ended {
        late.ended
    }
}

impl<'a> Wait<'a> {
    /// The same with an earlier deadline: that far from now, never past this one's.
    pub fn at_most(&self, timeout: Duration) -> Wait<'a> {
        Wait { clock: self.clock.at_most(timeout), ..*self }
    }

    /// The same with longer pauses, for what takes AWS minutes.
    pub fn patient(&self) -> Wait<'a> {
        Wait { clock: self.clock.patient(), ..*self }
    }

    /// The same without a listener.
    pub fn quiet(&self) -> Wait<'a> {
        Wait { watch: &|_| {}, ..*self }
    }

    /// Attempts until there is an answer; after each attempt that gives none says why, and pauses.
    ///
    /// # Errors
    /// What an attempt fails with; the deadline; a signal.
    pub async fn until<T, E: From<Late>>(
        &self,
        label: &Label,
        mut attempt: impl AsyncFnMut() -> Result<Attempt<T>, E>,
    ) -> Result<T, E> {
        let (mut count, start) = (0, Instant::now());
        loop {
            let (event, why) = match attempt().await? {
                Attempt::Done(answer) => return Ok(answer),
                Attempt::Again(why) => (label.waiting(why.clone()), why),
                Attempt::AgainFor(label, why) => (label.waiting(why.clone()), why),
            };
            (self.watch)(event);
            let pause = self.clock.pause_after(count, start.elapsed());
            self.sleep(pause).await.map_err(|ended| Late { ended, why })?;
            count += 1;
        }
    }

    /// Pauses before the `attempt`-th repetition (from 0), longer each time.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn pause(&self, attempt: u32) -> Result<(), Ended> {
        self.sleep(self.clock.pause_before(attempt)).await
    }

    /// Pauses for the longest time that lies between two attempts.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn longest_pause(&self) -> Result<(), Ended> {
        self.sleep(self.clock.pause.1).await
    }

    async fn sleep(&self, pause: Duration) -> Result<(), Ended> {
        let until = (Instant::now() + pause).min(self.clock.deadline);
        tokio::select! {
            biased; // in one order, so that a simulation replays
            () = sleep_until(until) => {}
            _ = self.cancel.asked() => {}
        }
        match self.cancel.signal() {
            Some(signal) => Err(Ended::Cancelled(signal)),
            None if self.clock.expired() => Err(Ended::TimedOut),
            None => Ok(()),
        }
    }

    /// What the future gives, if it is in time and nothing asks to stop meanwhile: then it is dropped.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn within<T>(&self, future: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            done = future => Ok(done),
            () = sleep_until(self.clock.deadline) => Err(Ended::TimedOut),
            signal = self.cancel.asked() => Err(Ended::Cancelled(signal)),
        }
    }
}

/// Whether a signal asked the run to stop, and which.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Receiver<Option<Signal>>);

/// The signals that stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C: SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The terminal went away: SIGHUP.
    HangUp,
}

impl Cancel {
    /// Never asked to stop.
    pub fn never() -> Cancel {
        Cancel(watch::channel(None).1)
    }

    /// One that a test or another task asks through the sender.
    pub fn channel() -> (watch::Sender<Option<Signal>>, Cancel) {
        let (sender, receiver) = watch::channel(None);
        (sender, Cancel(receiver))
    }

    /// The signal that asked, if one did.
    pub fn signal(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Returns when a signal asks; never if none can any more.
    pub async fn asked(&self) -> Signal {
        let mut receiver = self.0.clone();
        let asked = receiver.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        match asked {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

/// Does something again and again, beside what else is done.
pub async fn every(pause: Duration, mut act: impl FnMut()) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(pause).await;
        act();
    }
}

/// Lets time pass, where a slow service is simulated.
pub async fn elapse(time: Duration) {
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const WHY: &str = "it is not ready";

    /// Waits for the attempt of this number (from 1); how it ended, after how many seconds, and the events.
    async fn waited(timeout: u64, cancel: &Cancel, ready_at: u32) -> (Result<u32, Late>, f64, Vec<Event>) {
        let (start, events) = (Instant::now(), RefCell::new(Vec::new()));
        let watch = |event| events.borrow_mut().push(event);
        let wait = Wait { clock: Clock::new(Duration::from_secs(timeout), 1.0), cancel, watch: &watch };
        let (label, mut count) = (Label::new("toy", "a"), 0);
        let answer = wait.until(&label, async || {
            count += 1;
            Ok(if count == ready_at { Attempt::Done(count) } else { Attempt::Again(WHY.to_owned()) })
        });
        let answer = answer.await;
        (answer, start.elapsed().as_millis() as f64 / 1000.0, events.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_says_why_after_each_attempt_and_pauses_longer_each_time() {
        let (answer, seconds, events) = waited(600, &Cancel::never(), 8).await;
        assert_eq!((answer, seconds), (Ok(8), 0.25 + 1.0 + 2.0 + 4.0 + 5.0 + 5.0 + 5.0));
        assert_eq!(events, vec![Label::new("toy", "a").waiting(WHY); 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_asks_less_often_and_ends_in_time_all_the_same() {
        let start = Instant::now();
        let (cancel, mut count) = (Cancel::never(), 0);
        let wait = Wait { clock: Clock::new(Duration::from_mins(30), 1.0), cancel: &cancel, watch: &|_| {} };
        let waited: Result<(), Late> = wait
            .until(&Label::new("toy", "a"), async || {
                count += 1;
                let is_there = start.elapsed() >= Duration::from_secs(301);
                Ok(if is_there { Attempt::Done(()) } else { Attempt::Again(WHY.to_owned()) })
            })
            .await;
        assert_eq!(waited, Ok(()));
        assert!(start.elapsed() <= Duration::from_secs(311) && count < 60, "{count} after {:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_ends_a_wait_in_the_middle_of_a_pause() {
        let (answer, seconds, events) = waited(5, &Cancel::never(), 99).await;
        assert_eq!((answer, seconds), (Err(Late { ended: Ended::TimedOut, why: WHY.to_owned() }), 5.0));
        assert_eq!(events.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_ends_a_wait_at_once() {
        let (sender, cancel) = Cancel::channel();
        let signal = async {
            elapse(Duration::from_millis(4500)).await;
            sender.send(Some(Signal::Terminate)).unwrap();
        };
        let ((answer, seconds, _), ()) = tokio::join!(waited(600, &cancel, 99), signal);
        let late = Late { ended: Ended::Cancelled(Signal::Terminate), why: WHY.to_owned() };
        assert_eq!((answer, seconds), (Err(late), 4.5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_streak_begins_anew_after_a_break() {
        let mut streak = Streak::default();
        for (is_so, seconds) in [(true, 0), (true, 9), (false, 0), (true, 0), (true, 9)] {
            assert_eq!(streak.look(is_so).as_secs(), seconds);
            elapse(Duration::from_secs(9)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_fails_ends_a_wait_without_an_event() {
        let never = Cancel::never();
        let wait = Wait { clock: Clock::new(Duration::from_secs(9), 1.0), cancel: &never, watch: &|_| panic!() };
        let failed: Result<(), Late> = wait
            .until(&Label::new("toy", "a"), async || Err(Late { ended: Ended::TimedOut, why: "its own".to_owned() }))
            .await;
        assert_eq!(failed.unwrap_err().why, "its own");
    }
}
