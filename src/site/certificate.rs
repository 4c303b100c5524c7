//! Which certificate the HTTPS listener shows.

use aws_sdk_acm::types::{
    CertificateStatus, CertificateSummary, CertificateType, ExtendedKeyUsageName, Filters, KeyAlgorithm,
};

use super::{Looked, Noun, client_name, missing};
use crate::cloud::{Cloud, Error, Result};
use crate::config::{Config, Listener};

/// The keys that load balancers take (Elastic Load Balancing user guide, "SSL certificates").
pub const TAKEN: [KeyAlgorithm; 6] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
    KeyAlgorithm::EcSecp521r1,
];

/// The ARNs of certificates that do, the best first: the given one alone, or the ISSUED ones that cover the record's
/// name. None without HTTPS.
pub(super) async fn certificate(config: &Config, cloud: &Cloud) -> Looked<Vec<String>> {
    let balancer = &config.load_balancer;
    if balancer.listener != Listener::Https {
        return Ok(Ok(Vec::new()));
    }
    if let Some(arn) = &balancer.certificate {
        return Ok(Ok(vec![arn.clone()]));
    }
    let Some(name) = client_name(config, cloud).await? else {
        let cure = "Set load_balancer.certificate, or dns, or verify.name, or load_balancer.listener: http.";
        let what = "no certificate is given, and no name to find one for".to_owned();
        return missing(Noun::Certificate, what, cure);
    };
    let listed = certificates(cloud, None, &[CertificateStatus::Issued], &TAKEN).await?;
    let mut covering: Vec<CertificateSummary> = Vec::new();
    for listed in listed.into_iter().filter(serves) {
        let listed = with_every_name(cloud, listed).await?;
        if covers(&listed, &name) {
            covering.push(listed);
        }
    }
    covering.sort_by_key(|listed| std::cmp::Reverse(rank(listed, &name)));
    let arns: Vec<String> = covering.into_iter().filter_map(|listed| listed.certificate_arn).collect();
    if arns.is_empty() {
        return missing(
            Noun::Certificate,
            format!(
                "no ISSUED certificate in {} covers {name} (guide, troubleshooting: certificate not listed)",
                cloud.region
            ),
            "Request one in ACM in this region and let it be issued, or set load_balancer.certificate. One that an \
             ACME client ordered, or of the root Amazon N2, is found only by its ARN there.",
        );
    }
    Ok(Ok(arns))
}

/// Whether a server may show it: neither one for clients alone, nor one that another service of AWS manages for itself.
pub fn serves(listed: &CertificateSummary) -> bool {
    let usages = listed.extended_key_usages();
    let of_servers = [ExtendedKeyUsageName::TlsWebServerAuthentication, ExtendedKeyUsageName::Any];
    listed.managed_by().is_none() && (usages.is_empty() || usages.iter().any(|usage| of_servers.contains(usage)))
}

/// One of AWS's own first, which every client trusts and AWS renews; an exact name before a wildcard; then the one that
/// lasts longest, then the ARN: always the same one.
fn rank(listed: &CertificateSummary, name: &str) -> (bool, bool, i64, Option<String>) {
    let is_amazons = listed.r#type() == Some(&CertificateType::AmazonIssued);
    let is_exact = names(listed).any(|covered| covered == name);
    let until = listed.not_after().map_or(0, aws_smithy_types::DateTime::secs);
    (is_amazons, is_exact, until, listed.certificate_arn.clone())
}

/// A summary has the first hundred names (ListCertificates, HasAdditionalSubjectAlternativeNames). Where the others may
/// not be read, those count.
async fn with_every_name(cloud: &Cloud, mut listed: CertificateSummary) -> Result<CertificateSummary> {
    let Some(arn) = listed.certificate_arn.clone() else { return Ok(listed) };
    if listed.has_additional_subject_alternative_names() == Some(true) {
        match cloud.acm.describe_certificate().certificate_arn(arn).send().await.map_err(Error::from) {
            Err(error) if !error.is_denied() => return Err(error),
            reply => {
                let detail = reply.ok().and_then(|reply| reply.certificate);
                let all = detail.and_then(|detail| detail.subject_alternative_names);
                listed.subject_alternative_name_summaries = all.or(listed.subject_alternative_name_summaries);
            }
        }
    }
    Ok(listed)
}

/// The certificates of these states (none: of every state) and keys, here or in another region. Without `keyTypes` ACM
/// lists RSA of 1024 and 2048 bits only (ListCertificates, Includes).
///
/// # Errors
/// ACM does not list them.
pub async fn certificates(
    cloud: &Cloud,
    region: Option<&str>,
    states: &[CertificateStatus],
    keys: &[KeyAlgorithm],
) -> Result<Vec<CertificateSummary>> {
    let client = match region {
        Some(region) => cloud.acm_in(region),
        None => cloud.acm.clone(),
    };
    let of_keys = Filters::builder().set_key_types(Some(keys.to_vec())).build();
    let request = client
        .list_certificates()
        .set_certificate_statuses((!states.is_empty()).then(|| states.to_vec()))
        .includes(of_keys);
    Ok(request.into_paginator().items().send().try_collect().await?)
}

fn names(listed: &CertificateSummary) -> impl Iterator<Item = String> {
    listed
        .domain_name()
        .into_iter()
        .chain(listed.subject_alternative_name_summaries().iter().map(String::as_str))
        .map(str::to_lowercase)
}

/// Whether a certificate covers this name.
pub fn covers(listed: &CertificateSummary, name: &str) -> bool {
    names(listed).any(|covered| covers_name(&covered, name))
}

/// Whether a name of a certificate covers this one, in whatever letters: a wildcard covers exactly one label, and not
/// the apex.
pub fn covers_name(covered: &str, name: &str) -> bool {
    match covered.strip_prefix("*.") {
        Some(above) => name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(above)),
        None => covered.eq_ignore_ascii_case(name),
    }
}
