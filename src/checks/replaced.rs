//! Instances that are replaced before they are ever healthy: a wait for their health would last for ever.

use std::collections::BTreeSet;

use super::unproven::Unproven;
use crate::cloud::{self, Cloud};
use crate::config::Config;
use crate::steps::auto_scaling::launches;
use crate::steps::target_group::Targets;

/// How often every wanted instance is replaced before there is no use in waiting.
const ROUNDS: usize = 2;

/// The targets of one wait, and those of them that Auto Scaling took out of service for failed health checks.
#[derive(Debug, Default)]
pub struct Replaced {
    seen: BTreeSet<String>,
    replaced: BTreeSet<String>,
}

impl Replaced {
    /// Another look at the targets. The group's history is read when there are others than before.
    ///
    /// # Errors
    /// Auto Scaling does not list its activities.
    pub async fn look(&mut self, cloud: &Cloud, group: &str, targets: &Targets) -> cloud::Result<()> {
        let ids: BTreeSet<String> = targets.others.iter().map(|target| target.id.clone()).collect();
        if !self.seen.is_empty() && !ids.is_subset(&self.seen) {
            let launches = launches(cloud, group).await?;
            self.replaced.extend(launches.unhealthy(None).filter(|id| self.seen.contains(*id)).map(str::to_owned));
        }
        self.seen.extend(ids);
        Ok(())
    }

    /// What is to be said of it while waiting; nothing: none was replaced.
    pub fn words(&self, config: &Config) -> String {
        if self.replaced.is_empty() {
            return String::new();
        }
        format!(
            "; instances are being replaced: {} so far had failed their health checks {} s after their launch, when \
             scaling.grace_period_seconds is over: raise it if the service takes longer to start",
            self.replaced.len(),
            config.scaling.grace_period_seconds
        )
    }

    /// Ends a wait in which every one of the wanted targets was replaced again and again.
    ///
    /// # Errors
    /// It is so.
    pub fn check(&self, targets: &Targets, wanted: usize, config: &Config) -> Result<(), Unproven> {
        if self.replaced.len() < ROUNDS * wanted {
            return Ok(());
        }
        let ids: Vec<&str> = self.replaced.iter().map(String::as_str).collect();
        let grace = config.scaling.grace_period_seconds;
        Err(Unproven::Never {
            what: format!(
                "{} of {wanted} targets healthy; Auto Scaling has replaced {} instances that failed their health \
                 checks {grace} s after their launch: {}",
                targets.healthy,
                ids.len(),
                ids.join(", ")
            ),
            cause: "the service does not start, or takes longer than scaling.grace_period_seconds".to_owned(),
            fix: "Raise scaling.grace_period_seconds if it takes longer; else look at an instance before it is \
                  replaced: `deploy diagnose`, `aws ec2 get-console-output`."
                .to_owned(),
            refused: false,
        })
    }
}
