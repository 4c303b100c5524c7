//! The edge: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use deploy::Cli;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => deploy::run(cli).await.into(),
        Err(refused) => deploy::refuse(&refused).into(),
    }
}
