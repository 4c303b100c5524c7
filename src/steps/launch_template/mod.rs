//! Guide step 3: the launch template. Versions are never changed, only added; the group pins one by its number.

mod finder;
mod unmanaged;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDevice,
    LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateHttpTokensState,
    LaunchTemplateIamInstanceProfileSpecificationRequest, LaunchTemplateInstanceMetadataOptionsRequest,
    LaunchTemplateTagSpecificationRequest, LaunchTemplateVersion, RequestLaunchTemplateData, ResourceType,
    ResponseLaunchTemplateData, ValidationWarning, VolumeType,
};
use serde::Serialize;

use super::{security_groups, shared};
use crate::cloud::{self, Absent, Cloud, Memo, Need, Tags, tags};
use crate::config::Imds;
use crate::engine::resource::WARNING;
use crate::engine::{Context, Goal, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;

pub use finder::find_version;

/// The template's id.
pub const ID: Output = Output(LaunchTemplate::KEY, "id");
/// The number of its default version, which becomes the wanted one.
pub const VERSION: Output = Output(LaunchTemplate::KEY, "version");
/// The image of its default version.
pub const IMAGE: Output = Output(LaunchTemplate::KEY, "image");
/// The root device of its default version.
pub const ROOT_DEVICE: Output = Output(LaunchTemplate::KEY, "root_device");
/// The number of its newest version.
pub const LATEST: Output = Output(LaunchTemplate::KEY, "latest");

/// How far the metadata service's token travels: to software in containers.
const HOPS: i32 = 2;

/// What AWS warned of when it made a template or a version: something in it does not exist.
const WARNED: Output = Output(LaunchTemplate::KEY, WARNING);

/// A launch template with its default version.
pub struct LaunchTemplate;

/// The part of a version's data that we decide. No subnet: those are the group's.
#[derive(Debug, Clone, Default, PartialEq, Hash, Serialize)]
pub struct Spec {
    image: String,
    instance_type: String,
    key_pair: Option<String>,
    security_groups: Vec<String>,
    instance_profile: String,
    volume: Volume,
    /// `required` or `optional`: whether the metadata service wants a session's token.
    imds_tokens: String,
    /// How many hops a token travels: two reach software in containers; `None` where no token is needed.
    imds_hops: Option<i32>,
    /// Tags of what a launch makes besides the instance, which has the group's.
    launched: BTreeMap<String, Tags>,
    /// Names of settings that the version has and that a new version is without, since they say otherwise what we
    /// decide.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<&'static str>,
}

/// The root volume.
#[derive(Debug, Clone, Default, PartialEq, Hash, Serialize)]
pub struct Volume {
    device: String,
    kind: String,
    size_gib: i32,
    iops: i32,
    throughput_mibps: i32,
    delete_on_termination: bool,
    /// `None`: the account's own default.
    encrypted: Option<bool>,
    kms_key: Option<String>,
}

impl Resource for LaunchTemplate {
    const KEY: Key = "launch_template";
    const STEP: u8 = 3;
    const UNKNOWN_AFTER_UPDATE: &'static [Output] = &[VERSION];
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        site.config.names.launch_template.clone()
    }

    fn want(&self, site: &Site, refs: &Refs) -> Spec {
        let instance = &site.config.instance;
        let tags = site.tags(&site.config.names.auto_scaling_group);
        Spec {
            image: site.image.id.clone(),
            instance_type: instance.instance_type.clone(),
            key_pair: instance.key_pair.clone(),
            security_groups: vec![refs.get(security_groups::INSTANCE_ID)],
            // By name, which is known: a template may name a profile that does not exist yet.
            instance_profile: site.config.names.instance_profile.clone(),
            volume: Volume {
                device: site.image.root_device.clone(),
                kind: VolumeType::Gp3.as_str().to_owned(),
                size_gib: instance.volume.size_gib,
                iops: instance.volume.iops,
                throughput_mibps: instance.volume.throughput_mibps,
                delete_on_termination: true,
                encrypted: instance.volume.encrypted,
                kms_key: instance.volume.kms_key.clone(),
            },
            imds_tokens: match instance.imds {
                Imds::Required => "required".to_owned(),
                Imds::Optional => "optional".to_owned(),
            },
            // EC2's default of one hop keeps containers from the role's credentials, and so from metering.
            imds_hops: (instance.imds == Imds::Required).then_some(HOPS),
            launched: [("network-interface".to_owned(), tags.clone()), ("volume".to_owned(), tags)].into(),
            others: Vec::new(),
        }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        let &Context { cloud, site, .. } = cx;
        let Some(template) = shared::launch_template(cx, &reading.memo, &self.name(site)).await? else {
            return Ok(None);
        };
        let id = template.launch_template_id.need("LaunchTemplateId")?;
        let owner = Owner::Tags(tags::from_ec2(template.tags.as_deref().unwrap_or_default()));
        if reading.goal == Goal::Absent {
            return Ok(Some(Live::ready(Spec::default(), owner).output(ID, id))); // its versions go with it
        }
        let latest = template.latest_version_number.unwrap_or(1);
        let versions = versions(cloud, &id, &["$Default"]).await?;
        let version = versions.into_iter().next().need("the template's default version")?;
        let number = version.version_number.need("VersionNumber")?;
        let spec = managed(&version.launch_template_data.need("LaunchTemplateData")?, site);
        let (image, root_device) = (spec.image.clone(), spec.volume.device.clone());
        let live = Live::ready(spec, owner)
            .output(ID, id)
            .output(IMAGE, image)
            .output(ROOT_DEVICE, root_device)
            .output(VERSION, number.to_string())
            .output(LATEST, latest.to_string());
        Ok(Some(live))
    }

    async fn tagged(&self, cx: &Context<'_>, memo: &Memo) -> Result<Vec<String>> {
        if !shared::carries_tag(cx, memo, ResourceType::LaunchTemplate).await? {
            return Ok(Vec::new());
        }
        let request = cx.cloud.ec2.describe_launch_templates().filters(cx.site.owner_filter());
        let templates = request.into_paginator().page_size(200).items().send().try_collect().await?;
        let ids = templates.iter().filter_map(|template| template.launch_template_id());
        Ok(ids.map(|id| format!("launch template {id}")).collect())
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        let name = self.name(site);
        // The SDK's own random token: EC2 remembers tokens for a day, and would answer with a template since deleted.
        let request = cloud
            .ec2
            .create_launch_template()
            .launch_template_name(&name)
            .launch_template_data(request_data(want))
            .tag_specifications(tags::for_ec2(ResourceType::LaunchTemplate, &site.tags(&name)));
        let reply = request.send().await?;
        let template = reply.launch_template.need("LaunchTemplate")?;
        let version = template.latest_version_number.unwrap_or(1);
        let made = [(ID, template.launch_template_id.need("LaunchTemplateId")?), (VERSION, version.to_string())];
        Ok(made.into_iter().chain(warned(reply.warning)).collect())
    }

    /// The newest version that is as wanted becomes the default; one is added only when none is. What we do not manage
    /// stays as the default version has it.
    async fn update(
        &self,
        &Context { cloud, site, .. }: &Context<'_>,
        live: &Live<Spec>,
        want: &Spec,
    ) -> Result<Outputs> {
        let id = &live.outputs[&ID];
        let default = versions(cloud, id, &["$Default"]).await?.into_iter().next();
        let data = default.as_ref().and_then(|version| version.launch_template_data.as_ref());
        let want = &want.keeping(data.map(spec_of).as_ref());
        let source = default.as_ref().and_then(|version| source(version, site));
        let kept = data.filter(|_| source.is_some()).map(unmanaged::of);
        let mut all = versions(cloud, id, &[]).await?;
        all.sort_by_key(|version| std::cmp::Reverse(version.version_number));
        let is_wanted = |version: &&LaunchTemplateVersion| {
            let Some(data) = &version.launch_template_data else { return false };
            let keeps = kept.as_ref().is_none_or(|kept| *kept == unmanaged::of(data));
            keeps && spec_of(data) == *want
        };
        let (number, warning) = if let Some(version) = all.iter().find(is_wanted) {
            (version.version_number.need("VersionNumber")?, None)
        } else {
            let latest = all.first().and_then(|version| version.version_number).unwrap_or_default();
            let sent = unmanaged::keeping(request_data(want), data);
            add_version(cloud, (id, latest), source, sent, want).await?
        };
        let request = cloud.ec2.modify_launch_template().launch_template_id(id);
        request.default_version(number.to_string()).send().await?;
        let outputs = [(ID, id.clone()), (VERSION, number.to_string())];
        Ok(outputs.into_iter().chain(warned(warning)).collect())
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, tags: &Tags) -> Result<()> {
        let request = cloud.ec2.create_tags().resources(&live.outputs[&ID]);
        request.set_tags(Some(tags::to_ec2(tags))).send().await?;
        Ok(())
    }

    /// AWS removes its versions with it, and does not check whether a group uses it: the order is ours to keep.
    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        Ok(cloud.ec2.delete_launch_template().launch_template_id(&live.outputs[&ID]).send().await.or_gone()?)
    }
}

