//! The launch template, the auto scaling group and its policy.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::{LaunchTemplateVersion, ResponseLaunchTemplateData};

use super::{Resource, map, settable};
use crate::cloud::tags;
use crate::export::hcl::Block;
use crate::export::live::Live;

/// The launch template.
pub fn template(live: &Live) -> Option<Resource> {
    let (key, version) = ("launch_template", live.template.as_ref()?);
    let data = version.launch_template_data()?;
    let id = version.launch_template_id();
    let resource = Resource::new(key, "aws_launch_template", id?).giving(id, "id");
    let resource = resource.with(|body| {
        let body = body
            .noting(not_default(live, version))
            .maybe("name", version.launch_template_name())
            .maybe("default_version", live.default_version.as_ref().and_then(|number| number.parse::<i64>().ok()))
            .maybe("image_id", data.image_id())
            .maybe("instance_type", data.instance_type().map(|one| one.as_str()))
            .maybe("key_name", data.key_name())
            .list("vpc_security_group_ids", data.security_group_ids().to_vec())
            .maybe("ebs_optimized", data.ebs_optimized())
            .maybe("disable_api_termination", data.disable_api_termination())
            .maybe("disable_api_stop", data.disable_api_stop())
            .tags(live, key);
        parts(body, live, data).ignoring(&unwritten(data))
    });
    Some(resource)
}

fn not_default(live: &Live, version: &LaunchTemplateVersion) -> Vec<String> {
    let newest = version.version_number().map(|number| number.to_string());
    match (&live.default_version, newest) {
        (Some(default), Some(newest)) if *default != newest => vec![format!(
            "This is version {newest}, the newest, by which Terraform goes; what runs is the default, {default}."
        )],
        _ => Vec::new(),
    }
}

fn parts(mut body: Block, live: &Live, data: &ResponseLaunchTemplateData) -> Block {
    if let Some(profile) = data.iam_instance_profile() {
        let block = Block::new("iam_instance_profile").maybe("arn", profile.arn());
        let ours = live.profile.as_ref().map(|profile| profile.instance_profile_name());
        body = body.block(match profile.name() {
            name if name.is_some() && name == ours => {
                block.expression("name", "aws_iam_instance_profile.instance_profile.name")
            }
            name => block.maybe("name", name),
        });
    }
    if let Some(options) = data.metadata_options() {
        body = body.block(
            Block::new("metadata_options")
                .maybe("http_endpoint", options.http_endpoint().map(|one| one.as_str()))
                .maybe("http_tokens", options.http_tokens().map(|one| one.as_str()))
                .maybe("http_put_response_hop_limit", options.http_put_response_hop_limit())
                .maybe("http_protocol_ipv6", options.http_protocol_ipv6().map(|one| one.as_str()))
                .maybe("instance_metadata_tags", options.instance_metadata_tags().map(|one| one.as_str())),
        );
    }
    if let Some(monitoring) = data.monitoring() {
        body = body.block(Block::new("monitoring").maybe("enabled", monitoring.enabled()));
    }
    for mapping in data.block_device_mappings() {
        let mut device = Block::new("block_device_mappings").maybe("device_name", mapping.device_name());
        if let Some(ebs) = mapping.ebs() {
            device = device.block(
                Block::new("ebs")
                    .maybe("volume_type", ebs.volume_type().map(|one| one.as_str()))
                    .maybe("volume_size", ebs.volume_size())
                    .maybe("iops", ebs.iops())
                    .maybe("throughput", ebs.throughput())
                    .maybe("encrypted", ebs.encrypted())
                    .maybe("kms_key_id", ebs.kms_key_id())
                    .maybe("snapshot_id", ebs.snapshot_id())
                    .maybe("delete_on_termination", ebs.delete_on_termination()),
            );
        }
        body = body.block(device);
    }
    for tagged in data.tag_specifications() {
        let kind = tagged.resource_type().map(|one| one.as_str());
        let tags = map(&settable(&tags::from_ec2(tagged.tags())));
        body = body.block(Block::new("tag_specifications").maybe("resource_type", kind).field("tags", tags));
    }
    body
}

/// What a template may have and is not written down here.
fn unwritten(data: &ResponseLaunchTemplateData) -> Vec<(&'static str, String)> {
    let there = [
        ("user_data", data.user_data().is_some(), "it may hold secrets, and is not written down"),
        ("network_interfaces", !data.network_interfaces().is_empty(), NOT_OURS),
        ("instance_market_options", data.instance_market_options().is_some(), NOT_OURS),
        ("instance_requirements", data.instance_requirements().is_some(), NOT_OURS),
        ("placement", data.placement().is_some(), NOT_OURS),
        ("cpu_options", data.cpu_options().is_some(), NOT_OURS),
        ("credit_specification", data.credit_specification().is_some(), NOT_OURS),
        ("capacity_reservation_specification", data.capacity_reservation_specification().is_some(), NOT_OURS),
        ("enclave_options", data.enclave_options().is_some(), NOT_OURS),
        ("hibernation_options", data.hibernation_options().is_some(), NOT_OURS),
        ("license_specification", !data.license_specifications().is_empty(), NOT_OURS),
    ];
    there.into_iter().filter(|(_, is_there, _)| *is_there).map(|(name, _, why)| (name, why.to_owned())).collect()
}

