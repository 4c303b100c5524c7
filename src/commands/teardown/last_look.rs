//! The last look of a removal, a moment after its end: what carries our tag, whatever its name; and by its name what no
//! search by tag finds.

use futures_util::future::join_all;

use crate::clock::{Attempt, Ended, Label, Late};
use crate::cloud::{Memo, RetryBudget};
use crate::engine::reconcile::failed;
use crate::engine::{self, Decision, Node, Outputs, Reading, Refs, Walk};
use crate::exit::Exit;
use crate::outcome::{Change, Failed, Outcome, Problem, few};

/// How many looks in a row must find the same before it is taken to stay: what is on its way out changes.
const SAME_LOOKS: u32 = 5;

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

/// Asks every resource what is left of it. What is known to stay for others is not ours.
///
/// # Errors
/// The look did not come to its end, and nothing is proven.
pub async fn left_behind(walk: &Walk<'_>, removed: usize, foreign: &[Change]) -> Result<Vec<Problem>, Failed> {
    let label = Label::new("last_look", walk.cx.site.config.stack.clone());
    let (mut looks, mut left, mut budget) = (0, Vec::new(), RetryBudget::default());
    if removed > 0 && walk.wait.pause(0).await.is_err() {
        return Err(failed(&[], walk.wait.cancel, "").into());
    }
    let looked = walk.wait.until(&label, async || {
        let found = match remains(walk).await {
            Ok(found) => found,
            Err(error) => {
                let why = error.retry(&mut budget, &walk.wait.clock).map_err(Unproven::Error)?;
                return Ok(Attempt::Again(why));
            }
        };
        looks = if looks > 0 && found == left { looks + 1 } else { 1 };
        left = found;
        Ok(match left.is_empty() {
            true => Attempt::Done(()),
            false if looks >= SAME_LOOKS => Attempt::Done(()),
            false => Attempt::Again(format!("still there: {}", few(&left, "; "))),
        })
    });
    match looked.await {
        Ok(()) => {}
        Err(Unproven::Late(Late { ended: Ended::TimedOut, .. })) if !left.is_empty() => {}
        Err(Unproven::Late(_)) => return Err(failed(&[], walk.wait.cancel, "").into()),
        Err(Unproven::Error(error)) => return Err(not_known(&error).into()),
    }
    let named = |line: &&String| !foreign.iter().any(|stranger| line.ends_with(&stranger.name));
    Ok(left.iter().filter(named).map(|line| stray(walk, line)).collect())
}

/// Everything in this region that carries our tag, by kind and id; and what is ours by its name.
async fn remains(walk: &Walk<'_>) -> engine::Result<Vec<String>> {
    let memo = Memo::default();
    let nodes = walk.planner.graph.nodes();
    let tagged = join_all(nodes.iter().map(|node| node.tagged(&walk.cx, &memo)));
    let named = join_all(nodes.iter().filter(|node| node.found_by_name()).map(|node| named(walk, *node)));
    let (tagged, named) = tokio::join!(tagged, named);
    let mut found: Vec<String> = Vec::new();
    for some in tagged.into_iter().chain(named) {
        found.extend(some?);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Its name, when one of this name is ours.
async fn named(walk: &Walk<'_>, node: &dyn Node) -> engine::Result<Vec<String>> {
    let Walk { planner, cx, .. } = walk;
    let reading = Reading::again(planner.graph.nodes(), planner.goal, node.key(), &Outputs::new());
    let live = node.find(cx, &reading).await?;
    let decision = planner.decide(node, &Refs::default(), live.as_ref());
    let is_left = matches!(decision, Decision::Delete | Decision::Wait(_));
    Ok(is_left.then(|| format!("{} {}", node.key(), node.name(cx.site))).into_iter().collect())
}

fn stray(walk: &Walk<'_>, line: &String) -> Problem {
    let mut named = walk.planner.graph.nodes().iter().filter(|node| node.found_by_name());
    if named.any(|node| line.starts_with(&format!("{} ", node.key()))) {
        return Problem::new("it is still there", "Run teardown again.").of(line);
    }
    Problem::new(
        "carries the stack's tag under another name than deploy.yaml's",
        "Run teardown with the deploy.yaml that made it, or remove it by hand.",
    )
    .because("it was made under other names, restored from a backup, or tagged by hand")
    .of(line)
}

fn not_known(error: &engine::Error) -> Outcome {
    let summary = "failed; what was found is gone, and whether anything else carries the stack's tag is not known";
    Outcome::failed(summary).problem(error)
}

/// By name there is nothing; what carries our tag under other names is told.
///
/// # Errors
/// The look did not come to its end.
pub async fn nothing_to_remove(walk: &Walk<'_>) -> Result<Outcome, Failed> {
    let left = left_behind(walk, 0, &[]).await?;
    if left.is_empty() {
        return Ok(Outcome::new(Exit::Done, "unchanged", "There was nothing of this stack to remove."));
    }
    let summary = "There was nothing of these names to remove, and other things carry the stack's tag.";
    Ok(Outcome::new(Exit::Incomplete, "incomplete", summary).with_problems(left))
}
