//! What others change in the stack while `up` waits for its health: unseen, the wait would last until its deadline.

use crate::checks::Unproven;
use crate::engine::Walk;
use crate::outcome::few;

/// The time between two looks, in pauses of ten seconds: most stacks are healthy by then.
const BETWEEN: usize = 30;

/// Returns when two looks in a row show that the stack is not as wanted any more: reads may lag. Never while it is.
pub async fn changed(walk: &Walk<'_>) -> Unproven {
    let mut is_seen = false;
    loop {
        for _ in 0..if is_seen { 1 } else { BETWEEN } {
            if walk.wait.longest_pause().await.is_err() {
                std::future::pending::<()>().await; // the wait for health says how it ended
            }
        }
        // What cannot be read now is no change.
        let Ok(live) = walk.read().await else { continue };
        let plan = walk.planner.plan(&live);
        if plan.is_settled() {
            is_seen = false;
        } else if std::mem::replace(&mut is_seen, true) {
            let changed: Vec<&str> = plan.pending().map(|(key, _)| key).collect();
            return Unproven::NoAnswer {
                what: format!("not as wanted any more: {}", few(&changed, ", ")),
                cause: "somebody changed it while this run waited for its health".to_owned(),
                fix: "Running again puts it right.".to_owned(),
            };
        }
    }
}
