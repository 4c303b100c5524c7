//! Guide step 4: the auto scaling group. A changed launch template reaches its instances by an instance refresh.

mod activities;
mod group;
mod instances;
mod parked;
mod protection;
pub mod refresh;
mod rolling;

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{AutoScalingGroup as Group, LaunchTemplateSpecification, MixedInstancesPolicy};
use serde::Serialize;

use super::{
    instance_profile, launch_template, load_balancer, role_policy_attachment, security_groups, shared, target_group,
};
use crate::cloud::{Absent, Cloud, Memo, Tags, tags};
use crate::engine::{
    Context, Effect, Goal, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result, Status,
};
use crate::outcome::few;
use crate::site::Site;

use instances::KeptInstance;

pub use activities::launches;
pub use group::{find_group, find_instances, tagged_groups};
pub use instances::{instances_of, is_terminating, members, staying};
pub use parked::{Sizes, park, parked, unpark};
pub use protection::holding;
pub use rolling::{has_way_back, outdated, summary};

/// The group's name.
pub const NAME: Output = Output(AutoScalingGroup::KEY, "name");
/// How many instances it keeps now.
pub const DESIRED: Output = Output(AutoScalingGroup::KEY, "desired");
/// The instance refresh that is under way, if one is that leads to what is wanted, or back.
pub const REFRESH: Output = Output(AutoScalingGroup::KEY, "refresh");

/// The sizes that a parked group will have again.
pub const PARKED: Output = Output(AutoScalingGroup::KEY, "parked");

/// The group that launches, replaces and scales the instances, identified by its name.
pub struct AutoScalingGroup;

/// A group. Its desired capacity belongs to the scaling policy once the group exists.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Spec {
    launch_template: String,
    launch_template_version: String,
    /// Instances that were launched from something else.
    outdated_instances: Option<usize>,
    /// The version that a running refresh brings, when that refresh is to be cancelled.
    refresh_to: Option<String>,
    #[serde(skip)]
    aside: Aside,
    /// What protects it or its instances from removal, in words.
    #[serde(skip)]
    protections: Vec<String>,
    /// Its instances, in words by id, for a removal: they go with it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    each: BTreeMap<String, String>,
    subnets: Vec<String>,
    min: i32,
    desired_at_creation: i32,
    max: i32,
    target_groups: Vec<String>,
    health_check: String,
    grace_period_seconds: i32,
    warm_up_seconds: Option<i32>,
}

/// What is known of a group and not compared.
#[derive(Debug, Clone, Default, PartialEq)]
struct Aside {
    /// The wanted version, when it was rolled back before.
    rolled_back: Option<RolledBack>,
    /// Types, Spot share and more, which someone gave the group: all of it stays but the template's version.
    mixed: Option<MixedInstancesPolicy>,
    /// Instances that a person keeps.
    kept: Vec<KeptInstance>,
    /// The sizes that it had before it was parked: those are compared, and a change of them is kept with them.
    parked: Option<Sizes>,
}

/// A version of the launch template that did not stay on the instances.
#[derive(Debug, Clone, PartialEq)]
struct RolledBack {
    template: String,
    version: String,
    /// In AWS's words.
    why: String,
}

