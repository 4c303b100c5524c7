//! `deploy diagnose`: the guide's troubleshooting table, carried out. Reads only.

use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::time::Instant;

use super::Session;
use super::first_reading::{FIRST_READING, unanswered};
use super::stack::outputs;
use crate::checks::{self, CheckContext, Checked, Endpoint, Stack, Way};
use crate::cli;
use crate::clock::{Cancel, Wait};
use crate::engine::reconcile::failed;
use crate::engine::{Goal, outputs_of};
use crate::exit::Exit;
use crate::outcome::{Failed, Finding, Outcome, Problem, Status};
use crate::site::{Missing, Noun, Site, SiteError};

/// Finds the most likely cause of what is wrong.
///
/// # Errors
/// The stack cannot be read, or the time is over.
pub async fn run(session: &Session<'_>, args: &cli::Diagnose) -> Result<Outcome, Failed> {
    let wait = session.wait(args.timeout);
    let found = wait.within(Box::pin(diagnose(session, &wait))).await;
    found.unwrap_or_else(|ended| Err(super::late(ended).into()))
}

async fn diagnose(session: &Session<'_>, wait: &Wait<'_>) -> Result<Outcome, Failed> {
    let start = Instant::now();
    let first = session.wait(FIRST_READING);
    let (reading, identified) =
        tokio::join!(session.first_reading(Goal::Present, &first, Rc::default()), session.identify(&first));
    identified?;
    let (site, found) = reading.map_err(unanswered)?;
    let blank = Site::blank(session.config.clone(), &session.cloud.region);
    let known = site.as_ref().unwrap_or(&blank);
    let planner = session.planner(known, Goal::Present, false);
    let live =
        planner.collect(found).map_err(|errors| failed(&errors, &Cancel::never(), "nothing was looked at further"))?;
    let ids = outputs_of(&live);
    let changes = if site.is_ok() { planner.changes(&planner.plan(&live)) } else { Vec::new() };
    let (cloud, config, changes) = (&session.cloud, &session.config, changes.as_slice());
    let stack = Stack::new(cloud, config, site.as_ref().ok(), &ids, changes);
    stack.read_ahead().await.map_err(|error| Outcome::failed("failed").problem(&error))?;
    let (web, dns) = session.reach().web_and_dns(None).await?;
    let called = Way::of(known, &ids).zip(checks::endpoint(known, &ids));
    let called = called.map(|(way, base)| Endpoint { web: &web, dns, base, token: None, way: Some(way) });
    let cx = CheckContext::new(Some(stack), called, start, wait.quiet());
    let Checked { found: findings, ended } = checks::diagnose(&cx).await;
    let mut checks = site.as_ref().err().map(needs).unwrap_or_default();
    checks.extend(known.gone.iter().filter(|one| one.noun != Noun::Certificate).map(gone));
    checks.extend(findings);
    if let Some(ended) = ended {
        return Ok(Outcome { outputs: outputs(known, &ids), checks, ..super::late(ended) });
    }
    Ok(concluded(checks, outputs(known, &ids)))
}

fn concluded(checks: Vec<Finding>, outputs: BTreeMap<String, String>) -> Outcome {
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let (broken, unknown, odd) = (count(Status::Fail), count(Status::Unknown), count(Status::Warn));
    let (exit, word, summary) = match (broken, unknown) {
        (0, 0) if odd == 0 => {
            (Exit::Done, "healthy", "Healthy: nothing of the guide's troubleshooting table applies.".to_owned())
        }
        (0, 0) => (Exit::Done, "healthy", format!("Nothing is broken; {odd} to look at.")),
        (0, _) => {
            (Exit::Failed, "failed", format!("Nothing was found to be broken, and {unknown} could not be looked at."))
        }
        _ => {
            let first = checks.iter().find(|check| check.status == Status::Fail);
            (Exit::Unverified, "broken", first.map_or_else(String::new, |check| most_likely(check, broken)))
        }
    };
    Outcome { outputs, checks, ..Outcome::new(exit, word, summary) }
}

/// `Most likely (1 of 3): targets healthy: …. Next: …`; the cause stands with the finding.
fn most_likely(check: &Finding, of: usize) -> String {
    let among = if of == 1 { String::new() } else { format!(" (1 of {of})") };
    let next = check.fix.as_ref().map(|fix| format!(" Next: {fix}")).unwrap_or_default();
    format!("Most likely{among}: {}: {}.{next}", check.name(), check.evidence.trim_end_matches('.'))
}

fn gone(one: &Missing) -> Finding {
    let needed = Finding::new("needs", 0, "what the stack needs");
    needed.fail(&one.what, "deploy.yaml names it, and it is not there", &one.cure)
}

/// What the stack needs and never makes, and what AWS did not say of it.
fn needs(error: &SiteError) -> Vec<Finding> {
    let needed = || Finding::new("needs", 0, "what the stack needs");
    match error {
        // The certificate has a finding of its own.
        SiteError::Missing(missing) => missing.iter().filter(|one| one.noun != Noun::Certificate).map(gone).collect(),
        SiteError::Cloud(error) => {
            let problem = Problem::from(error);
            let (cause, fix) = (problem.cause.unwrap_or_default(), problem.cure.unwrap_or_default());
            vec![needed().found(Status::Unknown, problem.message).because(cause, fix)]
        }
    }
}
