//! What `bundle` takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// `deploy bundle`
#[derive(Debug, Args)]
pub struct Bundle {
    /// Where the ZIP goes
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Show the account's number, the caller, IP addresses and names as they are
    #[arg(long)]
    pub no_redact: bool,
    /// Write over a file of this name
    #[arg(long)]
    pub force: bool,
    /// How long the checks may take
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = super::duration)]
    pub timeout: Duration,
}
