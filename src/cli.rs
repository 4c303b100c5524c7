//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};

/// Creates, converges and removes the AWS stack of Oz Liveness.
///
/// Exit codes: 0 done or nothing to do; 1 failed; 2 usage or deploy.yaml; 3 changes pending (plan --exit-code);
/// 4 refused before anything was changed; 5 a deadline passed; 6 the service is not right; 8 something with our name is
/// not ours; 9 teardown is incomplete; 130, 143 interrupted.
#[derive(Debug, Parser)]
#[command(name = "deploy", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
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
    /// Show what stands: resources, targets, capacity, endpoint; reads only
    Status,
    /// Remove the stack, and look that nothing is left
    Teardown(Teardown),
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
    /// Allow what AWS cannot change in place to be removed and made again, with what hangs on it
    #[arg(long)]
    pub replace: bool,
    /// Do not wait for healthy targets, nor ask the service for its version
    #[arg(long)]
    pub no_verify: bool,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub timeout: Duration,
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

/// `deploy teardown`
#[derive(Debug, Args)]
pub struct Teardown {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Only show what would be removed
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
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
        #[arg(long, default_value_t = crate::commands::PACE)]
        pace: f64,
    },
    /// Forget everything that was made in the sandbox
    Reset,
}

/// `90s`, `30m`, `1h30m`, or seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let cure = "write it as 90s, 30m or 1h30m";
    let duration = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => {
            let span: jiff::SignedDuration = text.parse().map_err(|_| cure.to_owned())?;
            Duration::try_from(span).map_err(|_| cure.to_owned())?
        }
    };
    if duration.is_zero() || duration > Duration::from_secs(7 * 86_400) {
        Err(cure.to_owned())
    } else {
        Ok(duration)
    }
}
