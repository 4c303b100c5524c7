//! `deploy preflight`: what `up` looks at before its first write, alone. Reads only.

use std::collections::BTreeSet;
use std::rc::Rc;

use tokio::time::Instant;

use super::cost::refuse_above;
use super::first_reading::FIRST_READING;
use super::{Session, late};
use crate::checks::{self, CheckContext, Stack};
use crate::cli;
use crate::clock::Wait;
use crate::cloud::Memo;
use crate::engine::{Goal, Key, Outputs, Plan, Planner, Resource, outputs_of};
use crate::exit::Exit;
use crate::outcome::{Failed, Finding, Outcome, Problem, Status};
use crate::site::{Missing, Noun};
use crate::steps::dns_record::DnsRecord;
use crate::steps::load_balancer::Listener;
use crate::steps::{STACK, launch_template};

/// Looks at everything that `up` would look at if it made the stack anew.
///
/// # Errors
/// The stack cannot be read.
pub async fn run(session: &Session<'_>, args: &cli::Preflight) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    let memo = Rc::new(Memo::default());
    let stack = session.read_stack_sharing(Rc::clone(&memo), Goal::Present, false, &wait).await?;
    let planner = session.planner(&stack.site, Goal::Present, false);
    let everything = STACK.iter().map(|node| node.key()).collect();
    let ids = outputs_of(&stack.live);
    let found = look(session, &planner, (&planner.plan(&stack.live), &ids), (everything, memo), &wait).await?;
    let count = |status| found.iter().filter(|finding| finding.status == status).count();
    let unknown = count(Status::Unknown);
    let outcome = match count(Status::Fail) {
        0 if unknown == 0 => Outcome::new(Exit::Done, "ready", "Ready: nothing stands in the way of `deploy up`."),
        0 => {
            Outcome::new(Exit::Done, "ready", format!("Nothing is known to stand in the way; {unknown} are not known."))
        }
        wrong => Outcome::preflight(format!("`deploy up` would refuse: {wrong} of {} checks failed.", found.len())),
    };
    let cost = session.cost(&stack.live, &wait).await;
    let outcome = match refuse_above(&cost, args.max_monthly) {
        Ok(()) => outcome,
        Err(dear) if outcome.exit == Exit::Done => dear.into(),
        Err(dear) => outcome.with_problems(Outcome::from(dear).problems),
    };
    Ok(Outcome { checks: found, cost: Some(cost), ..outcome })
}

/// Refuses what AWS would refuse in what is about to be made or changed: before the first write of `up`. `memo`: what
/// the first look has read, a moment ago.
///
/// # Errors
/// It would refuse something: everything at once.
pub async fn admit(
    session: &Session<'_>,
    planner: &Planner<'_>,
    (plan, ids): (&Plan, &Outputs),
    memo: Rc<Memo>,
    wait: &Wait<'_>,
) -> Result<(), Failed> {
    let pending = plan.pending().map(|(key, _)| key).collect();
    let found = look(session, planner, (plan, ids), (pending, memo), wait).await?;
    let gone = planner.site.gone.iter().filter(|one| is_wanted(one, plan));
    let mut problems: Vec<Problem> = gone.map(Problem::from).collect();
    problems.extend(found.iter().filter(|one| one.status == Status::Fail).map(problem));
    if !problems.is_empty() {
        return Err(Outcome::preflight("preflight refused; nothing was changed").with_problems(problems).into());
    }
    // What could not be looked at, or is worth a look, holds nothing up.
    for one in found.iter().filter(|one| !matches!(one.status, Status::Pass | Status::Skip)) {
        session.report.note(&format!("preflight: {}: {}: {}", one.status.word(), one.name(), one.evidence));
    }
    Ok(())
}

async fn look(
    session: &Session<'_>,
    planner: &Planner<'_>,
    (plan, ids): (&Plan, &Outputs),
    (pending, memo): (BTreeSet<Key>, Rc<Memo>),
    wait: &Wait<'_>,
) -> Result<Vec<Finding>, Failed> {
    let changes = planner.changes(plan);
    let stack = Stack::new(&session.cloud, &session.config, Some(planner.site), ids, &changes);
    let stack = stack.pending(pending, memo);
    let cx = CheckContext::new(Some(stack), None, Instant::now(), wait.quiet());
    Ok(Box::pin(checks::preflight(&cx)).await.whole().map_err(late)?)
}

/// Whether what is gone is needed by what is about to be made or changed.
fn is_wanted(gone: &Missing, plan: &Plan) -> bool {
    let user = match gone.noun {
        Noun::Image => launch_template::ID.0,
        Noun::Certificate => Listener::<443>::CERTIFICATE.0,
        Noun::Zone => DnsRecord::KEY,
    };
    plan.pending().any(|(key, _)| key == user)
}

fn problem(finding: &Finding) -> Problem {
    let problem = Problem::new(&finding.evidence, finding.fix.clone().unwrap_or_default()).of(finding.name());
    match &finding.cause {
        Some(cause) => problem.because(cause),
        None => problem,
    }
}
