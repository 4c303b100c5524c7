//! What carries the stack's tag under other names: told by every look, and in the way of a second stack.

use std::rc::Rc;

use super::Session;
use super::first_reading::FIRST_READING;
use crate::clock::{Attempt, Label, Late, Wait};
use crate::cloud::{self, Memo, RetryBudget};
use crate::engine::{Context, Decision, Error, Plan};
use crate::outcome::{Failed, Outcome, Problem, few};
use crate::site::Site;
use crate::steps::dns_record::not_looked_for;
use crate::steps::{auto_scaling, shared};

const CURE: &str = "Remove it first, by `deploy teardown` with the names that made it (--set names.…), or give this \
                    stack another name (`stack:`).";

const OF_RECORDS: &str = "Remove it by hand when no client uses its name, or give it back to deploy.yaml (dns, \
                          verify.name). It would lead nowhere without the load balancer: `deploy teardown` takes \
                          aliases along and names every other record, and a replacement leaves both.";

/// What a look for strays came to.
pub enum Strays {
    /// What there is, as problems; none when there is nothing.
    Found {
        /// What stands beside this stack, with its tag.
        beside: Vec<Problem>,
        /// Records that lead to it, and where none could be looked for.
        records: Vec<Problem>,
    },
    /// It could not be looked for: why.
    NotKnown(Problem),
}

impl Strays {
    /// What there is to say of it.
    pub fn problems(self) -> Vec<Problem> {
        match self {
            Strays::Found { beside, records } => beside.into_iter().chain(records).collect(),
            Strays::NotKnown(problem) => vec![problem],
        }
    }

    /// Whether something is known to stand beside this stack.
    pub fn stand_beside(&self) -> bool {
        matches!(self, Strays::Found { beside, .. } if !beside.is_empty())
    }
}

impl From<shared::Strays> for Strays {
    fn from(found: shared::Strays) -> Strays {
        let told = |what: &str, cure: &str, all: &[String]| {
            (!all.is_empty()).then(|| Problem::new(what, cure).of(few(all, "; ")))
        };
        let beside = told("carries the stack's tag under other names than deploy.yaml's", CURE, &found.beside);
        let records = told("leads to our load balancer, beside the record of deploy.yaml", OF_RECORDS, &found.records);
        let records = records.into_iter().chain(not_looked_for(&found.unseen)).collect();
        Strays::Found { beside: beside.into_iter().collect(), records }
    }
}

impl Session<'_> {
    /// What carries the stack's tag under other names. `memo`: what the first look shares with others.
    pub async fn strays(&self, wait: &Wait<'_>, memo: Rc<Memo>) -> Strays {
        let site = Site::blank(self.config.clone(), &self.cloud.region);
        let (cx, mut budget) = (Context::reading(&self.cloud, &site), RetryBudget::default());
        let (wait, label) = (wait.at_most(FIRST_READING).quiet(), Label::new("strays", self.config.stack.clone()));
        let mut memo = Some(memo);
        let looked = wait.until(&label, async || {
            let memo = memo.take().unwrap_or_default();
            match wait.within(shared::strays(&cx, &memo)).await {
                Ok(Ok(found)) => Ok(Attempt::Done(found)),
                // As in the first reading: an endpoint that does not answer at first may never have.
                Ok(Err(error)) if error.cloud().is_some_and(cloud::Error::is_outage) => Err(error.into()),
                Ok(Err(error)) => Ok(Attempt::Again(error.retry(&mut budget, &wait.clock)?)),
                Err(ended) => Err(Late { ended, why: String::new() }.into()),
            }
        });
        match looked.await {
            Ok(found) => found.into(),
            Err(NotLooked::Error(error)) => Strays::NotKnown(Problem::from(&error).of("look for strays")),
            Err(NotLooked::Late) => Strays::NotKnown(Problem::bare("there was no time to look for strays")),
        }
    }
}

enum NotLooked {
    Error(Error),
    Late,
}

impl From<Error> for NotLooked {
    fn from(error: Error) -> NotLooked {
        NotLooked::Error(error)
    }
}

impl From<Late> for NotLooked {
    fn from(_: Late) -> NotLooked {
        NotLooked::Late
    }
}

/// A second stack is not made beside one that has the same tag, nor where that is not known.
///
/// # Errors
/// It would be, or might be.
pub fn refuse_second(strays: &Strays, plan: &Plan) -> Result<(), Failed> {
    match strays {
        _ if !makes_second(plan) => Ok(()),
        Strays::Found { beside, .. } if beside.is_empty() => Ok(()),
        Strays::Found { beside, .. } => {
            Err(Outcome::preflight("refused; nothing was changed").with_problems(beside.clone()).into())
        }
        Strays::NotKnown(problem) => Err(not_known(problem.clone())),
    }
}

/// Adds what there is to say of strays to the end of a run, however it ended.
///
/// # Errors
/// As before.
pub fn telling(ended: Result<Outcome, Failed>, strays: Vec<Problem>) -> Result<Outcome, Failed> {
    let told = |mut outcome: Outcome| {
        outcome.problems.extend(strays);
        outcome
    };
    match ended {
        Ok(outcome) => Ok(told(outcome)),
        Err(failed) => Err(failed.map(told)),
    }
}

/// What ends a run that would make a stack, or would plan it.
pub fn not_known(problem: Problem) -> Failed {
    let summary = "failed; nothing was changed: whether the stack exists under other names is not known";
    Outcome::failed(summary).problem(problem).into()
}

/// Whether this plan makes a stack, rather than changes one.
pub fn makes_second(plan: &Plan) -> bool {
    matches!(plan.decision(auto_scaling::NAME.0), Some(Decision::Create(_)))
}