impl Resource for AutoScalingGroup {
    const KEY: Key = "auto_scaling_group";
    const STEP: u8 = 4;
    const DELETES_ASYNC: bool = true;
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        site.config.names.auto_scaling_group.clone()
    }

    fn want(&self, site: &Site, refs: &Refs) -> Spec {
        // AWS reports targets that no listener forwards to as unused; and instances need profile, policy and ports from
        // the start. A group that goes needs no listener any more: the load balancer's interfaces end meanwhile.
        let (secure, plain) = (load_balancer::Listener::<443>::KEY, load_balancer::Listener::<80>::KEY);
        refs.follows(if site.https() { secure } else { plain });
        refs.after(instance_profile::InstanceProfile::KEY);
        refs.after(role_policy_attachment::RolePolicyAttachment::KEY);
        refs.after(security_groups::Rules::<security_groups::Instances>::KEY);
        let scaling = &site.config.scaling;
        let mut subnets = site.config.network.private_subnets.clone();
        subnets.sort();
        Spec {
            launch_template: refs.get(launch_template::ID),
            launch_template_version: refs.get(launch_template::VERSION),
            outdated_instances: None,
            refresh_to: None,
            aside: Aside::default(),
            protections: Vec::new(),
            each: BTreeMap::new(),
            subnets,
            min: scaling.min,
            desired_at_creation: scaling.desired,
            max: scaling.max,
            target_groups: vec![refs.get(target_group::ARN)],
            health_check: "ELB".to_owned(),
            grace_period_seconds: scaling.grace_period_seconds,
            warm_up_seconds: Some(scaling.warm_up_seconds),
        }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        let (cloud, site) = (cx.cloud, cx.site);
        let name = self.name(site);
        let Some(group) = shared::scaling_group(cx, &reading.memo, &name).await? else {
            return outliving(cloud, site, reading).await;
        };
        let ours = match reading.goal {
            Goal::Present => shared::balancing(cx, reading).await?.target_group,
            Goal::Absent => None,
        };
        let ours = ours.and_then(|group| group.target_group_arn);
        let serves = ours.as_ref().is_some_and(|arn| group.target_group_arns().contains(arn));
        let mut spec = spec_of(&group, ours, site, cloud.redirected.has("autoscaling"));
        if reading.goal == Goal::Absent {
            spec.each = instances::each(&group);
        }
        let mut live = Live::ready(spec, Owner::Tags(tags::from_autoscaling(group.tags())))
            .output(NAME, name)
            .output(DESIRED, group.desired_capacity().unwrap_or_default().to_string());
        if let Some(sizes) = live.spec.aside.parked {
            live = live.output(PARKED, sizes.to_string());
        }
        if let Some(status) = group.status() {
            live = live.status(Status::Leaving(format!("{status}: {}", members(&group))));
        } else if reading.goal == Goal::Present
            && let Some(refresh) = rolling::under_way(cx, reading, &group, &mut live.spec).await?
        {
            if refresh.forward() && !serves {
                // It is ended and begun anew: no target group can be attached meanwhile, and no version judged.
                live.spec.refresh_to = Some(refresh.version);
            } else {
                live = live.status(Status::Pending(summary(&refresh))).output(REFRESH, refresh.id);
            }
        }
        Ok(Some(live))
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        let groups = async { Ok(tagged_groups(cx).await?) };
        let (groups, instances) = tokio::try_join!(groups, instances::tagged(cx, memo))?;
        let groups = groups.iter().filter_map(|group| group.auto_scaling_group_name());
        let groups = groups.map(|name| format!("auto scaling group {name}"));
        Ok(groups.chain(instances.iter().map(|id| format!("instance {id}"))).collect())
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        let name = self.name(site);
        let request = cloud
            .autoscaling
            .create_auto_scaling_group()
            .auto_scaling_group_name(&name)
            .launch_template(template(want))
            .vpc_zone_identifier(want.subnets.join(","))
            .min_size(want.min)
            .max_size(want.max)
            .desired_capacity(want.desired_at_creation)
            .set_target_group_arns(Some(want.target_groups.clone()))
            .health_check_type(&want.health_check)
            .health_check_grace_period(want.grace_period_seconds)
            .set_default_instance_warmup(want.warm_up_seconds)
            .set_tags(Some(tags::to_autoscaling(&name, &site.tags(&name))));
        request.send().await?;
        Ok([(NAME, name)].into())
    }

    /// Never sends the desired capacity: it belongs to the scaling policy.
    async fn update(&self, cx: &Context<'_>, live: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        let (cloud, name, had) = (cx.cloud, &live.outputs[&NAME], &live.spec);
        // First, since AWS attaches no target group meanwhile. The next reading waits for its end; if there is none to
        // cancel, a read that lags had shown it.
        if had.refresh_to.is_some() && refresh::cancel(cloud, name).await? {
            return Ok(Outputs::new());
        }
        if had.target_groups != want.target_groups {
            let request = cloud.autoscaling.attach_load_balancer_target_groups().auto_scaling_group_name(name);
            request.set_target_group_arns(Some(want.target_groups.clone())).send().await?;
        }
        let change = |differs: bool, new| differs.then_some(new);
        let grace = change(had.grace_period_seconds != want.grace_period_seconds, want.grace_period_seconds);
        let warm_up = want.warm_up_seconds.filter(|_| had.warm_up_seconds != want.warm_up_seconds);
        // A parked group keeps its zeros; what it will have again is in its tag.
        let is_parked = had.aside.parked.is_some();
        if let Some(sizes) = had.aside.parked.filter(|sizes| (sizes.min, sizes.max) != (want.min, want.max)) {
            parked::note(cloud, name, sizes.within(want.min, want.max)).await?;
        }
        let request = cloud
            .autoscaling
            .update_auto_scaling_group()
            .auto_scaling_group_name(name)
            .set_vpc_zone_identifier((had.subnets != want.subnets).then(|| want.subnets.join(",")))
            .set_min_size(change(had.min != want.min && !is_parked, want.min))
            .set_max_size(change(had.max != want.max && !is_parked, want.max))
            .set_health_check_type((had.health_check != want.health_check).then(|| want.health_check.clone()))
            .set_health_check_grace_period(grace)
            .set_default_instance_warmup(warm_up);
        let settings = Spec {
            launch_template: had.launch_template.clone(),
            launch_template_version: had.launch_template_version.clone(),
            outdated_instances: had.outdated_instances,
            refresh_to: had.refresh_to.clone(),
            aside: had.aside.clone(),
            protections: had.protections.clone(),
            target_groups: had.target_groups.clone(),
            min: if is_parked { had.min } else { want.min },
            max: if is_parked { had.max } else { want.max },
            ..want.clone()
        };
        if *had != settings {
            request.send().await?;
        }
        if had.rolls_to(want) {
            rolling::roll(cx, name, had, want).await?;
        }
        Ok(Outputs::new())
    }

    fn effects(&self, live: &Live<Spec>, want: &Spec) -> Vec<Effect> {
        let had = &live.spec;
        let mut effects = Vec::new();
        if had.rolls_to(want) && had.aside.parked.is_none() {
            effects.push(Effect::ReplacesInstances);
        }
        effects.extend(had.refresh_to.clone().map(|to| Effect::CancelsRefresh { to }));
        if had.rolls_to(want) {
            effects.extend(instances::meets_kept(&had.aside.kept, want.template()));
        }
        let again = had.aside.rolled_back.as_ref().filter(|back| (&*back.template, &*back.version) == want.template());
        effects.extend(
            again.map(|back| Effect::RetriesRolledBack { version: back.version.clone(), why: back.why.clone() }),
        );
        let running = live.outputs.get(&DESIRED).and_then(|size| size.parse().ok()).unwrap_or_default();
        if had.max != want.max && want.max < running {
            effects.push(Effect::ScalesIn { max: want.max, running });
        }
        effects
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, tags: &Tags) -> Result<()> {
        let tags = tags::to_autoscaling(&live.outputs[&NAME], tags);
        cloud.autoscaling.create_or_update_tags().set_tags(Some(tags)).send().await?;
        Ok(())
    }

    /// Sizes of zero first, so that no instance is launched in place of those that are terminated.
    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        let name = &live.outputs[&NAME];
        let request = cloud.autoscaling.update_auto_scaling_group().auto_scaling_group_name(name);
        request.min_size(0).max_size(0).desired_capacity(0).send().await.or_gone()?;
        let request = cloud.autoscaling.delete_auto_scaling_group().auto_scaling_group_name(name);
        Ok(request.force_delete(true).send().await.or_gone()?)
    }

    /// When its instances are gone too.
    async fn is_gone(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<Option<bool>> {
        let name = &live.outputs[&NAME];
        let is_gone = find_group(cloud, name).await?.is_none() && instances_of(cloud, name).await?.is_empty();
        Ok(Some(is_gone))
    }

    async fn protections(&self, _: &Context<'_>, live: &Live<Spec>) -> Result<Vec<String>> {
        Ok(live.spec.protections.clone())
    }

    async fn remove_protections(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        protection::remove(cloud, &live.outputs[&NAME]).await
    }
}

