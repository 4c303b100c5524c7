//! Signals: the first asks the run to stop, the second ends the process; and what a run ends in then.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal as Arrivals, SignalKind, signal};

use crate::clock::{Cancel, Ended, Signal, elapse};
use crate::exit::Exit;
use crate::outcome::Outcome;

/// Asks the run to stop at the first Ctrl-C, SIGTERM or SIGHUP; a second one ends the process at once. What the caller
/// has set to be ignored stays so: `nohup`, or a job in the background of a shell.
pub fn cancel_on_signals() -> Cancel {
    let (sender, cancel) = Cancel::channel();
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        loop {
            let asked = signals.next().await;
            if sender.borrow().is_some() {
                std::process::exit(Exit::from(asked) as i32);
            }
            let _ = sender.send(Some(asked));
        }
    });
    let _ = std::thread::Builder::new().spawn(end_what_hangs);
    cancel
}

/// How long a second signal leaves the run to end itself, between two of its steps and with no file half written.
const HANGS: Duration = Duration::from_secs(1);

/// Ends the process after a second signal that the run does not see: it may hang in a call of the system, such as a
/// write to a pipe that nobody reads.
fn end_what_hangs() {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let mut signals = Signals::listen();
        signals.next().await;
        let asked = signals.next().await;
        elapse(HANGS).await;
        std::process::exit(Exit::from(asked) as i32);
    });
}

/// The signals that end a run, as they arrive.
struct Signals([(Signal, Option<Arrivals>); 3]);

impl Signals {
    /// Those that the caller has not set to be ignored.
    fn listen() -> Signals {
        let ignored = ignored();
        let listened = |asked: Signal, kind: SignalKind| {
            let is_ignored = ignored & (1 << (kind.as_raw_value() - 1)) != 0;
            (asked, if is_ignored { None } else { signal(kind).ok() })
        };
        Signals([
            listened(Signal::Interrupt, SignalKind::interrupt()),
            listened(Signal::Terminate, SignalKind::terminate()),
            listened(Signal::HangUp, SignalKind::hangup()),
        ])
    }

    async fn next(&mut self) -> Signal {
        let [one, two, three] = &mut self.0;
        tokio::select! {
            asked = arrival(one) => asked,
            asked = arrival(two) => asked,
            asked = arrival(three) => asked,
        }
    }
}

async fn arrival((asked, arrivals): &mut (Signal, Option<Arrivals>)) -> Signal {
    match arrivals {
        Some(arrivals) => drop(arrivals.recv().await),
        None => std::future::pending().await,
    }
    *asked
}

/// The signals that this process was started to ignore, one bit each, the lowest for signal 1 (proc_pid_status(5));
/// none where that cannot be read.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// What a passed deadline or a signal ends in.
pub fn late(ended: Ended) -> Outcome {
    let summary = match ended {
        Ended::Cancelled(_) => "interrupted",
        Ended::TimedOut => "the deadline passed before there was an answer; --timeout allows more",
    };
    Outcome::ended(ended, summary)
}
