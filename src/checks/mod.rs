//! Guide steps 6 and 7: what must be so when the stack works, and for what reason it is not.

mod addresses;
mod analysis;
mod capacity;
mod check;
mod delegation;
mod endpoint;
mod fleet;
mod instances;
mod issued_certificate;
mod listener_rules;
mod load_balancer;
mod plan;
mod preflight;
mod quota;
mod reach;
mod reasons;
mod record;
mod replaced;
mod rules;
mod scaling;
mod shown_certificate;
mod stack;
mod targets;
mod unproven;
mod version;
pub mod way_out;

use crate::clock::Ended;
use crate::outcome::{Finding, Status};

use check::{Asks, Verb};

pub use analysis::{Asked, decided, measured, not_called, unanswered, without_best_shot};
pub use check::{About, Check, CheckContext, Node, Place};
pub use endpoint::{Endpoint, Way};
pub use fleet::{Fleet, behind_login, endpoint, through_load_balancer, version};
pub use reasons::explain;
pub use stack::Stack;
pub use unproven::{Unproven, unproven};

/// Every check, for every verb: in the order in which one thing causes the next, and a request meets them.
pub const CHECKS: &[&dyn Check] = &[
    &plan::Stands,
    &load_balancer::LoadBalancerActive,
    &plan::Listeners,
    &instances::Launches,
    &capacity::Capacity,
    &instances::Role,
    &way_out::WayOut,
    &issued_certificate::IssuedCertificate,
    &load_balancer::Entrance,
    &load_balancer::ListenerPath,
    &listener_rules::ListenerRules,
    &load_balancer::Zones,
    &targets::HealthCheckPort,
    &targets::HealthCheck,
    &targets::TrafficPort,
    &targets::TargetsHealthy,
    &instances::InstanceProfile,
    &instances::TemplateVersion,
    &scaling::ScalingPolicy,
    &scaling::ScaleOut,
    &reach::ReachLoadBalancer,
    &shown_certificate::ShownCertificate,
    &reach::Redirect,
    &version::Version,
    &version::VersionAlone,
    &record::RecordAuthoritative,
    &delegation::Delegation,
    &record::RecordResolved,
    &record::ReachRecord,
    &plan::Drift,
    &preflight::Caller,
    &preflight::CredentialsLast,
    &preflight::ClockAgrees,
    &preflight::ServiceRoles,
    &preflight::Permissions,
    &preflight::InstanceTypeOffered,
    &preflight::VcpuQuota,
    &preflight::ImageFits,
    &preflight::KeyPair,
    &preflight::Subscription,
    &preflight::VolumeLimits,
    &preflight::VolumeKey,
    &preflight::Subnets,
    &preflight::LoadBalancerZones,
    &preflight::FreeAddresses,
    &preflight::InstanceAddresses,
    &preflight::PrivateSubnets,
    &preflight::PublicSubnets,
    &preflight::UsableCertificate,
    &preflight::ZoneFits,
    &preflight::ZoneDelegated,
    &preflight::LoadBalancerQuota,
    &preflight::TargetGroupQuota,
    &preflight::AutoScalingQuota,
    &preflight::SecurityGroupQuota,
    &preflight::RuleQuota,
];

/// What is known of every check, and of the metered calls, which are made apart.
pub fn abouts() -> impl Iterator<Item = &'static About> {
    CHECKS.iter().map(|check| check.about()).chain([&analysis::LIVENESS, &analysis::BIOMETRY])
}

/// What the checks of a verb found.
#[derive(Debug)]
pub struct Checked {
    /// The findings, one a check.
    pub found: Vec<Finding>,
    /// The deadline passed, or a signal asked to stop, before all had an answer: those that had none say so.
    pub ended: Option<Ended>,
}

impl Checked {
    /// The findings, when every check had its answer.
    ///
    /// # Errors
    /// What ended them before.
    pub fn whole(self) -> Result<Vec<Finding>, Ended> {
        self.ended.map_or(Ok(self.found), Err)
    }
}