impl Spec {
    fn template(&self) -> (&str, &str) {
        (&self.launch_template, &self.launch_template_version)
    }

    /// Whether instances must be replaced before they are as wanted.
    fn rolls_to(&self, want: &Spec) -> bool {
        self.template() != want.template() || self.outdated_instances.is_some() || self.refresh_to.is_some()
    }
}

// How AWS spells it.

/// Its instances, when the group itself is gone: what is removed after the group must wait for them too.
async fn outliving(cloud: &Cloud, site: &Site, reading: &Reading) -> Result<Option<Live<Spec>>> {
    if reading.goal == Goal::Present {
        return Ok(None);
    }
    let name = &site.config.names.auto_scaling_group;
    let left = instances_of(cloud, name).await?;
    if left.is_empty() {
        return Ok(None);
    }
    let status = Status::Leaving(format!("{} of its instances are terminating: {}", left.len(), few(&left, ", ")));
    let each = left.into_iter().map(|id| (id, "its group is gone".to_owned())).collect();
    let spec = Spec { each, ..Spec::default() };
    Ok(Some(Live::ready(spec, Owner::Tags(site.tags(name))).output(NAME, name).status(status)))
}

/// What is wanted, when it is among the checks of the group: further ones (`EBS`, `VPC_LATTICE`) are not ours to take
/// off.
fn health_check(kinds: &str) -> String {
    let wanted = kinds.split(',').map(str::trim).find(|kind| *kind == "ELB");
    wanted.unwrap_or(kinds).to_owned()
}

