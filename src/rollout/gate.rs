//! The questions to the service while instances are replaced.

use crate::checks::{Asked, decided};
use crate::clock::{Clock, Wait};
use crate::exit::Exit;
use crate::outcome::{Analysis, Finding};
use crate::oz::{BaseUrl, Capture, NoVersion, Refused, Service, Token, Transport, Web, ask_version};

/// How many questions in a row must fail before a rollout is rolled back: a single failure may pass.
const FAILURES_IN_A_ROW: u32 = 3;

/// Questions to the service during a rollout.
pub struct HealthGate<'a> {
    base: BaseUrl,
    transport: &'a dyn Transport,
    /// A real call, made once: it is metered.
    liveness: Option<(Capture, Service)>,
    was_metered: bool,
    failures: u32,
    /// Until when no healthy target says nothing of the version.
    excused: Option<Clock>,
}

/// Why a rollout is rolled back.
pub(super) struct Unfit {
    /// What the run ends with.
    pub exit: Exit,
    /// The reason, for people.
    pub why: String,
    /// What the real analysis found, when it is the reason.
    pub finding: Option<Finding>,
}

impl<'a> HealthGate<'a> {
    /// A gate for the service at this base URL; with a capture it also asks for one real analysis, over `web`.
    ///
    /// # Errors
    /// The capture or the token cannot be used: refused before anything is changed.
    pub fn new(
        base: BaseUrl,
        transport: &'a dyn Transport,
        metered: Option<(Capture, Web)>,
    ) -> Result<HealthGate<'a>, Refused> {
        let liveness = match metered {
            Some((capture, web)) => {
                let service = Service::new(base.clone(), Token::read(None)?, &web);
                Some((capture, service))
            }
            None => None,
        };
        Ok(HealthGate { base, transport, liveness, was_metered: false, failures: 0, excused: None })
    }

    /// Where the service answers.
    pub(super) fn endpoint(&self) -> &BaseUrl {
        &self.base
    }

    /// Asks for the version often enough that every healthy instance is likely to answer.
    ///
    /// # Errors
    /// Why an answer was wrong or missing.
    pub(super) async fn ask(&self, healthy: usize) -> Result<(), NoVersion> {
        for _ in 0..(2 * healthy).clamp(2, 10) {
            ask_version(self.transport, &self.base).await?;
        }
        Ok(())
    }

    /// Something else was repaired: until this time, or the first right answer, wrong ones are not the version's while
    /// no target is healthy.
    pub(super) fn excuse(&mut self, until: Clock) {
        self.excused = Some(until);
    }

    /// Asks the service, and once for a real analysis. `Some`: the rollout must be rolled back.
    pub(super) async fn judge(&mut self, healthy: usize, wait: &Wait<'_>) -> Option<Unfit> {
        if let Err(why) = self.ask(healthy).await {
            if healthy == 0 && self.excused.as_ref().is_some_and(|until| !until.expired()) {
                return None;
            }
            self.failures += 1;
            let why = format!("{}: {why}", self.base);
            let unfit = Unfit { exit: Exit::Unverified, why, finding: None };
            return Some(unfit).filter(|_| self.failures >= FAILURES_IN_A_ROW);
        }
        (self.failures, self.excused) = (0, None);
        let (capture, service) = self.liveness.as_ref().filter(|_| !self.was_metered)?;
        self.was_metered = true;
        // Without an answer, the wait that follows reports the deadline or the signal.
        let answered = service.liveness(capture, wait).await.ok()?;
        let asked = Asked::plainly(Analysis::Quality);
        let (exit, _) = decided(&answered.verdict, &asked);
        let finding = asked.finding(&answered.verdict);
        // A negative decision is final: it is not asked for again.
        (exit != Exit::Done).then(|| Unfit { exit, why: finding.evidence.clone(), finding: Some(finding) })
    }
}
