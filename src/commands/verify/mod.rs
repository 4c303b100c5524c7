//! `deploy verify`: steps 6 and 7 of the guide and the client's part, as checks.

mod end;
mod metered;
mod prepared;
mod round;

use std::path::Path;

use tokio::time::Instant;

use super::{Reach, Session};
use crate::checks::is_drift;
use crate::cli;
use crate::clock::{Attempt, Label, Late, Streak, Wait};
use crate::exit::Exit;
use crate::outcome::{Failed, Finding, Outcome};
use crate::report::Report;
use end::{finish, listed, stopped};
use prepared::Prepared;
use round::{Round, look, look_alone};

/// Drift is what so many looks in a row show, over some seven seconds: reads may lag behind the writes of an `up` that
/// has just ended (Amazon EC2 developer guide, "Eventual consistency").
const DRIFT_LOOKS: u32 = 5;

/// Proves a stack.
///
/// # Errors
/// Input is refused, the stack cannot be read, or the time is over.
pub async fn run(session: &Session<'_>, args: &cli::Verify) -> Result<Outcome, Failed> {
    let (start, wait) = (Instant::now(), session.wait(args.deadline()));
    let verify = &session.config.verify;
    let capture = args.capture.as_deref().or(verify.capture.as_deref().map(Path::new));
    let reference = args.reference.as_deref().or(verify.reference.as_deref().map(Path::new));
    let prepared = Prepared::read(args, capture, reference, &session.reach()).await?;
    let label = Label::new("verify", session.config.stack.clone());
    let (mut passes, mut drifts, mut streak, mut last) = (0, 0, Streak::default(), Round::default());
    let settled = wait.until(&label, async || {
        let late = |ended| Late { ended, why: String::new() };
        let round = wait.within(Box::pin(look(session, &prepared, &wait, start))).await.map_err(late)??;
        if round.ended.is_some() {
            return Ok::<_, Unsettled>(Attempt::Done(round));
        }
        let wrong: Vec<&Finding> = round.found.iter().filter(|finding| !finding.is_good()).collect();
        passes = if wrong.is_empty() { passes + 1 } else { 0 };
        drifts = if wrong.iter().any(|finding| is_drift(finding)) { drifts + 1 } else { 0 };
        let shown = streak.look(wrong.iter().any(|finding| !finding.settles.is_zero()));
        let is_settled = |finding: &&Finding| {
            !finding.heals && shown >= finding.settles && (drifts >= DRIFT_LOOKS || !is_drift(finding))
        };
        let has_waited = !wrong.is_empty() && start.elapsed() >= args.wait;
        if wrong.iter().any(is_settled) || has_waited || passes >= args.count {
            return Ok(Attempt::Done(round));
        }
        let why = wrong.first().map_or_else(
            || format!("passed {passes} of {} times", args.count),
            |finding| format!("{}: {}", finding.title, finding.evidence),
        );
        last = round;
        Ok(Attempt::Again(why))
    });
    match settled.await {
        Ok(round) => Ok(finish(session.report, args, &prepared, round, &wait, start).await),
        Err(Unsettled::Failed(failed)) => Err(failed.map(|outcome| keeping(last, outcome))),
        Err(Unsettled::Late(late)) => Ok(stopped(late.ended, last)),
    }
}

/// What the round before found, when the time of the run was over in the middle of the next one's reading.
fn keeping(last: Round, outcome: Outcome) -> Outcome {
    match outcome.exit {
        Exit::Deadline | Exit::HungUp | Exit::Interrupted | Exit::Terminated => {
            listed(Outcome { checks: last.found, outputs: last.outputs, ..outcome })
        }
        _ => outcome,
    }
}

/// Why there is no settled round.
enum Unsettled {
    Failed(Failed),
    Late(Late),
}

impl<E: Into<Failed>> From<E> for Unsettled {
    fn from(failed: E) -> Unsettled {
        Unsettled::Failed(failed.into())
    }
}

impl From<Late> for Unsettled {
    fn from(late: Late) -> Unsettled {
        Unsettled::Late(late)
    }
}

/// Which of the pauses, as they become longer, lasts a second.
const A_SECOND: u32 = 1;

/// Only the client's checks: neither an account nor deploy.yaml.
///
/// # Errors
/// Input is refused.
pub async fn client_alone(args: &cli::Verify, report: &Report, wait: &Wait<'_>) -> Result<Outcome, Failed> {
    let start = Instant::now();
    let reach = Reach { sandbox: None };
    let prepared = Prepared::read(args, args.capture.as_deref(), args.reference.as_deref(), &reach).await?;
    let mut round = Round::default();
    for pass in 0..args.count {
        // Passes at one instant would prove that instant only.
        let spaced = if pass == 0 { Ok(()) } else { wait.pause(A_SECOND).await };
        if let Err(ended) = spaced {
            return Ok(stopped(ended, round));
        }
        round = look_alone(&prepared, wait, start).await;
        if !round.found.iter().all(Finding::is_good) {
            break;
        }
    }
    Ok(finish(report, args, &prepared, round, wait, start).await)
}
