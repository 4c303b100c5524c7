//! Where the file goes: never over one that is there, unless that is asked for, and whole or not at all.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::cli::Global;
use crate::commands::deploy_yaml::{config_file, is_stream};
use crate::commands::whole_file;
use crate::outcome::{Failed, Outcome, Problem};
use crate::report::Report;

/// A place for a file.
pub struct Target {
    path: PathBuf,
    may_replace: bool,
}

impl Target {
    /// The one that the command line names; looked at before anything is asked.
    ///
    /// # Errors
    /// A file is there and may not be replaced, or what is there can be none.
    pub fn of(global: &Global, may_replace: bool) -> Result<Target, Problem> {
        let target = Target { path: config_file(global), may_replace };
        if target.is_stream() {
            let cure = "Leave one of them out.";
            let both = || Problem::new("--config - and --json both want standard output", cure);
            return if global.json { Err(both()) } else { Ok(target) };
        }
        let name = target.path.display();
        match target.path.symlink_metadata() {
            // A link to a directory is one.
            Ok(_) if target.path.is_dir() => {
                Err(Problem::new(format!("{name} is a directory"), "Name a file in it with --config."))
            }
            Ok(_) if !may_replace => Err(target.there_already()),
            _ => Ok(target),
        }
    }

    /// Whether it is standard output.
    pub fn is_stream(&self) -> bool {
        is_stream(&self.path)
    }

    /// How the program is called with it: the sandbox does not read deploy.yaml by itself.
    pub fn command(&self, global: &Global) -> String {
        let sandbox = if global.sandbox { " --sandbox" } else { "" };
        let is_found = global.config.is_none() && !global.sandbox;
        let file = if is_found { String::new() } else { format!(" --config {}", self.path.display()) };
        format!("deploy{sandbox}{file}")
    }

    fn there_already(&self) -> Problem {
        let cure = "--force writes over it; --config FILE names another.";
        Problem::new(format!("{} is there already", self.path.display()), cure)
    }

    /// Writes it; how it is called.
    ///
    /// # Errors
    /// It cannot be written, or somebody else wrote it meanwhile; then nothing of it is there.
    pub fn write(&self, text: &str, report: &Report) -> Result<String, Failed> {
        let name = self.path.display().to_string();
        if self.is_stream() {
            // The report has told on stderr why it could not.
            report.line(text.trim_end()).map_err(|_| Outcome::failed(""))?;
            return Ok("it to standard output".to_owned());
        }
        match whole_file::create(&self.path, text, self.may_replace) {
            Ok(()) => Ok(name),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Outcome::refused(self.there_already()).into())
            }
            Err(error) => {
                let problem = Problem::new(format!("{name} cannot be written: {error}"), "Name another with --config.");
                Err(Outcome::failed("nothing was written").problem(problem).into())
            }
        }
    }
}
