//! `deploy completions`, `deploy man`, `deploy version`: what the command line says of itself.

use std::path::Path;

use crate::cli::{Man, command};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::report::Report;

/// The completions of a shell.
pub fn completions(shell: clap_complete::Shell, report: &Report) -> Result<Outcome, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "deploy", &mut script);
    printed(report, "completions", &String::from_utf8_lossy(&script))
}

/// The manual page of the program or of a verb; or every page, into a directory.
pub fn page(args: &Man, report: &Report) -> Result<Outcome, Failed> {
    if let Some(dir) = &args.dir {
        let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command(), dir));
        written.map_err(|error| unwritten(dir, &error))?;
        let summary = format!("Wrote the pages; `man -l {}` shows the first.", dir.join("deploy.1").display());
        return Ok(Outcome::new(Exit::Done, "changed", summary));
    }
    let mut one = command();
    one.build();
    for word in &args.verb {
        let Some(verb) = one.find_subcommand(word).cloned() else {
            let cure = "`deploy help` lists the verbs.";
            return Err(Outcome::refused(Problem::new(format!("there is no verb {word:?}"), cure)).into());
        };
        one = verb;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(one).render(&mut page).map_err(|error| unwritten(Path::new("the page"), &error))?;
    printed(report, "man", &String::from_utf8_lossy(&page))
}

/// The program's version.
pub fn version(report: &Report) -> Result<Outcome, Failed> {
    let name = if report.is_json() { "" } else { "deploy " };
    printed(report, "version", &format!("{name}{}", env!("CARGO_PKG_VERSION")))
}

/// Stdout is where an envelope would go too: the report has told why on stderr.
fn printed(report: &Report, name: &str, text: &str) -> Result<Outcome, Failed> {
    report.text(name, text).map_err(|_| Outcome::failed("").into())
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failed {
    let problem = Problem::new(format!("{}: {error}", path.display()), "Name another directory with --dir.");
    Outcome::failed("").problem(problem).into()
}
