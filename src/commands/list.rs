//! `deploy list`: the stacks of the account and region.

use super::Session;
use super::first_reading::FIRST_READING;
use super::late;
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::steps::shared;

/// Lists what carries a stack's tag.
///
/// # Errors
/// It is another account than deploy.yaml's, or there was no answer in time.
pub async fn run(session: &Session<'_>) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    session.identify(&wait).await?;
    let looked = wait.within(shared::stacks(&session.cloud, jiff::Timestamp::now())).await;
    let stacks = looked.map_err(late)?;
    let unknown = stacks.are_unknown();
    let told = |(kind, error)| Problem::from(error).of(format!("{kind} could not be looked for"));
    let count = stacks.found.len();
    let (exit, word, summary) = match count {
        _ if unknown => (Exit::Failed, "failed", "nothing could be looked for".to_owned()),
        0 if stacks.unseen.is_empty() => (Exit::Done, "listed", "No stack stands here.".to_owned()),
        0 => (Exit::Done, "listed", "No stack was seen, and not everything could be looked for.".to_owned()),
        1 => (Exit::Done, "listed", "1 stack".to_owned()),
        _ => (Exit::Done, "listed", format!("{count} stacks")),
    };
    let listed = (!unknown).then_some(stacks.found);
    let problems = stacks.unseen.iter().map(|(kind, error)| told((*kind, error))).collect();
    Ok(Outcome { stacks: listed, problems, ..Outcome::new(exit, word, summary) })
}