fn spec_of(group: &Group, ours: Option<String>, site: &Site, is_emulated: bool) -> Spec {
    let template = template_of(group);
    let template_field = |field: fn(&LaunchTemplateSpecification) -> Option<&str>| {
        template.and_then(field).unwrap_or_default().to_owned()
    };
    let zones = group.vpc_zone_identifier().unwrap_or_default().split(',').map(|subnet| subnet.trim().to_owned());
    let mut subnets: Vec<String> = zones.filter(|subnet| !subnet.is_empty()).collect();
    subnets.sort();
    // Other target groups may be attached as well: those stay.
    let attached = group.target_group_arns();
    let target_groups = match ours.filter(|arn| attached.contains(arn)) {
        Some(arn) => vec![arn],
        None => attached.to_vec(),
    };
    let parked = parked::parked(group);
    // moto 5.2 takes a warm-up and never lists it.
    let unlisted = group.default_instance_warmup().is_none() && is_emulated;
    Spec {
        launch_template: template_field(LaunchTemplateSpecification::launch_template_id),
        launch_template_version: template_field(LaunchTemplateSpecification::version),
        outdated_instances: None,
        refresh_to: None,
        aside: Aside {
            rolled_back: None,
            mixed: group.mixed_instances_policy.clone(),
            kept: instances::kept(group),
            parked,
        },
        protections: protection::protections(group),
        each: BTreeMap::new(),
        subnets,
        min: parked.map_or(group.min_size(), |sizes| Some(sizes.min)).unwrap_or_default(),
        desired_at_creation: site.config.scaling.desired, // whatever it is now
        max: parked.map_or(group.max_size(), |sizes| Some(sizes.max)).unwrap_or_default(),
        target_groups,
        health_check: health_check(group.health_check_type().unwrap_or_default()),
        grace_period_seconds: group.health_check_grace_period().unwrap_or_default(),
        warm_up_seconds: if unlisted {
            Some(site.config.scaling.warm_up_seconds)
        } else {
            group.default_instance_warmup()
        },
    }
}

/// The launch template of a group, its own or that of its mixed instances policy.
pub fn template_of(group: &Group) -> Option<&LaunchTemplateSpecification> {
    let of_policy = || group.mixed_instances_policy()?.launch_template()?.launch_template_specification();
    group.launch_template().or_else(of_policy)
}

/// By number: with `$Latest` every new version would be launched at once, and no refresh could be rolled back.
fn template(want: &Spec) -> LaunchTemplateSpecification {
    let template = LaunchTemplateSpecification::builder().launch_template_id(&want.launch_template);
    template.version(&want.launch_template_version).build()
}
