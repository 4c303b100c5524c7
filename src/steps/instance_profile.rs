//! Guide step 2: the instance profile. The console makes it silently with the role; the API does not.

use aws_sdk_ec2::types::{Filter, Instance, LaunchTemplateVersion};
use futures_util::future::join_all;
use serde::Serialize;

use super::instance_role::ROLE_NAME;
use crate::cloud::{self, Absent, Cloud, Memo, Tags, retryable, tags};
use crate::engine::{Context, Error, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::outcome::few;
use crate::site::Site;

const PROFILE_NAME: Output = Output(InstanceProfile::KEY, "name");

/// The instance profile, through which instances have the role.
pub struct InstanceProfile;

/// The one role in the profile; null while there is none.
#[derive(Debug, Serialize)]
pub struct Spec {
    role: Option<String>,
}

impl Resource for InstanceProfile {
    const KEY: Key = "instance_profile";
    const STEP: u8 = 2;
    const FOUND_BY_NAME: bool = true;
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        site.config.names.instance_profile.clone()
    }

    fn want(&self, _: &Site, refs: &Refs) -> Spec {
        Spec { role: Some(refs.get(ROLE_NAME)) }
    }

    async fn find(&self, &Context { cloud, site, .. }: &Context<'_>, _: &Reading) -> Result<Option<Live<Spec>>> {
        let request = cloud.iam.get_instance_profile().instance_profile_name(self.name(site));
        let reply = request.send().await.or_absent()?;
        let Some(profile) = reply.and_then(|reply| reply.instance_profile) else {
            return Ok(None);
        };
        let spec = Spec { role: profile.roles().first().map(|role| role.role_name.clone()) };
        let owner = Owner::Tags(tags::from_iam(profile.tags()));
        Ok(Some(Live::ready(spec, owner).output(PROFILE_NAME, profile.instance_profile_name)))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // IAM has no search by tag: names must do
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        let name = self.name(site);
        let request = cloud.iam.create_instance_profile().instance_profile_name(&name);
        request.set_tags(Some(tags::to_iam(&site.tags(&name))?)).send().await?;
        add_role(cloud, &name, want).await?;
        Ok([(PROFILE_NAME, name)].into())
    }

    async fn update(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        let name = &live.outputs[&PROFILE_NAME];
        if let Some(role) = &live.spec.role {
            let request = cloud.iam.remove_role_from_instance_profile().instance_profile_name(name);
            request.role_name(role).send().await.or_gone()?;
        }
        add_role(cloud, name, want).await?;
        Ok(Outputs::new())
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, tags: &Tags) -> Result<()> {
        let request = cloud.iam.tag_instance_profile().instance_profile_name(&live.outputs[&PROFILE_NAME]);
        request.set_tags(Some(tags::to_iam(tags)?)).send().await?;
        Ok(())
    }

    /// IAM does not check whether a profile is in use: instances that run with it would lose their credentials
    /// (DeleteInstanceProfile).
    async fn delete(&self, cx: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        let &Context { cloud, site, .. } = cx;
        let name = &live.outputs[&PROFILE_NAME];
        let (users, unseen) = users(cloud, site, name).await?;
        if !unseen.is_empty() && !cx.unseen_regions {
            return Err(Error::Held(format!(
                "whether instances in {} use it could not be asked; {} removes it all the same",
                few(&unseen, "; "),
                crate::flags::ALLOW_UNSEEN_REGIONS
            )));
        }
        if !users.is_empty() {
            return Err(Error::Held(format!(
                "still used by {}, which is not of this stack in this region",
                few(&users, "; ")
            )));
        }
        if let Some(role) = &live.spec.role {
            let request = cloud.iam.remove_role_from_instance_profile().instance_profile_name(name);
            request.role_name(role).send().await.or_gone()?;
        }
        Ok(cloud.iam.delete_instance_profile().instance_profile_name(name).send().await.or_gone()?)
    }
}

