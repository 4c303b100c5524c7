//! Where a run's reports go.

use std::path::PathBuf;

use clap::Args;

use super::Verb;

/// The reports of a verb on a stack.
#[derive(Debug, Clone, Default, Args)]
pub struct Written {
    /// Write what was done and found as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write it as one self-contained page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Append it to this file as Markdown, such as $GITHUB_STEP_SUMMARY
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

impl Verb {
    /// Where its reports go; `None`: it writes none.
    pub fn written(&self) -> Option<&Written> {
        match self {
            Verb::Up(args) => Some(&args.written),
            Verb::Plan(args) => Some(&args.written),
            Verb::Preflight(args) => Some(&args.written),
            Verb::Conform(written) => Some(written),
            Verb::Verify(args) => Some(&args.written),
            Verb::Diagnose(args) => Some(&args.written),
            Verb::Teardown(args) => Some(&args.written),
            _ => None,
        }
    }
}