impl Spec {
    /// Without what deploy.yaml leaves to the account or to whoever set it: that makes no difference.
    fn into_managed(mut self, site: &Site) -> Spec {
        let wanted = &site.config.instance.volume;
        if wanted.encrypted.is_none() {
            (self.volume.encrypted, self.volume.kms_key) = (None, None);
        } else if wanted.kms_key.is_none() {
            self.volume.kms_key = None;
        }
        // More hops than ours reach containers too: someone has use for them.
        let hops = self.imds_hops.filter(|_| site.config.instance.imds == Imds::Required);
        self.imds_hops = hops.map(|hops| if hops > HOPS { HOPS } else { hops });
        self
    }

    /// With the encryption of the version before it, where deploy.yaml leaves it open, and with its hops, where those
    /// are more: an update never takes them off.
    fn keeping(&self, before: Option<&Spec>) -> Spec {
        let mut want = self.clone();
        want.imds_hops = want.imds_hops.max(before.and_then(|before| before.imds_hops));
        if let Some(before) = before.filter(|_| self.volume.encrypted != Some(false)) {
            want.volume.encrypted = self.volume.encrypted.or(before.volume.encrypted);
            want.volume.kms_key = self.volume.kms_key.clone().or_else(|| before.volume.kms_key.clone());
        }
        want
    }
}

