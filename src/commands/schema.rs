//! `deploy schema`: what a file may hold, for editors and other programs.

use crate::cli::{Described, Schema};
use crate::config;
use crate::exit::Exit;
use crate::outcome::Outcome;
use crate::report::{Report, progress_schema, result_schema};

/// Prints it.
pub fn run(args: &Schema, report: &Report) -> Outcome {
    let schema = match args.of {
        Described::Config => config::schema(),
        Described::Result => result_schema(),
        Described::Progress => progress_schema(),
    };
    match report.line(&format!("{schema:#}")) {
        Ok(()) => Outcome::new(Exit::Done, "unchanged", ""),
        // The report has told why on stderr.
        Err(_) => Outcome::failed(""),
    }
}
