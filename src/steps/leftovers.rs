//! What launches left behind: volumes and network interfaces that carry our tag and outlived their instances. Nobody
//! wants them; only a removal looks for them. And the last look of a removal: by tag, whatever the name.

use std::marker::PhantomData;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::{Filter, Instance, NetworkInterface, Volume};
use serde::Serialize;

use super::{auto_scaling, security_groups};
use crate::cloud::{Absent, Cloud, Error, Result, tags};
use crate::engine::{Blocker, Goal, Key, Live, Look, Outputs, Owner, Refs, Resource, Status};
use crate::site::{OWNER_TAG, Site};

/// The volumes, and the network interfaces.
pub const VOLUMES: Leftovers<Volume> = Leftovers(PhantomData);
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
    const KEY: Key;
    /// What carries this tag.
    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<Self>>;
    fn id(&self) -> Option<&str>;
    /// The instance that it is attached to.
    fn instance(&self) -> Option<&str>;
    async fn remove(cloud: &Cloud, id: &str) -> Result<()>;
}

impl Kind for Volume {
    const KEY: Key = "volumes";

    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<Volume>> {
        let pages = cloud.ec2.describe_volumes().filters(tag).into_paginator();
        Ok(pages.items().send().try_collect().await?)
    }

    fn id(&self) -> Option<&str> {
        self.volume_id()
    }

    fn instance(&self) -> Option<&str> {
        self.attachments().first()?.instance_id()
    }

    async fn remove(cloud: &Cloud, id: &str) -> Result<()> {
        cloud.ec2.delete_volume().volume_id(id).send().await.or_absent()?;
        Ok(())
    }
}

impl Kind for NetworkInterface {
    const KEY: Key = "network_interfaces";

    async fn tagged(cloud: &Cloud, tag: Filter) -> Result<Vec<NetworkInterface>> {
        let pages = cloud.ec2.describe_network_interfaces().filters(tag).into_paginator();
        Ok(pages.items().send().try_collect().await?)
    }

    fn id(&self) -> Option<&str> {
        self.network_interface_id()
    }

    fn instance(&self) -> Option<&str> {
        self.attachment()?.instance_id()
    }

    async fn remove(cloud: &Cloud, id: &str) -> Result<()> {
        cloud.ec2.delete_network_interface().network_interface_id(id).send().await.or_absent()?;
        Ok(())
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
        refs.after(security_groups::Group::<true>::KEY); // which an interface holds
        Spec::default()
    }

    /// What is still attached is waited for: most of it goes with its instance.
    async fn find(&self, cloud: &Cloud, site: &Site, look: &Look) -> Result<Option<Live<Spec>>> {
        if look.goal == Goal::Present {
            return Ok(None);
        }
        let tag = Filter::builder().name(format!("tag:{OWNER_TAG}")).values(&site.config.stack);
        let all = T::tagged(cloud, tag.build()).await?;
        let ids: Vec<String> = all.iter().filter_map(|one| one.id().map(str::to_owned)).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let attached: Vec<(String, String)> =
            all.iter().filter_map(|one| Some((one.id()?.to_owned(), one.instance()?.to_owned()))).collect();
        let status = match attached.is_empty() {
            true => Status::Ready,
            false => Status::Leaving("still attached".to_owned()),
        };
        let owner = Owner::Tags(site.tags(""));
        let outputs = Outputs::new();
        let spec = Spec { ids, attached };
        Ok(Some(Live { spec, outputs, status, owner }))
    }

    async fn create(&self, _: &Cloud, _: &Site, _: &Spec) -> Result<Outputs> {
        Ok(Outputs::new()) // never wanted
    }

    async fn update(&self, _: &Cloud, _: &Site, _: &Live<Spec>, _: &Spec) -> Result<Outputs> {
        Ok(Outputs::new()) // never wanted
    }

    async fn delete(&self, cloud: &Cloud, _: &Site, live: &Live<Spec>) -> Result<()> {
        for id in &live.spec.ids {
            T::remove(cloud, id).await?;
        }
        Ok(())
    }

    /// An instance that is not of our group keeps what is attached to it.
    async fn blockers(&self, cloud: &Cloud, site: &Site, live: &Live<Spec>) -> Result<Vec<Blocker>> {
        let mut blockers = Vec::new();
        for (id, instance) in &live.spec.attached {
            let request = cloud.ec2.describe_instances().instance_ids(instance);
            let reply = request.send().await.or_absent()?;
            let reservations = reply.and_then(|reply| reply.reservations).unwrap_or_default();
            let group = reservations
                .iter()
                .flat_map(|one| one.instances())
                .find_map(|one| tags::from_ec2(one.tags()).remove("aws:autoscaling:groupName"));
            blockers.push(Blocker {
                what: format!("{instance}, which has {id}"),
                goes: group.is_none_or(|group| group == site.config.names.auto_scaling_group),
            });
        }
        Ok(blockers)
    }
}

