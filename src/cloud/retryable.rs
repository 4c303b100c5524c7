//! THE table of what AWS answers while one part of it does not know yet what another has done, and how long each may
//! last.
//!
//! After any of these the engine reads the resource again and decides anew. That is why "already exists", which may
//! come from our own first attempt whose answer was lost, needs no code anywhere else.

use std::time::Duration;

use super::Error;

/// Why a call is tried again after an error, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retryable {
    /// The reason, as progress shows it.
    pub why: &'static str,
    /// How long it may last.
    pub limit: Duration,
}

/// Operation ("" for any), code, a part of the message ("" for any), why, seconds.
type Row = (&'static str, &'static str, &'static str, &'static str, u64);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // Made a moment ago by us, by a lost attempt of ours, or by someone else: the next reading shows who owns it.
    ("CreateSecurityGroup", "InvalidGroup.Duplicate", "", "it exists; looking again", 60),
    ("", "InvalidPermission.Duplicate", "", "a rule exists; looking again", 60),
    ("", "EntityAlreadyExists", "", "it exists; looking again", 120),
    ("CreateLaunchTemplate", "InvalidLaunchTemplateName.AlreadyExistsException", "", "it exists; looking again", 60),
    ("CreateLaunchTemplateVersion", "IdempotentParameterMismatch", "", "another version came first; looking again", 60),
    ("", "DuplicateTargetGroupName", "", "it exists; looking again", 60),
    ("", "DuplicateLoadBalancerName", "", "it exists; looking again", 60),
    ("", "DuplicateListener", "", "it exists; looking again", 60),
    // A group that is being deleted keeps its name for minutes (hashicorp/terraform#1105, kops#1001).
    ("CreateAutoScalingGroup", "AlreadyExists", "pending delete",
        "an auto scaling group of this name is being deleted", 1800),
    ("", "ValidationError", "pending delete", "the auto scaling group is being deleted", 1800),
    ("CreateAutoScalingGroup", "AlreadyExists", "", "it exists; looking again", 60),
    ("ChangeResourceRecordSets", "InvalidChangeBatch", "already exists", "the record exists; looking again", 60),
    ("ChangeResourceRecordSets", "InvalidChangeBatch", "not found", "the record changed; looking again", 60),
    ("ChangeResourceRecordSets", "InvalidChangeBatch", "do not match", "the record changed; looking again", 60),
    ("AddRoleToInstanceProfile", "LimitExceeded", "", "the profile has a role; looking again", 60),
    ("CreatePolicyVersion", "LimitExceeded", "", "the policy has five versions; looking again", 60),
    // Not yet visible to the one who is asked.
    ("", "InvalidGroup.NotFound", "", "the security group is not visible yet", 60),
    ("", "InvalidGroupId.NotFound", "", "the security group is not visible yet", 60),
    ("CreateLoadBalancer", "InvalidSecurityGroup", "", "the security group is not visible yet", 60),
    ("CreateLoadBalancer", "InvalidConfigurationRequest", "ecurity group", "the security group is not visible yet", 60),
    ("CreateLoadBalancer", "ResourceInUse", "", "a load balancer of this name is being deleted", 120),
    ("", "TargetGroupNotFound", "", "the target group is not visible yet", 60),
    ("", "LoadBalancerNotFound", "", "the load balancer is not visible yet", 60),
    ("", "ListenerNotFound", "", "the listener is not visible yet", 60),
    ("", "InvalidLaunchTemplateId.NotFound", "", "the launch template is not visible yet", 60),
    ("CreateListener", "CertificateNotFound", "", "the certificate is not visible to the load balancer yet", 300),
    ("ModifyListener", "CertificateNotFound", "", "the certificate is not visible to the load balancer yet", 300),
    ("", "ValidationError", "Invalid IAM Instance Profile", "the instance profile is not visible to EC2 yet", 180),
    // EC2 sees a profile before its role (hashicorp/terraform-provider-aws#29866).
    ("", "ValidationError", "has no associated IAM Roles", "the profile's role is not visible to EC2 yet", 180),
    ("", "ValidationError", "Provided Target Groups may not be valid",
        "the target group is not visible to Auto Scaling yet", 60),
    ("", "ValidationError", "launch template, with template",
        "the launch template is not visible to Auto Scaling yet", 60),
    ("ModifyLaunchTemplate", "InvalidLaunchTemplateId.VersionNotFound", "",
        "the template's version is not visible yet", 60),
    ("CreateAutoScalingGroup", "ValidationError", "security group", "the security group is not visible yet", 60),
    ("CreateAutoScalingGroup", "ServiceLinkedRoleFailure", "", "the service-linked role is not ready", 60),
    ("", "NoSuchEntity", "", "the role, the policy or the profile is not visible yet", 120),
    ("CreateRole", "MalformedPolicyDocument", "nvalid principal", "the principal is not visible yet", 120),
    // Busy, or held by what is on its way out.
    ("DeleteSecurityGroup", "DependencyViolation", "",
        "network interfaces or rules still hold the security group", 2100),
    ("DeleteVolume", "VolumeInUse", "", "its instance is on its way out", 300),
    ("DeleteNetworkInterface", "InvalidParameterValue", "in use", "its instance is on its way out", 300),
    ("DeleteNetworkInterface", "InvalidNetworkInterface.InUse", "", "its instance is on its way out", 300),
    ("DeleteTargetGroup", "ResourceInUse", "", "the listener that used the target group is still there", 120),
    ("", "DeleteConflict", "", "what was detached is still seen", 120),
    ("", "ConcurrentModification", "", "someone else is changing it", 120),
    ("", "ResourceContention", "", "another change of the group is under way", 180),
    ("", "ScalingActivityInProgress", "", "a scaling activity is under way", 600),
    ("DeleteAutoScalingGroup", "ResourceInUse", "", "the group still has instances", 600),
    ("", "PriorRequestNotComplete", "", "the hosted zone is busy", 60),
    ("", "EntityTemporarilyUnmodifiable", "", "IAM is still making it", 120),
    ("", "InstanceRefreshInProgress", "", "another instance refresh is under way", 1800),
    // What an update of the template gets while a refresh with a desired configuration is active (user guide, "Instance
    // refresh", update restriction).
    ("", "ValidationError", "active instance refresh", "another instance refresh is under way", 1800),
    // After all the retries of the SDK: others use the account's calls too.
    ("", "RequestLimitExceeded", "", "AWS asks to slow down", 300),
    ("", "Throttling", "", "AWS asks to slow down", 300),
    ("", "ThrottlingException", "", "AWS asks to slow down", 300),
    ("", "TooManyRequestsException", "", "AWS asks to slow down", 300),
];

/// When there was no answer at all. What was asked may have been done.
const OUTAGE: Retryable = Retryable { why: "AWS does not answer; looking again", limit: Duration::from_mins(5) };

/// When the auto scaling group is not found: a read may lag, or it went between two calls.
const GROUP_GONE: Retryable =
    Retryable { why: "the auto scaling group is not there; looking again", limit: Duration::from_mins(1) };

/// Whether the call may succeed when it is tried again.
pub fn retryable(error: &Error) -> Option<Retryable> {
    if error.is_outage() {
        return Some(OUTAGE);
    }
    let fits = |(operation, code, part, ..): &&Row| {
        (operation.is_empty() || *operation == error.operation())
            && *code == error.code()
            && error.message().contains(part)
    };
    if error.is_group_gone() {
        return Some(GROUP_GONE);
    }
    TABLE.iter().find(fits).map(|row| Retryable { why: row.3, limit: Duration::from_secs(row.4) })
}
