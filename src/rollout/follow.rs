//! An instance refresh, followed to its end.

use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance};

use super::gate::Unfit;
use super::newcomers::Newcomers;
use super::{HealthGate, RECOVERY_TIME, Rollout};
use crate::clock::{Attempt, Late};
use crate::cloud::{self, Absent, Error, RetryBudget};
use crate::event::{Event, What};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem, few};
use crate::steps::auto_scaling::refresh::{Refresh, cancel, refreshes, roll_back};
use crate::steps::auto_scaling::{find_group, has_way_back, summary};
use crate::steps::launch_template;
use crate::steps::target_group::{self, Targets, find_targets};

/// Why a refresh was not followed to its end.
enum Lost {
    Cloud(Error),
    Late(Late),
}

impl From<Late> for Lost {
    fn from(late: Late) -> Lost {
        Lost::Late(late)
    }
}

impl From<Error> for Lost {
    fn from(error: Error) -> Lost {
        Lost::Cloud(error)
    }
}

impl Rollout<'_> {
    /// Follows an instance refresh to its end, and rolls it back when the service does not work meanwhile and all else
    /// is as wanted; `repaired`: something was repaired a moment ago, so the group is given time.
    ///
    /// # Errors
    /// The version did not stay, or the run ends before the refresh does: the outcome that says so.
    pub async fn follow(&self, id: &str, mut gate: Option<&mut HealthGate<'_>>, repaired: bool) -> Result<(), Failed> {
        let (label, mut unfit, mut newcomers) = (self.label(), None, Newcomers::after(repaired));
        if let Some(gate) = gate.as_mut().filter(|_| repaired) {
            gate.excuse(self.walk.wait.clock.at_most(RECOVERY_TIME));
        }
        let (mut budget, mut is_on_way_back) = (RetryBudget::default(), false);
        (self.walk.wait.watch)(Event { key: label.key, name: label.name.clone(), what: What::Started("roll out") });
        let wait = self.walk.wait.quiet(); // `progress` reports in more detail
        let ended = wait.until(&label, async || {
            let (refresh, healthy) = match self.look(id, &mut newcomers).await {
                Ok(None) => return Ok(Attempt::Done(None)),
                Ok(Some((refresh, healthy))) if refresh.active() => (refresh, healthy),
                Ok(Some((refresh, _))) => return Ok(Attempt::Done(Some(refresh))),
                Err(error) => {
                    let why = budget.allow(error, &self.walk.wait.clock)?.to_owned();
                    self.notify(why.clone());
                    return Ok(Attempt::Again(why));
                }
            };
            if unfit.is_none() && refresh.forward() {
                let under_way = (1..100).contains(&refresh.percent);
                unfit = match gate.as_mut().filter(|_| under_way) {
                    _ if newcomers.verdict.is_some() => newcomers.verdict.take(),
                    Some(gate) => gate.judge(healthy, &self.walk.wait).await,
                    None => None,
                };
                // A decision of the service is its version's own.
                let may_pass = unfit.as_ref().is_some_and(|unfit| unfit.finding.is_none());
                if may_pass && self.needs_repair().await {
                    self.notify("something else is not as wanted: it is repaired first");
                    return Ok(Attempt::Done(None));
                }
                if let Some(unfit) = &unfit {
                    self.take_back(&unfit.why).await?;
                }
            }
            if refresh.goes_back() && !std::mem::replace(&mut is_on_way_back, true) && self.ends_lost_way().await? {
                let failed = || Unfit { exit: Exit::Unverified, why: refresh.reason.clone(), finding: None };
                unfit = unfit.take().or_else(|| self.is_wanted(&refresh).then(failed));
            }
            Ok(Attempt::Again(summary(&refresh)))
        });
        match ended.await {
            Ok(None) => Ok(()),
            Ok(Some(refresh)) => {
                self.notify_end(&refresh);
                // What became of another version says nothing of this one: the next plan goes on from there.
                if unfit.is_none() && !self.is_wanted(&refresh) { Ok(()) } else { concluded(&refresh, unfit) }
            }
            Err(Lost::Late(late)) => Err(left(late).into()),
            Err(Lost::Cloud(error)) => {
                let summary = "failed; the rollout goes on by itself, and running again follows it";
                Err(Outcome::failed(summary).problem(&error).into())
            }
        }
    }

    /// The refresh and how many targets are healthy; `None`: there is no such refresh, or the group lost its target
    /// group, which says nothing of the version.
    async fn look(&self, id: &str, newcomers: &mut Newcomers) -> cloud::Result<Option<(Refresh, usize)>> {
        let all = refreshes(self.walk.cx.cloud, self.group()).await?;
        let Some(found) = all.into_iter().flatten().find(|refresh| refresh.id == id) else {
            return Ok(None);
        };
        if !found.active() {
            return Ok(Some((found, 0)));
        }
        let group = find_group(self.walk.cx.cloud, self.group()).await?;
        let arn = self.ids.get(&target_group::ARN);
        let targets = match arn {
            Some(arn) => find_targets(self.walk.cx.cloud, arn).await.or_absent()?,
            None => Some(Targets::default()),
        };
        let serves = |group: &AutoScalingGroup| arn.is_none_or(|arn| group.target_group_arns().contains(arn));
        let is_lost = found.forward() && group.as_ref().is_some_and(|group| !serves(group));
        let Some(targets) = targets.filter(|_| !is_lost) else { return Ok(None) };
        self.progress(&found, group.as_ref(), &targets, newcomers).await?;
        Ok(Some((found, targets.healthy)))
    }

    /// Rolls the version back; where AWS cannot, cancels the refresh to keep it from more instances.
    async fn take_back(&self, why: &str) -> cloud::Result<()> {
        self.notify(format!("rolling back: {why}"));
        if !roll_back(self.walk.cx.cloud, self.group()).await? {
            self.give_up().await?;
        }
        Ok(())
    }

    /// Cancels a rollback to what was deleted since. Returns whether it did.
    async fn ends_lost_way(&self) -> cloud::Result<bool> {
        let group = find_group(self.walk.cx.cloud, self.group()).await?;
        let leads_back = match &group {
            Some(group) => has_way_back(self.walk.cx.cloud, group).await?,
            None => true,
        };
        if !leads_back {
            self.give_up().await?;
        }
        Ok(!leads_back)
    }

    async fn give_up(&self) -> cloud::Result<()> {
        self.notify("AWS has no way back here: cancelling");
        cancel(self.walk.cx.cloud, self.group()).await.map(drop)
    }

    /// Reports how far it is, and the instances that are launched or terminated.
    async fn progress(
        &self,
        refresh: &Refresh,
        group: Option<&AutoScalingGroup>,
        targets: &Targets,
        newcomers: &mut Newcomers,
    ) -> cloud::Result<()> {
        if let Some(group) = group.filter(|_| refresh.forward()) {
            newcomers.look(self.walk.cx.cloud, refresh, group, targets).await?;
        }
        let instances = group.into_iter().flat_map(AutoScalingGroup::instances);
        let lines: Vec<String> = instances.filter_map(|instance| moving(instance, refresh, targets)).collect();
        let what = summary(refresh);
        self.notify(if lines.is_empty() { what } else { format!("{what}: {}", few(&lines, "; ")) });
        Ok(())
    }

    /// Whether it brings what deploy.yaml wants.
    fn is_wanted(&self, refresh: &Refresh) -> bool {
        let (id, version) = (self.ids.get(&launch_template::ID), self.ids.get(&launch_template::VERSION));
        id.zip(version).is_some_and(|(id, version)| refresh.brings(id, version))
    }

    fn notify_end(&self, refresh: &Refresh) {
        let verb = match refresh.status.as_str() {
            "Successful" => "rolled out",
            _ if refresh.rolled_back() => "rolled back",
            _ => "not rolled out",
        };
        let label = self.label();
        (self.walk.wait.watch)(Event { key: label.key, name: label.name, what: What::Finished(verb) });
    }
}

