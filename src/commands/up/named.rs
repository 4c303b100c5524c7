//! Whether the record's name leads to the load balancer, as far as this machine sees it: `up` proves the service at the
//! load balancer itself, and its users come by the name.

use tokio::time::Instant;

use super::Up;
use crate::checks::{self, CheckContext, Endpoint, Stack, Unproven, Way};
use crate::clock::{Attempt, Label, Late, Streak};
use crate::engine::Outputs;
use crate::outcome::{Finding, Status};

/// What is seen of the name; nothing without a record. A name that is not known yet is a warning.
///
/// # Errors
/// It certainly leads elsewhere, or its zone is not delegated; or the wait ended.
pub async fn look(up: &Up<'_>, ids: &Outputs) -> Result<Vec<Finding>, Unproven> {
    let (session, site, wait) = (up.session, up.walk.cx.site, &up.walk.wait);
    let Some(name) = site.record_name().filter(|_| session.sandbox.is_none() && !site.lacks_zone()) else {
        return Ok(Vec::new());
    };
    let Ok((web, dns)) = session.reach().web_and_dns(None).await else {
        return Ok(Vec::new());
    };
    let (label, mut streak) = (Label::new("dns_record", name.clone()), Streak::default());
    wait.until(&label, async || {
        let called = Way::of(site, ids).zip(checks::endpoint(site, ids));
        let called = called.map(|(way, base)| Endpoint { web: &web, dns, base, token: None, way: Some(way) });
        let stack = Stack::new(&session.cloud, &session.config, Some(site), ids, &[]);
        let cx = CheckContext::new(Some(stack), called, Instant::now(), wait.quiet());
        let seen = checks::named(&cx).await.whole().map_err(|ended| Late { ended, why: label.name.clone() })?;
        let wrong = seen.iter().find(|finding| finding.status == Status::Fail && !finding.heals);
        let shown = streak.look(wrong.is_some());
        match wrong {
            None => Ok(Attempt::Done(seen.into_iter().map(not_yet).collect())),
            Some(wrong) if shown >= wrong.settles => Err(Unproven::NoAnswer {
                what: format!("{name}: {}", wrong.evidence),
                cause: wrong.cause.clone().unwrap_or_default(),
                fix: wrong.fix.clone().unwrap_or_default(),
            }),
            Some(wrong) => Ok(Attempt::Again(wrong.evidence.clone())),
        }
    })
    .await
}

/// A name takes its time, and the service was proven without it.
fn not_yet(finding: Finding) -> Finding {
    match finding.status {
        Status::Fail | Status::Unknown => Finding { status: Status::Warn, ..finding },
        _ => finding,
    }
}