/// Whether this resource is one that nobody wants.
pub fn is_leftover(key: Key) -> bool {
    [<Volume as Kind>::KEY, <NetworkInterface as Kind>::KEY].contains(&key)
}

/// Everything in this region that carries our tag, by kind and id. IAM has no search by tag: there, names must do.
pub async fn tagged(cloud: &Cloud, site: &Site) -> Result<Vec<String>> {
    let tag = || {
        let name = format!("tag:{OWNER_TAG}");
        Filter::builder().name(name).values(&site.config.stack).build()
    };
    let groups = async {
        Ok(cloud.ec2.describe_security_groups().filters(tag()).into_paginator().items().send().try_collect().await?)
    };
    let templates = async {
        Ok(cloud.ec2.describe_launch_templates().filters(tag()).into_paginator().items().send().try_collect().await?)
    };
    let (groups, templates, instances, fleets, volumes, interfaces, balancing) = tokio::try_join!(
        groups,
        templates,
        instances(cloud, tag()),
        fleets(cloud, site),
        Volume::tagged(cloud, tag()),
        NetworkInterface::tagged(cloud, tag()),
        balancing(cloud, site),
    )?;
    let mut found = Vec::new();
    let mut add = |kind: &str, id: Option<&str>| found.extend(id.map(|id| format!("{kind} {id}")));
    groups.iter().for_each(|one| add("security group", one.group_id()));
    templates.iter().for_each(|one| add("launch template", one.launch_template_id()));
    instances.iter().for_each(|one| add("instance", one.instance_id()));
    fleets.iter().for_each(|one| add("auto scaling group", one.auto_scaling_group_name()));
    volumes.iter().for_each(|one| add("volume", one.volume_id()));
    interfaces.iter().for_each(|one| add("network interface", one.network_interface_id()));
    balancing.iter().for_each(|arn| add("", Some(arn)));
    found.sort();
    Ok(found)
}

async fn instances(cloud: &Cloud, tag: Filter) -> Result<Vec<Instance>> {
    let alive = ["pending", "running", "shutting-down", "stopping", "stopped"].map(str::to_owned);
    let alive = Filter::builder().name("instance-state-name").set_values(Some(alive.into()));
    let request = cloud.ec2.describe_instances().filters(tag).filters(alive.build());
    let reservations = request.into_paginator().items().send().try_collect().await?;
    Ok(reservations.into_iter().flat_map(|one| one.instances.unwrap_or_default()).collect())
}

async fn fleets(cloud: &Cloud, site: &Site) -> Result<Vec<AutoScalingGroup>> {
    let tag = aws_sdk_autoscaling::types::Filter::builder().name(format!("tag:{OWNER_TAG}")).values(&site.config.stack);
    let request = cloud.autoscaling.describe_auto_scaling_groups().filters(tag.build());
    let mut groups = request.into_paginator().items().send().try_collect().await?;
    // Some endpoints do not heed the filter.
    groups.retain(|group| tags::from_autoscaling(group.tags()).get(OWNER_TAG) == Some(&site.config.stack));
    Ok(groups)
}

/// ARNs of load balancers and target groups. Their tags are read twenty at a time: there is no filter.
async fn balancing(cloud: &Cloud, site: &Site) -> Result<Vec<String>> {
    let balancers = async {
        Ok::<_, Error>(cloud.elb.describe_load_balancers().into_paginator().items().send().try_collect().await?)
    };
    let groups = async { Ok(cloud.elb.describe_target_groups().into_paginator().items().send().try_collect().await?) };
    let (balancers, groups) = tokio::try_join!(balancers, groups)?;
    let balancers = balancers.into_iter().filter_map(|one| one.load_balancer_arn);
    let arns: Vec<String> = balancers.chain(groups.into_iter().filter_map(|one| one.target_group_arn)).collect();
    let mut ours = Vec::new();
    for some in arns.chunks(20) {
        match tagged_of(cloud, site, some).await? {
            Some(these) => ours.extend(these),
            // One that went since the list was made refuses the whole call.
            None => {
                for one in some {
                    ours.extend(tagged_of(cloud, site, std::slice::from_ref(one)).await?.into_iter().flatten());
                }
            }
        }
    }
    Ok(ours)
}

/// Those of these load balancers and target groups that carry our tag; `None`: one of them does not exist.
async fn tagged_of(cloud: &Cloud, site: &Site, arns: &[String]) -> Result<Option<Vec<String>>> {
    let request = cloud.elb.describe_tags().set_resource_arns(Some(arns.to_vec()));
    let carries = |tags: &[_]| tags::from_elb(tags).get(OWNER_TAG) == Some(&site.config.stack);
    let reply = request.send().await.or_absent()?;
    Ok(reply.map(|reply| {
        let all = reply.tag_descriptions().iter();
        let ours = all.filter(|one| carries(one.tags()));
        ours.filter_map(|one| one.resource_arn.clone()).collect()
    }))
}
