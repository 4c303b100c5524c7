//! What carries the stack's tag under other names: told by every look, and in the way of a second stack.

use super::Session;
use crate::engine::{Context, Decision, Plan};
use crate::outcome::{Failed, Outcome, Problem, few};
use crate::site::Site;
use crate::steps::shared;

const CURE: &str = "Remove it first, by `deploy teardown` with the names that made it (--set names.…), or give this \
                    stack another name (`stack:`).";

impl Session<'_> {
    /// What carries the stack's tag under other names, as a problem; also that it could not be looked for.
    pub async fn strays(&self) -> Vec<Problem> {
        let site = Site::blank(self.config.clone(), &self.cloud.region);
        let cx = Context::reading(&self.cloud, &site);
        match shared::strays(&cx).await {
            Ok(found) if found.is_empty() => Vec::new(),
            Ok(found) => {
                vec![
                    Problem::new("carries the stack's tag under other names than deploy.yaml's", CURE)
                        .of(few(&found, "; ")),
                ]
            }
            Err(_) => Vec::new(), // the reading beside it says why AWS does not answer
        }
    }
}

/// A second stack is not made beside one that has the same tag.
///
/// # Errors
/// It would be.
pub fn refuse_second(strays: &[Problem], plan: &Plan) -> Result<(), Failed> {
    if strays.is_empty() || !makes_second(plan) {
        return Ok(());
    }
    Err(Outcome::preflight("refused; nothing was changed").with_problems(strays.to_vec()).into())
}

/// Whether this plan makes a stack, rather than mends one.
pub fn makes_second(plan: &Plan) -> bool {
    plan.iter()
        .any(|(key, decision)| key == crate::steps::auto_scaling::NAME.0 && matches!(decision, Decision::Create(_)))
}
