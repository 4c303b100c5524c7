//! `deploy liveness`: the client alone, as a backend would call the service.

use super::best_shot::Save;
use super::client::{Client, concluded, unended};
use super::load;
use crate::checks::Asked;
use crate::cli;
use crate::clock::Wait;
use crate::exit::Exit;
use crate::outcome::{Analysis, Decision, Failed, Outcome, Problem};
use crate::oz::{Capture, Picture, Refused};

/// Liveness of a capture.
///
/// # Errors
/// Input is refused, or the time is over.
pub async fn run(client: &Client<'_>, args: &cli::Liveness, wait: &Wait<'_>) -> Result<Outcome, Failed> {
    let capture = Capture::read(&args.capture, &args.overrides.read())?;
    let save = args.best_shot.as_deref().map(|path| Save::new(path, args.force)).transpose()?;
    let service = client.service(args.base_url.as_deref(), &args.service).await?;
    client.report.say_capture(&capture, args.overrides.skips_first());
    if args.load.is_asked() {
        return load::run(client.report, (&service, &capture), args, wait).await;
    }
    let answered = service.liveness(&capture, wait).await.map_err(|ended| unended(Analysis::Quality, ended))?;
    let expect_declined = args.service.expects_declined();
    let mut outcome = concluded(&Asked { expect_declined, ..Asked::plainly(Analysis::Quality) }, &answered.verdict);
    if let (Some(save), Some(decision)) = (save, answered.verdict.decision) {
        keep(&mut outcome, save, answered.best_shot, decision == Decision::Success);
    }
    Ok(outcome)
}

fn keep(outcome: &mut Outcome, save: Save<'_>, shot: Option<Result<Picture, &'static str>>, is_accepted: bool) {
    let kept = shot.map(|shot| match shot {
        Ok(shot) => save.keep(&shot),
        Err(what) => {
            Err(Refused::new(format!("the answer's best shot: {what}"), "The decision stands; the call was made."))
        }
    });
    match kept {
        Some(Ok(place)) => {
            outcome.outputs.insert("best_shot".to_owned(), place);
        }
        Some(Err(refused)) => fail(outcome, Exit::Failed, refused.into()),
        None if is_accepted => {
            let cure =
                "Some services give one for certain gestures only; without --best-shot this is an accepted answer.";
            fail(outcome, Exit::Unverified, Problem::new("the answer holds no best shot", cure));
        }
        None => {}
    }
}

fn fail(outcome: &mut Outcome, exit: Exit, problem: Problem) {
    (outcome.exit, outcome.outcome) = (exit, "failed");
    outcome.problems.push(problem);
}
