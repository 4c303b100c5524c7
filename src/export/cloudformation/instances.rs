//! The launch template, the auto scaling group and its policy.

use aws_sdk_ec2::types::ResponseLaunchTemplateData;
use serde_json::{Value, json};

use super::{Resource, known, listed, tags};
use crate::cloud::tags::from_ec2;
use crate::export::Live;

/// What is not written down of them.
pub fn notes(live: &Live) -> Vec<String> {
    let mut notes = Vec::new();
    let data = live.template.as_ref().and_then(|version| version.launch_template_data());
    if data.is_some_and(|data| data.user_data().is_some()) {
        notes.push("launch_template: its user data may hold secrets, and is not written down.".to_owned());
    }
    if live.scaling_group.as_ref().is_some_and(|group| group.launch_template().is_none()) {
        notes.push("auto_scaling_group: its mixed instances policy is not written down.".to_owned());
    }
    notes
}

/// The launch template.
pub fn template(live: &Live) -> Option<Resource> {
    let (key, version) = ("launch_template", live.template.as_ref()?);
    let id = version.launch_template_id()?.to_owned();
    let own = json!([{ "ResourceType": "launch-template", "Tags": tags(live, key) }]);
    let properties = known([
        ("LaunchTemplateName", json!(version.launch_template_name())),
        ("LaunchTemplateData", data(version.launch_template_data()?)),
        ("TagSpecifications", own),
    ]);
    let kind = "AWS::EC2::LaunchTemplate";
    Some(Resource { key, kind, identifier: ("LaunchTemplateId", id.clone()), gives: Some((id, "")), properties })
}

fn data(data: &ResponseLaunchTemplateData) -> Value {
    let devices = data.block_device_mappings().iter().map(|mapping| {
        let ebs = mapping.ebs().map(|ebs| {
            known([
                ("VolumeType", json!(ebs.volume_type().map(|one| one.as_str()))),
                ("VolumeSize", json!(ebs.volume_size())),
                ("Iops", json!(ebs.iops())),
                ("Throughput", json!(ebs.throughput())),
                ("Encrypted", json!(ebs.encrypted())),
                ("KmsKeyId", json!(ebs.kms_key_id())),
                ("SnapshotId", json!(ebs.snapshot_id())),
                ("DeleteOnTermination", json!(ebs.delete_on_termination())),
            ])
        });
        known([("DeviceName", json!(mapping.device_name())), ("Ebs", ebs.unwrap_or_default())])
    });
    let metadata = data.metadata_options().map(|options| {
        known([
            ("HttpEndpoint", json!(options.http_endpoint().map(|one| one.as_str()))),
            ("HttpTokens", json!(options.http_tokens().map(|one| one.as_str()))),
            ("HttpPutResponseHopLimit", json!(options.http_put_response_hop_limit())),
            ("HttpProtocolIpv6", json!(options.http_protocol_ipv6().map(|one| one.as_str()))),
            ("InstanceMetadataTags", json!(options.instance_metadata_tags().map(|one| one.as_str()))),
        ])
    });
    let profile = data.iam_instance_profile();
    let profile = profile.map(|one| known([("Name", json!(one.name())), ("Arn", json!(one.arn()))]));
    let tagged = data.tag_specifications().iter().map(|one| {
        let kind = one.resource_type().map(|kind| kind.as_str());
        json!({ "ResourceType": kind, "Tags": listed(&from_ec2(one.tags())) })
    });
    known([
        ("ImageId", json!(data.image_id())),
        ("InstanceType", json!(data.instance_type().map(|one| one.as_str()))),
        ("KeyName", json!(data.key_name())),
        ("SecurityGroupIds", json!(data.security_group_ids())),
        ("IamInstanceProfile", profile.unwrap_or_default()),
        ("BlockDeviceMappings", devices.collect()),
        ("MetadataOptions", metadata.unwrap_or_default()),
        ("EbsOptimized", json!(data.ebs_optimized())),
        ("DisableApiTermination", json!(data.disable_api_termination())),
        ("DisableApiStop", json!(data.disable_api_stop())),
        ("TagSpecifications", tagged.collect()),
    ])
}

/// The group and its policy.
pub fn fleet(live: &Live) -> Vec<Resource> {
    group(live).into_iter().chain(policy(live)).collect()
}

fn group(live: &Live) -> Option<Resource> {
    let (key, group) = ("auto_scaling_group", live.scaling_group.as_ref()?);
    let name = group.auto_scaling_group_name()?;
    let from = group.launch_template().map(|from| {
        known([("LaunchTemplateId", json!(from.launch_template_id())), ("Version", json!(from.version()))])
    });
    let subnets: Vec<&str> = group.vpc_zone_identifier().unwrap_or_default().split(',').map(str::trim).collect();
    let tags = group.tags().iter().filter(|tag| tag.key().is_some_and(|key| !key.starts_with("aws:"))).map(|tag| {
        json!({
            "Key": tag.key(), "Value": tag.value(),
            "PropagateAtLaunch": tag.propagate_at_launch().unwrap_or_default(),
        })
    });
    let properties = known([
        ("AutoScalingGroupName", json!(name)),
        ("MinSize", json!(group.min_size().map(|size| size.to_string()))),
        ("MaxSize", json!(group.max_size().map(|size| size.to_string()))),
        ("VPCZoneIdentifier", json!(subnets)),
        ("LaunchTemplate", from.unwrap_or_default()),
        ("TargetGroupARNs", json!(group.target_group_arns())),
        ("HealthCheckType", json!(group.health_check_type())),
        ("HealthCheckGracePeriod", json!(group.health_check_grace_period())),
        ("DefaultInstanceWarmup", json!(group.default_instance_warmup())),
        ("Cooldown", json!(group.default_cooldown().map(|seconds| seconds.to_string()))),
        ("CapacityRebalance", json!(group.capacity_rebalance())),
        ("MaxInstanceLifetime", json!(group.max_instance_lifetime())),
        ("NewInstancesProtectedFromScaleIn", json!(group.new_instances_protected_from_scale_in())),
        ("TerminationPolicies", json!(group.termination_policies())),
        ("Tags", tags.collect()),
    ]);
    let identifier = ("AutoScalingGroupName", name.to_owned());
    Some(Resource { key, kind: "AWS::AutoScaling::AutoScalingGroup", identifier, gives: None, properties })
}

fn policy(live: &Live) -> Option<Resource> {
    let policy = live.scaling_policy.as_ref()?;
    let tracking = policy.target_tracking_configuration()?;
    let metric = tracking.predefined_metric_specification().map(|metric| {
        known([
            ("PredefinedMetricType", json!(metric.predefined_metric_type().map(|one| one.as_str()))),
            ("ResourceLabel", json!(metric.resource_label())),
        ])
    });
    let properties = known([
        ("AutoScalingGroupName", json!(policy.auto_scaling_group_name())),
        ("PolicyType", json!(policy.policy_type())),
        ("EstimatedInstanceWarmup", json!(policy.estimated_instance_warmup())),
        (
            "TargetTrackingConfiguration",
            known([
                ("PredefinedMetricSpecification", metric.unwrap_or_default()),
                ("TargetValue", json!(tracking.target_value())),
                ("DisableScaleIn", json!(tracking.disable_scale_in())),
            ]),
        ),
    ]);
    let identifier = ("Arn", policy.policy_arn()?.to_owned());
    let kind = "AWS::AutoScaling::ScalingPolicy";
    Some(Resource { key: "scaling_policy", kind, identifier, gives: None, properties })
}
