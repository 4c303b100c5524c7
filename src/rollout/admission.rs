//! Whether a rollout may begin: in an unhealthy group a bad version could not be distinguished from a good one.

use std::time::Duration;

use super::{HealthGate, Rollout};
use crate::clock::{Attempt, Ended, Late};
use crate::cloud::{self, RetryBudget};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::steps::target_group;

/// Time for a group to become healthy after something else was repaired: two rounds of health checks and a start.
const REPAIR_TIME: Duration = Duration::from_mins(10);

const NOT_BEGUN: &str = "the rollout was not begun; running again goes on from here";

/// Why a rollout was not admitted.
enum Refusal {
    Cloud(cloud::Error),
    Late(Late),
}

impl From<Late> for Refusal {
    fn from(late: Late) -> Refusal {
        Refusal::Late(late)
    }
}

impl Rollout<'_> {
    /// Waits until the group is healthy and the service answers; `repaired`: something else was changed a moment ago,
    /// so the group is given time. Otherwise one reading decides.
    ///
    /// # Errors
    /// The group is not healthy: the outcome that says so.
    pub async fn admit(&self, gate: Option<&HealthGate<'_>>, repaired: bool) -> Result<(), Failed> {
        let repair = self.wait.at_most(if repaired { REPAIR_TIME } else { Duration::ZERO });
        let (label, mut budget) = (self.label(), RetryBudget::default());
        let admitted = self.wait.until(&label, async || match self.unfit(gate).await {
            Ok(None) => Ok(Attempt::Done(())),
            Ok(Some(why)) if repair.clock.expired() => {
                self.notify(why.clone());
                Err(Refusal::Late(Late { ended: Ended::TimedOut, why }))
            }
            Ok(Some(why)) => Ok(Attempt::Again(why)),
            Err(error) => {
                let why = budget.allow(error, &self.wait.clock).map_err(Refusal::Cloud)?;
                Ok(Attempt::Again(why.to_owned()))
            }
        });
        admitted.await.map_err(|refusal| match refusal {
            Refusal::Cloud(error) => Outcome::failed(NOT_BEGUN).problem(&error).into(),
            Refusal::Late(late) => self.not_begun(&late.why, repaired).into(),
        })
    }

    fn not_begun(&self, why: &str, repaired: bool) -> Outcome {
        let outcome = match self.wait.cancel.signal() {
            Some(signal) => Outcome::ended(Ended::Cancelled(signal), NOT_BEGUN),
            None if self.wait.clock.expired() => Outcome::ended(Ended::TimedOut, NOT_BEGUN),
            None if repaired => Outcome::new(Exit::Unverified, "failed", NOT_BEGUN),
            None => Outcome::preflight("refused; nothing was changed"),
        };
        outcome.problem(Problem::new(
            format!("the group is not rolled: {why}"),
            format!(
                "`deploy diagnose` finds the cause. {} rolls it nevertheless, for a version that fixes it; {} does not \
                 ask the service.",
                crate::flags::FORCE,
                crate::flags::NO_VERIFY
            ),
        ))
    }

    /// Why the group is not healthy; `None`: it is.
    async fn unfit(&self, gate: Option<&HealthGate<'_>>) -> cloud::Result<Option<String>> {
        let Some(group) = self.ids.get(&target_group::ARN) else {
            return Ok(None);
        };
        let targets = target_group::find_targets(self.cloud, group).await?;
        if targets.registered == 0 {
            return Ok(None); // no target serves: a rollout cannot make it worse
        }
        if targets.has_ill() || targets.healthy == 0 {
            let what = format!("{} of {} targets healthy", targets.healthy, targets.registered);
            let others = targets.others();
            return Ok(Some(if others.is_empty() { what } else { format!("{what} ({others})") }));
        }
        let Some(gate) = gate else { return Ok(None) };
        let answer = gate.ask(targets.healthy).await;
        Ok(answer.err().map(|why| format!("{} does not answer: {why}", gate.endpoint())))
    }
}
