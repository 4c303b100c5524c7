//! The contract that each file in `steps/` fulfils.

use std::collections::BTreeMap;

use serde::Serialize;

use super::effect::Effect;
use super::{Reading, Refs, Result};
use crate::cloud::{Cloud, Memo, Tags};
use crate::site::Site;

/// The name of a resource in plans, messages and graphs: AWS's noun in snake_case.
pub type Key = &'static str;

/// One value that AWS gives out about a resource (an id, an ARN, a version): its owner's key and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Output(pub Key, pub &'static str);

/// The name of an output that is no id: what AWS warned of when it carried out a call. It is told and not kept.
pub const WARNING: &str = "warning";

/// Values by output.
pub type Outputs = BTreeMap<Output, String>;

/// What every call of a resource works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// AWS's clients.
    pub cloud: &'a Cloud,
    /// deploy.yaml, and what was looked up for it.
    pub site: &'a Site,
    /// Whether the service is asked while instances are replaced: then a rollout pauses after the first instance.
    pub verified_rollout: bool,
    /// What a rollout does with instances that a person keeps as they are.
    pub kept: KeptInstances,
    /// Whether a removal may go on although other regions, where something may be in use, could not be looked at.
    pub unseen_regions: bool,
}

impl<'a> Context<'a> {
    /// With nothing that needs a word of its own: enough to read.
    pub fn reading(cloud: &'a Cloud, site: &'a Site) -> Context<'a> {
        let kept = KeptInstances::default();
        Context { cloud, site, verified_rollout: false, kept, unseen_regions: false }
    }
}

/// What a rollout does with instances that a person keeps; `None`: nobody said.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeptInstances {
    /// Those that are protected from scale-in.
    pub protected: Option<Kept>,
    /// Those in standby.
    pub standby: Option<Kept>,
}

/// What a rollout does with an instance that a person keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is replaced like the others.
    Replaced,
    /// It stays as it is.
    Ignored,
    /// It is waited for.
    WaitedFor,
}

/// A resource as AWS has it.
#[derive(Debug, Clone)]
pub struct Live<S> {
    /// What AWS has, in the same shape as what is wanted.
    pub spec: S,
    /// Ids that others may ask for.
    pub outputs: Outputs,
    /// Whether it can be worked with.
    pub status: Status,
    /// Its owner.
    pub owner: Owner,
    /// What its removal does besides.
    pub on_removal: Vec<Effect>,
}

impl<S> Live<S> {
    /// A resource that can be changed and deleted, and gives out no ids.
    pub fn ready(spec: S, owner: Owner) -> Live<S> {
        Live { spec, outputs: Outputs::new(), status: Status::Ready, owner, on_removal: Vec::new() }
    }

    /// The same with an id.
    pub fn output(mut self, output: Output, value: impl Into<String>) -> Live<S> {
        self.outputs.insert(output, value.into());
        self
    }

    /// The same in this state.
    pub fn status(self, status: Status) -> Live<S> {
        Live { status, ..self }
    }

    /// The same, whose removal does this besides.
    pub fn on_removal(self, on_removal: Vec<Effect>) -> Live<S> {
        Live { on_removal, ..self }
    }
}

/// Whether a resource can be worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It can be changed and deleted.
    Ready,
    /// AWS is still bringing it to its settings: why. It can be deleted.
    Pending(String),
    /// AWS is deleting it; it cannot be changed.
    Leaving(String),
}

/// What keeps a resource from being removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Its id and what it is.
    pub what: String,
    /// It disappears by itself, or is removed with the stack: waiting helps.
    pub clears_by_itself: bool,
}

/// The owner of a resource. What carries no tag of ours is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The tags say it.
    Tags(Tags),
    /// It is a part of this other resource of the stack, and has its owner.
    Parent(Key),
    /// It cannot carry tags, and its settings show that it is not ours: why.
    Stranger(String),
    /// It is not ours, and `--adopt` cannot make it ours: why.
    Untouchable(String),
}

/// One resource of the stack: what is wanted, what exists, and the calls that bring the one to the other.
///
/// Waits, retries and printing do not occur here: the engine does them.
///
/// # Errors
/// Every method that calls AWS fails with what AWS answered.
#[allow(async_fn_in_trait)] // One thread: no future here needs to be Send.
pub trait Resource: 'static {
    /// Its name in plans and messages.
    const KEY: Key;
    /// The step of the vendor's guide that makes it by hand.
    const STEP: u8;
    /// Fields of `Spec` that AWS does not change in place: a difference there is a replacement.
    const FORCES_REPLACEMENT: &'static [&'static str] = &[];
    /// Outputs that an update changes, so that a plan says "known after apply" of them.
    const UNKNOWN_AFTER_UPDATE: &'static [Output] = &[];
    /// AWS removes it some time after the delete call: the engine reads until it is gone.
    const DELETES_ASYNC: bool = false;
    /// AWS removes it with this other resource: where that one is removed too, no call is made for it.
    const GOES_WITH: Option<Key> = None;
    /// No search by tag finds it: the last look of a removal reads it by its name.
    const FOUND_BY_NAME: bool = false;
    /// Its settings: one type for what is wanted and what exists.
    type Spec: Serialize + 'static;

    /// AWS's name of it.
    fn name(&self, site: &Site) -> String;

    /// Whether this site wants it at all.
    fn included(&self, _site: &Site) -> bool {
        true
    }

    /// What it should be. Pure. It asks `refs` for the ids of others: the graph's edges come from that.
    fn want(&self, site: &Site, refs: &Refs) -> Self::Spec;

    /// What exists. Reads only.
    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Self::Spec>>>;

    /// Makes it, with the owner's tags in the create call itself. Returns its ids.
    async fn create(&self, cx: &Context<'_>, want: &Self::Spec) -> Result<Outputs>;

    /// Changes what differs between `live` and `want`, and nothing else. Returns the ids that changed.
    async fn update(&self, cx: &Context<'_>, live: &Live<Self::Spec>, want: &Self::Spec) -> Result<Outputs>;

    /// What this update does besides changing fields. Pure.
    fn effects(&self, _live: &Live<Self::Spec>, _want: &Self::Spec) -> Vec<Effect> {
        Vec::new()
    }

    /// Adds these tags to it and leaves others. Called only for resources whose owner is known by tags.
    async fn tag(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>, _tags: &Tags) -> Result<()> {
        Ok(())
    }

    /// Removes it. Success too when it is gone already.
    async fn delete(&self, cx: &Context<'_>, live: &Live<Self::Spec>) -> Result<()>;

    /// Whether AWS has finished a removal, by the smallest read that tells; `None`: there is none smaller than `find`.
    async fn is_gone(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<Option<bool>> {
        Ok(None)
    }

    /// What keeps AWS from removing it. Reads only.
    async fn blockers(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<Vec<Blocker>> {
        Ok(Vec::new())
    }

    /// Those of them that clear by themselves and are still there: asked again and again. Reads only.
    async fn still_blocked(&self, cx: &Context<'_>, live: &Live<Self::Spec>) -> Result<Vec<Blocker>> {
        self.blockers(cx, live).await
    }

    /// What protects it from removal, and `remove_protections` would remove. Reads only.
    async fn protections(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// What others added to it, and AWS removes with it: `up` stops for it, while the removal of a whole stack takes it
    /// along. Reads only.
    async fn additions(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Removes every protection.
    async fn remove_protections(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<()> {
        Ok(())
    }

    /// Everything of this kind that carries the stack's tag, whatever its name: AWS's noun and the id. Reads only. The
    /// last look of a removal asks every resource.
    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>>;
}
