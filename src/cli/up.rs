//! What `up` and `plan` take.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Written, amount, duration};

/// `deploy up`
#[derive(Debug, Clone, Args)]
pub struct Up {
    /// Apply this plan of `deploy plan --save`, and nothing else: refused when anything has moved since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["adopt", "replace"])]
    pub plan: Option<PathBuf>,
    /// Only show what would be done: the same as `deploy plan`
    #[arg(long)]
    pub dry_run: bool,
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
    /// Refuse (4) what may cost more a month, by AWS's price list and in its currency, or whose cost is not known
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub max_monthly: Option<f64>,
    /// How long the stack is wanted from now: 8h, at most 168h; `list` shows it, `touch` moves it
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub ttl: Option<Duration>,
    /// Show the plan and ask before anything is changed; refused without a terminal
    #[arg(long)]
    pub ask: bool,
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
    /// Where its reports go.
    #[command(flatten)]
    pub written: Written,
    /// Show the schedule of the run: each step, what it waited for, and the critical path
    #[arg(long)]
    pub timings: bool,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub timeout: Duration,
}

impl Up {
    /// The `plan` that `--dry-run` asks for.
    pub fn planned(&self) -> Plan {
        Plan {
            exit_code: false,
            adopt: self.adopt,
            replace: self.replace,
            max_monthly: self.max_monthly,
            written: self.written.clone(),
            save: None,
        }
    }

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
    /// Refuse (4) what may cost more a month, by AWS's price list and in its currency, or whose cost is not known
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub max_monthly: Option<f64>,
    /// Where its reports go.
    #[command(flatten)]
    pub written: Written,
    /// Write the plan to a file, for `up --plan`
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
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
