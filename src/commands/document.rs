//! A document that a verb makes: on stdout, or in a file.

use std::path::Path;

use super::deploy_yaml::is_stream;
use super::whole_file::WholeFile;
use crate::outcome::{Failed, Outcome, Problem};
use crate::report::Report;

/// Prints it, or writes it into this file; `-` is stdout. With `--json` the envelope has it under `name`.
///
/// # Errors
/// It cannot be written.
pub fn given_out(report: &Report, name: &str, text: &str, file: Option<&Path>) -> Result<Outcome, Failed> {
    let Some(path) = file.filter(|path| !is_stream(path)) else {
        // The report has told why on stderr.
        let printed = report.text(name, text).map_err(|_| Failed::from(Outcome::failed("")))?;
        return Ok(Outcome { outcome: "printed", ..printed });
    };
    let written = WholeFile::new(path).and_then(|file| file.write(text));
    written.map_err(|error| unwritten(path, &error))?;
    let mut outcome = Outcome::new(crate::exit::Exit::Done, "printed", format!("Wrote {}.", path.display()));
    if report.is_json() {
        outcome.outputs.insert("file".to_owned(), path.display().to_string());
    }
    Ok(outcome)
}

/// A file that cannot be written.
pub fn unwritten(path: &Path, error: &std::io::Error) -> Failed {
    let problem = Problem::new(format!("{}: {error}", path.display()), "Name another place with --output.");
    Outcome::failed("").problem(problem).into()
}
