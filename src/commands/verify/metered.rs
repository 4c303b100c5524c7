//! The metered calls: capture -> liveness -> best shot, in memory -> biometry against the reference.

use tokio::time::Instant;

use super::prepared::Prepared;
use crate::checks::{Asked, decided, unanswered, without_best_shot};
use crate::cli;
use crate::clock::{Ended, Wait};
use crate::exit::Exit;
use crate::outcome::{Analysis, Decision, Finding, Verdict};
use crate::oz::{BaseUrl, Capture, Service};

/// What the metered calls came to.
pub struct Metered {
    /// One finding a call.
    pub findings: Vec<Finding>,
    /// Of the last call.
    pub verdict: Verdict,
    /// Exit code and word.
    pub end: (Exit, &'static str),
}

/// Makes them, once.
///
/// # Errors
/// The deadline passed, or a signal asked to stop: with a finding for each call that was made.
pub async fn call(
    args: &cli::Verify,
    (prepared, capture): (&Prepared, &Capture),
    base: BaseUrl,
    wait: &Wait<'_>,
    start: Instant,
) -> Result<Metered, (Vec<Finding>, Ended)> {
    let mut quality = Asked { expect_declined: args.service.expects_declined(), ..Asked::plainly(Analysis::Quality) };
    let service = Service::new(base, prepared.token.clone(), &prepared.web);
    let began = start.elapsed();
    let live = service.liveness(capture, wait).await;
    let live = live.map_err(|ended| (vec![unanswered(Analysis::Quality)], ended))?;
    let chained = prepared.reference.as_ref().filter(|_| live.verdict.decision == Some(Decision::Success));
    // The negative control may come true in the second link: then the first one's SUCCESS is no failure.
    quality.expect_declined &= chained.is_none();
    let mut first = quality.finding(&live.verdict);
    first.started_ms = began.as_millis() as u64;
    let Some(reference) = chained else {
        let end = decided(&live.verdict, &quality);
        return Ok(Metered { findings: vec![first], verdict: live.verdict, end });
    };
    let shot = match &live.best_shot {
        Some(Ok(shot)) => Ok(shot),
        Some(Err(what)) => Err(*what),
        None => Err("there is none"),
    };
    let Ok(shot) = shot else {
        return Ok(Metered {
            findings: vec![first, without_best_shot(shot.err().unwrap_or_default())],
            verdict: live.verdict,
            end: (Exit::Unverified, "failed"),
        });
    };
    let began = start.elapsed();
    let same = service.biometry((reference, shot), &capture.meta, wait).await;
    let same = same.map_err(|ended| (vec![first.clone(), unanswered(Analysis::Biometry)], ended))?;
    let biometry = Asked {
        analysis: Analysis::Biometry,
        floor: args.min_confidence,
        expect_declined: args.service.expects_declined(),
    };
    let mut second = biometry.finding(&same.verdict);
    second.started_ms = began.as_millis() as u64;
    let end = decided(&same.verdict, &biometry);
    Ok(Metered { findings: vec![first, second], verdict: same.verdict, end })
}
