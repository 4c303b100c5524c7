//! The finder of a version, for those who look at what a group launches.

use aws_sdk_ec2::types::LaunchTemplateVersion;

use crate::cloud::{self, Absent, Cloud};

/// This version of this template, by number or as `$Default` or `$Latest`; `None`: there is none.
///
/// # Errors
/// EC2 does not describe it.
pub async fn find_version(cloud: &Cloud, id: &str, version: &str) -> cloud::Result<Option<LaunchTemplateVersion>> {
    let request = cloud.ec2.describe_launch_template_versions().launch_template_id(id).versions(version);
    let reply = request.send().await.or_absent()?;
    Ok(reply.and_then(|reply| reply.launch_template_versions?.into_iter().next()))
}
