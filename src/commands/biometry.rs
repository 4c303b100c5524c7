//! `deploy biometry`: the client alone, as a backend would call the service.

use super::client::{Client, concluded, unended};
use crate::checks::Asked;
use crate::cli;
use crate::clock::Wait;
use crate::outcome::{Analysis, Failed, Outcome};
use crate::oz::{Meta, Picture};

/// Whether two pictures show the same person.
///
/// # Errors
/// Input is refused, or the time is over.
pub async fn run(client: &Client<'_>, args: &cli::Biometry, wait: &Wait<'_>) -> Result<Outcome, Failed> {
    let shot = Picture::read(&args.best_shot)?;
    let reference = Picture::read(&args.reference)?;
    let meta = args.meta.as_deref().map(Meta::read).transpose()?.unwrap_or_default();
    let service = client.service(args.base_url.as_deref(), &args.service).await?;
    let answered =
        service.biometry((&reference, &shot), &meta, wait).await.map_err(|ended| unended(Analysis::Biometry, ended))?;
    let asked = Asked {
        analysis: Analysis::Biometry,
        floor: args.min_confidence,
        expect_declined: args.service.expects_declined(),
    };
    Ok(concluded(&asked, &answered.verdict))
}
