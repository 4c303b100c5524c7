//! Deadlines, pauses and the wish to stop: the only place that sleeps.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The one deadline of a run, and how long to pause between two looks.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    deadline: Instant,
    /// The shortest and the longest pause between two looks at one thing.
    pause: (Duration, Duration),
}

impl Clock {
    /// A deadline that far from now, with pauses that suit AWS; where its time passes `pace` times as fast, shorter ones.
    pub fn new(timeout: Duration, pace: f64) -> Clock {
        let start = Instant::now();
        let pause = |seconds: f64| Duration::from_secs_f64(seconds / pace.max(0.001));
        Clock { deadline: start + timeout, pause: (pause(1.0), pause(10.0)) }
    }

    /// The same pauses with an own deadline, never past this one's.
    pub fn at_most(&self, timeout: Duration) -> Clock {
        let now = Instant::now();
        Clock { deadline: self.deadline.min(now + timeout), pause: self.pause }
    }

    /// What the future gives, if it is in time and nobody asks to stop meanwhile: then it is dropped.
    ///
    /// # Errors
    /// The deadline passed, or somebody asked to stop.
    pub async fn within<T>(&self, stop: &Stop, future: impl Future<Output = T>) -> Result<T, Late> {
        tokio::select! {
            biased; // in one order, so that a simulation replays
            done = future => Ok(done),
            () = sleep_until(self.deadline) => Err(Late::Deadline),
            () = stop.asked() => Err(Late::Stopped),
        }
    }

    /// Whether the deadline has passed.
    pub fn expired(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Waits before the `attempt`-th look (from 0), longer each time, never past the deadline.
    /// False: stop waiting, the deadline has passed or somebody wants us to stop.
    pub async fn pause(&self, attempt: u32, stop: &Stop) -> bool {
        let (shortest, longest) = self.pause;
        let pause = shortest.saturating_mul(2u32.saturating_pow(attempt.min(16))).min(longest);
        let until = (Instant::now() + pause).min(self.deadline);
        tokio::select! {
            biased;
            () = sleep_until(until) => !self.expired(),
            () = stop.asked() => false,
        }
    }
}

/// Why something did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Late {
    #[error("the deadline passed")]
    Deadline,
    #[error("interrupted")]
    Stopped,
}

/// Whether somebody wants the run to stop, and with which signal.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Option<Signal>>);

/// The signals that stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C: SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Stop {
    /// Never asked to stop.
    pub fn never() -> Stop {
        Stop(watch::channel(None).1)
    }

    /// A stop that a test or another task asks for.
    pub fn channel() -> (watch::Sender<Option<Signal>>, Stop) {
        let (sender, receiver) = watch::channel(None);
        (sender, Stop(receiver))
    }

    /// The signal that asked, if one did.
    pub fn signal(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Returns when somebody asks; never if nobody can any more.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Lets time pass, where somebody plays a slow service.
pub async fn elapse(time: Duration) {
    tokio::time::sleep(time).await;
}
