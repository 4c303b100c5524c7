//! What launches left behind: volumes and network interfaces that carry our tag and outlived their instances. They are
//! never wanted; only a removal looks for them.

mod interface_origin;
mod volume_origin;

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use aws_sdk_ec2::types::{Filter, NetworkInterface, ResourceType, Volume};
use serde::Serialize;

use super::{auto_scaling, security_groups, shared};
use crate::cloud::{Absent, Cloud, Memo};
use crate::engine::{Blocker, Context, Goal, Key, Live, Outputs, Owner, Reading, Refs, Resource, Result, Status};
use crate::site::Site;

/// Volumes that were left over.
pub const VOLUMES: Leftovers<Volume> = Leftovers(PhantomData);
/// Network interfaces that were left over.
pub const INTERFACES: Leftovers<NetworkInterface> = Leftovers(PhantomData);

/// The key of the network interfaces.
pub const INTERFACES_KEY: Key = <NetworkInterface as Kind>::KEY;

/// All left-over things of one kind.
pub struct Leftovers<T>(PhantomData<T>);

/// Their ids.
#[derive(Debug, Default, Serialize)]
pub struct Spec {
    /// Those that a launch of ours made and that are attached to nothing.
    ids: Vec<String>,
    /// Each of them, and of those that go with their instances, in words.
    each: BTreeMap<String, String>,
    /// Which of them is attached to which instance.
    attached: Vec<(String, String)>,
}

/// A kind of thing that can be left over.
#[allow(async_fn_in_trait)] // one thread
pub trait Kind: Sized + 'static {
    /// The resource's key.
    const KEY: Key;
    /// AWS's noun.
    const NOUN: &'static str;
    /// As EC2's tags name it.
    const TYPE: ResourceType;
    /// Everything of this kind that carries this tag.
    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<Self>>;
    /// Its id.
    fn id(&self) -> Option<&str>;
    /// The instance that it is attached to.
    fn instance(&self) -> Option<&str>;
    /// What it is, in words.
    fn words(&self) -> String;
    /// Ids of those of these that no launch of ours made.
    async fn not_of_a_launch(cloud: &Cloud, site: &Site, all: &[&Self]) -> Result<BTreeSet<String>>;
    /// Removes it. Success too when it is gone already.
    async fn remove(cloud: &Cloud, id: &str) -> Result<()>;
}

impl Kind for Volume {
    const KEY: Key = "volumes";
    const NOUN: &'static str = "volume";
    const TYPE: ResourceType = ResourceType::Volume;

    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<Volume>> {
        let pages = cloud.ec2.describe_volumes().filters(tag).into_paginator().page_size(1000);
        Ok(pages.items().send().try_collect().await?)
    }

    fn id(&self) -> Option<&str> {
        self.volume_id()
    }

    fn instance(&self) -> Option<&str> {
        self.attachments().first()?.instance_id()
    }

    fn words(&self) -> String {
        volume_origin::words(self)
    }

    async fn not_of_a_launch(cloud: &Cloud, site: &Site, all: &[&Volume]) -> Result<BTreeSet<String>> {
        Ok(volume_origin::not_of_a_launch(cloud, site, all).await?)
    }

    async fn remove(cloud: &Cloud, id: &str) -> Result<()> {
        Ok(cloud.ec2.delete_volume().volume_id(id).send().await.or_gone()?)
    }
}

impl Kind for NetworkInterface {
    const KEY: Key = "network_interfaces";
    const NOUN: &'static str = "network interface";
    const TYPE: ResourceType = ResourceType::NetworkInterface;

    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<NetworkInterface>> {
        let pages = cloud.ec2.describe_network_interfaces().filters(tag).into_paginator().page_size(1000);
        Ok(pages.items().send().try_collect().await?)
    }

    fn id(&self) -> Option<&str> {
        self.network_interface_id()
    }

    fn instance(&self) -> Option<&str> {
        self.attachment()?.instance_id()
    }

    fn words(&self) -> String {
        interface_origin::words(self)
    }

    async fn not_of_a_launch(cloud: &Cloud, site: &Site, all: &[&NetworkInterface]) -> Result<BTreeSet<String>> {
        Ok(interface_origin::not_of_a_launch(cloud, site, all).await?)
    }

    async fn remove(cloud: &Cloud, id: &str) -> Result<()> {
        Ok(cloud.ec2.delete_network_interface().network_interface_id(id).send().await.or_gone()?)
    }
}

impl<T: Kind> Resource for Leftovers<T> {
    const KEY: Key = T::KEY;
    const STEP: u8 = 3;
    type Spec = Spec;

    fn name(&self, _: &Site) -> String {
        "left over".to_owned()
    }

    fn included(&self, _: &Site) -> bool {
        false
    }

    fn want(&self, _: &Site, refs: &Refs) -> Spec {
        refs.outlives(auto_scaling::AutoScalingGroup::KEY); // until then they are in use
        refs.after(security_groups::Group::<security_groups::Instances>::KEY); // which an interface holds
        Spec::default()
    }

