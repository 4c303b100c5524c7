//! The report files of `deploy verify`.

use crate::cli;
use crate::exit::Exit;
use crate::outcome::{Frame, Outcome, Problem};
use crate::oz::Refused;
use crate::report::{html, junit};

/// Whether the reports can be written where they are asked for.
///
/// # Errors
/// One cannot.
pub fn writable(args: &cli::Verify) -> Result<(), Refused> {
    for path in [&args.junit, &args.html].into_iter().flatten() {
        let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|error| {
            Refused::new(format!("{}: {error}", path.display()), "Name a file that can be written.")
        })?;
    }
    Ok(())
}

/// Writes the reports that are asked for, whatever the outcome.
pub fn write_reports(args: &cli::Verify, frame: &Frame, outcome: &mut Outcome) {
    let reports =
        [(&args.junit, junit as fn(&Frame, &Outcome) -> String), (&args.html, html as fn(&Frame, &Outcome) -> String)];
    for (path, render) in reports {
        let Some(path) = path else { continue };
        if let Err(error) = std::fs::write(path, render(frame, outcome))
            && outcome.exit != Exit::Usage
        {
            let problem = Problem::new(format!("{}: {error}", path.display()), "The checks themselves are above.");
            outcome.problems.push(problem);
            (outcome.exit, outcome.outcome) = (Exit::Failed, "failed");
        }
    }
}
