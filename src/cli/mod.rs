//! The command line.

mod accounts;
mod bundle;
mod command;
mod examples;
mod export;
mod files;
mod graph;
mod iam_policy;
mod init;
mod service;
mod status;
mod up;
mod verify;
mod written;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::report::ProgressForm;

pub use accounts::{Park, Reap, Touch};
pub use bundle::Bundle;
pub use command::command;
pub use examples::EXAMPLES;
pub use export::{Export, Language};
pub use graph::{Graph, Picture};
pub use iam_policy::{IamPolicy, Purpose};
pub use init::{Described, Init, Schema};
pub use service::{Biometry, Liveness, Load, Overrides, Service};
pub use status::Status;
pub use up::{Plan, Protected, Standby, Up};
pub use verify::{Diagnose, Preflight, Verify};
pub use written::Written;

/// How many of AWS's seconds pass in one of the sandbox's, so that a person sees progress move.
pub const PACE: f64 = 40.0;

/// Creates, converges, proves and removes the AWS stack of Oz Liveness.
#[derive(Debug, Parser)]
#[command(name = "deploy", version)]
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
#[command(next_help_heading = "Global options")]
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
    /// More of what happens: -v a line for each call to AWS, -vv its parameters too
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Write every call to AWS with its parameters and its time into this file, a line of JSON each
    #[arg(long, global = true, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// How progress is shown on stderr
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value = "auto")]
    pub progress: ProgressForm,
    /// Colours in results
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: clap::ColorChoice,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented deploy.yaml from what the account has; reads only
    Init(Init),
    /// Create or converge the stack, wait until it is healthy and answers
    #[command(aliases = ["apply", "deploy", "create", "converge"])]
    Up(Up),
    /// Show what `up` would do; reads only
    #[command(aliases = ["diff", "preview"])]
    Plan(Plan),
    /// Look at what `up` looks at before its first write: network, quota, image; reads only
    Preflight(Preflight),
    /// Hold each setting of the vendor's guide against what stands; reads only
    Conform(Written),
    /// Show whether it is up, on what it runs, and whether it differs from deploy.yaml; reads only
    Status(Status),
    /// Draw the resources of the stack and what depends on what, as deploy.yaml wants them or as they stand; reads only
    Graph(Graph),
    /// Write the live stack down as code for Terraform or CloudFormation, with what imports it; reads only
    Export(Export),
    /// Collect what the vendor's support asks for in one ZIP, without pictures and tokens, masked; reads only
    Bundle(Bundle),
    /// List the stacks of the account and region, found by their tags: no deploy.yaml is needed; reads only
    List,
    /// Say until when the stack is wanted: only its tag changes, and `list` shows it
    Touch(Touch),
    /// List the expired stacks of the account and region, and with --yes remove them: no deploy.yaml is needed
    Reap(Reap),
    /// End every instance for a while and keep everything else: no size is forgotten, and no plan takes it for a
    /// difference
    Park(Park),
    /// Bring the instances of a parked stack back, and wait until it is healthy and answers
    Unpark(Park),
    /// Prove that the stack works, up to a real liveness and biometry call; reads only
    #[command(aliases = ["check", "validate"])]
    Verify(Verify),
    /// Find the most likely cause of what is wrong, by the guide's troubleshooting table; reads only
    #[command(aliases = ["doctor", "why"])]
    Diagnose(Diagnose),
    /// Remove the stack, and look that nothing is left
    #[command(aliases = ["destroy", "delete", "down", "remove"])]
    Teardown(Teardown),
    /// Ask a service whether a capture shows a living person
    Liveness(Liveness),
    /// Ask a service whether two pictures show the same person
    Biometry(Biometry),
    /// Print the least-privilege IAM policy that the other verbs need; asks nobody
    IamPolicy(IamPolicy),
    /// Print the JSON Schema of deploy.yaml, for editors, or of what the verbs print for programs
    Schema(Schema),
    /// The local AWS behind --sandbox
    #[command(subcommand)]
    Sandbox(Sandbox),
    /// Explain a key of deploy.yaml, an exit code, a check, a step of the guide or an error code of AWS
    Explain(Explain),
    /// Print the completions of a shell
    Completions {
        /// Whose
        shell: clap_complete::Shell,
    },
    /// Print the manual page of a verb, or write every page into a directory
    Man(Man),
    /// Print the version
    Version,
}

/// `deploy explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// Such as scaling.max, 8, drift, "step 4" or UnauthorizedOperation; without it, what there is
    #[arg(num_args = 0..)]
    pub word: Vec<String>,
}

/// `deploy man`
#[derive(Debug, Args)]
pub struct Man {
    /// The verb [default: the program itself]
    pub verb: Vec<String>,
    /// Write every page into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "verb")]
    pub dir: Option<PathBuf>,
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
    /// Where its reports go.
    #[command(flatten)]
    pub written: Written,
    /// Show the schedule of the run: each step, what it waited for, and the critical path
    #[arg(long)]
    pub timings: bool,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "60m", value_parser = duration)]
    pub timeout: Duration,
}

impl Teardown {
    /// A removal that was agreed to, and nothing more.
    pub fn agreed() -> Teardown {
        Teardown {
            yes: true,
            dry_run: false,
            lift_protection: false,
            allow_unseen_regions: false,
            written: Written::default(),
            timings: false,
            timeout: Duration::MAX,
        }
    }
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
    /// Write a generated capture and a reference photo of nobody, to try liveness and biometry with
    Sample {
        /// Where capture.json and reference.jpg go
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Write over files of these names
        #[arg(long)]
        force: bool,
    },
    /// Forget everything that was made in the sandbox, its weather too
    Reset,
}

impl Verb {
    /// Whether it shows what was done when.
    pub fn shows_steps(&self) -> bool {
        match self {
            Verb::Up(args) => args.timings,
            Verb::Teardown(args) => args.timings,
            _ => false,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Init(_) => "init",
            Verb::Up(_) => "up",
            Verb::Plan(_) => "plan",
            Verb::Preflight(_) => "preflight",
            Verb::Conform(_) => "conform",
            Verb::Status(_) => "status",
            Verb::Graph(_) => "graph",
            Verb::Export(_) => "export",
            Verb::Bundle(_) => "bundle",
            Verb::List => "list",
            Verb::Touch(_) => "touch",
            Verb::Reap(_) => "reap",
            Verb::Park(_) => "park",
            Verb::Unpark(_) => "unpark",
            Verb::Verify(_) => "verify",
            Verb::Diagnose(_) => "diagnose",
            Verb::Teardown(_) => "teardown",
            Verb::Liveness(_) => "liveness",
            Verb::Biometry(_) => "biometry",
            Verb::IamPolicy(_) => "iam-policy",
            Verb::Schema(_) => "schema",
            Verb::Sandbox(_) => "sandbox",
            Verb::Explain(_) => "explain",
            Verb::Completions { .. } => "completions",
            Verb::Man(_) => "man",
            Verb::Version => "version",
        }
    }
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

/// An amount of money.
fn amount(text: &str) -> Result<f64, String> {
    let amount = text.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| "write an amount such as 5000".to_owned())
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "a number from 0 to 1".to_owned())
}
