//! One resource: decides and acts until nothing is left to do.
//!
//! A wait asks only for what is waited for: whether a removal has come to its end, or whether what holds a resource is
//! still there.

use std::cell::RefCell;

use super::resource::{Blocker, Output, Outputs, WARNING};
use super::{AnyLive, Decision, Error, Goal, Node, Reading, Refs, Result, Walk};
use crate::clock::{Attempt, Label};
use crate::cloud::RetryBudget;
use crate::event::What;
use crate::outcome::few;

/// How far the work on one resource has come.
struct Progress {
    seen: Option<AnyLive>,
    /// It was seen before others were acted on.
    is_old: bool,
    /// What was done last.
    acted: Option<Decision>,
    budget: RetryBudget,
    waits_for: WaitsFor,
}

/// What the next attempt begins with.
enum WaitsFor {
    /// What was seen is fresh.
    Nothing,
    /// A new reading.
    Reading,
    /// The end of a removal that AWS has accepted.
    Removal,
    /// What holds the resource, because of which AWS refused to remove it.
    Holders(Error),
}

impl Walk<'_> {
    /// Decides and acts on one resource until nothing is left to do. Returns its ids and what was done last, if
    /// anything.
    pub(super) async fn settle(
        &self,
        node: &dyn Node,
        outputs: &RefCell<Outputs>,
        (seen, is_old): (Option<AnyLive>, bool),
    ) -> Result<(Outputs, Option<Decision>)> {
        let label = Label::new(node.key(), node.name(self.cx.site));
        let wait = if self.planner.goal == Goal::Absent { self.wait.patient() } else { self.wait };
        let budget = RetryBudget::default();
        let mut at = Progress { seen, is_old, acted: None, budget, waits_for: WaitsFor::Nothing };
        wait.until(&label, async || self.attempt(node, outputs, &mut at).await).await
    }

    async fn attempt(
        &self,
        node: &dyn Node,
        outputs: &RefCell<Outputs>,
        at: &mut Progress,
    ) -> Result<Attempt<(Outputs, Option<Decision>)>> {
        match std::mem::replace(&mut at.waits_for, WaitsFor::Reading) {
            WaitsFor::Nothing => {}
            WaitsFor::Reading => {
                if let Some(why) = self.read_again(node, outputs, at).await? {
                    return Ok(Attempt::Again(why));
                }
            }
            WaitsFor::Removal => {
                if let Some(attempt) = self.removed(node, outputs, at).await? {
                    return Ok(attempt);
                }
            }
            WaitsFor::Holders(error) => {
                let holders = self.still_blocked(node, at.seen.as_ref()).await;
                if let Some(names) = clearing(&holders)? {
                    let why = error.clone().retry(&mut at.budget, &self.wait.clock);
                    let Ok(why) = why else { return Err(self.named(node, at.seen.as_ref(), error).await) };
                    at.waits_for = WaitsFor::Holders(error);
                    return Ok(Attempt::Again(format!("{why}: {names}")));
                }
            }
        }
        let refs = Refs::new(outputs.borrow().clone());
        if std::mem::take(&mut at.is_old)
            && matches!(self.planner.decide(node, &refs, at.seen.as_ref()), Decision::Wait(_))
            && let Some(why) = self.read_again(node, outputs, at).await?
        {
            return Ok(Attempt::Again(why));
        }
        match self.step(node, &refs, outputs, at).await? {
            Attempt::Done(fresh) => Ok(Attempt::Done((fresh, at.acted.take()))),
            Attempt::Again(why) | Attempt::AgainFor(_, why) => Ok(Attempt::Again(why)),
        }
    }

    /// Reads the resource. `Some`: it could not be read, and why it is worth another try.
    async fn read_again(
        &self,
        node: &dyn Node,
        outputs: &RefCell<Outputs>,
        at: &mut Progress,
    ) -> Result<Option<String>> {
        let reading =
            Reading::again(self.planner.graph.nodes(), self.planner.goal, node.key(), &outputs.borrow().clone());
        match node.find(&self.cx, &reading).await {
            Ok(live) => at.seen = live,
            Err(error) => return error.retry(&mut at.budget, &self.wait.clock).map(Some),
        }
        Ok(None)
    }

    /// Whether AWS has come to the end of a removal. `None`: it is to be decided anew.
    async fn removed(
        &self,
        node: &dyn Node,
        outputs: &RefCell<Outputs>,
        at: &mut Progress,
    ) -> Result<Option<Attempt<(Outputs, Option<Decision>)>>> {
        let is_gone = match &at.seen {
            Some(seen) => node.is_gone(&self.cx, seen).await,
            None => Ok(Some(true)),
        };
        match is_gone {
            Ok(Some(true)) => {
                self.finished(node, &Decision::Delete);
                Ok(Some(Attempt::Done((Outputs::new(), at.acted.take()))))
            }
            Ok(Some(false)) => {
                at.waits_for = WaitsFor::Removal;
                Ok(Some(Attempt::Again("AWS is removing it".to_owned())))
            }
            Ok(None) => Ok(self.read_again(node, outputs, at).await?.map(Attempt::Again)),
            Err(error) => {
                at.waits_for = WaitsFor::Removal;
                error.retry(&mut at.budget, &self.wait.clock).map(|why| Some(Attempt::Again(why)))
            }
        }
    }

    /// Carries out one decision about one resource. Returns the ids that it has then.
    async fn step(
        &self,
        node: &dyn Node,
        refs: &Refs,
        outputs: &RefCell<Outputs>,
        at: &mut Progress,
    ) -> Result<Attempt<Outputs>> {
        let own = |at: &Progress| at.seen.as_ref().map(|live| live.outputs.clone()).unwrap_or_default();
        let decision = self.planner.decide(node, refs, at.seen.as_ref());
        match &decision {
            Decision::Nothing => {
                if let Some(done) = &at.acted {
                    self.finished(node, done);
                }
                return Ok(Attempt::Done(own(at)));
            }
            Decision::Foreign { whose, .. } => return Err(Error::Foreign(whose.clone())),
            Decision::Replace { why, .. } => return Err(Error::NeedsReplacement(why.join(", "))),
            Decision::Wait(why) => {
                let names = self.held(node, at.seen.as_ref()).await?;
                return Ok(Attempt::Again(names.map_or(why.clone(), |names| format!("{why}: {names}"))));
            }
            Decision::Create(_) | Decision::Update { .. } | Decision::Delete => {}
        }
        if let (false, None, Some(action)) = (at.budget.is_used(), &at.acted, decision.action()) {
            self.notify(node, What::Started(action.word()));
        }
        let deleted = decision == Decision::Delete;
        match node.act(&self.cx, refs, at.seen.as_ref(), &decision).await {
            Ok(_) if deleted && node.deletes_async() => {
                at.acted = Some(decision);
                match self.removed(node, outputs, at).await? {
                    Some(Attempt::Done((gone, acted))) => {
                        at.acted = acted;
                        Ok(Attempt::Done(gone))
                    }
                    _ => Ok(Attempt::Again("AWS is removing it".to_owned())),
                }
            }
            Ok(mut fresh) => {
                if let Some(words) = fresh.remove(&Output(node.key(), WARNING)) {
                    self.notify(node, What::Warned(words));
                }
                self.finished(node, &decision);
                let mut all = if deleted { Outputs::new() } else { own(at) };
                all.extend(fresh);
                at.acted = Some(decision);
                Ok(Attempt::Done(all))
            }
            Err(error) => self.refused(node, at, error).await,
        }
    }

    /// What follows from a refusal: another try, or the end.
    async fn refused(&self, node: &dyn Node, at: &mut Progress, error: Error) -> Result<Attempt<Outputs>> {
        let why = match error.clone().retry(&mut at.budget, &self.wait.clock) {
            Ok(why) => why,
            Err(error) => return Err(self.named(node, at.seen.as_ref(), error).await),
        };
        Ok(Attempt::Again(match self.held(node, at.seen.as_ref()).await? {
            Some(names) => {
                at.waits_for = WaitsFor::Holders(error);
                format!("{why}: {names}")
            }
            None => why,
        }))
    }

    /// What holds a resource and clears by itself, in words.
    ///
    /// # Errors
    /// Something holds it that does not.
    async fn held(&self, node: &dyn Node, seen: Option<&AnyLive>) -> Result<Option<String>> {
        clearing(&self.blockers(node, seen).await)
    }

    /// A refusal to remove, after all retries, with the names of what holds the resource.
    async fn named(&self, node: &dyn Node, seen: Option<&AnyLive>, error: Error) -> Error {
        match names(&self.blockers(node, seen).await.iter().collect::<Vec<_>>()) {
            Some(names) => Error::Held(format!("{error}; held by {names}")),
            None => error,
        }
    }

    async fn blockers(&self, node: &dyn Node, seen: Option<&AnyLive>) -> Vec<Blocker> {
        match seen.filter(|_| self.planner.goal == Goal::Absent) {
            // For the message only: what cannot be read now is read the next time.
            Some(seen) => node.blockers(&self.cx, seen).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    async fn still_blocked(&self, node: &dyn Node, seen: Option<&AnyLive>) -> Vec<Blocker> {
        match seen {
            Some(seen) => node.still_blocked(&self.cx, seen).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }
}

/// What clears by itself, in words.
///
/// # Errors
/// Something does not.
fn clearing(blockers: &[Blocker]) -> Result<Option<String>> {
    let (clearing, staying): (Vec<&Blocker>, _) = blockers.iter().partition(|blocker| blocker.clears_by_itself);
    match names(&staying) {
        Some(staying) => Err(Error::Held(format!("held by {staying}, which is not ours"))),
        None => Ok(names(&clearing)),
    }
}

fn names(blockers: &[&Blocker]) -> Option<String> {
    let names: Vec<&str> = blockers.iter().map(|blocker| blocker.what.as_str()).collect();
    (!names.is_empty()).then(|| few(&names, "; "))
}