/// The checks of `deploy verify`, in the order in which a request meets them.
pub async fn verify(cx: &CheckContext<'_>) -> Checked {
    let (mut found, ended) = cx.carry_out_all(|about| about.verbs.contains(&Verb::Verify)).await;
    let asks = |check: &dyn Check, who: Asks| check.about().asks == who;
    // What does not answer while the load balancer or its targets are still coming may answer later.
    let is_coming = found.iter().any(|(check, finding)| asks(*check, Asks::Aws) && finding.heals && !finding.is_good());
    let behind = found.iter().filter(|(check, finding)| asks(*check, Asks::Aws) && !finding.is_good());
    let settles = behind.map(|(_, finding)| finding.settles).max().unwrap_or_default();
    for (_, finding) in found.iter_mut().filter(|(check, _)| asks(*check, Asks::Service)) {
        finding.heals |= is_coming;
        // It answers no sooner than what is behind it.
        if !finding.settles.is_zero() {
            finding.settles = finding.settles.max(settles);
        }
    }
    Checked { found: findings(found), ended }
}

/// The checks of `deploy diagnose`, the guide's troubleshooting table carried out: the first that failed is the most
/// likely cause.
pub async fn diagnose(cx: &CheckContext<'_>) -> Checked {
    let is_empty = cx.stack().is_ok_and(|stack| stack.ids.is_empty());
    let is_chosen = |about: &About| about.verbs.contains(&Verb::Diagnose) && (about.asks == Asks::Plan || !is_empty);
    let (mut found, ended) = cx.carry_out_all(is_chosen).await;
    // Stable: among those that failed, and among the others, the order stays.
    found.sort_by_key(|(check, finding)| {
        let rank = match finding.status {
            Status::Fail => 0,
            Status::Unknown => 1,
            Status::Warn => 2,
            Status::Pass | Status::Skip => 3,
        };
        (rank, check.is_symptom())
    });
    Checked { found: findings(found), ended }
}

/// The checks of the record's name, as this machine sees it.
pub async fn named(cx: &CheckContext<'_>) -> Checked {
    let ids = [delegation::Delegation.about().id, record::RecordResolved.about().id];
    let (found, ended) = cx.carry_out_all(|about| ids.contains(&about.id)).await;
    Checked { found: findings(found), ended }
}

/// The checks before the first write: what AWS would refuse in what is about to be made or changed.
pub async fn preflight(cx: &CheckContext<'_>) -> Checked {
    let (found, ended) = cx.carry_out_all(|about| about.verbs.contains(&Verb::Preflight)).await;
    let ignored = cx.stack().map(|stack| stack.config.preflight.ignore.as_slice()).unwrap_or_default();
    let found = findings(found).into_iter().map(|finding| heeded(finding, ignored));
    Checked { found: found.collect(), ended }
}

/// A finding; one that is to be ignored warns where it would refuse.
fn heeded(finding: Finding, ignored: &[String]) -> Finding {
    let is_ignored = finding.code.is_some_and(|code| ignored.iter().any(|one| one == code));
    match finding.status {
        Status::Fail if is_ignored => {
            let evidence = format!("{} (would refuse; preflight.ignore has it)", finding.evidence);
            Finding { status: Status::Warn, evidence, ..finding }
        }
        _ => finding,
    }
}

fn findings(found: Vec<(&dyn Check, Finding)>) -> Vec<Finding> {
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Whether this finding compares what exists with what is wanted, and asks nobody whether it works.
pub fn is_drift(finding: &Finding) -> bool {
    CHECKS.iter().any(|check| check.about().asks == Asks::Plan && check.about().id == finding.id)
}

/// Whether this finding is of a check that calls the stack as its users do.
pub fn asks_service(finding: &Finding) -> bool {
    CHECKS.iter().any(|check| check.about().asks == Asks::Service && check.about().id == finding.id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::abouts;
    use super::check::Verb;
    use crate::outcome::CODES;

    #[test]
    fn no_two_checks_have_the_same_id_and_title() {
        let names: BTreeSet<_> = abouts().map(|about| (about.id, about.title)).collect();
        assert_eq!(names.len(), abouts().count(), "a check is carried out once by its id and title");
    }
    #[test]
    fn every_check_of_the_preflight_has_a_code_and_every_code_a_check() {
        let of_preflight = abouts().filter(|about| about.verbs.contains(&Verb::Preflight));
        let checks: Vec<&str> = of_preflight.map(|about| about.id).collect();
        let codes: Vec<&str> = CODES.iter().map(|(_, id)| *id).collect();
        assert_eq!(checks, codes, "in the order of their codes");
        let mut others = abouts().filter(|about| !about.verbs.contains(&Verb::Preflight));
        assert!(others.all(|about| !codes.contains(&about.id)), "a code belongs to one check");
    }
}
