//! Acts on what is not as wanted: side by side where the order allows it. A failure skips only what depends on it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::resource::{Context, Key, Outputs};
use super::{Decision, Error, Goal, LiveStack, Node, NodeError, Plan, Planner, Reading, Result, outputs_of};
use crate::clock::{Attempt, Label, Late, Wait};
use crate::cloud::RetryBudget;
use crate::event::{Event, What};

/// How long reads may lag behind the writes of this run.
const READS_LAG: Duration = Duration::from_mins(1);

/// What every part of a run over a stack shares.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    /// What decides.
    pub planner: &'a Planner<'a>,
    /// What the resources work with.
    pub cx: Context<'a>,
    /// Deadline, cancellation and listener.
    pub wait: Wait<'a>,
}

/// What a walk has done.
#[derive(Debug, Default)]
pub struct WalkResult {
    /// Ids of everything that exists.
    pub outputs: Outputs,
    /// What was changed, in the order in which it was finished.
    pub acted: Plan,
    /// What could not be.
    pub errors: Vec<NodeError>,
}

/// Why a reading failed.
enum NotRead {
    Errors(Vec<NodeError>),
    Late,
}

impl From<Late> for NotRead {
    fn from(_: Late) -> NotRead {
        NotRead::Late
    }
}

impl Walk<'_> {
    /// Reads everything, and again as long as AWS's errors are retryable.
    ///
    /// # Errors
    /// Everything that could not be read.
    pub async fn read(&self) -> Result<LiveStack, Vec<NodeError>> {
        let (mut budget, mut last) = (RetryBudget::default(), Vec::new());
        let label = Label::new("aws", self.cx.cloud.region.clone());
        let wait = self.wait.quiet();
        let read = wait.until(&label, async || {
            let reading = Reading::new(self.planner.graph.nodes(), self.planner.goal);
            let errors = match self.planner.collect(reading.all(self.planner.graph.nodes(), &self.cx).await) {
                Ok(live) => return Ok(Attempt::Done(live)),
                Err(errors) => errors,
            };
            let mut retry = |error: &NodeError| error.error.clone().retry(&mut budget, &self.wait.clock).ok();
            match errors.iter().map(&mut retry).collect::<Option<Vec<String>>>() {
                Some(whys) => {
                    last = errors;
                    Ok(Attempt::Again(whys.join("; ")))
                }
                None => Err(NotRead::Errors(errors)),
            }
        });
        match read.await {
            Ok(live) => Ok(live),
            Err(NotRead::Errors(errors)) => Err(errors),
            Err(NotRead::Late) => Err(last),
        }
    }

    /// Reads until AWS shows what was just done, for at most a minute: reads may lag behind writes (Amazon EC2
    /// developer guide, "Eventual consistency").
    ///
    /// # Errors
    /// Everything that could not be read.
    pub async fn read_after(&self, acted: &Plan) -> Result<LiveStack, Vec<NodeError>> {
        let (label, mut last) = (Label::new("aws", self.cx.cloud.region.clone()), None);
        let wait = self.wait.at_most(READS_LAG);
        let read = wait.until(&label, async || {
            let live = self.read().await.map_err(NotRead::Errors)?;
            match self.planner.plan(&live).first_repeated(acted) {
                None => Ok(Attempt::Done(live)),
                Some(key) => {
                    let name = self.planner.graph.node(key).map(|node| node.name(self.cx.site)).unwrap_or_default();
                    last = Some(live);
                    Ok(Attempt::AgainFor(Label::new(key, name), "done; AWS does not show it yet".to_owned()))
                }
            }
        });
        match read.await {
            Ok(live) => Ok(live),
            Err(NotRead::Errors(errors)) => Err(errors),
            Err(NotRead::Late) => Ok(last.unwrap_or_default()),
        }
    }

    /// Acts until every one of `keys` is as wanted. Calls that are under way are finished, whatever happens to others.
    pub async fn act(&self, live: LiveStack, keys: &BTreeSet<Key>) -> WalkResult {
        let outputs = RefCell::new(outputs_of(&live));
        let (graph, mut live) = (&self.planner.graph, live);
        let (mut waiting, others): (Vec<&dyn Node>, Vec<&dyn Node>) =
            graph.nodes().iter().partition(|node| keys.contains(node.key()));
        let mut done: BTreeSet<Key> = others.iter().map(|node| node.key()).collect();
        let mut failed: BTreeSet<Key> = BTreeSet::new();
        let mut result = WalkResult::default();
        let mut running = FuturesUnordered::new();
        let mut is_later = false;
        loop {
            let (mut still, failures) = (Vec::new(), failed.len());
            for node in waiting {
                let before = graph.before(node.key(), self.planner.goal, keys);
                let awaited = graph.awaited(node.key(), self.planner.goal);
                if let Some(because) = before.iter().find(|key| failed.contains(*key)) {
                    failed.insert(node.key());
                    result.errors.extend(self.skipped(node, because));
                } else if before.iter().all(|key| done.contains(key))
                    && awaited.iter().all(|key| done.contains(key) || failed.contains(key))
                    && self.wait.cancel.signal().is_none()
                {
                    let seen = live.remove(node.key()).flatten();
                    let turn = before.union(&awaited).copied().filter(|key| keys.contains(key));
                    self.notify(node, What::Turn(turn.collect()));
                    let (outputs, goes_along) = (&outputs, self.goes_along(node, keys));
                    running.push(async move {
                        let settled = if goes_along {
                            Ok((Outputs::new(), Some(Decision::Delete)))
                        } else {
                            self.settle(node, outputs, (seen, is_later)).await
                        };
                        (node, settled)
                    });
                } else {
                    still.push(node);
                }
            }
            (waiting, is_later) = (still, true);
            if failed.len() > failures {
                continue; // what depends on those that were skipped is skipped too
            }
            let Some((node, settled)) = running.next().await else {
                break;
            };
            match settled {
                Ok((fresh, acted)) => {
                    outputs.borrow_mut().extend(fresh);
                    done.insert(node.key());
                    result.acted.extend(acted.map(|decision| (node.key(), decision)));
                }
                Err(error) => {
                    self.notify(node, What::Failed(error.to_string()));
                    failed.insert(node.key());
                    result.errors.extend(self.planner.error(node.key(), error));
                }
            }
        }
        drop(running);
        result.errors.extend(waiting.iter().filter_map(|node| self.planner.error(node.key(), Error::Interrupted)));
        result.outputs = outputs.into_inner();
        result
    }

    /// Whether AWS has removed it with another resource by now.
    fn goes_along(&self, node: &dyn Node, keys: &BTreeSet<Key>) -> bool {
        let goes_along = self.planner.goal == Goal::Absent && self.planner.graph.whole(node.key(), keys).is_some();
        if goes_along {
            self.finished(node, &Decision::Delete);
        }
        goes_along
    }

    pub(super) fn finished(&self, node: &dyn Node, done: &Decision) {
        self.notify(node, What::Finished(done.action().map_or("no-op", |action| action.word())));
    }

    fn skipped(&self, node: &dyn Node, because: Key) -> Option<NodeError> {
        self.notify(node, What::Skipped(because));
        self.planner.error(node.key(), Error::Skipped(because))
    }

    pub(super) fn notify(&self, node: &dyn Node, what: What) {
        (self.wait.watch)(Event { key: node.key(), name: node.name(self.cx.site), what });
    }
}
