//! The settings of a version that we do not decide: a new version takes them over.

use aws_sdk_ec2::types::{RequestLaunchTemplateData, ResponseLaunchTemplateData};

/// A version without what we decide.
pub(super) fn of(data: &ResponseLaunchTemplateData) -> ResponseLaunchTemplateData {
    let mut rest = data.clone();
    (rest.image_id, rest.instance_type, rest.key_name) = (None, None, None);
    (rest.iam_instance_profile, rest.metadata_options) = (None, None);
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

/// Protections against termination and stop stay, also where a new version is made from nothing.
pub(super) fn keeping_protections(
    mut data: RequestLaunchTemplateData,
    before: Option<&ResponseLaunchTemplateData>,
) -> RequestLaunchTemplateData {
    if let Some(before) = before {
        data.disable_api_termination = before.disable_api_termination.filter(|on| *on);
        data.disable_api_stop = before.disable_api_stop.filter(|on| *on);
    }
    data
}
