//! Signals: the first asks the run to stop, the second ends the process.

use tokio::signal::unix::{SignalKind, signal};

use crate::clock::{Cancel, Signal};
use crate::exit::Exit;

/// Asks the run to stop at the first Ctrl-C or SIGTERM; a second one ends the process at once.
pub fn cancel_on_signals() -> Cancel {
    let (sender, cancel) = Cancel::channel();
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return Cancel::never();
    };
    tokio::spawn(async move {
        loop {
            let asked = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
            };
            if sender.borrow().is_some() {
                std::process::exit(Exit::from(asked) as i32);
            }
            let _ = sender.send(Some(asked));
        }
    });
    cancel
}