/// What uses the profile besides this stack in this region: instances of any region, launch templates of this one. And
/// the other regions that could not be looked at, each with the reason.
async fn users(cloud: &Cloud, site: &Site, profile: &str) -> cloud::Result<(Vec<String>, Vec<String>)> {
    let account = cloud.account().await?;
    let arn = format!("arn:{}:iam::{}:instance-profile/{profile}", account.partition, account.id);
    let regions = regions(cloud).await?;
    let instances = join_all(regions.iter().map(async |region| {
        match instances_with(cloud, site, region, &arn).await {
            // What a policy of the organization keeps us out of, it keeps others out of too.
            Err(error) if *region != cloud.region && error.is_denied() => Ok(Ok(Vec::new())),
            // No way there, or a token that this region does not take.
            Err(error) if *region != cloud.region && (error.is_outage() || retryable(&error).is_none()) => {
                Ok(Err(format!("{region} ({})", reason(&error))))
            }
            found => found.map(Ok),
        }
    }));
    let (instances, templates) = tokio::join!(instances, templates_with(cloud, site, profile));
    let (mut users, mut unseen) = (templates?, Vec::new());
    for found in instances {
        match found? {
            Ok(found) => users.extend(found),
            Err(region) => unseen.push(region),
        }
    }
    Ok((users, unseen))
}

fn reason(error: &cloud::Error) -> &str {
    if error.code().is_empty() { "no answer" } else { error.code() }
}

/// Every region that is enabled; of an emulator only the one that is used.
async fn regions(cloud: &Cloud) -> cloud::Result<Vec<String>> {
    if cloud.redirected.has("ec2") {
        return Ok(vec![cloud.region.clone()]);
    }
    let regions = cloud.ec2.describe_regions().send().await?.regions.unwrap_or_default();
    Ok(regions.into_iter().filter_map(|region| region.region_name).collect())
}

/// Those of our own group were terminated before; a read that lags may show them still.
async fn instances_with(cloud: &Cloud, site: &Site, region: &str, profile: &str) -> cloud::Result<Vec<String>> {
    let filter = |name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Filter::builder().name(name).set_values(Some(values)).build()
    };
    let request = cloud
        .ec2_in(region)
        .describe_instances()
        .filters(filter("iam-instance-profile.arn", &[profile]))
        .filters(filter("instance-state-name", &["pending", "running", "stopping", "stopped"]));
    let reservations =
        match request.into_paginator().page_size(1000).items().send().try_collect().await.map_err(cloud::Error::from) {
            Err(error) if cloud.lacks(&error) => Vec::new(),
            found => found?,
        };
    let instances = reservations.iter().flat_map(aws_sdk_ec2::types::Reservation::instances);
    let is_ours = |instance: &&Instance| {
        let group = tags::from_ec2(instance.tags()).remove("aws:autoscaling:groupName");
        region == cloud.region && group.as_ref() == Some(&site.config.names.auto_scaling_group)
    };
    let others = instances.filter(|instance| !is_ours(instance));
    let ids = others.filter_map(|instance| instance.instance_id());
    Ok(ids.map(|id| format!("the instance {id} in {region}")).collect())
}

/// Launch templates of others whose default or latest version names the profile: their group may have no instance now.
async fn templates_with(cloud: &Cloud, site: &Site, profile_name: &str) -> cloud::Result<Vec<String>> {
    let request = cloud.ec2.describe_launch_template_versions().versions("$Latest").versions("$Default");
    let versions =
        match request.into_paginator().page_size(200).items().send().try_collect().await.map_err(cloud::Error::from) {
            Err(_) if cloud.redirected.has("ec2") => Vec::new(), // moto 5.2 wants a template's name
            found => found?,
        };
    let named = |version: &LaunchTemplateVersion| {
        let profile = version.launch_template_data()?.iam_instance_profile()?;
        let name = profile.name().or_else(|| profile.arn()?.rsplit('/').next())?;
        let template = version.launch_template_name()?;
        (name == profile_name && template != site.config.names.launch_template)
            .then(|| format!("the launch template {template}"))
    };
    let mut found: Vec<String> = versions.iter().filter_map(named).collect();
    found.dedup();
    Ok(found)
}

// How AWS spells it.

async fn add_role(cloud: &Cloud, profile: &str, want: &Spec) -> Result<()> {
    let request = cloud.iam.add_role_to_instance_profile().instance_profile_name(profile);
    request.set_role_name(want.role.clone()).send().await?;
    Ok(())
}
