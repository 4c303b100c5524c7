//! What a check is, and how the checks of a verb are carried out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use async_trait::async_trait;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::CHECKS;
use super::endpoint::Endpoint;
use super::stack::Stack;
use crate::clock::{Ended, Wait};
use crate::flags;
use crate::outcome::{Finding, Status};

/// A verb that carries checks out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `deploy verify`: does it work?
    Verify,
    /// `deploy diagnose`: why does it not?
    Diagnose,
    /// `deploy preflight`, and `deploy up` before its first write: could it be made?
    Preflight,
}

/// What a request meets, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// The alias record.
    DnsRecord,
    /// The load balancer and its listeners.
    LoadBalancer,
    /// The target group.
    TargetGroup,
    /// The auto scaling group's instances.
    Instances,
    /// Oz Liveness.
    Service,
}

/// What a check judges, in the picture of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The node itself.
    At(Node),
    /// The way to the node.
    WayTo(Node),
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// AWS.
    Aws,
    /// Nobody: what exists is compared with what deploy.yaml wants.
    Plan,
    /// The stack, called as its users call it.
    Service,
}

/// What is known of a check before it is carried out.
#[derive(Debug)]
pub struct About {
    /// Its name for programs, unique among the checks of a verb.
    pub id: &'static str,
    /// The guide's step; 0: none of the seven.
    pub step: u8,
    /// Its name for people.
    pub title: &'static str,
    /// What it judges, for the picture.
    pub places: &'static [Place],
    /// The verbs that carry it out; none: a call that is made apart, because it is metered.
    pub verbs: &'static [Verb],
    /// Who is asked.
    pub asks: Asks,
}

impl About {
    /// A finding that says nothing yet.
    pub fn finding(&self) -> Finding {
        Finding::new(self.id, self.step, self.title)
    }
}

/// When a check has its turn.
pub enum Turn {
    /// At once, beside the others.
    AtOnce,
    /// After that one, whatever it found.
    After(&'static dyn Check),
    /// After that one; skipped if that one failed.
    IfGood(&'static dyn Check),
}

/// Why a check has no finding.
#[derive(Debug)]
pub enum NotRun {
    /// It has nothing to judge in this run.
    DoesNotApply,
    /// The deadline passed, or a signal asked to stop.
    Ended(Ended),
}

impl From<Ended> for NotRun {
    fn from(ended: Ended) -> NotRun {
        NotRun::Ended(ended)
    }
}

/// What a check comes to.
pub type Ran = Result<Finding, NotRun>;

/// One question about a stack.
#[async_trait(?Send)]
pub trait Check: Sync {
    /// What is known of it.
    fn about(&self) -> &'static About;

    /// Whether it has something to judge in this run.
    fn applies(&self, _: &CheckContext<'_>) -> bool {
        true
    }

    /// Whether something else causes what it finds: `diagnose` shows it after the causes.
    fn is_symptom(&self) -> bool {
        false
    }

    /// When it has its turn.
    fn turn(&self) -> Turn {
        Turn::AtOnce
    }

    /// Asks.
    ///
    /// # Errors
    /// It does not apply, or the run ended.
    async fn run(&self, cx: &CheckContext<'_>) -> Ran;

    /// A finding that says nothing yet.
    fn finding(&self) -> Finding {
        self.about().finding()
    }
}

/// What checks look at. What several of them read is read once.
pub struct CheckContext<'a> {
    stack: Option<Stack<'a>>,
    endpoint: Option<Endpoint<'a>>,
    start: Instant,
    wait: Wait<'a>,
    findings: RefCell<BTreeMap<Name, Rc<OnceCell<Finding>>>>,
}

/// Id and title of a check.
type Name = (&'static str, &'static str);

fn name_of(check: &dyn Check) -> Name {
    (check.about().id, check.about().title)
}

/// A question without an answer when the run ended.
pub(super) fn unended(finding: Finding) -> Finding {
    finding.found(Status::Unknown, "no answer before the run ended").because(
        "it was asked, or waited for its turn, when the deadline passed or a signal came",
        format!("{} allows more.", flags::TIMEOUT),
    )
}

impl<'a> CheckContext<'a> {
    /// A stack as AWS has it, its service as its users reach it, or both.
    pub fn new(
        stack: Option<Stack<'a>>,
        endpoint: Option<Endpoint<'a>>,
        start: Instant,
        wait: Wait<'a>,
    ) -> CheckContext<'a> {
        CheckContext { stack, endpoint, start, wait, findings: RefCell::default() }
    }

    /// The stack.
    ///
    /// # Errors
    /// This run has none.
    pub fn stack(&self) -> Result<&Stack<'a>, NotRun> {
        self.stack.as_ref().ok_or(NotRun::DoesNotApply)
    }

