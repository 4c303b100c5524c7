//! The web ACL of AWS WAF in front of the load balancer. ELBv2 does not tell of it, only WAF does.

use crate::cloud::{self, Absent, Cloud};

/// The web ACL that would go with the load balancer, as a protection. What cannot be known counts as one: a filter that
/// somebody put before the service must not go unseen.
///
/// # Errors
/// WAF does not say, for a reason other than that the caller may not ask or that WAF is not reached.
pub(super) async fn in_front(cloud: &Cloud, arn: &str) -> cloud::Result<Option<String>> {
    let why = match cloud.waf.get_web_acl_for_resource().resource_arn(arn).send().await.or_absent() {
        Ok(reply) => return Ok(reply.and_then(|reply| reply.web_acl).map(|acl| filters(acl.name()))),
        Err(error) if cloud.lacks(&error) => return Ok(None),
        Err(error) if error.is_denied() => format!("{} is denied (`deploy iam-policy` has it)", error.action()),
        Err(error) if error.is_outage() => error.to_string(),
        Err(error) => return Err(error),
    };
    Ok(Some(format!("whether a web ACL (AWS WAF) filters its requests is not known: {why}")))
}

fn filters(name: &str) -> String {
    format!("the web ACL {name} (AWS WAF) filters its requests, and its association goes with the load balancer")
}
