//! The edge: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use deploy::cli::Cli;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    deploy::commands::run(Cli::parse()).await.into()
}
