//! What `up` and `plan` take.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration;

/// `deploy up`
#[derive(Debug, Args)]
pub struct Up {
    /// Take over what has our names and no owner (a stack clicked together in the console): tag it, then converge it
    #[arg(long)]
    pub adopt: bool,
    /// Allow what AWS cannot change in place to be removed and made again, with what depends on it
    #[arg(long)]
    pub replace: bool,
    /// Roll a changed launch template out although the group is unhealthy, or the version was rolled back before
    #[arg(long)]
    pub force: bool,
    /// Allow scaling.max below the capacity that runs: instances are terminated
    #[arg(long)]
    pub allow_scale_in: bool,
    /// What a rollout does with instances that are protected from scale-in
    #[arg(long, value_name = "HOW")]
    pub protected_instances: Option<Protected>,
    /// What a rollout does with instances in standby
    #[arg(long, value_name = "HOW")]
    pub standby_instances: Option<Standby>,
    /// Allow a listener to go that asks clients who they are (a login, a token, their certificate): the service itself
    /// asks nobody
    #[arg(long)]
    pub remove_authentication: bool,
    /// Do not wait for healthy targets (nor, then, ask the service)
    #[arg(long)]
    pub no_wait: bool,
    /// Do not ask the service for its version, neither during a rollout nor afterwards
    #[arg(long)]
    pub no_ask: bool,
    /// --no-wait and --no-ask
    #[arg(long)]
    pub no_verify: bool,
    /// Fail (6) where an internal load balancer is not reached from here, so that the service was not asked
    #[arg(long)]
    pub require_answer: bool,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub timeout: Duration,
}

impl Up {
    /// Whether healthy targets are waited for.
    pub fn waits(&self) -> bool {
        !self.no_wait && !self.no_verify
    }

    /// Whether the service is asked.
    pub fn asks(&self) -> bool {
        !self.no_ask && self.waits()
    }
}

/// An instance refresh's `ScaleInProtectedInstances`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protected {
    /// Replace them too
    Refresh,
    /// Leave them as they are
    Ignore,
    /// Wait an hour for their protection to be taken off
    Wait,
}

/// An instance refresh's `StandbyInstances`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Standby {
    /// Replace them too
    Terminate,
    /// Leave them as they are
    Ignore,
    /// Wait an hour for them to come back to service
    Wait,
}

/// `deploy plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// Exit with 3 when there are changes
    #[arg(long)]
    pub exit_code: bool,
    /// Show what `up --adopt` would do
    #[arg(long)]
    pub adopt: bool,
    /// Show what `up --replace` would do
    #[arg(long)]
    pub replace: bool,
}
