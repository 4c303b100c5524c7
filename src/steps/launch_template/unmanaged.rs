//! The settings of a version that we do not decide: a new version takes them over.

use aws_sdk_ec2::types::{
    LaunchTemplateInstanceMetadataEndpointState as Endpoint, LaunchTemplateInstanceMetadataOptions as Metadata,
    LaunchTemplateInstanceMetadataProtocolIpv6 as Ipv6, LaunchTemplateInstanceMetadataTagsState as TagsState,
    RequestLaunchTemplateData, ResponseLaunchTemplateData,
};

/// A version without what we decide.
pub(super) fn of(data: &ResponseLaunchTemplateData) -> ResponseLaunchTemplateData {
    let mut rest = data.clone();
    (rest.image_id, rest.instance_type, rest.key_name) = (None, None, None);
    (rest.iam_instance_profile, rest.metadata_options) = (None, rest.metadata_options.as_ref().and_then(metadata));
    (rest.security_group_ids, rest.security_groups, rest.network_interfaces) = (None, None, None);
    (rest.block_device_mappings, rest.tag_specifications, rest.instance_requirements) = (None, None, None);
    // Lists that are empty are listed by some endpoints and left out by others.
    rest.license_specifications = rest.license_specifications.filter(|list| !list.is_empty());
    rest.elastic_gpu_specifications = rest.elastic_gpu_specifications.filter(|list| !list.is_empty());
    rest.elastic_inference_accelerators = rest.elastic_inference_accelerators.filter(|list| !list.is_empty());
    rest.user_data = rest.user_data.filter(|text| !text.is_empty());
    // What is off is as if it were not there.
    rest.ebs_optimized = rest.ebs_optimized.filter(|on| *on);
    rest.disable_api_termination = rest.disable_api_termination.filter(|on| *on);
    rest.disable_api_stop = rest.disable_api_stop.filter(|on| *on);
    rest
}

/// The options of the metadata service that we do not decide, where they are not EC2's defaults.
fn metadata(options: &Metadata) -> Option<Metadata> {
    let mut rest = options.clone();
    (rest.state, rest.http_tokens, rest.http_put_response_hop_limit) = (None, None, None);
    rest.http_endpoint = rest.http_endpoint.filter(|state| *state != Endpoint::Enabled);
    rest.http_protocol_ipv6 = rest.http_protocol_ipv6.filter(|state| *state != Ipv6::Disabled);
    rest.instance_metadata_tags = rest.instance_metadata_tags.filter(|state| *state != TagsState::Disabled);
    (rest != Metadata::builder().build()).then_some(rest)
}

/// Whether a version has no such setting.
pub(super) fn is_empty(data: &ResponseLaunchTemplateData) -> bool {
    of(data) == ResponseLaunchTemplateData::builder().build()
}

/// Names of the settings that a version has, as far as they are named.
pub(super) fn names(data: &ResponseLaunchTemplateData) -> Vec<&'static str> {
    let rest = of(data);
    let is_set = [
        ("user_data", rest.user_data.is_some()),
        ("instance_market_options", rest.instance_market_options.is_some()),
        ("license_specifications", rest.license_specifications.is_some()),
        ("placement", rest.placement.is_some()),
        ("monitoring", rest.monitoring.is_some()),
        ("cpu_options", rest.cpu_options.is_some()),
        ("credit_specification", rest.credit_specification.is_some()),
        ("capacity_reservation", rest.capacity_reservation_specification.is_some()),
        ("enclave_options", rest.enclave_options.is_some()),
        ("hibernation_options", rest.hibernation_options.is_some()),
        ("shutdown_behavior", rest.instance_initiated_shutdown_behavior.is_some()),
    ];
    is_set.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect()
}

/// What stays also where a new version is made from nothing: protections against termination and stop, and the options
/// of the metadata service, which EC2 takes over from a source all together or not at all.
pub(super) fn keeping(
    mut data: RequestLaunchTemplateData,
    before: Option<&ResponseLaunchTemplateData>,
) -> RequestLaunchTemplateData {
    if let Some(before) = before {
        data.disable_api_termination = before.disable_api_termination.filter(|on| *on);
        data.disable_api_stop = before.disable_api_stop.filter(|on| *on);
        let kept = before.metadata_options().and_then(metadata);
        if let (Some(options), Some(kept)) = (data.metadata_options.as_mut(), kept) {
            options.http_endpoint = kept.http_endpoint;
            options.http_protocol_ipv6 = kept.http_protocol_ipv6;
            options.instance_metadata_tags = kept.instance_metadata_tags;
        }
    }
    data
}
