//! Signals: the first asks the run to stop, the second ends the process.

use tokio::signal::unix::{Signal as Arrivals, SignalKind, signal};

use crate::clock::{Cancel, Signal};
use crate::exit::Exit;

/// Asks the run to stop at the first Ctrl-C, SIGTERM or SIGHUP; a second one ends the process at once. What the caller
/// has set to be ignored stays so: `nohup`, or a job in the background of a shell.
pub fn cancel_on_signals() -> Cancel {
    let (sender, cancel) = Cancel::channel();
    let ignored = ignored();
    let listened = |kind: SignalKind| {
        let is_ignored = ignored & (1 << (kind.as_raw_value() - 1)) != 0;
        if is_ignored { None } else { signal(kind).ok() }
    };
    let mut interrupt = listened(SignalKind::interrupt());
    let mut terminate = listened(SignalKind::terminate());
    let mut hang_up = listened(SignalKind::hangup());
    tokio::spawn(async move {
        loop {
            let asked = tokio::select! {
                () = arrival(&mut interrupt) => Signal::Interrupt,
                () = arrival(&mut terminate) => Signal::Terminate,
                () = arrival(&mut hang_up) => Signal::HangUp,
            };
            if sender.borrow().is_some() {
                std::process::exit(Exit::from(asked) as i32);
            }
            let _ = sender.send(Some(asked));
        }
    });
    cancel
}

async fn arrival(arrivals: &mut Option<Arrivals>) {
    match arrivals {
        Some(arrivals) => drop(arrivals.recv().await),
        None => std::future::pending().await,
    }
}

/// The signals that this process was started to ignore, one bit each, the lowest for signal 1 (proc_pid_status(5));
/// none where that cannot be read.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
