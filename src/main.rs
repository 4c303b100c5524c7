//! The edge: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use deploy::cli::Cli;
use deploy::commands;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => commands::run(cli).await.into(),
        Err(refused) => commands::refuse(&refused).into(),
    }
}
