//! Acts on what is not as wanted: what can run side by side does, one failure skips only what hangs on it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::resource::{Blocker, Key, Outputs, Owner};
use super::{Clock, Decision, Goal, Graph, Look, Node, Patience, Refs, Seen, Stop, Terms};
use crate::cloud::{self, Cloud};
use crate::site::Site;

/// Everything found by a look.
pub type Found = BTreeMap<Key, Option<Seen>>;

/// What to do, in order.
pub type Plan = Vec<(Key, Decision)>;

/// What happens, for those who watch.
#[derive(Debug, Clone)]
pub enum Event {
    /// A resource is being worked on.
    Started { key: Key, name: String, verb: &'static str },
    /// AWS is not ready: why.
    Waiting { key: Key, name: String, why: String },
    /// It is done.
    Finished { key: Key, name: String, verb: &'static str },
    /// It could not be done.
    Failed { key: Key, name: String, why: String },
    /// It was not tried: what it hangs on failed.
    Skipped { key: Key, name: String, because: Key },
}

/// Why a resource is not as it should be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    #[error("not ours: {0}")]
    Foreign(String),
    #[error("still waiting when the deadline passed: {0}")]
    Deadline(String),
    #[error("interrupted")]
    Interrupted,
    #[error("{0} cannot be changed in place")]
    Fixed(String),
    #[error("not tried, since {0} failed")]
    Skipped(Key),
}

/// A resource that is not as it should be.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which.
    pub key: Key,
    /// AWS's name of it.
    pub name: String,
    /// The guide's step.
    pub step: u8,
    /// Why.
    pub trouble: Trouble,
}

/// One run over a stack: everything that its parts share.
pub struct Walk<'a> {
    pub graph: &'a Graph<'a>,
    pub cloud: &'a Cloud,
    pub site: &'a Site,
    pub goal: Goal,
    pub terms: Terms,
    pub clock: Clock,
    pub stop: &'a Stop,
    pub tell: &'a dyn Fn(Event),
}

/// What a walk has done.
#[derive(Debug, Default)]
pub struct Walked {
    /// Ids of everything that stands.
    pub outputs: Outputs,
    /// What was changed, in the order in which it was finished.
    pub acted: Plan,
    /// What could not be.
    pub failures: Vec<Failure>,
}