const NOT_OURS: &str = "somebody set it by hand; AWS keeps it, and it is not written down";

/// The group and its policy.
pub fn fleet(live: &Live) -> Vec<Resource> {
    let policy = || {
        let policy = live.scaling_policy.as_ref()?;
        let (group, name) = (policy.auto_scaling_group_name()?, policy.policy_name()?);
        let tracking = policy.target_tracking_configuration()?;
        let metric = tracking.predefined_metric_specification().map(|metric| {
            Block::new("predefined_metric_specification")
                .maybe("predefined_metric_type", metric.predefined_metric_type().map(|one| one.as_str()))
                .maybe("resource_label", metric.resource_label())
        });
        let own_metric =
            ("target_tracking_configuration", "it goes by a metric of its own, not written down".to_owned());
        let ignored = if metric.is_none() { vec![own_metric] } else { Vec::new() };
        let target = Block::new("target_tracking_configuration")
            .maybe("target_value", tracking.target_value())
            .maybe("disable_scale_in", tracking.disable_scale_in());
        let target = metric.into_iter().fold(target, Block::block);
        let resource = Resource::new("scaling_policy", "aws_autoscaling_policy", format!("{group}/{name}"));
        Some(resource.with(|body| {
            body.field("name", name)
                .expression("autoscaling_group_name", "aws_autoscaling_group.auto_scaling_group.name")
                .maybe("policy_type", policy.policy_type())
                .maybe("enabled", policy.enabled())
                .maybe("estimated_instance_warmup", policy.estimated_instance_warmup())
                .block(target)
                .ignoring(&ignored)
        }))
    };
    let group = live.scaling_group.as_ref().and_then(|one| group(live, one));
    group.into_iter().chain(policy()).collect()
}

const OF_TERRAFORM: [&str; 4] =
    ["force_delete", "force_delete_warm_pool", "ignore_failed_scaling_activities", "wait_for_capacity_timeout"];

fn group(live: &Live, group: &AutoScalingGroup) -> Option<Resource> {
    let mut ignored = vec![("desired_capacity", "scaling sets it".to_owned())];
    ignored.extend(OF_TERRAFORM.map(|name| (name, "Terraform alone has it, and an import leaves it out".to_owned())));
    let launch = group.launch_template().map(|from| {
        Block::new("launch_template").maybe("id", from.launch_template_id()).maybe("version", from.version())
    });
    if launch.is_none() {
        ignored.push(("mixed_instances_policy", NOT_OURS.to_owned()));
    }
    let mut subnets: Vec<String> =
        group.vpc_zone_identifier().unwrap_or_default().split(',').map(|one| one.trim().to_owned()).collect();
    subnets.sort();
    let tags = live.tags.get("auto_scaling_group").map(settable).unwrap_or_default();
    let propagated = |key: &str| {
        let tag = group.tags().iter().find(|tag| tag.key() == Some(key));
        tag.and_then(|tag| tag.propagate_at_launch()).unwrap_or(true)
    };
    let name = group.auto_scaling_group_name();
    // The provider reads the default policy alone as none.
    let mut policies = group.termination_policies().to_vec();
    if policies == ["Default"] {
        policies.clear();
    }
    let suspended = group.suspended_processes().iter();
    let resource = Resource::new("auto_scaling_group", "aws_autoscaling_group", name?);
    Some(resource.with(|body| {
        let body = body
            .maybe("name", name)
            .maybe("min_size", group.min_size())
            .maybe("max_size", group.max_size())
            .list("vpc_zone_identifier", subnets)
            .list("target_group_arns", group.target_group_arns().to_vec())
            .maybe("health_check_type", group.health_check_type())
            .maybe("health_check_grace_period", group.health_check_grace_period())
            .maybe("default_instance_warmup", group.default_instance_warmup())
            .maybe("default_cooldown", group.default_cooldown())
            .maybe("capacity_rebalance", group.capacity_rebalance())
            .maybe("max_instance_lifetime", group.max_instance_lifetime())
            .maybe("protect_from_scale_in", group.new_instances_protected_from_scale_in())
            .list("termination_policies", policies)
            .list("suspended_processes", suspended.filter_map(|one| one.process_name.clone()).collect())
            .list("enabled_metrics", group.enabled_metrics().iter().filter_map(|one| one.metric.clone()).collect());
        let body = launch.into_iter().fold(body, Block::block);
        let tag = |body: Block, (key, value): (&String, &String)| {
            let tag = Block::new("tag").field("key", key.as_str()).field("value", value.as_str());
            body.block(tag.field("propagate_at_launch", propagated(key)))
        };
        tags.iter().fold(body, tag).ignoring(&ignored)
    }))
}