// How AWS spells it.

async fn versions(cloud: &Cloud, id: &str, wanted: &[&str]) -> Result<Vec<LaunchTemplateVersion>> {
    let wanted: Vec<String> = wanted.iter().map(|version| (*version).to_owned()).collect();
    let request = cloud.ec2.describe_launch_template_versions().launch_template_id(id);
    let request = request.set_versions((!wanted.is_empty()).then_some(wanted));
    Ok(request.into_paginator().page_size(200).items().send().try_collect().await?)
}

/// The token names the version that this one follows: two runs at once, or a lost answer, make one version, while going
/// back to earlier data within the day that EC2 remembers tokens still makes a new one.
async fn add_version(
    cloud: &Cloud,
    (id, latest): (&str, i64),
    source: Option<i64>,
    data: RequestLaunchTemplateData,
    want: &Spec,
) -> cloud::Result<(i64, Option<ValidationWarning>)> {
    let mut hash = DefaultHasher::new();
    (id, latest, source, want).hash(&mut hash);
    let request = cloud
        .ec2
        .create_launch_template_version()
        .launch_template_id(id)
        .client_token(format!("{id}-{latest}-{:016x}", hash.finish()))
        .set_source_version(source.map(|number| number.to_string()))
        .launch_template_data(data);
    let reply = request.send().await?;
    let number = reply.launch_template_version.and_then(|version| version.version_number).need("VersionNumber")?;
    Ok((number, reply.warning))
}

/// AWS's words, as an output that is told.
fn warned(warning: Option<ValidationWarning>) -> Option<(Output, String)> {
    let errors = warning?.errors.unwrap_or_default();
    let words: Vec<String> = errors.into_iter().filter_map(|error| error.message.or(error.code)).collect();
    (!words.is_empty()).then(|| (WARNED, words.join("; ")))
}

fn request_data(want: &Spec) -> RequestLaunchTemplateData {
    let volume = &want.volume;
    let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
        .volume_type(VolumeType::from(volume.kind.as_str()))
        .volume_size(volume.size_gib)
        .iops(volume.iops)
        .throughput(volume.throughput_mibps)
        .delete_on_termination(volume.delete_on_termination)
        .set_encrypted(volume.encrypted)
        .set_kms_key_id(volume.kms_key.clone());
    let device = LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&volume.device).ebs(ebs.build());
    let profile = LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name(&want.instance_profile);
    let metadata = LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(LaunchTemplateHttpTokensState::from(want.imds_tokens.as_str()))
        .set_http_put_response_hop_limit(want.imds_hops);
    let tagged = want.launched.iter().map(|(kind, tags)| {
        let kind = ResourceType::from(kind.as_str());
        LaunchTemplateTagSpecificationRequest::builder().resource_type(kind).set_tags(Some(tags::to_ec2(tags))).build()
    });
    RequestLaunchTemplateData::builder()
        .image_id(&want.image)
        .instance_type(InstanceType::from(want.instance_type.as_str()))
        .set_key_name(want.key_pair.clone())
        .set_security_group_ids(Some(want.security_groups.clone()))
        .iam_instance_profile(profile.build())
        .block_device_mappings(device.build())
        .metadata_options(metadata.build())
        .set_tag_specifications(Some(tagged.collect()))
        .build()
}

