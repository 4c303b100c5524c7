//! What the service's decision means for a run: its exit code, its word, its finding.

use crate::exit::Exit;
use crate::outcome::{Analysis, Decision, Finding, Status, Verdict};

/// What was asked of the service, and what is expected.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The analysis.
    pub analysis: Analysis,
    /// The least similarity, 0 to 1; it can only tighten what the service decides.
    pub floor: Option<f64>,
    /// A negative control: DECLINED is the success.
    pub expect_declined: bool,
}

impl Asked {
    /// An analysis with nothing special expected.
    pub fn plainly(analysis: Analysis) -> Asked {
        Asked { analysis, floor: None, expect_declined: false }
    }
}

/// Exit code and word of a verdict. The floor only tightens; a negative control counts the service's own decision.
pub fn decided(verdict: &Verdict, asked: &Asked) -> (Exit, &'static str) {
    let low = || asked.floor.is_some_and(|floor| verdict.score.is_none_or(|score| score < floor));
    match (verdict.decision, asked.expect_declined) {
        (None, _) => (Exit::Unverified, "failed"),
        (Some(Decision::Declined), true) => (Exit::Done, "declined"),
        (Some(Decision::Declined), false) => (Exit::Negative, "declined"),
        (Some(Decision::OperatorRequired), _) => (Exit::Negative, "operator_required"),
        (Some(Decision::Success), true) => (Exit::Negative, "accepted"),
        (Some(Decision::Success), false) if low() => (Exit::Negative, "declined"),
        (Some(Decision::Success), false) => (Exit::Done, "accepted"),
    }
}

impl Asked {
    /// What an analysis found.
    pub fn finding(&self, verdict: &Verdict) -> Finding {
        let asked = self.analysis;
        let check = match asked {
            Analysis::Quality => Finding::new("liveness", 0, "liveness"),
            Analysis::Biometry => Finding::new("biometry", 0, "biometry"),
        };
        let mut check = match decided(verdict, self) {
            (Exit::Done, _) => check.pass(verdict.words(asked)),
            (Exit::Negative, "accepted") => check.fail(
                verdict.words(asked),
                "a negative control was accepted: this service may say yes to everything",
                "Look at the sample first; if it is a spoof or another person, report it to the vendor.",
            ),
            (Exit::Negative, _) => {
                let below = verdict.decision == Some(Decision::Success);
                let cause = if below {
                    "the score is below --min-confidence"
                } else {
                    "the service works; this is its decision"
                };
                check.fail(
                    verdict.words(asked),
                    cause,
                    "Try a capture of a living person in good light, and a reference of the same person.",
                )
            }
            _ => {
                let (cause, fix) = match verdict.technical {
                    None => (
                        "the service did not answer",
                        "`deploy verify` without a capture shows how far a call gets; `deploy diagnose` why.",
                    ),
                    Some(_) => (
                        "the service answered, and the analysis did not come to a decision",
                        "Look at the error's words; the media may be of a kind or quality that it cannot take.",
                    ),
                };
                check.found(Status::Fail, verdict.words(asked)).because(cause, fix)
            }
        };
        check.duration_ms = verdict.duration_ms;
        check
    }
}
