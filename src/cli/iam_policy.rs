//! What `iam-policy` takes.

use clap::{Args, ValueEnum};

/// `deploy iam-policy`
#[derive(Debug, Args)]
pub struct IamPolicy {
    /// Which verbs the policy is for
    #[arg(long = "for", value_name = "VERB", value_delimiter = ',', default_value = "all")]
    pub purposes: Vec<Purpose>,
    /// Also allow `up --adopt` to tag what has our names and no owner
    #[arg(long)]
    pub adopt: bool,
}

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// up, plan and preflight
    Up,
    /// verify, diagnose and status
    Verify,
    /// teardown
    Teardown,
    /// All of them
    All,
}
