//! What the verbs on test accounts take.

use std::time::Duration;

use clap::Args;

use super::duration;

/// `deploy touch`
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Touch {
    /// It is wanted for so long from now: 8h, 90m, at most 168h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub lasts: Option<Duration>,
    /// It is wanted until then: 2030-01-31T18:00:00Z
    #[arg(long, value_name = "TIME")]
    pub until: Option<jiff::Timestamp>,
    /// It does not expire
    #[arg(long)]
    pub never: bool,
}

/// `deploy reap`
#[derive(Debug, Args)]
pub struct Reap {
    /// Remove them; without it they are only listed
    #[arg(long)]
    pub yes: bool,
    /// An account in which stacks may be removed; may be given again. The `account` of deploy.yaml is one too
    #[arg(long = "account", value_name = "ID", value_parser = account)]
    pub accounts: Vec<String>,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = duration)]
    pub timeout: Duration,
}

/// An account's number.
fn account(text: &str) -> Result<String, String> {
    let is_number = text.len() == 12 && text.chars().all(|one| one.is_ascii_digit());
    if is_number { Ok(text.to_owned()) } else { Err("an account has twelve digits".to_owned()) }
}

/// `deploy park` and `deploy unpark`
#[derive(Debug, Args)]
pub struct Park {
    /// How long it may take until its instances are gone, or are back and healthy
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub timeout: Duration,
}
