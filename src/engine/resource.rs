//! The contract that each file in `steps/` fulfils.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Look, Refs};
use crate::cloud::{Cloud, Result};
use crate::site::Site;

/// The name of a resource in plans, messages and graphs: AWS's noun in snake_case.
pub type Key = &'static str;

/// One value that AWS gives out about a resource (an id, an ARN, a version): its owner's key and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Output(pub Key, pub &'static str);

/// Values by output.
pub type Outputs = BTreeMap<Output, String>;

/// Tag values by tag key.
pub type Tags = BTreeMap<String, String>;

/// A resource as AWS shows it.
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
    pub goes: bool,
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
#[allow(async_fn_in_trait)] // One thread: no future here needs to be Send.
pub trait Resource: 'static {
    /// Its name in plans and messages.
    const KEY: Key;
    /// The step of the vendor's guide that makes it by hand.
    const STEP: u8;
    /// Fields of `Spec` that AWS does not change in place: a difference there is a replacement.
    const FIXED: &'static [&'static str] = &[];
    /// Outputs that an update changes, so that a plan says "known after apply" of them.
    const RENEWED: &'static [Output] = &[];
    /// AWS removes it some time after the delete call: the engine looks until it is gone.
    const LINGERS: bool = false;
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
    async fn find(&self, cloud: &Cloud, site: &Site, look: &Look) -> Result<Option<Live<Self::Spec>>>;

    /// Makes it, with the owner's tags in the create call itself.
    async fn create(&self, cloud: &Cloud, site: &Site, want: &Self::Spec) -> Result<Outputs>;

    /// Changes what differs between `live` and `want`, and nothing else.
    async fn update(&self, cloud: &Cloud, site: &Site, live: &Live<Self::Spec>, want: &Self::Spec) -> Result<Outputs>;

    /// Puts these tags on it, leaving others. Called only for those whose owner is told by tags.
    async fn tag(&self, _cloud: &Cloud, _live: &Live<Self::Spec>, _tags: &Tags) -> Result<()> {
        Ok(())
    }

    /// Removes it. Success too when it is gone already.
    async fn delete(&self, cloud: &Cloud, site: &Site, live: &Live<Self::Spec>) -> Result<()>;

    /// What holds it while AWS does not remove it. Reads only.
    async fn blockers(&self, _cloud: &Cloud, _site: &Site, _live: &Live<Self::Spec>) -> Result<Vec<Blocker>> {
        Ok(Vec::new())
    }

    /// What somebody put on it against removal, and `lift` takes off. Reads only.
    async fn protections(&self, _cloud: &Cloud, _live: &Live<Self::Spec>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Takes every protection off.
    async fn lift(&self, _cloud: &Cloud, _live: &Live<Self::Spec>) -> Result<()> {
        Ok(())
    }
}
