//! Whether the service answers, asked once and through the load balancer.

use std::time::Duration;

use tokio::time::Instant;

use super::overview::Looked;
use crate::checks;
use crate::clock::{Ended, Wait};
use crate::config::Scheme;
use crate::outcome::ServiceState;
use crate::oz::{NoVersion, ask_version};

/// How long the service may take to answer: a person waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it answers; `None`: there is nothing to ask.
pub async fn ask(looked: &Looked<'_>, wait: &Wait<'_>) -> Option<ServiceState> {
    let base = checks::through_load_balancer(looked.site, looked.ids)?;
    let start = Instant::now();
    let asked = wait.at_most(PATIENCE).within(ask_version(&*looked.session.transport, &base)).await;
    let is_internal = looked.site.config.load_balancer.scheme == Scheme::Internal;
    Some(match asked {
        Ok(Ok(answer)) => ServiceState {
            up: true,
            asked: true,
            answer: Some(answer),
            duration_ms: Some(start.elapsed().as_millis() as u64),
            why: None,
        },
        Ok(Err(NoVersion::NoAnswer(error))) if is_internal && error.is_unreached() => silent(false, INTERNAL),
        Err(Ended::TimedOut) if is_internal => silent(false, INTERNAL),
        Ok(Err(why)) => silent(true, why.to_string()),
        Err(Ended::TimedOut) => silent(true, format!("no answer within {} s", PATIENCE.as_secs())),
        Err(Ended::Cancelled(_)) => silent(false, "interrupted"),
    })
}

const INTERNAL: &str = "it is internal, and is not reached";

fn silent(asked: bool, why: impl Into<String>) -> ServiceState {
    ServiceState { up: false, asked, answer: None, duration_ms: None, why: Some(why.into()) }
}
