//! Which certificate the HTTPS listener shows.

use aws_sdk_acm::types::{CertificateStatus, CertificateSummary, Filters, KeyAlgorithm};

use super::{Looked, full_name, missing, zone_name};
use crate::cloud::{Cloud, Result};
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

/// The certificate's ARN: the given one, or the ISSUED one that covers the record's name. Empty without HTTPS.
pub(super) async fn certificate(config: &Config, cloud: &Cloud) -> Looked<String> {
    let balancer = &config.load_balancer;
    if balancer.listener != Listener::Https {
        return Ok(Ok(String::new()));
    }
    if let Some(arn) = &balancer.certificate {
        return Ok(Ok(arn.clone()));
    }
    let Some(dns) = &config.dns else {
        let cure = "Set load_balancer.certificate, or dns, or load_balancer.listener: http.";
        return missing(
            "certificate",
            "no certificate is given, and no record by whose name to find one".to_owned(),
            cure,
        );
    };
    let name = full_name(&dns.record, &zone_name(dns.zone.as_str(), cloud).await?);
    let listed = certificates(cloud, None, &[CertificateStatus::Issued], &TAKEN).await?;
    let covering: Vec<&CertificateSummary> = listed.iter().filter(|listed| covers(listed, &name)).collect();
    // An exact name before a wildcard, then the one that lasts longest, then the ARN: always the same one.
    let best = covering.iter().max_by_key(|listed| {
        let exact = names(listed).any(|covered| covered == name);
        (exact, listed.not_after().map_or(0, aws_smithy_types::DateTime::secs), listed.certificate_arn())
    });
    match best.and_then(|listed| listed.certificate_arn()) {
        Some(arn) => Ok(Ok(arn.to_owned())),
        None => missing(
            "certificate",
            format!(
                "no ISSUED certificate in {} covers {name} (guide, troubleshooting: certificate not listed)",
                cloud.region
            ),
            "Request one in ACM in this region and let it be issued, or set load_balancer.certificate.",
        ),
    }
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

/// Whether a name of a certificate covers this one: a wildcard covers exactly one label, and not the apex.
pub fn covers_name(covered: &str, name: &str) -> bool {
    match covered.strip_prefix("*.") {
        Some(above) => name.split_once('.').is_some_and(|(_, rest)| rest == above),
        None => covered == name,
    }
}
