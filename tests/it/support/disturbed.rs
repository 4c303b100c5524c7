//! A run in which one call goes wrong.

use super::ended::Ended;
use super::program::Fault;
use super::stage::Stage;

/// What happens to one call: AWS or the network fails it, or the program is killed in that instant.
#[derive(Debug, Clone, Copy)]
pub enum Disturbance {
    Failed(Fault),
    KilledBefore,
    KilledAfter,
}

impl Disturbance {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Disturbance> {
        let killed = [Disturbance::KilledBefore, Disturbance::KilledAfter];
        Fault::ALL.into_iter().map(Disturbance::Failed).chain(killed)
    }
}

/// Runs until it ends or is killed. Whether that many calls were made at all, and what the run ended in.
pub async fn run_disturbed(stage: &Stage, line: &str, after: usize, disturbance: Disturbance) -> (bool, Option<Ended>) {
    let (fault, killed) = match disturbance {
        Disturbance::Failed(fault) => (fault, false),
        Disturbance::KilledBefore => (Fault::Hang, true),
        Disturbance::KilledAfter => (Fault::HangAfter, true),
    };
    stage.sandbox.disturb(after, fault);
    let outcome = tokio::select! {
        biased; // by chance, a kill would come before or after the calls that are made side by side
        outcome = stage.run(line) => Some(outcome),
        () = stage.sandbox.hangs(), if killed => None,
    };
    (stage.sandbox.clear_fault(), outcome)
}
