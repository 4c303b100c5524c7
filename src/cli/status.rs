//! What `status` takes.

use clap::Args;

/// `deploy status`
#[derive(Debug, Args)]
pub struct Status {
    /// List every resource with AWS's id of it
    #[arg(long)]
    pub ids: bool,
    /// Look again and again until interrupted: one screen at a terminal, elsewhere a line for each change
    #[arg(long, conflicts_with_all = ["json", "exit_code", "ids"])]
    pub watch: bool,
    /// Exit with 0 when it is up, 6 when it is not, 3 when it is and differs from deploy.yaml
    #[arg(long)]
    pub exit_code: bool,
}
