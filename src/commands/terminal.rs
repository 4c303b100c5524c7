//! A person at a terminal, who can be asked.

use std::io::IsTerminal;

/// Whether a person reads the question and can answer it.
pub fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A line of stdin, read beside the run: a signal ends the wait for it. `None`: there is no more.
pub async fn line() -> Option<String> {
    let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
    line.await.ok()??.ok()
}
