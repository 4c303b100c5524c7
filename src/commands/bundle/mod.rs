//! `deploy bundle`: what the vendor's support asks for, in one file. Reads only.

mod papers;

use std::io::{Cursor, Write};

use tokio::time::Instant;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Session;
use super::first_reading::FIRST_READING;
use super::whole_file::create;
use crate::cli;
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::report::Mask;
use papers::{Papers, readme};

/// Collects what is known of the stack, and writes it as a ZIP.
///
/// # Errors
/// It is another account than deploy.yaml's, the file is there already, or it cannot be written.
pub async fn run(session: &Session<'_>, args: &cli::Bundle) -> Result<Outcome, Failed> {
    let path = &args.file;
    if path.exists() && !args.force {
        let what = format!("{} is there already", path.display());
        return Err(Outcome::refused(Problem::new(what, "Name another file, or give --force.")).into());
    }
    let start = Instant::now();
    session.identify(&session.wait(FIRST_READING)).await?;
    let papers = Papers::collect(session, args.timeout, start).await;
    let account = session.cloud.known_identity().map(|identity| identity.account.id.clone());
    let config = &session.config;
    let domains = config.dns.iter().map(|dns| dns.zone.clone()).chain(config.verify.name.clone());
    let mut mask = Mask::new(!args.no_redact).of_account(account).of_domains(domains);
    let mut files: Vec<(&str, String)> = papers.files(&mut mask);
    files.insert(0, ("README.txt", readme(&files, &mask)));
    let unwritten = |error: std::io::Error| {
        let problem = Problem::new(format!("{}: {error}", path.display()), "Name a file that can be written.");
        Failed::from(Outcome::failed("").problem(problem))
    };
    let bytes = zipped(&files).map_err(unwritten)?;
    create(path, &bytes, args.force).map_err(unwritten)?;
    let masked =
        if args.no_redact { "nothing in it is masked" } else { "account, caller, addresses and names are masked" };
    let summary = format!("Wrote {}: {} files; {masked}. Read it before you send it.", path.display(), files.len());
    // What could not be read is in the bundle, and told here too.
    Ok(Outcome::new(Exit::Done, "printed", summary).with_problems(papers.problems))
}

/// Stored, not deflated: it is a few pages.
fn zipped(files: &[(&str, String)]) -> std::io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, text) in files {
        zip.start_file(*name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
