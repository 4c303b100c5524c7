//! A resource without its type: what the engine's lists hold.

use std::any::Any;
use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::decide::{Actual, Wanted, decide};
use super::refs::Edge;
use super::resource::{Blocker, Context, Key, Live, Output, Outputs, Owner, Resource, Status};
use super::{Decision, Effect, Ownership, Reading, Refs, Result};
use crate::cloud::{self, Memo};
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
pub struct AnyLive {
    /// `Live<Spec>` of the node that found it.
    live: Box<dyn Any>,
    /// Its spec as a tree.
    pub spec: Value,
    /// Its ids.
    pub outputs: Outputs,
    /// Whether it can be worked with.
    pub status: Status,
    /// Its owner.
    pub owner: Owner,
    /// What its removal does besides.
    pub on_removal: Vec<Effect>,
}

/// What a decision is made for.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// deploy.yaml, and what was looked up for it.
    pub site: &'a Site,
    /// What the stack is to become.
    pub goal: Goal,
    /// The owner that it must have.
    pub ownership: &'a Ownership,
}

/// A resource as the engine handles it. See `Resource`: these methods forward to its own.
///
/// # Errors
/// Every method that calls AWS fails with what AWS answered.
#[async_trait(?Send)]
pub trait Node {
    /// Its name in plans and messages.
    fn key(&self) -> Key;
    /// The guide's step.
    fn step(&self) -> u8;
    /// AWS's name of it.
    fn name(&self, site: &Site) -> String;
    /// Whether AWS removes it some time after the delete call.
    fn deletes_async(&self) -> bool;
    /// Whether no search by tag finds it.
    fn found_by_name(&self) -> bool;
    /// The resource with which AWS removes it.
    fn goes_with(&self) -> Option<Key>;
    /// Outputs that an update changes.
    fn unknown_after_update(&self) -> &'static [Output];
    /// What it depends on, traced from `want`.
    fn edges(&self, site: &Site) -> BTreeMap<Key, Edge>;
    /// What there is.
    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<AnyLive>>;
    /// What to do about it. Pure.
    fn decide(&self, terms: &Terms<'_>, refs: &Refs, live: Option<&AnyLive>) -> Decision;
    /// Does what was decided; the ids that it gave out or changed.
    async fn act(&self, cx: &Context<'_>, refs: &Refs, live: Option<&AnyLive>, decision: &Decision) -> Result<Outputs>;
    /// Whether AWS has finished a removal; `None`: only `find` tells.
    async fn is_gone(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Option<bool>>;
    /// What keeps AWS from removing it.
    async fn blockers(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<Blocker>>;
    /// Those of them that clear by themselves and are still there.
    async fn still_blocked(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<Blocker>>;
    /// What protects it from removal.
    async fn protections(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<String>>;
    /// What others added to it, and AWS removes with it.
    async fn additions(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<String>>;
    /// Removes every protection.
    async fn remove_protections(&self, cx: &Context<'_>, live: &AnyLive) -> Result<()>;
    /// Everything of this kind that carries the stack's tag, whatever its name.
    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>>;
}

#[async_trait(?Send)]
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

    fn deletes_async(&self) -> bool {
        R::DELETES_ASYNC
    }

    fn found_by_name(&self) -> bool {
        R::FOUND_BY_NAME
    }

    fn goes_with(&self) -> Option<Key> {
        R::GOES_WITH
    }

    fn unknown_after_update(&self) -> &'static [Output] {
        R::UNKNOWN_AFTER_UPDATE
    }

    fn edges(&self, site: &Site) -> BTreeMap<Key, Edge> {
        let refs = Refs::default();
        self.want(site, &refs);
        refs.into_asked()
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<AnyLive>> {
        Ok(Resource::find(self, cx, reading).await?.map(AnyLive::new))
    }

    fn decide(&self, terms: &Terms<'_>, refs: &Refs, live: Option<&AnyLive>) -> Decision {
        let wanted = terms.goal == Goal::Present && self.included(terms.site);
        let want = wanted.then(|| self.want(terms.site, refs));
        let spec = want.as_ref().map(tree);
        let tags = terms.site.tags(&Resource::name(self, terms.site));
        let wanted = spec.as_ref().map(|spec| Wanted { spec, tags: &tags, forces_replacement: R::FORCES_REPLACEMENT });
        let actual = live.map(|live| Actual { spec: &live.spec, status: &live.status, owner: &live.owner });
        let decision = decide(wanted, actual, terms.ownership);
        match (decision, live.and_then(AnyLive::of::<R::Spec>), want) {
            (Decision::Update { changes, adopt, .. }, Some(live), Some(want)) => {
                Decision::Update { changes, adopt, effects: self.effects(live, &want) }
            }
            (decision, ..) => decision,
        }
    }

    async fn act(&self, cx: &Context<'_>, refs: &Refs, live: Option<&AnyLive>, decision: &Decision) -> Result<Outputs> {
        match (decision, live.and_then(AnyLive::of::<R::Spec>)) {
            (Decision::Create(_), _) => self.create(cx, &self.want(cx.site, refs)).await,
            (Decision::Update { changes, .. }, Some(live)) => {
                let (tags, others): (Vec<_>, Vec<_>) =
                    changes.iter().partition(|change| change.field.starts_with("tags."));
                if !tags.is_empty() {
                    self.tag(cx, live, &cx.site.tags(&Resource::name(self, cx.site))).await?;
                }
                if others.is_empty() {
                    Ok(Outputs::new())
                } else {
                    self.update(cx, live, &self.want(cx.site, refs)).await
                }
            }
            (Decision::Delete, Some(live)) => self.delete(cx, live).await.map(|()| Outputs::new()),
            _ => Err(cloud::Error::Reply(format!("{}: nothing can be done for {decision:?}", R::KEY)).into()),
        }
    }

    async fn is_gone(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Option<bool>> {
        match live.of::<R::Spec>() {
            Some(live) => Resource::is_gone(self, cx, live).await,
            None => Ok(None),
        }
    }

    async fn blockers(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<Blocker>> {
        match live.of::<R::Spec>() {
            Some(live) => Resource::blockers(self, cx, live).await,
            None => Ok(Vec::new()),
        }
    }

    async fn still_blocked(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<Blocker>> {
        match live.of::<R::Spec>() {
            Some(live) => Resource::still_blocked(self, cx, live).await,
            None => Ok(Vec::new()),
        }
    }

    async fn protections(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<String>> {
        match live.of::<R::Spec>() {
            Some(live) => Resource::protections(self, cx, live).await,
            None => Ok(Vec::new()),
        }
    }

    async fn additions(&self, cx: &Context<'_>, live: &AnyLive) -> Result<Vec<String>> {
        match live.of::<R::Spec>() {
            Some(live) => Resource::additions(self, cx, live).await,
            None => Ok(Vec::new()),
        }
    }

    async fn remove_protections(&self, cx: &Context<'_>, live: &AnyLive) -> Result<()> {
        match live.of::<R::Spec>() {
            Some(live) => Resource::remove_protections(self, cx, live).await,
            None => Ok(()),
        }
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        Resource::tagged(self, cx, memo).await
    }
}

impl AnyLive {
    /// What AWS knows it by: its id, or its ARN, or its name.
    pub fn id(&self) -> Option<&str> {
        let of = |name: &&str| self.outputs.iter().find(|(output, _)| output.1 == *name);
        ["id", "arn", "name"].iter().find_map(of).map(|(_, value)| value.as_str())
    }

    fn new<S: serde::Serialize + 'static>(live: Live<S>) -> AnyLive {
        AnyLive {
            spec: tree(&live.spec),
            outputs: live.outputs.clone(),
            status: live.status.clone(),
            owner: live.owner.clone(),
            on_removal: live.on_removal.clone(),
            live: Box::new(live),
        }
    }

    /// What a node of this type found: always `Some` for the node that found it.
    fn of<S: 'static>(&self) -> Option<&Live<S>> {
        self.live.downcast_ref()
    }
}

/// A spec as a tree. Specs are plain structs, maps and lists: serialisation cannot fail.
fn tree<S: serde::Serialize>(spec: &S) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}