    /// Where its service is called.
    ///
    /// # Errors
    /// This run calls none.
    pub fn endpoint(&self) -> Result<&Endpoint<'a>, NotRun> {
        self.endpoint.as_ref().ok_or(NotRun::DoesNotApply)
    }

    /// The deadline and who may cancel, for calls that wait.
    pub fn wait(&self) -> &Wait<'a> {
        &self.wait
    }

    /// What a check finds, carried out at most once.
    pub fn finding<'s>(&'s self, check: &'s dyn Check) -> LocalBoxFuture<'s, Ran> {
        let cell = Rc::clone(self.findings.borrow_mut().entry(name_of(check)).or_default());
        Box::pin(async move { cell.get_or_try_init(|| self.carry_out(check)).await.cloned() })
    }

    /// A check in its turn, with its times since the start of the run.
    async fn carry_out(&self, check: &dyn Check) -> Ran {
        match check.turn() {
            Turn::AtOnce => {}
            Turn::After(first) => drop(self.finding(first).await?),
            Turn::IfGood(needed) if self.finding(needed).await?.is_good() => {}
            Turn::IfGood(_) => return Ok(check.finding().skip("what it needs failed")),
        }
        let began = Instant::now();
        let mut finding = check.run(self).await?;
        finding.started_ms = began.duration_since(self.start).as_millis() as u64;
        finding.duration_ms = began.elapsed().as_millis() as u64;
        Ok(finding)
    }

    /// Carries out those of [`CHECKS`] that are chosen, side by side; in the order of the list. What ended them before
    /// all had an answer, if something did: then each that had none says so.
    pub(super) async fn carry_out_all(
        &self,
        is_chosen: impl Fn(&About) -> bool,
    ) -> (Vec<(&'static dyn Check, Finding)>, Option<Ended>) {
        let chosen: Vec<&'static dyn Check> =
            CHECKS.iter().copied().filter(|check| is_chosen(check.about()) && check.applies(self)).collect();
        let does_not_apply = RefCell::new(BTreeSet::new());
        let runs = chosen.iter().map(async |check| match self.finding(*check).await {
            Ok(_) => None,
            Err(NotRun::DoesNotApply) => {
                does_not_apply.borrow_mut().insert(name_of(*check));
                None
            }
            Err(NotRun::Ended(ended)) => Some(ended),
        });
        let ended = match self.wait.within(join_all(runs)).await {
            Ok(ran) => ran.into_iter().flatten().next(),
            Err(ended) => Some(ended),
        };
        let applies = chosen.into_iter().filter(|check| !does_not_apply.borrow().contains(&name_of(*check)));
        (applies.map(|check| (check, self.found(check))).collect(), ended)
    }

    /// What a check found; one that was ended says so.
    fn found(&self, check: &dyn Check) -> Finding {
        let findings = self.findings.borrow();
        let found = findings.get(&name_of(check)).and_then(|cell| cell.get()).cloned();
        found.unwrap_or_else(|| unended(check.finding()))
    }
}
