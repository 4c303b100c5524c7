//! The report files of `deploy verify`. From its first second each says that the run did not finish, until it is whole.

use std::path::Path;

use crate::cli;
use crate::commands::whole_file::WholeFile;
use crate::exit::Exit;
use crate::outcome::{Frame, Outcome, Problem};
use crate::oz::Refused;
use crate::report::{html, junit};

type Render = fn(&Frame, &Outcome) -> String;

/// The reports that are asked for.
#[derive(Default)]
pub struct Reports(Vec<(WholeFile, Render)>);

impl Reports {
    /// Opens them, and writes what is true if nothing more comes.
    ///
    /// # Errors
    /// One cannot be written, or both are one file.
    pub fn begin(args: &cli::Verify, frame: &Frame) -> Result<Reports, Refused> {
        let asked = [(&args.junit, junit as Render), (&args.html, html as Render)];
        if args.junit.is_some() && args.junit == args.html {
            return Err(Refused::new("--junit and --html name one file", "Give each a file of its own."));
        }
        let mut reports = Vec::new();
        for (path, render) in asked.into_iter().filter_map(|(path, render)| Some((path.as_deref()?, render))) {
            let file = WholeFile::new(path).map_err(|error| unwritable(path, &error))?;
            if file.is_replaced() {
                file.write(&render(frame, &unfinished())).map_err(|error| unwritable(path, &error))?;
            }
            reports.push((file, render));
        }
        Ok(Reports(reports))
    }

    /// Writes them, whatever the outcome.
    pub fn finish(&self, frame: &Frame, outcome: &mut Outcome) {
        for (file, render) in &self.0 {
            if let Err(error) = file.write(&render(frame, outcome)) {
                let problem = Problem::new(format!("a report: {error}"), "The checks themselves are above.");
                outcome.problems.push(problem);
                (outcome.exit, outcome.outcome) = (Exit::Failed, "failed");
            }
        }
    }
}

fn unfinished() -> Outcome {
    let cure = "The run is still under way, or was ended from outside: look at its own output.";
    Outcome::new(Exit::Failed, "unfinished", "did not finish").problem(Problem::new("the run did not finish", cure))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Refused {
    Refused::new(format!("{}: {error}", path.display()), "Name a file that can be written.")
}
