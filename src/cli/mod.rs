//! The command line.

mod service;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::oz::Refused;
pub use service::{Biometry, Liveness, Overrides, Service};

/// How many of AWS's seconds pass in one of the sandbox's, so that a person sees progress move.
pub const PACE: f64 = 40.0;

/// Creates, converges, proves and removes the AWS stack of Oz Liveness.
///
/// Exit codes: 0 done or nothing to do; 1 failed; 2 usage or deploy.yaml; 3 changes pending (plan --exit-code) or
/// drift (verify); 4 refused before anything was changed; 5 a deadline passed; 6 the service is not right; 7 the
/// service works and its decision was negative; 8 something with our name is not ours; 9 teardown is incomplete;
/// 129, 130, 143 interrupted.
#[derive(Debug, Parser)]
#[command(name = "deploy", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What every verb takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Args)]
pub struct Global {
    /// The configuration [default: deploy.yaml; with --sandbox one that fits the sandbox]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Overrides one key of the configuration: --set scaling.max=10
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Profile of the shared AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region; wins over deploy.yaml's
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// Runs against a local AWS inside this program: no account, no network
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Where the sandbox is kept between commands [default: in the user's state directory]
    #[arg(long, global = true, value_name = "FILE", env = "DEPLOY_SANDBOX_WORLD")]
    pub sandbox_world: Option<PathBuf>,
    /// One JSON document on stdout, on failure too
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress, only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More of what happens: -v the calls' retries, -vv all that the SDK tells
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create or converge the stack, wait until it is healthy and answers
    Up(Up),
    /// Show what `up` would do; reads only
    Plan(Plan),
    /// Look at what `up` looks at before its first write: network, quota, image; reads only
    Preflight,
    /// Show what stands: resources, targets, capacity, endpoint; reads only
    Status,
    /// Prove that the stack works, up to a real liveness and biometry call; reads only
    Verify(Verify),
    /// Find the most likely cause of what is wrong, by the guide's troubleshooting table; reads only
    Diagnose(Diagnose),
    /// Remove the stack, and look that nothing is left
    Teardown(Teardown),
    /// Ask a service whether a capture shows a living person
    Liveness(Liveness),
    /// Ask a service whether two pictures show the same person
    Biometry(Biometry),
    /// The local AWS behind --sandbox
    #[command(subcommand)]
    Sandbox(Sandbox),
}

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

/// `deploy verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// Only the client's checks, against this service: needs neither an account nor deploy.yaml
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// A capture for a real liveness call [default: verify.capture; with --sandbox a generated one]
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// A picture to compare the capture's best shot with [default: verify.reference]
    #[arg(long, value_name = "FILE")]
    pub reference: Option<PathBuf>,
    #[command(flatten)]
    pub service: Service,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Least similarity of the biometry call; can only tighten what the service decides
    #[arg(long, value_name = "0..1", value_parser = share)]
    pub min_confidence: Option<f64>,
    /// So many passes in a row; the metered calls are made once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// Write the checks as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the checks as one self-contained page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// How long to wait for what may still become right: targets that start, names that are on their way
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub wait: Duration,
    /// How long everything may take [default: 10m, or --wait and a minute]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// `deploy diagnose`
#[derive(Debug, Args)]
pub struct Diagnose {
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub timeout: Duration,
}

/// `deploy teardown`
#[derive(Debug, Args)]
pub struct Teardown {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Only show what would be removed, and what protection would be lifted
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Take off what protects it: deletion protection, scale-in protection, standby, suspended processes, waiting hooks
    #[arg(long)]
    pub lift_protection: bool,
    /// Remove the instance profile although not every region could be asked whether an instance there uses it
    #[arg(long)]
    pub allow_unseen_regions: bool,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "60m", value_parser = duration)]
    pub timeout: Duration,
}

/// `deploy sandbox …`
#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Serve the sandbox on loopback for any AWS client, until interrupted
    Serve {
        /// 0 takes a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// How many of AWS's seconds pass in one of ours
        #[arg(long, default_value_t = PACE)]
        pace: f64,
    },
    /// Print the deploy.yaml that fits it: sandbox config > deploy.yaml
    Config,
    /// Show what the kept sandbox does to its users, or change it: boot_seconds=90 launch_fails='{"*": OptInRequired}'
    Weather {
        /// Switches to set; without any, they are only shown
        #[arg(value_name = "NAME=VALUE")]
        switches: Vec<String>,
    },
    /// Forget everything that was made in the sandbox
    Reset,
}

impl Verify {
    /// Refuses a report that would be written over a file that is read: deploy.yaml, a face, a token.
    pub fn written_over(&self, config: &Path) -> Option<Refused> {
        let (service, more) = (&self.service, &self.overrides);
        let read = [&self.capture, &self.reference, &service.token_file, &service.ca_file, &more.meta];
        let read: Vec<PathBuf> =
            read.into_iter().chain([&more.additional_info]).flatten().filter_map(|path| real(path)).collect();
        let read = [read, Vec::from_iter(real(config))].concat();
        let reports = [&self.junit, &self.html].into_iter().flatten();
        let over = reports.into_iter().find(|report| real(report).is_some_and(|report| read.contains(&report)))?;
        let what = format!("{}: it is a file that this run reads, and a report would replace it", over.display());
        Some(Refused::new(what, "Name another file for the report."))
    }

    /// How long everything may take: long enough for what is to be waited for.
    pub fn deadline(&self) -> Duration {
        self.timeout.unwrap_or_else(|| Duration::from_mins(10).max(self.wait + Duration::from_mins(1)))
    }
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

impl Verb {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Up(_) => "up",
            Verb::Plan(_) => "plan",
            Verb::Preflight => "preflight",
            Verb::Status => "status",
            Verb::Verify(_) => "verify",
            Verb::Diagnose(_) => "diagnose",
            Verb::Teardown(_) => "teardown",
            Verb::Liveness(_) => "liveness",
            Verb::Biometry(_) => "biometry",
            Verb::Sandbox(_) => "sandbox",
        }
    }
}

/// The file that a path leads to.
fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// `90s`, `30m`, `1h30m`, or seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let cure = "write it as 90s, 30m or 1h30m";
    let duration = if let Ok(seconds) = text.parse::<u32>() {
        Duration::from_secs(seconds.into())
    } else {
        let span: jiff::SignedDuration = text.parse().map_err(|_| cure.to_owned())?;
        Duration::try_from(span).map_err(|_| cure.to_owned())?
    };
    if duration.is_zero() || duration > Duration::from_hours(168) { Err(cure.to_owned()) } else { Ok(duration) }
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "a number from 0 to 1".to_owned())
}