fn spec_of(data: &ResponseLaunchTemplateData) -> Spec {
    let mut security_groups = data.security_group_ids().to_vec();
    security_groups.sort();
    let profile = data.iam_instance_profile();
    let tagged = data.tag_specifications().iter().filter_map(|tagged| {
        let kind = tagged.resource_type()?.as_str().to_owned();
        Some((kind, tags::from_ec2(tagged.tags())))
    });
    let metadata = data.metadata_options();
    let tokens = metadata.and_then(|options| options.http_tokens()).map_or("optional", |tokens| tokens.as_str());
    Spec {
        image: data.image_id().unwrap_or_default().to_owned(),
        instance_type: data.instance_type().map_or_else(String::new, |kind| kind.as_str().to_owned()),
        key_pair: data.key_name().map(str::to_owned),
        security_groups,
        instance_profile: profile
            .and_then(|p| p.name().or_else(|| p.arn()?.rsplit('/').next()))
            .unwrap_or_default()
            .to_owned(),
        volume: volume_of(data),
        imds_tokens: tokens.to_owned(),
        imds_hops: metadata
            .and_then(aws_sdk_ec2::types::LaunchTemplateInstanceMetadataOptions::http_put_response_hop_limit),
        // moto 5.2 lists the template's own tags here too.
        launched: tagged.filter(|(kind, _)| kind != ResourceType::LaunchTemplate.as_str()).collect(),
        others: others(data),
    }
}

/// What a version has, without what is left open, and with what a new version would be without.
fn managed(data: &ResponseLaunchTemplateData, site: &Site) -> Spec {
    let mut spec = spec_of(data).into_managed(site);
    let loses_key = spec.key_pair.is_some() && site.config.instance.key_pair.is_none();
    if loses_key || !spec.others.is_empty() {
        // EC2 has no way to take a setting out of a version's copy: the new version is made from nothing.
        spec.others.extend(unmanaged::names(data));
    }
    spec
}

/// The version whose settings a new one takes over, as far as we do not decide them; `None`: it has none, or one that
/// the new version may not have.
fn source(version: &LaunchTemplateVersion, site: &Site) -> Option<i64> {
    let data = version.launch_template_data.as_ref()?;
    let spec = managed(data, site);
    let loses_key = spec.key_pair.is_some() && site.config.instance.key_pair.is_none();
    let copies = !loses_key && spec.others.is_empty() && !unmanaged::is_empty(data);
    version.version_number.filter(|_| copies)
}

/// Settings that say otherwise what we decide: addresses, groups, types, disks.
fn others(data: &ResponseLaunchTemplateData) -> Vec<&'static str> {
    let devices = data.block_device_mappings().iter();
    let volumes: Vec<&LaunchTemplateEbsBlockDevice> = devices.filter_map(|device| device.ebs()).collect();
    let is_set = [
        ("network_interfaces", !data.network_interfaces().is_empty()),
        ("security_groups_by_name", !data.security_groups().is_empty()),
        ("instance_requirements", data.instance_requirements().is_some()),
        ("volume.snapshot_id", volumes.iter().any(|ebs| ebs.snapshot_id().is_some())),
    ];
    is_set.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect()
}

/// The first volume; a template with more than one shows it by its device names.
fn volume_of(data: &ResponseLaunchTemplateData) -> Volume {
    let devices = data.block_device_mappings();
    let Some(ebs) = devices.first().and_then(|device| device.ebs()) else {
        return Volume::default();
    };
    Volume {
        device: devices.iter().filter_map(|device| device.device_name()).collect::<Vec<_>>().join(", "),
        kind: ebs.volume_type().map_or_else(String::new, |kind| kind.as_str().to_owned()),
        size_gib: ebs.volume_size().unwrap_or_default(),
        iops: ebs.iops().unwrap_or_default(),
        throughput_mibps: ebs.throughput().unwrap_or_default(),
        delete_on_termination: ebs.delete_on_termination().unwrap_or(true),
        encrypted: ebs.encrypted(),
        kms_key: ebs.kms_key_id().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{ValidationError, ValidationWarning};

    use super::{WARNED, warned};

    #[test]
    fn what_ec2_warns_of_is_told_in_its_words() {
        let error = ValidationError::builder().code("InvalidAMIID.NotFound").message("The image does not exist");
        let warning = ValidationWarning::builder().errors(error.build()).build();
        assert_eq!(warned(Some(warning)), Some((WARNED, "The image does not exist".to_owned())));
        assert_eq!(warned(Some(ValidationWarning::builder().build())), None);
        assert_eq!(warned(None), None);
    }
}
