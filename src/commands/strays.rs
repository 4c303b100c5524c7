//! What carries the stack's tag under other names: told by every look, and in the way of a second stack.

use super::Session;
use super::first_reading::FIRST_READING;
use crate::clock::{Attempt, Label, Late, Wait};
use crate::cloud::{self, RetryBudget};
use crate::engine::{Context, Decision, Error, Plan};
use crate::outcome::{Failed, Outcome, Problem, few};
use crate::site::Site;
use crate::steps::{auto_scaling, shared};

const CURE: &str = "Remove it first, by `deploy teardown` with the names that made it (--set names.…), or give this \
                    stack another name (`stack:`).";

/// What a look for strays came to.
pub enum Strays {
    /// What there is, as a problem; none when there is nothing.
    Found(Vec<Problem>),
    /// It could not be looked for: why.
    NotKnown(Problem),
}

impl Strays {
    /// What there is to say of it.
    pub fn problems(self) -> Vec<Problem> {
        match self {
            Strays::Found(problems) => problems,
            Strays::NotKnown(problem) => vec![problem],
        }
    }
}

impl Session<'_> {
    /// What carries the stack's tag under other names.
    pub async fn strays(&self, wait: &Wait<'_>) -> Strays {
        let site = Site::blank(self.config.clone(), &self.cloud.region);
        let (cx, mut budget) = (Context::reading(&self.cloud, &site), RetryBudget::default());
        let (wait, label) = (wait.at_most(FIRST_READING).quiet(), Label::new("strays", self.config.stack.clone()));
        let looked = wait.until(&label, async || match wait.within(shared::strays(&cx)).await {
            Ok(Ok(found)) => Ok(Attempt::Done(found)),
            // As in the first reading: an endpoint that does not answer at first may never have.
            Ok(Err(error)) if error.cloud().is_some_and(cloud::Error::is_outage) => Err(error.into()),
            Ok(Err(error)) => Ok(Attempt::Again(error.retry(&mut budget, &wait.clock)?)),
            Err(ended) => Err(Late { ended, why: String::new() }.into()),
        });
        match looked.await {
            Ok(found) if found.is_empty() => Strays::Found(Vec::new()),
            Ok(found) => {
                let what = "carries the stack's tag under other names than deploy.yaml's";
                Strays::Found(vec![Problem::new(what, CURE).of(few(&found, "; "))])
            }
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
        Strays::Found(problems) if problems.is_empty() => Ok(()),
        Strays::Found(problems) => {
            Err(Outcome::preflight("refused; nothing was changed").with_problems(problems.clone()).into())
        }
        Strays::NotKnown(problem) => Err(not_known(problem.clone())),
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
