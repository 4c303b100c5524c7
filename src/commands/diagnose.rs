//! `deploy diagnose`: the guide's troubleshooting table, carried out. Reads only.

use super::Session;
use super::converge::{FIRST_LOOK, ids, outputs, planned, survey_parts, unanswered, walk};
use crate::cli;
use crate::diagnose::Diagnosis;
use crate::engine::{Event, Goal, Graph, Stop};
use crate::exit::Exit;
use crate::report::{Check, Outcome, Problem, Status};
use crate::site::{Site, SiteError};
use crate::steps::STACK;

/// Finds the most likely cause of what is wrong.
pub async fn run(session: &Session<'_>, args: &cli::Diagnose) -> Outcome {
    let clock = session.clock(args.timeout);
    match clock.within(session.stop, Box::pin(diagnose(session))).await {
        Ok(outcome) => outcome,
        Err(late) => {
            let (exit, word, what) = super::client::lateness(late, session.stop);
            Outcome::new(exit, word, what)
        }
    }
}

async fn diagnose(session: &Session<'_>) -> Outcome {
    let clock = session.clock(FIRST_LOOK);
    let (site, found) = match survey_parts(session, Goal::Present, &clock).await {
        Ok(parts) => parts,
        Err(_) => return unanswered(session),
    };
    let blank = Site::blank(session.config.clone(), &session.cloud.region);
    let known = site.as_ref().unwrap_or(&blank);
    let graph = Graph::trace(STACK, known);
    let (stop, quiet) = (Stop::never(), |_: Event| {});
    let walk = walk(session, known, &graph, Goal::Present, false, clock, &stop, &quiet);
    let found = match walk.sift(found) {
        Ok(found) => found,
        Err(failures) => {
            return super::converge::failed(&failures, &stop, "nothing was looked at further");
        }
    };
    let ids = ids(&found);
    let changes = match &site {
        Ok(_) => planned(&walk.plan(&found), &graph, known),
        Err(_) => Vec::new(),
    };
    let findings = Diagnosis {
        cloud: &session.cloud,
        config: &session.config,
        site: site.as_ref().ok(),
        ids: &ids,
        changes: &changes,
    };
    match findings.findings().await {
        Ok(findings) => concluded(findings, site.as_ref().err(), outputs(known, &ids)),
        Err(error) => Outcome::new(Exit::Failed, "failed", "failed").with_problems(vec![Problem::of(&error)]),
    }
}

fn concluded(
    findings: Vec<Check>,
    missing: Option<&SiteError>,
    outputs: std::collections::BTreeMap<String, String>,
) -> Outcome {
    let mut checks = missing.map(needs).unwrap_or_default();
    checks.extend(findings);
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
            let words = first.map_or_else(String::new, |check| {
                format!("Most likely: {}; {}.", check.evidence, check.cause.as_deref().unwrap_or_default())
            });
            (Exit::Unverified, "broken", words)
        }
    };
    Outcome { checks, outputs, ..Outcome::new(exit, word, summary) }
}

/// What the stack needs and never makes, and what AWS did not tell of it.
fn needs(error: &SiteError) -> Vec<Check> {
    match error {
        // The certificate has a finding of its own.
        SiteError::Missing(missing) => missing
            .iter()
            .filter(|one| one.noun != "certificate")
            .map(|one| {
                Check::new("needs", 0, "what the stack needs").fail(
                    &one.what,
                    "deploy.yaml names it, and it is not there",
                    &one.cure,
                )
            })
            .collect(),
        SiteError::Cloud(error) => {
            let problem = Problem::of(error);
            let (cause, fix) = (problem.cause.unwrap_or_default(), problem.cure.unwrap_or_default());
            vec![
                Check::new("needs", 0, "what the stack needs")
                    .found(Status::Unknown, problem.message)
                    .because(cause, fix),
            ]
        }
    }
}
