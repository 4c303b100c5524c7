//! One round of checks: the stack as AWS has it, and the service as its users reach it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::prepared::Prepared;
use crate::checks::{self, Endpoint, Found, Stack, judge_version, timed, timed_each};
use crate::clock::{Ended, Wait};
use crate::commands::Session;
use crate::commands::stack::outputs;
use crate::engine::{Goal, Outputs, outputs_of};
use crate::exit::Exit;
use crate::outcome::{Failed, Finding, Outcome, Status};
use crate::oz::{BaseUrl, Service};
use crate::site::Site;
use crate::steps::load_balancer;

/// What one round found.
#[derive(Default)]
pub struct Round {
    /// The findings, in the order in which a request meets them.
    pub found: Vec<Found>,
    /// Where the service answers, and what it runs on.
    pub outputs: BTreeMap<String, String>,
    /// Where the analyses go.
    pub to: Option<BaseUrl>,
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
    let stack = Stack { cloud: &session.cloud, config: &session.config, ids: &ids, changes: &changes };
    let (balancer, targets, instances, policy, called) = tokio::join!(
        timed(start, stack.load_balancer()),
        timed(start, stack.targets()),
        Box::pin(timed_each(start, stack.instances())),
        timed(start, stack.scaling_policy()),
        Box::pin(reach(session, prepared, (site, &ids), wait, start)),
    );
    let called = called.map_err(super::super::late)?;
    let [profile, version] = instances;
    let coming = [&balancer, &targets].iter().any(|found| !found.good() && found.heals);
    let mut found = vec![balancer, stack.listeners(), targets, profile, version, policy];
    // What does not answer while the load balancer or its targets are still coming may answer later.
    found.extend(called.into_iter().map(|found| Found { heals: found.heals || coming, ..found }));
    found.push(stack.drift());
    let to = prepared.base.clone().or_else(|| endpoint(site, &ids));
    Ok(Round { found, outputs: outputs(site, &ids), to })
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

fn endpoint(site: &Site, ids: &Outputs) -> Option<BaseUrl> {
    // A stack without TLS was asked for in deploy.yaml.
    BaseUrl::parse(&checks::endpoint(site, ids)?, true).ok()
}

async fn reach(
    session: &Session<'_>,
    prepared: &Prepared,
    (site, ids): (&Site, &Outputs),
    wait: &Wait<'_>,
    start: Instant,
) -> Result<Vec<Found>, Ended> {
    if prepared.base.is_some() {
        return reach_alone(prepared, wait, start).await;
    }
    let (Some(balancer), Some(base)) = (ids.get(&load_balancer::DNS_NAME), endpoint(site, ids)) else {
        return Ok(Vec::new());
    };
    let balancer = balancer.to_lowercase();
    let record = match (site.record_name(), &site.zone) {
        (Some(name), Some(zone)) => Some((name, checks::name_servers(&session.cloud, &zone.id).await)),
        _ => None,
    };
    let endpoint = Endpoint {
        web: &prepared.web,
        dns: prepared.dns,
        balancer: &balancer,
        redirects: base.https() && site.config.load_balancer.redirect_http,
        base,
        record,
        token: prepared.token.clone(),
        version: site.config.verify.version.as_deref(),
        start,
        wait: wait.quiet(),
    };
    endpoint.checks().await
}

/// Only the version, of a service that may be anybody's.
///
/// # Errors
/// The deadline passed, or a signal asked to stop.
pub async fn reach_alone(prepared: &Prepared, wait: &Wait<'_>, start: Instant) -> Result<Vec<Found>, Ended> {
    let Some(base) = &prepared.base else {
        return Ok(Vec::new());
    };
    let version = Finding::new("version", 7, "/api/version");
    let service = match Service::new(base.clone(), prepared.token.clone(), &prepared.web) {
        Ok(service) => service,
        Err(why) => return Ok(vec![Found::settled(version.found(Status::Unknown, why))]),
    };
    let mut ended = None;
    let found = timed(start, async {
        match service.version(wait).await {
            Ok(answer) => judge_version(version, answer, None),
            Err(early) => {
                ended = Some(early);
                Found::settled(version)
            }
        }
    })
    .await;
    ended.map_or(Ok(vec![found]), Err)
}
