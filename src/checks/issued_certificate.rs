//! The certificate in ACM: issued, in the load balancer's region, for the record's name, with a key that load balancers
//! take (guide, troubleshooting: "ACM certificate is not listed").

use async_trait::async_trait;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, CertificateSummary, CertificateType, ExtendedKeyUsage, ExtendedKeyUsageName,
    KeyAlgorithm,
};

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::stack::{Stack, unanswered};
use crate::cloud::{self, Absent, Cloud};
use crate::config::Listener;
use crate::outcome::{Finding, Status};
use crate::site;

/// Who has to do something about a certificate should know so long before.
const SOON_SECONDS: i64 = 30 * 24 * 3600;
const RENEWAL: &str = "`aws acm describe-certificate` shows why it is not renewed (its validation record, most often); \
                       or import a new one under the same ARN.";
/// Where certificates for CloudFront are, and many look for one in vain.
const OTHER_REGION: &str = "us-east-1";

/// Whether ACM has a certificate that the HTTPS listener can use.
pub struct IssuedCertificate;

#[async_trait(?Send)]
impl Check for IssuedCertificate {
    fn about(&self) -> &'static About {
        &About {
            id: "certificate",
            step: 4,
            title: "certificate for the HTTPS listener",
            places: &[Place::At(Node::LoadBalancer)],
            verbs: &[Verb::Diagnose],
            asks: Asks::Aws,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        if stack.config.load_balancer.listener != Listener::Https {
            return Ok(finding.skip("listener: http needs none"));
        }
        let given = stack.config.load_balancer.certificate.as_ref();
        // One that the listener has and that is gone says nothing of why none is found.
        let is_found = |site: &&site::Site| site.gone.iter().all(|missing| missing.noun != site::Noun::Certificate);
        let found = stack.site.filter(is_found).map(|site| &site.certificate);
        let given = given.or(found).filter(|arn| !arn.is_empty());
        let judged = match given {
            Some(arn) => judge(stack, finding.clone(), arn).await,
            None => search(stack, finding.clone()).await,
        };
        Ok(judged.unwrap_or_else(|error| unanswered(finding, &error)))
    }
}

/// A certificate that is given, or was found.
///
/// # Errors
/// ACM or Route 53 does not say.
pub async fn judge(stack: &Stack<'_>, finding: Finding, arn: &str) -> cloud::Result<Finding> {
    let region = arn.split(':').nth(3).unwrap_or_default();
    if region != stack.cloud.region {
        return Ok(finding.fail(
            format!("{arn} is in {region}"),
            own_region(stack.cloud),
            "Request or import it there, and set load_balancer.certificate.",
        ));
    }
    let reply = stack.cloud.acm.describe_certificate().certificate_arn(arn).send().await;
    let reply = match reply.map_err(cloud::Error::from) {
        Err(error) if error.code() == "ResourceNotFoundException" => None,
        reply => reply?.certificate,
    };
    let Some(detail) = reply else {
        return Ok(finding.fail(
            format!("{arn} does not exist"),
            "it was deleted, or is another account's",
            "Set load_balancer.certificate to an ISSUED one: `aws acm list-certificates`.",
        ));
    };
    let name = site::client_name(stack.config, stack.cloud).await?;
    Ok(verdict(finding, (arn, &detail), name.as_deref(), stack.cloud.limiter.time()))
}

fn own_region(cloud: &Cloud) -> String {
    format!("a load balancer uses certificates of its own region, {}", cloud.region)
}

/// None was found by the name that clients use: why.
async fn search(stack: &Stack<'_>, finding: Finding) -> cloud::Result<Finding> {
    let cloud = stack.cloud;
    let Some(name) = site::client_name(stack.config, cloud).await? else {
        return Ok(finding.fail(
            "no certificate is given, and no name to find one for",
            "deploy.yaml has neither load_balancer.certificate nor dns nor verify.name",
            "Set one of them, or load_balancer.listener: http.",
        ));
    };
    let here = site::certificates(cloud, None, &[], &every_key()).await?;
    let covering: Vec<&CertificateSummary> = here.iter().filter(|one| site::covers(one, &name)).collect();
    if let Some(one) = covering.first() {
        let arn = one.certificate_arn().unwrap_or_default();
        let reply = cloud.acm.describe_certificate().certificate_arn(arn).send().await.or_absent()?;
        if let Some(detail) = reply.and_then(|reply| reply.certificate) {
            return Ok(verdict(finding, (arn, &detail), Some(&name), cloud.limiter.time()));
        }
    }
    let request = format!("`aws acm request-certificate --domain-name {name} --validation-method DNS`");
    if let Some(arn) = elsewhere(cloud, &name).await {
        return Ok(finding.fail(
            format!("{arn} covers {name}, and is in {OTHER_REGION}"),
            own_region(cloud),
            format!("Request one for {name} in {}: {request}.", cloud.region),
        ));
    }
    let names: Vec<&str> = here.iter().filter_map(|one| one.domain_name()).collect();
    let evidence = if names.is_empty() {
        format!("{} has no certificate", cloud.region)
    } else {
        format!("{} has certificates for {}, none covers {name}", cloud.region, names.join(", "))
    };
    let fix = format!("{request}, then its validation record.");
    Ok(finding.fail(evidence, "a wildcard covers one label, and not the zone's own name", fix))
}

