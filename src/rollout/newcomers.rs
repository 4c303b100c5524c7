//! The instances that a refresh launches, and when they speak against its version.
//!
//! AWS replaces instances that fail their health checks, and tries launches again, for an hour before a refresh fails
//! and is rolled back (Auto Scaling user guide, "How an instance refresh works"). That is longer than a run waits.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance, LifecycleState};

use super::gate::Unfit;
use crate::cloud::{self, Cloud};
use crate::exit::Exit;
use crate::steps::auto_scaling::launches;
use crate::steps::auto_scaling::refresh::Refresh;
use crate::steps::target_group::Targets;

/// So many failed instances are too many, also beside healthy ones: a single one may have bad luck.
const TOO_MANY: usize = 2;

/// The instances of the new version.
#[derive(Default)]
pub(super) struct Newcomers {
    seen: BTreeSet<String>,
    /// Those that may have failed for something that was repaired; `None` before the first look.
    excused: Option<BTreeSet<String>>,
    /// Why the version must be rolled back.
    pub verdict: Option<Unfit>,
}

impl Newcomers {
    /// `repaired`: something else was, a moment ago, so that those of the first look are not judged.
    pub fn after(repaired: bool) -> Newcomers {
        Newcomers { excused: (!repaired).then(BTreeSet::new), ..Newcomers::default() }
    }

    /// Another look. The group's history is read while none of them is healthy, or when one has gone.
    ///
    /// # Errors
    /// Auto Scaling does not list its activities.
    pub async fn look(
        &mut self,
        cloud: &Cloud,
        refresh: &Refresh,
        group: &AutoScalingGroup,
        targets: &Targets,
    ) -> cloud::Result<()> {
        let is_new = |one: &&Instance| refresh.launched(one);
        let serves = |one: &&Instance| one.lifecycle_state() == Some(&LifecycleState::InService);
        let is_healthy = |one: &&Instance| !targets.others.iter().any(|other| one.instance_id() == Some(&other.id));
        let new: Vec<&Instance> = group.instances().iter().filter(is_new).collect();
        self.seen.extend(new.iter().filter_map(|one| one.instance_id.clone()));
        let excused = self.excused.get_or_insert_with(|| self.seen.clone());
        let serving = new.iter().copied().filter(serves);
        let (serving, healthy) = (serving.clone().count(), serving.filter(is_healthy).count());
        if healthy > 0 && serving == self.seen.len() {
            return Ok(());
        }
        let launches = launches(cloud, group.auto_scaling_group_name().unwrap_or_default()).await?;
        let failed: BTreeSet<&str> = launches
            .unhealthy(refresh.started)
            .filter(|id| self.seen.contains(*id) && !excused.contains(*id))
            .collect();
        let failing = launches.failing_since(group, refresh.started).filter(|failing| failing.lasts && healthy == 0);
        let why = if failed.len() >= TOO_MANY || (healthy == 0 && !failed.is_empty()) {
            let grace = group.health_check_grace_period().unwrap_or_default();
            let ids = Vec::from_iter(failed).join(", ");
            format!("instances of it failed their health checks {grace} s after their launch and were replaced: {ids}")
        } else if let Some(failing) = failing {
            let known = failing.known.map(|row| format!("; {}. {}", row.cause, row.fix));
            format!("no instance can be launched: {}{}", failing.words, known.unwrap_or_default())
        } else {
            return Ok(());
        };
        self.verdict = Some(Unfit { exit: Exit::Unverified, why, finding: None });
        Ok(())
    }
}
