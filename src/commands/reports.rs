//! The report files of a run. From its first second each says that the run did not finish, until it is whole.

use std::path::Path;

use crate::cli::Written;
use crate::commands::whole_file::WholeFile;
use crate::exit::Exit;
use crate::outcome::{Frame, Outcome, Problem};
use crate::oz::Refused;
use crate::report::{html, junit, markdown};

type Render = fn(&Frame, &Outcome) -> String;

/// The reports that are asked for.
#[derive(Default)]
pub struct Reports(Vec<Report>);

struct Report {
    file: WholeFile,
    /// What stood in it before, and stays.
    before: String,
    render: Render,
}

impl Report {
    fn write(&self, frame: &Frame, outcome: &Outcome) -> std::io::Result<()> {
        self.file.write(&format!("{}{}", self.before, (self.render)(frame, outcome)))
    }
}

impl Reports {
    /// Opens them, and writes what is true if nothing more comes. Those that can be written tell of one that cannot:
    /// the refusal.
    pub fn begin(written: &Written, frame: &Frame) -> (Reports, Option<Refused>) {
        let (mut reports, mut refused) = (Reports::default(), None);
        let wanted = [
            (&written.junit, junit as Render, false),
            (&written.html, html, false),
            (&written.summary, markdown, true),
        ];
        for (path, render, appends) in wanted {
            let Some(path) = path else { continue };
            if let Err(why) = reports.open(path, (render, appends), frame) {
                refused = Some(why);
            }
        }
        (reports, refused)
    }

    fn open(&mut self, path: &Path, (render, appends): (Render, bool), frame: &Frame) -> Result<(), Refused> {
        let unwritable =
            |error| Refused::new(format!("{}: {error}", path.display()), "Name a file that can be written.");
        let file = WholeFile::new(path).map_err(unwritable)?;
        if self.0.iter().any(|other| other.file.is_same(&file)) {
            return Err(Refused::new("two reports name one file", "Give each a file of its own."));
        }
        let is_kept = appends && file.is_replaced();
        let before = if is_kept { std::fs::read_to_string(path).map_err(unwritable)? } else { String::new() };
        let report = Report { file, before, render };
        if report.file.is_replaced() {
            report.write(frame, &unfinished()).map_err(unwritable)?;
        }
        self.0.push(report);
        Ok(())
    }

    /// Says of which stack the run is that is not finished: two of one pipeline do not collide. What cannot be written
    /// now is told at the end.
    pub fn begun(&self, frame: &Frame) {
        for report in self.0.iter().filter(|report| report.file.is_replaced()) {
            let _ = report.write(frame, &unfinished());
        }
    }

    /// Writes them, whatever the outcome.
    pub fn finish(&self, frame: &Frame, outcome: &mut Outcome) {
        for report in &self.0 {
            if let Err(error) = report.write(frame, outcome) {
                let problem = Problem::new(format!("a report: {error}"), "What it would have said is above.");
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
