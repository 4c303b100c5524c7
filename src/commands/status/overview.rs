//! What `status` asks besides the first reading: the service, the targets, the group and what it launches. As many
//! calls for a hundred instances as for two.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance, LifecycleState};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::service;
use crate::clock::Wait;
use crate::cloud::{self, Memo};
use crate::commands::Session;
use crate::commands::expiry::expiry;
use crate::engine::{Context, Outputs};
use crate::outcome::{Capacity, InstanceState, Overview, RolloutState, ServiceState, TargetCounts, Template};
use crate::site::Site;
use crate::steps::auto_scaling::refresh::{Refresh, refreshes};
use crate::steps::auto_scaling::{self, find_instances, template_of};
use crate::steps::launch_template::find_version;
use crate::steps::shared::scaling_group;
use crate::steps::target_group::{self, find_states};

/// A stack that was read.
pub struct Looked<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) site: &'a Site,
    /// What the first reading has read already.
    pub(super) memo: &'a Memo,
    pub(super) ids: &'a Outputs,
}

/// The group, what it launches, when its instances were launched, and what brings a version to them.
#[derive(Default)]
struct Fleet {
    group: Option<AutoScalingGroup>,
    template: Option<Template>,
    launched: BTreeMap<String, String>,
    refresh: Option<Refresh>,
}

impl Looked<'_> {
    /// All of it, side by side.
    ///
    /// # Errors
    /// AWS does not say.
    pub async fn look(&self, wait: &Wait<'_>) -> cloud::Result<Overview> {
        let states = async {
            match self.ids.get(&target_group::ARN) {
                Some(arn) => find_states(&self.session.cloud, arn).await.map(Some),
                None => Ok(None),
            }
        };
        let (asked, states, fleet) = tokio::join!(service::ask(self, wait), states, self.fleet());
        let (states, fleet) = (states?, fleet?);
        let healthy = states.as_ref().map(|states| states.values().filter(|state| *state == "healthy").count());
        let enough = healthy.is_some_and(|healthy| healthy >= wanted(self.site));
        let service = asked.map(|service| ServiceState { up: service.up || (!service.asked && enough), ..service });
        let targets = states.as_ref().zip(healthy);
        let targets = targets.map(|(states, healthy)| TargetCounts { healthy, registered: states.len() });
        let states = states.unwrap_or_default();
        let instances = fleet.group.as_ref().map(|group| {
            group.instances().iter().map(|one| instance(one, &states, &fleet.launched)).collect::<Vec<_>>()
        });
        let capacity = fleet.group.as_ref().map(|group| Capacity {
            desired: group.desired_capacity(),
            min: group.min_size(),
            max: group.max_size(),
        });
        let rollout = fleet.refresh.map(rollout);
        let parked = fleet.group.as_ref().and_then(auto_scaling::parked);
        let parked =
            parked.map(|sizes| Capacity { desired: Some(sizes.desired), min: Some(sizes.min), max: Some(sizes.max) });
        let expires = expiry(self.ids);
        let template = fleet.template;
        Ok(Overview { service, targets, capacity, parked, expires, template, instances, rollout, drift: None })
    }

    async fn fleet(&self) -> cloud::Result<Fleet> {
        let cloud = &self.session.cloud;
        let Some(name) = self.ids.get(&auto_scaling::NAME) else {
            return Ok(Fleet::default());
        };
        let cx = Context::reading(cloud, self.site);
        let (group, all) = tokio::try_join!(scaling_group(&cx, self.memo, name), refreshes(cloud, name))?;
        let Some(group) = group else {
            return Ok(Fleet::default());
        };
        let refresh = all.into_iter().flatten().find(Refresh::active);
        let from = template_of(&group).and_then(|from| Some((from.launch_template_id()?, from.version()?)));
        let version = async {
            match from {
                Some((id, version)) => find_version(cloud, id, version).await,
                None => Ok(None),
            }
        };
        let (version, described) = tokio::try_join!(version, find_instances(cloud, &group))?;
        let data = version.as_ref().and_then(|version| version.launch_template_data());
        let template = from.map(|(id, number)| Template {
            id: Some(id.to_owned()),
            version: Some(number.to_owned()),
            image: data.and_then(|data| data.image_id()).map(str::to_owned),
            instance_type: data.and_then(|data| data.instance_type()).map(|kind| kind.as_str().to_owned()),
            created_at: version.as_ref().and_then(|version| at(version.create_time())),
        });
        let launched = described.into_iter().filter_map(|one| Some((one.instance_id?, at(one.launch_time.as_ref())?)));
        let launched = launched.collect();
        Ok(Fleet { group: Some(group), template, launched, refresh })
    }
}

fn wanted(site: &Site) -> usize {
    usize::try_from(site.config.scaling.min.max(1)).unwrap_or(1)
}

fn instance(one: &Instance, states: &BTreeMap<String, String>, launched: &BTreeMap<String, String>) -> InstanceState {
    let (id, from) = (one.instance_id().unwrap_or_default(), one.launch_template());
    InstanceState {
        id: id.to_owned(),
        zone: one.availability_zone().map(str::to_owned),
        state: one.lifecycle_state().map(LifecycleState::as_str).map(str::to_owned),
        health: states.get(id).cloned(),
        template: from.and_then(|from| from.launch_template_id()).map(str::to_owned),
        version: from.and_then(|from| from.version()).map(str::to_owned),
        launched_at: launched.get(id).cloned(),
    }
}

fn rollout(refresh: Refresh) -> RolloutState {
    RolloutState {
        version: Some(refresh.version).filter(|version| !version.is_empty()),
        percent: refresh.percent,
        to_update: refresh.to_update,
        started_at: at(refresh.started.as_ref()),
        status: refresh.status,
    }
}

fn at(time: Option<&DateTime>) -> Option<String> {
    time?.fmt(Format::DateTime).ok()
}
