//! The end of `verify`: the metered calls, and what all of it comes to.

use tokio::time::Instant;

use super::metered;
use super::prepared::Prepared;
use super::round::Round;
use crate::checks::{asks_service, is_drift, not_called};
use crate::cli;
use crate::clock::{Ended, Wait};
use crate::commands::late;
use crate::exit::Exit;
use crate::outcome::{Finding, Outcome, Problem, Status, tally};
use crate::report::Report;

/// The metered calls, once, when everything before is good; then the outcome.
pub async fn finish(
    report: &Report,
    args: &cli::Verify,
    prepared: &Prepared,
    round: Round,
    wait: &Wait<'_>,
    start: Instant,
) -> Outcome {
    if let Some(ended) = round.ended {
        return stopped(ended, round);
    }
    let good = round.found.iter().all(Finding::is_good);
    let to = round.to.clone().or_else(|| prepared.base.clone());
    let mut checks = round.found;
    let mut decision = None;
    match (&prepared.capture, to) {
        (Some(capture), Some(base)) if good => {
            report.say_capture(capture, args.overrides.skips_first());
            match metered::call(args, (prepared, capture), base, wait, start).await {
                Ok(metered) => {
                    checks.extend(metered.findings);
                    decision = Some((metered.verdict, metered.end));
                }
                Err((made, ended)) => {
                    checks.extend(made);
                    return Outcome { outputs: round.outputs, checks, ..late(ended) };
                }
            }
        }
        (Some(_), _) => checks.push(not_called()),
        (None, _) => {}
    }
    let (exit, word) = decision.as_ref().map_or_else(|| ended(&checks), |(_, end)| *end);
    let is_verified = checks.iter().all(Finding::is_good);
    let summary = format!("{}: {}.", if is_verified { "Verified" } else { "Not verified" }, tally(&checks));
    let verdict = decision.map(|(verdict, _)| verdict);
    Outcome { outputs: round.outputs, checks, verdict, ..Outcome::new(exit, word, summary) }
}

fn ended(checks: &[Finding]) -> (Exit, &'static str) {
    let wrong = |status| checks.iter().filter(move |check| check.status == status);
    let drift_alone = wrong(Status::Fail).all(is_drift);
    match (wrong(Status::Fail).count(), wrong(Status::Unknown).count()) {
        (0, 0) => (Exit::Done, "verified"),
        // AWS does not say whether it is right; or the service cannot be asked from here.
        (0, _) if !wrong(Status::Unknown).any(asks_service) => (Exit::Failed, "failed"),
        (0, _) => (Exit::Unverified, "failed"),
        (_, 0) if drift_alone => (Exit::Changes, "drift"),
        _ => (Exit::Unverified, "failed"),
    }
}

/// The outcome of a time that was over, or of a signal.
pub fn stopped(ended: Ended, round: Round) -> Outcome {
    listed(Outcome { checks: round.found, outputs: round.outputs, ..late(ended) })
}

/// An outcome in whose lists something says that it is not good: reports show lists.
pub fn listed(outcome: Outcome) -> Outcome {
    if !outcome.problems.is_empty() || outcome.checks.iter().any(|check| !check.is_good()) {
        return outcome;
    }
    let problem = match outcome.checks.as_slice() {
        [] => Problem::bare("the run ended before a check had its answer"),
        _ => Problem::bare("the run ended between two looks; the checks are of the look before"),
    };
    outcome.problem(problem)
}
