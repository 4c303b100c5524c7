//! One round of checks: the stack as AWS has it, and the service as its users reach it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::prepared::Prepared;
use crate::checks::{self, CheckContext, Checked, Endpoint, Stack, Way};
use crate::clock::{Ended, Wait};
use crate::commands::Session;
use crate::commands::stack::{gone, outputs};
use crate::engine::{Goal, Outputs, outputs_of};
use crate::exit::Exit;
use crate::outcome::{Failed, Finding, Outcome, Status};
use crate::oz::BaseUrl;
use crate::site::Site;

/// What one round found.
#[derive(Default)]
pub struct Round {
    /// The findings, in the order in which a request meets them.
    pub found: Vec<Finding>,
    /// Where the service answers, and what it runs on.
    pub outputs: BTreeMap<String, String>,
    /// Where the analyses go.
    pub to: Option<BaseUrl>,
    /// What ended it before every check had its answer.
    pub ended: Option<Ended>,
}

/// Checks a stack once.
///
/// # Errors
/// The stack cannot be read, or the time is over.
pub async fn look(
    session: &Session<'_>,
    prepared: &Prepared,
    wait: &Wait<'_>,
    start: Instant,
) -> Result<Round, Failed> {
    let stack = session.read_stack(Goal::Present, false, wait).await.map_err(as_unverified)?;
    let (site, ids) = (&stack.site, outputs_of(&stack.live));
    let planner = session.planner(site, Goal::Present, false);
    let changes = planner.changes(&planner.plan(&stack.live));
    let called = called(prepared, site, &ids);
    // Faces go to what was judged: the load balancer itself, or where the command line leads.
    let to = called.as_ref().map(Endpoint::judged);
    let stack = Stack::new(&session.cloud, &session.config, Some(site), &ids, &changes);
    let cx = CheckContext::new(Some(stack), called, start, wait.quiet());
    let Checked { mut found, ended } = checks::verify(&cx).await;
    found.extend(gone(site).into_iter().map(|gone| {
        let finding = Finding::new("needs", 0, "what the stack needs").found(Status::Warn, gone.message);
        finding.because(gone.cause.unwrap_or_default(), gone.cure.unwrap_or_default())
    }));
    Ok(Round { found, outputs: outputs(site, &ids), to, ended })
}

/// What is missing makes the service unverified, not refused.
fn as_unverified(failed: Failed) -> Failed {
    failed.map(|outcome| match outcome.exit {
        Exit::Refused if outcome.outcome == "refused" => {
            Outcome { exit: Exit::Unverified, outcome: "failed", ..outcome }
        }
        _ => outcome,
    })
}

/// Where the service is called: where the command line says, else through the stack.
fn called<'a>(prepared: &'a Prepared, site: &Site, ids: &Outputs) -> Option<Endpoint<'a>> {
    if prepared.base.is_some() {
        return given(prepared);
    }
    let base = checks::endpoint(site, ids)?;
    let base = match &prepared.tunnel {
        Some(tunnel) => base.connect_to(tunnel),
        None => base,
    };
    let way = Some(Way::of(site, ids)?);
    Some(Endpoint { web: &prepared.web, dns: prepared.dns, base, token: prepared.token.clone(), way })
}

/// The service that the command line names: it may be anybody's.
fn given(prepared: &Prepared) -> Option<Endpoint<'_>> {
    let base = prepared.base.clone()?;
    Some(Endpoint { web: &prepared.web, dns: prepared.dns, base, token: prepared.token.clone(), way: None })
}

/// Checks only the version, of a service that may be anybody's.
pub async fn look_alone(prepared: &Prepared, wait: &Wait<'_>, start: Instant) -> Round {
    let cx = CheckContext::new(None, given(prepared), start, wait.quiet());
    let Checked { found, ended } = checks::verify(&cx).await;
    Round { found, ended, ..Round::default() }
}