impl Walk<'_> {
    /// Looks at everything; where AWS asks for patience, again.
    pub async fn look(&self) -> Result<Found, Vec<Failure>> {
        let mut patience = Patience::default();
        for attempt in 0.. {
            let look = Look::new(self.graph.nodes(), self.goal);
            let found = look.all(self.graph.nodes(), self.cloud, self.site).await;
            let failures = match self.sift(found) {
                Ok(found) => return Ok(found),
                Err(failures) => failures,
            };
            let passing = failures.iter().all(|failure| match &failure.trouble {
                Trouble::Cloud(error) => patience.with(error.clone(), &self.clock).is_ok(),
                _ => false,
            });
            if !passing || !self.clock.pause(attempt, self.stop).await {
                return Err(failures);
            }
        }
        unreachable!("it ends with what was found or with failures")
    }

    /// Looks until AWS shows what was just done, for at most a minute: reads may lag behind writes (Amazon EC2 developer
    /// guide, "Eventual consistency").
    pub async fn look_after(&self, acted: &Plan) -> Result<Found, Vec<Failure>> {
        let patience = self.clock.at_most(Duration::from_secs(60));
        for attempt in 0.. {
            let found = self.look().await?;
            let plan = self.plan(&found);
            let lags =
                |(key, done): &&(Key, Decision)| plan.iter().any(|(other, next)| other == key && again(done, next));
            let Some((key, _)) = acted.iter().find(lags) else {
                return Ok(found);
            };
            let name = self.graph.node(key).map(|node| node.name(self.site)).unwrap_or_default();
            let why = "done; AWS does not show it yet".to_owned();
            (self.tell)(Event::Waiting { key, name, why });
            if !patience.pause(attempt, self.stop).await {
                return Ok(found);
            }
        }
        unreachable!("it ends with what was found or with failures")
    }

    /// What a look found. What could not be looked at fails all of it, with every reason at once.
    pub fn sift(&self, found: BTreeMap<Key, cloud::Result<Option<Seen>>>) -> Result<Found, Vec<Failure>> {
        let (mut seen, mut failures) = (Found::new(), Vec::new());
        for (key, result) in found {
            match result {
                Ok(live) => drop(seen.insert(key, live)),
                Err(cloud::Error::Unseen(_)) => {} // the one that it waited for tells why
                Err(error) => failures.extend(self.failure(key, error.into())),
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        self.inherit_owners(&mut seen);
        Ok(seen)
    }

    /// What to do about each resource, in order. Pure.
    pub fn plan(&self, found: &Found) -> Plan {
        let mut outputs = Outputs::new();
        let mut plan = Plan::new();
        for node in self.graph.nodes() {
            let seen = found.get(node.key()).and_then(Option::as_ref);
            let decision = self.decide(*node, &Refs::new(outputs.clone()), seen);
            let stands = !matches!(decision, Decision::Create(_) | Decision::Replace { .. });
            let renewed = if matches!(decision, Decision::Update { .. }) { node.renewed() } else { &[] };
            if let Some(seen) = seen.filter(|_| stands) {
                let stays = seen.outputs.iter().filter(|(output, _)| !renewed.contains(output));
                outputs.extend(stays.map(|(output, value)| (*output, value.clone())));
            }
            plan.push((node.key(), decision));
        }
        plan
    }

    /// Acts until every one of `keys` is as wanted. Calls in flight finish whatever happens to the others.
    pub async fn act(&self, found: Found, keys: &BTreeSet<Key>) -> Walked {
        let outputs = RefCell::new(known(&found));
        let mut found = found;
        let mut waiting: Vec<&dyn Node> =
            self.graph.nodes().iter().copied().filter(|n| keys.contains(n.key())).collect();
        let mut done: BTreeSet<Key> =
            self.graph.nodes().iter().map(|n| n.key()).filter(|k| !keys.contains(k)).collect();
        let mut failed: BTreeSet<Key> = BTreeSet::new();
        let mut walked = Walked::default();
        let mut running = FuturesUnordered::new();
        loop {
            let mut still = Vec::new();
            for node in waiting {
                let before = self.graph.before(node.key(), self.goal);
                if let Some(because) = before.iter().find(|key| failed.contains(*key)) {
                    failed.insert(node.key());
                    walked.failures.extend(self.skipped(node, because));
                } else if before.iter().all(|key| done.contains(key)) && self.stop.signal().is_none() {
                    let seen = found.remove(node.key()).flatten();
                    let outputs = &outputs;
                    running.push(async move { (node, self.settle(node, outputs, seen).await) });
                } else {
                    still.push(node);
                }
            }
            waiting = still;
            let Some((node, result)) = running.next().await else {
                break;
            };
            match result {
                Ok((fresh, acted)) => {
                    outputs.borrow_mut().extend(fresh);
                    done.insert(node.key());
                    walked.acted.extend(acted.map(|decision| (node.key(), decision)));
                }
                Err(trouble) => {
                    let (key, name) = (node.key(), node.name(self.site));
                    (self.tell)(Event::Failed { key, name, why: trouble.to_string() });
                    failed.insert(key);
                    walked.failures.extend(self.failure(key, trouble));
                }
            }
        }
        drop(running);
        walked.failures.extend(waiting.iter().filter_map(|node| self.failure(node.key(), Trouble::Interrupted)));
        walked.outputs = outputs.into_inner();
        walked
    }

    /// Decides and acts on one resource until nothing is left to do. What was done last, if anything.
    async fn settle(
        &self,
        node: &dyn Node,
        outputs: &RefCell<Outputs>,
        mut seen: Option<Seen>,
    ) -> Result<(Outputs, Option<Decision>), Trouble> {
        let (key, name) = (node.key(), node.name(self.site));
        let mut acted = None;
        let mut patience = Patience::default();
        for attempt in 0.. {
            let refs = Refs::new(outputs.borrow().clone());
            let decision = self.decide(node, &refs, seen.as_ref());
            let why = match &decision {
                Decision::Nothing => {
                    return Ok((own(&seen), acted.inspect(|done| self.finished(node, done))));
                }
                Decision::Foreign { whose, .. } => return Err(Trouble::Foreign(whose.clone())),
                Decision::Replace { why, .. } => return Err(Trouble::Fixed(why.join(", "))),
                Decision::Wait(why) => why.clone(),
                act => {
                    if !patience.is_asked() && acted.is_none() {
                        (self.tell)(Event::Started { key, name: name.clone(), verb: verb(act) });
                    }
                    match node.act(self.cloud, self.site, &refs, seen.as_ref(), act).await {
                        Ok(fresh) if *act == Decision::Delete && node.lingers() => {
                            drop(fresh);
                            acted = Some(decision.clone());
                            "AWS is removing it".to_owned()
                        }
                        Ok(fresh) => {
                            self.finished(node, act);
                            let mut all = if *act == Decision::Delete { Outputs::new() } else { own(&seen) };
                            all.extend(fresh);
                            return Ok((all, Some(decision)));
                        }
                        Err(error) => match patience.with(error, &self.clock) {
                            Ok(why) => why.to_owned(),
                            Err(error) => {
                                return Err(self.named(node, seen.as_ref(), error.into()).await);
                            }
                        },
                    }
                }
            };
            let why = self.held(node, seen.as_ref(), why).await?;
            seen = self.look_again(node, outputs, (attempt, why, &mut patience)).await?;
        }
        Err(Trouble::Deadline(String::new()))
    }

    /// Pauses, and finds a resource anew; a look that AWS puts off is tried again.
    async fn look_again(
        &self,
        node: &dyn Node,
        outputs: &RefCell<Outputs>,
        (attempt, mut why, patience): (u32, String, &mut Patience),
    ) -> Result<Option<Seen>, Trouble> {
        for attempt in attempt.. {
            (self.tell)(Event::Waiting { key: node.key(), name: node.name(self.site), why: why.clone() });
            if !self.clock.pause(attempt, self.stop).await {
                return Err(match self.stop.signal() {
                    Some(_) => Trouble::Interrupted,
                    None => Trouble::Deadline(why),
                });
            }
            let look = Look::again(self.graph.nodes(), self.goal, node.key(), &outputs.borrow());
            match node.find(self.cloud, self.site, &look).await {
                Ok(seen) => return Ok(seen),
                Err(error) => why = patience.with(error, &self.clock)?.to_owned(),
            }
        }
        unreachable!("it ends with what was found or with trouble")
    }

    /// Why a removal waits, with the names of what holds the resource. What never goes by itself ends the wait.
    async fn held(&self, node: &dyn Node, seen: Option<&Seen>, why: String) -> Result<String, Trouble> {
        let (goes, stays): (Vec<Blocker>, _) = self.blockers(node, seen).await.into_iter().partition(|one| one.goes);
        match (names(&stays), names(&goes)) {
            (Some(stays), _) => Err(cloud::Error::Held(format!("held by {stays}, which is not ours")).into()),
            (None, Some(goes)) => Ok(format!("{why}: {goes}")),
            (None, None) => Ok(why),
        }
    }

    /// A refusal to remove that patience did not help, with the names of what holds the resource.
    async fn named(&self, node: &dyn Node, seen: Option<&Seen>, trouble: Trouble) -> Trouble {
        match names(&self.blockers(node, seen).await) {
            Some(names) => cloud::Error::Held(format!("{trouble}; held by {names}")).into(),
            None => trouble,
        }
    }

    async fn blockers(&self, node: &dyn Node, seen: Option<&Seen>) -> Vec<Blocker> {
        match seen.filter(|_| self.goal == Goal::Absent) {
            // Only words: what cannot be told now is told at the next look.
            Some(seen) => node.blockers(self.cloud, self.site, seen).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    fn decide(&self, node: &dyn Node, refs: &Refs, seen: Option<&Seen>) -> Decision {
        node.decide(self.site, refs, seen, self.goal, &self.terms)
    }

    /// A part of something that is not ours is not ours.
    fn inherit_owners(&self, found: &mut Found) {
        for node in self.graph.nodes() {
            let Some(Owner::Parent(parent)) = found.get(node.key()).and_then(|s| s.as_ref()).map(|s| s.owner.clone())
            else {
                continue;
            };
            let above = found.get(parent).and_then(Option::as_ref);
            let Some((_, adoptable)) = above.and_then(|seen| super::decide::stranger(&seen.owner, &self.terms)) else {
                continue;
            };
            let whose = format!("it is a part of {parent}, which is not ours");
            if let Some(Some(seen)) = found.get_mut(node.key()) {
                seen.owner = if adoptable { Owner::Stranger(whose) } else { Owner::Untouchable(whose) };
            }
        }
    }

    fn finished(&self, node: &dyn Node, done: &Decision) {
        (self.tell)(Event::Finished { key: node.key(), name: node.name(self.site), verb: verb(done) });
    }

    fn skipped(&self, node: &dyn Node, because: Key) -> Option<Failure> {
        (self.tell)(Event::Skipped { key: node.key(), name: node.name(self.site), because });
        self.failure(node.key(), Trouble::Skipped(because))
    }

    fn failure(&self, key: Key, trouble: Trouble) -> Option<Failure> {
        let node = self.graph.node(key)?;
        Some(Failure { key, name: node.name(self.site), step: node.step(), trouble })
    }
}

fn names(blockers: &[Blocker]) -> Option<String> {
    let names: Vec<&str> = blockers.iter().map(|one| one.what.as_str()).collect();
    (!names.is_empty()).then(|| names.join("; "))
}

/// Whether what was done is to be done once more, as if it had not been.
fn again(done: &Decision, next: &Decision) -> bool {
    match (done, next) {
        (Decision::Create(_), Decision::Create(_)) | (Decision::Delete, Decision::Delete) => true,
        (Decision::Update { changes: done, .. }, Decision::Update { changes: next, .. }) => {
            // A planned value that was not known is known now.
            done.iter().map(|change| &change.field).eq(next.iter().map(|change| &change.field))
        }
        _ => false,
    }
}

/// Whether this decision means that there is something to do.
pub fn pending(decision: &Decision) -> bool {
    *decision != Decision::Nothing
}

/// Terraform's verb for a decision.
pub fn verb(decision: &Decision) -> &'static str {
    match decision {
        Decision::Nothing => "no-op",
        Decision::Wait(_) => "wait",
        Decision::Create(_) => "create",
        Decision::Update { adopt: true, .. } => "adopt",
        Decision::Update { .. } => "update",
        Decision::Replace { .. } => "replace",
        Decision::Delete => "delete",
        Decision::Foreign { .. } => "foreign",
    }
}

/// The ids of everything that was found.
pub fn known(found: &Found) -> Outputs {
    found.values().flatten().flat_map(|seen| seen.outputs.clone()).collect()
}

fn own(seen: &Option<Seen>) -> Outputs {
    seen.as_ref().map(|seen| seen.outputs.clone()).unwrap_or_default()
}
