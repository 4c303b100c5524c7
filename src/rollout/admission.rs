//! Whether a rollout may begin: in an unhealthy group a bad version could not be distinguished from a good one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{HealthGate, REPAIR_TIME, Rollout};
use crate::clock::{Attempt, Clock, Ended, Late};
use crate::cloud::{self, RetryBudget};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::steps::auto_scaling::{find_group, find_instances};
use crate::steps::target_group;

const NOT_BEGUN: &str = "the rollout was not begun; running again goes on from here";

/// How a group is before a rollout.
enum Fitness {
    /// Healthy: what is not is about to start.
    Fit,
    /// Nothing is healthy yet, and everything was launched a moment ago: why it is waited for, and how long at most.
    Starting(String, Duration),
    /// Not healthy: why.
    Unfit(String),
}

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
        let repair = self.walk.wait.at_most(if repaired { REPAIR_TIME } else { Duration::ZERO });
        let (label, mut budget) = (self.label(), RetryBudget::default());
        let mut start: Option<Clock> = None;
        let admitted = self.walk.wait.until(&label, async || match self.fitness(gate).await {
            Ok(Fitness::Fit) => Ok(Attempt::Done(())),
            Ok(Fitness::Unfit(why)) if repair.clock.expired() => {
                self.notify(why.clone());
                Err(Refusal::Late(Late { ended: Ended::TimedOut, why }))
            }
            // A group whose instances are replaced again and again is always young.
            Ok(Fitness::Starting(why, limit)) => {
                let is_over = start.get_or_insert_with(|| self.walk.wait.clock.at_most(limit)).expired();
                if is_over { Err(Refusal::Late(Late { ended: Ended::TimedOut, why })) } else { Ok(Attempt::Again(why)) }
            }
            Ok(Fitness::Unfit(why)) => Ok(Attempt::Again(why)),
            Err(error) => {
                let why = budget.allow(error, &self.walk.wait.clock).map_err(Refusal::Cloud)?;
                Ok(Attempt::Again(why.to_owned()))
            }
        });
        admitted.await.map_err(|refusal| match refusal {
            Refusal::Cloud(error) => Outcome::failed(NOT_BEGUN).problem(&error).into(),
            Refusal::Late(late) => self.not_begun(&late.why, repaired).into(),
        })
    }

    fn not_begun(&self, why: &str, repaired: bool) -> Outcome {
        let outcome = match self.walk.wait.cancel.signal() {
            Some(signal) => Outcome::ended(Ended::Cancelled(signal), NOT_BEGUN),
            None if self.walk.wait.clock.expired() => Outcome::ended(Ended::TimedOut, NOT_BEGUN),
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

    /// How the group is now.
    async fn fitness(&self, gate: Option<&HealthGate<'_>>) -> cloud::Result<Fitness> {
        let Some(group) = self.ids.get(&target_group::ARN) else {
            return Ok(Fitness::Fit);
        };
        let targets = target_group::find_targets(self.walk.cx.cloud, group).await?;
        if targets.registered == 0 {
            return Ok(Fitness::Fit); // no target serves: a rollout cannot make it worse
        }
        let staying = targets.others.iter().filter(|target| !target.leaving);
        let (starting, ill): (Vec<_>, Vec<_>) = staying.partition(|target| target.state == "initial");
        let (is_young, limit) = match ill.as_slice() {
            [] if targets.healthy > 0 => (true, Duration::ZERO),
            ill => {
                let (young, limit) = self.young_instances().await?;
                (ill.iter().all(|target| young.contains(&target.id)), limit)
            }
        };
        if !is_young || targets.healthy == 0 {
            let what = format!("{} of {} targets healthy", targets.healthy, targets.registered);
            let others = targets.others();
            let why = if others.is_empty() { what } else { format!("{what} ({others})") };
            let may_come = is_young && !(ill.is_empty() && starting.is_empty());
            return Ok(if may_come { Fitness::Starting(why, limit) } else { Fitness::Unfit(why) });
        }
        let Some(gate) = gate else { return Ok(Fitness::Fit) };
        Ok(match gate.ask(targets.healthy).await {
            Ok(()) => Fitness::Fit,
            Err(why) => Fitness::Unfit(format!("{} does not answer: {why}", gate.endpoint())),
        })
    }

    /// Ids of instances that were launched so lately that they may fail their health checks: a target is `unhealthy`
    /// after two checks that fail, long before its grace period and warm-up are over (ELBv2 user guide, "Health checks
    /// for your target groups"); and how long that takes.
    async fn young_instances(&self) -> cloud::Result<(BTreeSet<String>, Duration)> {
        let Some(group) = find_group(self.walk.cx.cloud, self.group()).await? else {
            return Ok(Default::default());
        };
        let warm_up = group.default_instance_warmup().unwrap_or_default();
        let age = i64::from(group.health_check_grace_period().unwrap_or_default()) + i64::from(warm_up);
        let instances = find_instances(self.walk.cx.cloud, &group).await?;
        let since = self.walk.cx.cloud.limiter.time().map_or(i64::MAX, |now| now - age);
        let young = instances.into_iter().filter(|one| one.launch_time.is_some_and(|time| time.secs() > since));
        let limit = Duration::from_secs(age.unsigned_abs());
        Ok((young.filter_map(|one| one.instance_id).collect(), limit))
    }
}
