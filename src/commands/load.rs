//! `deploy liveness --repeat`: many calls, measured.

use std::time::Duration;

use super::terminal;
use crate::checks::measured;
use crate::cli;
use crate::clock::{Clock, Ended, Wait};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::oz::{Capture, Many, Refused, Service};
use crate::report::Report;

/// So many calls are made without a question: a slip of the hand costs no more.
const UNASKED: usize = 10;
/// How long a person may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_hours(1);

/// Many calls with one capture.
///
/// # Errors
/// Nobody agreed to so many, or a signal came before the first.
pub async fn run(
    report: &Report,
    (service, capture): (&Service, &Capture),
    args: &cli::Liveness,
    wait: &Wait<'_>,
) -> Result<Outcome, Failed> {
    let load = &args.load;
    if load.most() > load.max_calls as usize {
        let what = format!("--repeat {} is more than --max-calls {}", load.most(), load.max_calls);
        return Err(Refused::new(what, "Each call is metered; --max-calls allows more.").into());
    }
    consent(report, load, wait).await?;
    let (concurrency, span) = (load.concurrency.into(), load.how_many.span);
    let many = Many { calls: load.most(), concurrency, span, timeout: args.timeout };
    let (figures, why) = many.measure(service, &service.pack(capture), wait).await;
    let why: Vec<String> = why.into_iter().map(|(kind, words)| format!("{kind}: {words}")).collect();
    let (exit, word, finding) = measured(&figures, args.service.expects_declined(), &why.join("; "));
    let mut outcome = match wait.cancel.signal() {
        Some(signal) => {
            let summary = format!("interrupted: {} of {} calls were made", figures.calls, figures.planned);
            Outcome::ended(Ended::Cancelled(signal), summary)
        }
        None => Outcome::new(exit, word, ""),
    };
    outcome.checks = vec![finding];
    outcome.load = Some(figures);
    Ok(outcome)
}

/// Says how many metered calls will be made, and asks before more than a few.
async fn consent(report: &Report, load: &cli::Load, wait: &Wait<'_>) -> Result<(), Failed> {
    let at_most = if load.how_many.span.is_some() { "at most " } else { "" };
    let calls = format!("{at_most}{} metered calls, {} at once", load.most(), load.concurrency);
    if load.yes || load.most() <= UNASKED {
        report.note(&calls);
        return Ok(());
    }
    if !terminal::is_there() {
        let what = format!("{calls}: more than {UNASKED} are asked about, and there is no terminal");
        return Err(Outcome::new(Exit::Usage, "refused", NONE).problem(Problem::new(what, "Use --yes.")).into());
    }
    report.ask(&format!("{calls}. Type yes to make them: "));
    let patient = Wait { clock: Clock::new(ANSWER_TIMEOUT, 1.0), ..*wait };
    let answer = patient.within(terminal::line()).await.map_err(|ended| Outcome::ended(ended, NONE))?;
    match answer {
        Some(answer) if answer.trim().eq_ignore_ascii_case("yes") => Ok(()),
        _ => Err(Outcome::preflight("That is not yes; no call was made.").into()),
    }
}

/// How it ends when nobody agrees.
const NONE: &str = "no call was made";
