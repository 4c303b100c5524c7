//! What launches left behind: volumes and network interfaces that carry our tag and outlived their instances. They are
//! never wanted; only a removal looks for them.

use std::marker::PhantomData;

use aws_sdk_ec2::types::{Filter, NetworkInterface, Volume};
use serde::Serialize;

use super::{auto_scaling, security_groups};
use crate::cloud::{Absent, Cloud, Memo, tags};
use crate::engine::{Blocker, Context, Goal, Key, Live, Outputs, Owner, Reading, Refs, Resource, Result, Status};
use crate::site::Site;

/// Volumes that were left over.
pub const VOLUMES: Leftovers<Volume> = Leftovers(PhantomData);
/// Network interfaces that were left over.
pub const INTERFACES: Leftovers<NetworkInterface> = Leftovers(PhantomData);

/// All left-over things of one kind.
pub struct Leftovers<T>(PhantomData<T>);

/// Their ids.
#[derive(Debug, Default, Serialize)]
pub struct Spec {
    ids: Vec<String>,
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
    /// Everything of this kind that carries this tag.
    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<Self>>;
    /// Its id.
    fn id(&self) -> Option<&str>;
    /// The instance that it is attached to.
    fn instance(&self) -> Option<&str>;
    /// Removes it. Success too when it is gone already.
    async fn remove(cloud: &Cloud, id: &str) -> Result<()>;
}

impl Kind for Volume {
    const KEY: Key = "volumes";
    const NOUN: &'static str = "volume";

    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<Volume>> {
        let pages = cloud.ec2.describe_volumes().filters(tag).into_paginator().page_size(500);
        Ok(pages.items().send().try_collect().await?)
    }

    fn id(&self) -> Option<&str> {
        self.volume_id()
    }

    fn instance(&self) -> Option<&str> {
        self.attachments().first()?.instance_id()
    }

    async fn remove(cloud: &Cloud, id: &str) -> Result<()> {
        Ok(cloud.ec2.delete_volume().volume_id(id).send().await.or_gone()?)
    }
}

impl Kind for NetworkInterface {
    const KEY: Key = "network_interfaces";
    const NOUN: &'static str = "network interface";

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
        let ids: Vec<String> = all.iter().filter_map(|kept| kept.id().map(str::to_owned)).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let attached: Vec<(String, String)> =
            all.iter().filter_map(|kept| Some((kept.id()?.to_owned(), kept.instance()?.to_owned()))).collect();
        let status = if attached.is_empty() { Status::Ready } else { Status::Leaving("still attached".to_owned()) };
        let owner = Owner::Tags(site.tags(""));
        Ok(Some(Live::ready(Spec { ids, attached }, owner).status(status)))
    }

    async fn tagged(&self, cx: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        let all = T::tagged(cx.cloud, cx.site.owner_filter()).await?;
        Ok(all.iter().filter_map(T::id).map(|id| format!("{} {id}", T::NOUN)).collect())
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

    /// An instance that is not of our group keeps what is attached to it.
    async fn blockers(&self, &Context { cloud, site, .. }: &Context<'_>, live: &Live<Spec>) -> Result<Vec<Blocker>> {
        let mut blockers = Vec::new();
        for (id, instance) in &live.spec.attached {
            let request = cloud.ec2.describe_instances().instance_ids(instance);
            let reply = request.send().await.or_absent()?;
            let reservations = reply.and_then(|reply| reply.reservations).unwrap_or_default();
            let group = reservations
                .iter()
                .flat_map(aws_sdk_ec2::types::Reservation::instances)
                .find_map(|instance| tags::from_ec2(instance.tags()).remove("aws:autoscaling:groupName"));
            blockers.push(Blocker {
                what: format!("{instance}, which has {id}"),
                clears_by_itself: group.is_none_or(|group| group == site.config.names.auto_scaling_group),
            });
        }
        Ok(blockers)
    }
}

/// Whether this resource is never wanted.
pub fn is_leftover(key: Key) -> bool {
    [<Volume as Kind>::KEY, <NetworkInterface as Kind>::KEY].contains(&key)
}
