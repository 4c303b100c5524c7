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
