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
    /// Whose it is.
    pub owner: Owner,
}

impl<S> Live<S> {
    /// A resource that can be changed and deleted, and gives out no ids.
    pub fn ready(spec: S, owner: Owner) -> Live<S> {
        Live { spec, outputs: Outputs::new(), status: Status::Ready, owner }
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
}

/// Whether a resource can be worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It can be changed and deleted.
    Ready,
    /// AWS is bringing it to where it was told to go: why. It can be deleted.
    Pending(String),
    /// AWS is deleting it; it cannot be changed.
    Leaving(String),
}

/// What keeps a resource from being removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Its id and what it is.
    pub what: String,
    /// It goes by itself, or is removed with the stack: waiting helps.
    pub clears_by_itself: bool,
}

/// Whose a resource is. Fails closed: what carries no tag of ours is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The tags say it.
    Tags(Tags),
    /// It is a part of this other resource of the stack and has that one's owner.
    Parent(Key),
    /// It cannot carry tags, and what it says is not ours: why.
    Stranger(String),
    /// Like a stranger, and `--adopt` cannot make it ours: why.
    Untouchable(String),
}

/// One resource of the stack: what we want, what there is, and the ways from one to the other.
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
    /// What it is: one type for what is wanted and what is there.
    type Spec: Serialize + 'static;

    /// AWS's name of it.
    fn name(&self, site: &Site) -> String;

    /// Whether this site wants it at all.
    fn included(&self, _site: &Site) -> bool {
        true
    }

    /// What it should be. Pure; asks `refs` for the ids of others, which is where the graph's edges come from.
    fn want(&self, site: &Site, refs: &Refs) -> Self::Spec;

    /// What there is. Reads only.
    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Self::Spec>>>;

    /// Makes it, with the owner's tags in the create call itself. Its ids.
    async fn create(&self, cx: &Context<'_>, want: &Self::Spec) -> Result<Outputs>;

    /// Changes what differs between `live` and `want`, and nothing else. The ids that changed.
    async fn update(&self, cx: &Context<'_>, live: &Live<Self::Spec>, want: &Self::Spec) -> Result<Outputs>;

    /// What this update does besides changing fields. Pure.
    fn effects(&self, _live: &Live<Self::Spec>, _want: &Self::Spec) -> Vec<Effect> {
        Vec::new()
    }

    /// Puts these tags on it, leaving others. Called only for those whose owner is known by tags.
    async fn tag(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>, _tags: &Tags) -> Result<()> {
        Ok(())
    }

    /// Removes it. Success too when it is gone already.
    async fn delete(&self, cx: &Context<'_>, live: &Live<Self::Spec>) -> Result<()>;

    /// What holds it while AWS does not remove it. Reads only.
    async fn blockers(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<Vec<Blocker>> {
        Ok(Vec::new())
    }

    /// What protects it from removal, and `remove_protections` takes off. Reads only.
    async fn protections(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Takes every protection off.
    async fn remove_protections(&self, _cx: &Context<'_>, _live: &Live<Self::Spec>) -> Result<()> {
        Ok(())
    }

    /// Everything of this kind that carries the stack's tag, whatever its name: AWS's noun and the id. Reads only. The
    /// last look of a removal asks every resource.
    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>>;
}
