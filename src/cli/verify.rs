//! What `verify`, `preflight` and `diagnose` take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Overrides, Service, Written, amount, duration, share};

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
    /// Where its reports go.
    #[command(flatten)]
    pub written: Written,
    /// How long to wait for what may still become right: targets that start, names that are on their way
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub wait: Duration,
    /// How long everything may take [default: 10m, or --wait and a minute]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
}

impl Verify {
    /// How long everything may take: long enough for what is to be waited for.
    pub fn deadline(&self) -> Duration {
        self.timeout.unwrap_or_else(|| Duration::from_mins(10).max(self.wait + Duration::from_mins(1)))
    }
}

/// `deploy preflight`
#[derive(Debug, Args)]
pub struct Preflight {
    /// Where its reports go.
    #[command(flatten)]
    pub written: Written,
    /// Refuse (4) what may cost more a month, by AWS's price list and in its currency, or whose cost is not known
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub max_monthly: Option<f64>,
}

/// `deploy diagnose`
#[derive(Debug, Args)]
pub struct Diagnose {
    /// Where its reports go.
    #[command(flatten)]
    pub written: Written,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub timeout: Duration,
}
