//! The edge: parse, run, exit code.

use std::process::ExitCode;

use deploy::{Cli, Exit};

fn main() -> ExitCode {
    deploy::without_core_dump();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Exit::Failed.into();
    };
    let exit = match Cli::read() {
        Ok(cli) => runtime.block_on(deploy::run(cli)),
        Err(refused) => deploy::refuse(&refused),
    };
    // The system's resolver cannot be interrupted: a name that is still looked up does not outlive the run.
    runtime.shutdown_background();
    exit.into()
}