/// The state of an instance that is launched or terminated; `None`: it serves as before.
fn moving(instance: &Instance, refresh: &Refresh, targets: &Targets) -> Option<String> {
    let id = instance.instance_id().unwrap_or("?");
    let version = refresh.version_of(instance);
    let state = instance.lifecycle_state().map_or("?", |state| state.as_str());
    let health = targets.others.iter().find(|target| target.id == id).map(|target| target.state.as_str());
    match (state, health) {
        ("InService", None) if !refresh.launched(instance) => None,
        (state, Some(health)) => Some(format!("{id} (version {version}) {state}, {health}")),
        (state, None) => Some(format!("{id} (version {version}) {state}")),
    }
}

/// The outcome when the run ends before the rollout does.
fn left(late: Late) -> Outcome {
    let outcome = Outcome::ended(late.ended, "the rollout goes on by itself; running again follows it");
    outcome.problem(Problem::new(late.why, "Running again goes on from here."))
}

/// The outcome of a refresh that ended. A version that was rolled back is tried again only on demand.
fn concluded(refresh: &Refresh, unfit: Option<Unfit>) -> Result<(), Failed> {
    let back = refresh.rolled_back();
    let (exit, why, finding) = match unfit {
        Some(unfit) => (unfit.exit, unfit.why, unfit.finding),
        None if back => (Exit::Unverified, refresh.reason.clone(), None),
        None => return Ok(()), // a cancelled one too: the next plan begins it anew
    };
    let (version, reason) = (&refresh.version, &refresh.reason);
    let said = if reason.is_empty() || why == *reason { String::new() } else { format!(": {reason}") };
    let (outcome, problem) = if back {
        let cure = format!(
            "The instances run the version before it. Fix deploy.yaml or the image; `up {}` tries this version again.",
            crate::flags::FORCE
        );
        let problem = Problem::new(format!("version {version} was not taken: {why}"), cure);
        (Outcome::new(exit, "rolled_back", "rolled back"), problem)
    } else {
        let problem = Problem::new(
            format!("version {version} does not work: {why}"),
            "Instances that were replaced keep this version. Fix deploy.yaml or the image and run `up` again: the \
             group is pinned to a numbered version then, to which AWS can go back.",
        );
        (Outcome::new(exit, "failed", "failed; the version was not taken back"), problem)
    };
    let problem = problem
        .of("auto_scaling_group (guide step 4)")
        .because(format!("the instance refresh ended in {}{said}", refresh.status));
    let mut outcome = outcome.problem(problem);
    outcome.checks.extend(finding);
    Err(outcome.into())
}
