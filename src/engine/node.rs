//! A resource without its type: what the engine's lists hold.

use std::any::Any;
use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::decide::{There, Want, decide};
use super::refs::Edge;
use super::resource::{Blocker, Key, Live, Output, Outputs, Owner, Resource, Status, Tags};
use super::{Decision, Look, Refs, Terms};
use crate::cloud::{Cloud, Error, Result};
use crate::site::Site;

/// What the stack is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// As the site wants it.
    Present,
    /// Gone.
    Absent,
}

/// A live resource without its type.
pub struct Seen {
    /// `Live<Spec>` of the node that saw it.
    live: Box<dyn Any>,
    /// Its spec as a tree.
    pub spec: Value,
    /// Its ids.
    pub outputs: Outputs,
    /// Whether it can be worked with.
    pub status: Status,
    /// Whose it is.
    pub owner: Owner,
}

/// A resource as the engine handles it.
pub trait Node {
    /// Its name in plans and messages.
    fn key(&self) -> Key;
    /// The guide's step.
    fn step(&self) -> u8;
    /// AWS's name of it.
    fn name(&self, site: &Site) -> String;
    /// Whether AWS removes it some time after the delete call.
    fn lingers(&self) -> bool;
    /// Outputs that an update changes.
    fn renewed(&self) -> &'static [Output];
    /// What it hangs on.
    fn edges(&self, site: &Site) -> BTreeMap<Key, Edge>;
    /// What it should be, as a tree.
    fn want(&self, site: &Site, refs: &Refs) -> Value;
    /// What there is.
    fn find<'a>(&'a self, cloud: &'a Cloud, site: &'a Site, look: &'a Look)
    -> LocalBoxFuture<'a, Result<Option<Seen>>>;
    /// What to do about it.
    fn decide(&self, site: &Site, refs: &Refs, seen: Option<&Seen>, goal: Goal, terms: &Terms) -> Decision;
    /// Does what was decided; the outputs that it then has.
    fn act<'a>(
        &'a self,
        cloud: &'a Cloud,
        site: &'a Site,
        refs: &'a Refs,
        seen: Option<&'a Seen>,
        decision: &'a Decision,
    ) -> LocalBoxFuture<'a, Result<Outputs>>;
    /// What holds it while AWS does not remove it.
    fn blockers<'a>(
        &'a self,
        cloud: &'a Cloud,
        site: &'a Site,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Vec<Blocker>>>;
    /// What somebody put on it against removal.
    fn protections<'a>(&'a self, cloud: &'a Cloud, seen: &'a Seen) -> LocalBoxFuture<'a, Result<Vec<String>>>;
    /// Takes every protection off.
    fn lift<'a>(&'a self, cloud: &'a Cloud, seen: &'a Seen) -> LocalBoxFuture<'a, Result<()>>;
}

impl<R: Resource> Node for R {
    fn key(&self) -> Key {
        R::KEY
    }

    fn step(&self) -> u8 {
        R::STEP
    }

    fn name(&self, site: &Site) -> String {
        Resource::name(self, site)
    }

    fn lingers(&self) -> bool {
        R::LINGERS
    }

    fn renewed(&self) -> &'static [Output] {
        R::RENEWED
    }

    fn edges(&self, site: &Site) -> BTreeMap<Key, Edge> {
        let refs = Refs::default();
        Resource::want(self, site, &refs);
        refs.into_asked()
    }

    fn want(&self, site: &Site, refs: &Refs) -> Value {
        tree(&Resource::want(self, site, refs))
    }

    fn find<'a>(
        &'a self,
        cloud: &'a Cloud,
        site: &'a Site,
        look: &'a Look,
    ) -> LocalBoxFuture<'a, Result<Option<Seen>>> {
        Box::pin(async move {
            let live = Resource::find(self, cloud, site, look).await?;
            Ok(live.map(|live| Seen {
                spec: tree(&live.spec),
                outputs: live.outputs.clone(),
                status: live.status.clone(),
                owner: live.owner.clone(),
                live: Box::new(live),
            }))
        })
    }

    fn decide(&self, site: &Site, refs: &Refs, seen: Option<&Seen>, goal: Goal, terms: &Terms) -> Decision {
        let wanted = goal == Goal::Present && self.included(site);
        let spec = wanted.then(|| Node::want(self, site, refs));
        let tags = site.tags(&Resource::name(self, site));
        let want = spec.as_ref().map(|spec| Want { spec, tags: &tags, fixed: R::FIXED });
        let there = seen.map(|seen| There { spec: &seen.spec, status: &seen.status, owner: &seen.owner });
        decide(want, there, terms)
    }

    fn act<'a>(
        &'a self,
        cloud: &'a Cloud,
        site: &'a Site,
        refs: &'a Refs,
        seen: Option<&'a Seen>,
        decision: &'a Decision,
    ) -> LocalBoxFuture<'a, Result<Outputs>> {
        Box::pin(async move {
            let live = seen.and_then(Seen::of::<R::Spec>);
            match (decision, live) {
                (Decision::Create(_), _) => self.create(cloud, site, &Resource::want(self, site, refs)).await,
                (Decision::Update { changes, .. }, Some(live)) => {
                    let tags: Tags = site.tags(&Resource::name(self, site));
                    if changes.iter().any(|change| change.field.starts_with("tags.")) {
                        self.tag(cloud, live, &tags).await?;
                    }
                    if changes.iter().all(|change| change.field.starts_with("tags.")) {
                        return Ok(live.outputs.clone());
                    }
                    self.update(cloud, site, live, &Resource::want(self, site, refs)).await
                }
                (Decision::Delete, Some(live)) => self.delete(cloud, site, live).await.map(|()| Outputs::new()),
                _ => Err(Error::Reply(format!("{}: nothing can be done for {decision:?}", R::KEY))),
            }
        })
    }

    fn blockers<'a>(
        &'a self,
        cloud: &'a Cloud,
        site: &'a Site,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Vec<Blocker>>> {
        Box::pin(async move {
            match seen.of::<R::Spec>() {
                Some(live) => Resource::blockers(self, cloud, site, live).await,
                None => Ok(Vec::new()),
            }
        })
    }

    fn protections<'a>(&'a self, cloud: &'a Cloud, seen: &'a Seen) -> LocalBoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            match seen.of::<R::Spec>() {
                Some(live) => Resource::protections(self, cloud, live).await,
                None => Ok(Vec::new()),
            }
        })
    }

    fn lift<'a>(&'a self, cloud: &'a Cloud, seen: &'a Seen) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match seen.of::<R::Spec>() {
                Some(live) => Resource::lift(self, cloud, live).await,
                None => Ok(()),
            }
        })
    }
}

impl Seen {
    /// What a node of this type saw: always, when the node itself asks.
    fn of<S: 'static>(&self) -> Option<&Live<S>> {
        self.live.downcast_ref()
    }
}

/// A spec as a tree. Specs are plain structs, maps and lists: serialisation cannot fail.
fn tree<S: serde::Serialize>(spec: &S) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}