/// The ARN of a certificate for this name in the region where it is looked for in vain.
async fn elsewhere(cloud: &Cloud, name: &str) -> Option<String> {
    if cloud.region == OTHER_REGION {
        return None;
    }
    let issued = [CertificateStatus::Issued];
    let found = site::certificates(cloud, Some(OTHER_REGION), &issued, &site::TAKEN).await.unwrap_or_default();
    let covering = found.iter().find(|one| site::covers(one, name))?;
    Some(covering.certificate_arn().unwrap_or_default().to_owned())
}

fn verdict(
    finding: Finding,
    (arn, detail): (&str, &CertificateDetail),
    name: Option<&str>,
    now: Option<i64>,
) -> Finding {
    let status = detail.status().map_or("unknown", CertificateStatus::as_str);
    let key = detail.key_algorithm().map_or_else(String::new, |key| key.as_str().replace('-', "_"));
    let mut covered: Vec<&str> = detail.subject_alternative_names().iter().map(String::as_str).collect();
    covered
        .extend(detail.domain_name().filter(|name| !detail.subject_alternative_names().iter().any(|one| one == name)));
    let evidence = format!("{arn}: {status}, {key}, for {}", covered.join(", "));
    if status != "ISSUED" {
        let fix = match status {
            "PENDING_VALIDATION" => {
                "Create the validation record that `aws acm describe-certificate` shows, and wait some minutes."
            }
            "EXPIRED" => "Import a new one, or let ACM issue one by DNS validation, which renews itself.",
            _ => "Request another one: this one will not be issued.",
        };
        return finding.fail(evidence, "only ISSUED certificates are listed and taken", fix);
    }
    let is_taken = site::TAKEN.iter().any(|taken| taken.as_str() == key);
    if !key.is_empty() && !is_taken {
        let cause = format!("load balancers do not take a key of {key}");
        return finding.fail(evidence, cause, "Request one with RSA_2048 or EC_prime256v1.");
    }
    if let Some(name) = name.filter(|name| !covered.iter().any(|pattern| site::covers_name(pattern, name))) {
        let cause = format!("it does not cover {name}");
        let fix = "Set load_balancer.certificate to one that does, or leave it out to have one found by name.";
        return finding.fail(evidence, cause, fix);
    }
    if detail.managed_by().is_some() {
        let cause = "another service of AWS manages it for itself, and a listener may not have it";
        return finding.fail(evidence, cause, "Set load_balancer.certificate to one of your own.");
    }
    if !serves(detail) {
        let cause = "it is for clients alone: its extended key usage has no server authentication";
        return finding.fail(evidence, cause, "Set load_balancer.certificate to one for servers.");
    }
    match (detail.not_after(), now) {
        (Some(end), Some(now)) if end.secs() <= now => {
            finding.fail(format!("{evidence}; it ended on {end}"), "clients refuse it", RENEWAL)
        }
        (Some(end), Some(now)) if end.secs() <= now + SOON_SECONDS => {
            let cause = "ACM renews its own certificates two months before they end, and has not renewed this one";
            let cause = if detail.r#type() == Some(&CertificateType::Imported) {
                "nobody renews an imported one"
            } else {
                cause
            };
            finding.found(Status::Warn, format!("{evidence}; it ends on {end}")).because(cause, RENEWAL)
        }
        _ => finding.pass(evidence),
    }
}

/// Whether a server may show it.
fn serves(detail: &CertificateDetail) -> bool {
    let of_servers = [ExtendedKeyUsageName::TlsWebServerAuthentication, ExtendedKeyUsageName::Any];
    let mut usages = detail.extended_key_usages().iter().filter_map(ExtendedKeyUsage::name).peekable();
    usages.peek().is_none() || usages.any(|usage| of_servers.contains(usage))
}

fn every_key() -> Vec<KeyAlgorithm> {
    KeyAlgorithm::values().iter().map(|key| KeyAlgorithm::from(*key)).collect()
}
