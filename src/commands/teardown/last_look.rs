//! The last look of a removal: what carries our tag, whatever its name, twice.

use crate::clock::{Attempt, Ended, Label, Late};
use crate::cloud::{Memo, RetryBudget};
use crate::engine::reconcile::failed;
use crate::engine::{self, Walk};
use crate::outcome::{Change, Failed, Outcome, Problem};

/// How many looks in a row must find the same before it is taken to stay: what is on its way out changes.
const SAME_LOOKS: u32 = 4;

/// Why the last look did not come to its end.
enum Unproven {
    Error(engine::Error),
    Late(Late),
}

impl From<Late> for Unproven {
    fn from(late: Late) -> Unproven {
        Unproven::Late(late)
    }
}

/// Asks every resource what carries our tag. What is known to stay for others is not ours.
///
/// # Errors
/// The look did not come to its end, and nothing is proven.
pub async fn left_by_tag(walk: &Walk<'_>, removed: usize, foreign: &[Change]) -> Result<Vec<Problem>, Failed> {
    let label = Label::new("last_look", walk.cx.site.config.stack.clone());
    let (mut looks, mut left, mut budget) = (0, Vec::new(), RetryBudget::default());
    let looked = walk.wait.until(&label, async || {
        let found = match tagged(walk).await {
            Ok(found) => found,
            Err(error) => {
                let why = error.retry(&mut budget, &walk.wait.clock).map_err(Unproven::Error)?;
                return Ok(Attempt::Again(why));
            }
        };
        looks = if looks > 0 && found == left { looks + 1 } else { 1 };
        left = found;
        Ok(match left.is_empty() {
            true if looks > 1 || removed == 0 => Attempt::Done(()),
            true => Attempt::Again("nothing carries the stack's tag; looking once more".to_owned()),
            false if looks >= SAME_LOOKS => Attempt::Done(()),
            false => Attempt::Again(format!("still there by tag: {}", left.join("; "))),
        })
    });
    match looked.await {
        Ok(()) => {}
        Err(Unproven::Late(Late { ended: Ended::TimedOut, .. })) if !left.is_empty() => {}
        Err(Unproven::Late(_)) => return Err(failed(&[], walk.wait.cancel, "").into()),
        Err(Unproven::Error(error)) => return Err(not_known(&error).into()),
    }
    let named = |line: &&String| !foreign.iter().any(|stranger| line.ends_with(&stranger.name));
    Ok(left.iter().filter(named).map(stray).collect())
}

/// Everything in this region that carries our tag, by kind and id.
async fn tagged(walk: &Walk<'_>) -> engine::Result<Vec<String>> {
    let memo = Memo::default();
    let asked = walk.planner.graph.nodes().iter().map(|node| node.tagged(&walk.cx, &memo));
    let mut found: Vec<String> = futures_util::future::try_join_all(asked).await?.concat();
    found.sort();
    found.dedup();
    Ok(found)
}

fn stray(line: &String) -> Problem {
    Problem::new(
        "carries the stack's tag under another name than deploy.yaml's",
        "Run teardown with the deploy.yaml that made it, or remove it by hand.",
    )
    .because("it was made under other names, or tagged by hand")
    .of(line)
}

fn not_known(error: &engine::Error) -> Outcome {
    let summary = "failed; what was found is gone, and whether anything else carries the stack's tag is not known";
    Outcome::failed(summary).problem(error)
}
