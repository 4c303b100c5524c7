//! The report files of `deploy verify` and `deploy preflight`. From its first second each says that the run did not
//! finish, until it is whole.

use std::path::Path;

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
    /// Opens them, and writes what is true if nothing more comes. Those that can be written tell of one that cannot:
    /// the refusal.
    pub fn begin(as_junit: Option<&Path>, as_html: Option<&Path>, frame: &Frame) -> (Reports, Option<Refused>) {
        let (mut reports, mut refused) = (Reports::default(), None);
        for (path, render) in [(as_junit, junit as Render), (as_html, html as Render)] {
            let Some(path) = path else { continue };
            if let Err(why) = reports.open(path, render, frame) {
                refused = Some(why);
            }
        }
        (reports, refused)
    }

    fn open(&mut self, path: &Path, render: Render, frame: &Frame) -> Result<(), Refused> {
        let unwritable =
            |error| Refused::new(format!("{}: {error}", path.display()), "Name a file that can be written.");
        let file = WholeFile::new(path).map_err(unwritable)?;
        if self.0.iter().any(|(other, _)| other.is_same(&file)) {
            return Err(Refused::new("--junit and --html name one file", "Give each a file of its own."));
        }
        if file.is_replaced() {
            file.write(&render(frame, &unfinished())).map_err(unwritable)?;
        }
        self.0.push((file, render));
        Ok(())
    }

    /// Says of which stack the run is that is not finished: two of one pipeline do not collide. What cannot be written
    /// now is told at the end.
    pub fn begun(&self, frame: &Frame) {
        for (file, render) in self.0.iter().filter(|(file, _)| file.is_replaced()) {
            let _ = file.write(&render(frame, &unfinished()));
        }
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
