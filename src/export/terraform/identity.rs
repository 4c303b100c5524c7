//! Policy, role, and the profile that hands the role to instances.

use super::Resource;
use crate::export::live::Live;

/// A name is no id: another thing may have the same. So it is not looked for among values.
const ROLE: &str = "aws_iam_role.role.name";

/// What IAM has of the stack.
pub fn resources(live: &Live) -> Vec<Resource> {
    let mut resources = Vec::new();
    if let Some((policy, document)) = &live.policy {
        let arn = policy.arn().unwrap_or_default();
        resources.push(Resource::new("policy", "aws_iam_policy", arn).giving(policy.arn(), "arn").with(|body| {
            body.maybe("name", policy.policy_name())
                .maybe("path", policy.path())
                .maybe("description", policy.description())
                .json("policy", document.clone())
                .tags(live, "policy")
        }));
    }
    if let Some((role, trust)) = &live.role {
        let name = role.role_name();
        resources.push(Resource::new("role", "aws_iam_role", name).with(|body| {
            let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
            body.field("name", name)
                .field("path", role.path())
                .maybe("description", role.description())
                .maybe("max_session_duration", role.max_session_duration())
                .maybe("permissions_boundary", boundary)
                .json("assume_role_policy", trust.clone())
                .tags(live, "role")
        }));
    }
    if let (Some((role, _)), Some((policy, _)), true) = (&live.role, &live.policy, live.is_attached) {
        let (role, policy) = (role.role_name(), policy.arn().unwrap_or_default());
        let attachment =
            Resource::new("role_policy_attachment", "aws_iam_role_policy_attachment", format!("{role}/{policy}"));
        resources.push(attachment.with(|body| body.expression("role", ROLE).field("policy_arn", policy)));
    }
    if let Some(profile) = &live.profile {
        let name = profile.instance_profile_name();
        let role = profile.roles().first().map(|role| role.role_name());
        let is_ours = role.is_some() && role == live.role.as_ref().map(|(role, _)| role.role_name());
        let profile_of = Resource::new("instance_profile", "aws_iam_instance_profile", name);
        resources.push(profile_of.with(|body| {
            let body = body.field("name", name).field("path", profile.path());
            let body = if is_ours { body.expression("role", ROLE) } else { body.maybe("role", role) };
            body.tags(live, "instance_profile")
        }));
    }
    resources
}
