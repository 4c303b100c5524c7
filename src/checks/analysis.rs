//! What the service's decision means for a run: its exit code, its word, its finding.

use super::check::{About, Asks, Node, Place};
use crate::exit::Exit;
use crate::flags;
use crate::outcome::{Analysis, Decision, Finding, Load, Status, Verdict};

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

/// The metered call that asks whether a capture is of a living person.
pub static LIVENESS: About = About {
    id: "liveness",
    step: 0,
    title: "liveness",
    places: &[Place::At(Node::Service)],
    verbs: &[],
    asks: Asks::Service,
};

/// The metered call that asks whether two pictures show the same person.
pub static BIOMETRY: About = About {
    id: "biometry",
    step: 0,
    title: "biometry",
    places: &[Place::At(Node::Service)],
    verbs: &[],
    asks: Asks::Service,
};

/// Liveness, when something before it failed.
pub fn not_called() -> Finding {
    LIVENESS.finding().skip("not called: something before it failed, and calls are metered")
}

/// What many calls of liveness come to: exit code, word and finding. One that failed weighs more than any decision.
/// `why` is the words of the failures.
pub fn measured(load: &Load, expect_declined: bool, why: &str) -> (Exit, &'static str, Finding) {
    let finding = LIVENESS.finding();
    let words = load.words();
    if load.failed > 0 {
        let fix = "The kinds are in `load`; with http_502, 503 or 504 look at the targets: `deploy diagnose`.";
        return (Exit::Unverified, "failed", finding.fail(words, why, fix));
    }
    let unexpected = if expect_declined { (load.accepted, "accepted") } else { (load.declined, "declined") };
    let other = [unexpected, (load.operator_required, "operator_required")].into_iter().find(|(count, _)| *count > 0);
    match other {
        None if expect_declined => (Exit::Done, "declined", finding.pass(words)),
        None => (Exit::Done, "accepted", finding.pass(words)),
        Some((_, word)) => {
            let cause = "the service works; these are its decisions, and others were expected";
            (Exit::Negative, word, finding.fail(words, cause, "Look at the capture, and at what is expected of it."))
        }
    }
}

/// A metered call that had no answer when the run ended.
pub fn unanswered(analysis: Analysis) -> Finding {
    let evidence = "no answer before the run ended; the call was made, and may have been metered";
    blank(analysis).found(Status::Unknown, evidence).because(
        "the service was still at work, or hangs, when the deadline passed or a signal came",
        format!("{} allows more.", flags::TIMEOUT),
    )
}

/// Biometry, when the answer to liveness has no picture to compare.
pub fn without_best_shot(what: &str) -> Finding {
    BIOMETRY.finding().fail(
        format!("the answer to the liveness call holds no usable best shot: {what}"),
        "some services give one for certain gestures only",
        format!("Take a capture of another gesture, or leave {} out.", flags::REFERENCE),
    )
}

impl Asked {
    /// What an analysis found.
    pub fn finding(&self, verdict: &Verdict) -> Finding {
        let finding = blank(self.analysis);
        let words = verdict.words(self.analysis);
        let mut finding = match decided(verdict, self) {
            (Exit::Done, _) => finding.pass(words),
            (Exit::Negative, "accepted") => finding.fail(
                words,
                "a negative control was accepted: this service may say yes to everything",
                "Look at the sample first; if it is a spoof or another person, report it to the vendor.",
            ),
            (Exit::Negative, _) => {
                let cause = if verdict.decision == Some(Decision::Success) {
                    format!("the score is below {}", flags::MIN_CONFIDENCE)
                } else {
                    "the service works; this is its decision".to_owned()
                };
                let fix = "Try a capture of a living person in good light, and a reference of the same person.";
                finding.fail(words, cause, fix)
            }
            _ => {
                let (cause, fix) = without_decision(verdict);
                finding.fail(words, cause, fix)
            }
        };
        finding.duration_ms = verdict.duration_ms;
        finding
    }
}

/// A finding that says nothing yet.
fn blank(analysis: Analysis) -> Finding {
    match analysis {
        Analysis::Quality => LIVENESS.finding(),
        Analysis::Biometry => BIOMETRY.finding(),
    }
}

/// Why there is no decision, and what to do.
fn without_decision(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict.technical {
        None => (
            "the service did not answer",
            "`deploy verify` without a capture shows how far a call gets; `deploy diagnose` why.",
        ),
        Some(_) => (
            "the service answered, and the analysis did not come to a decision",
            "Look at the error's words; the media may be of a kind or quality that it cannot take.",
        ),
    }
}