    /// What is still attached is waited for: most of it is removed with its instance.
    async fn find(&self, &Context { cloud, site, .. }: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        if reading.goal == Goal::Present {
            return Ok(None);
        }
        let all = T::tagged(cloud, site.owner_filter()).await?;
        let loose: Vec<&T> = all.iter().filter(|one| one.instance().is_none()).collect();
        let kept = T::not_of_a_launch(cloud, site, &loose).await?;
        let each = all.iter().filter_map(|one| Some((one.id()?.to_owned(), one.words())));
        let each: BTreeMap<String, String> = each.filter(|(id, _)| !kept.contains(id)).collect();
        if each.is_empty() {
            return Ok(None); // the last look names what stays
        }
        let ids = loose.iter().filter_map(|one| one.id().map(str::to_owned)).filter(|id| !kept.contains(id)).collect();
        let attached: Vec<(String, String)> =
            all.iter().filter_map(|kept| Some((kept.id()?.to_owned(), kept.instance()?.to_owned()))).collect();
        let status = if attached.is_empty() { Status::Ready } else { Status::Leaving("still attached".to_owned()) };
        let owner = Owner::Tags(site.tags(""));
        Ok(Some(Live::ready(Spec { ids, each, attached }, owner).status(status)))
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        if !shared::carries_tag(cx, memo, T::TYPE).await? {
            return Ok(Vec::new());
        }
        let all = T::tagged(cx.cloud, cx.site.owner_filter()).await?;
        Ok(all.iter().filter_map(|one| Some(format!("{} {} ({})", T::NOUN, one.id()?, one.words()))).collect())
    }

    async fn create(&self, _: &Context<'_>, _: &Spec) -> Result<Outputs> {
        Ok(Outputs::new()) // never wanted
    }

    async fn update(&self, _: &Context<'_>, _: &Live<Spec>, _: &Spec) -> Result<Outputs> {
        Ok(Outputs::new()) // never wanted
    }

    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        for id in &live.spec.ids {
            T::remove(cloud, id).await?;
        }
        Ok(())
    }

    /// An instance that runs on and is not of our group keeps what is attached to it.
    async fn blockers(&self, &Context { cloud, site, .. }: &Context<'_>, live: &Live<Spec>) -> Result<Vec<Blocker>> {
        let attached = live.spec.attached.iter();
        let staying = strangers(cloud, site, attached.clone().map(|(_, instance)| instance.as_str()).collect()).await?;
        let blocker = |(id, instance): &(String, String)| Blocker {
            what: format!("{instance}, which has {id}"),
            clears_by_itself: !staying.contains(instance),
        };
        Ok(attached.map(blocker).collect())
    }
}

/// Most values of one filter (EC2 API reference, "Query requests": 200).
const FILTER_MOST: usize = 200;

/// Those of these instances that are neither of our group nor on their way out: they go only when someone ends them.
///
/// # Errors
/// EC2 does not describe them.
pub async fn strangers(cloud: &Cloud, site: &Site, ids: BTreeSet<&str>) -> Result<BTreeSet<String>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let group = &site.config.names.auto_scaling_group;
    let ours = auto_scaling::instances_of(cloud, group).await?;
    let others: Vec<&str> = ids.into_iter().filter(|id| !ours.iter().any(|own| own == id)).collect();
    let mut staying = BTreeSet::new();
    for some in others.chunks(FILTER_MOST) {
        let ids = some.iter().map(|id| (*id).to_owned()).collect();
        staying.extend(auto_scaling::staying(cloud, group, ids).await?);
    }
    Ok(staying)
}

/// What carries our tag, is attached to nothing and was made by no launch of ours: a removal leaves it. Each in words.
///
/// # Errors
/// EC2 does not describe it.
pub async fn restored(cx: &Context<'_>) -> Result<Vec<String>> {
    let (volumes, interfaces) = tokio::try_join!(kept::<Volume>(cx), kept::<NetworkInterface>(cx))?;
    Ok(volumes.into_iter().chain(interfaces).collect())
}

async fn kept<T: Kind>(&Context { cloud, site, .. }: &Context<'_>) -> Result<Vec<String>> {
    let all = T::tagged(cloud, site.owner_filter()).await?;
    let loose: Vec<&T> = all.iter().filter(|one| one.instance().is_none()).collect();
    let kept = T::not_of_a_launch(cloud, site, &loose).await?;
    let kept = loose.into_iter().filter(|one| one.id().is_some_and(|id| kept.contains(id)));
    Ok(kept.filter_map(|one| Some(format!("{} {} ({})", T::NOUN, one.id()?, one.words()))).collect())
}

/// Whether this resource is never wanted.
pub fn is_leftover(key: Key) -> bool {
    [<Volume as Kind>::KEY, <NetworkInterface as Kind>::KEY].contains(&key)
}
