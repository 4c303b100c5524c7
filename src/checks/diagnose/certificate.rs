//! The certificate: issued, in the load balancer's region, for the record's name, with a key that load balancers take
//! (guide, troubleshooting: "ACM certificate is not listed").

use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, CertificateSummary, KeyAlgorithm};

use super::{Diagnosis, unanswered};
use crate::cloud::{self, Absent};
use crate::config::Listener;
use crate::outcome::Finding;
use crate::site;

/// Where certificates for CloudFront live, and many look for one in vain.
const OTHER_REGION: &str = "us-east-1";

impl Diagnosis<'_> {
    /// The finding.
    pub(super) async fn certificate(&self) -> Finding {
        let check = Finding::new("certificate", 4, "certificate for the HTTPS listener");
        if self.config.load_balancer.listener != Listener::Https {
            return check.skip("listener: http needs none");
        }
        let given = self.config.load_balancer.certificate.as_ref();
        let given = given.or(self.site.map(|site| &site.certificate)).filter(|arn| !arn.is_empty());
        let judged = match given {
            Some(arn) => self.judge(check.clone(), arn).await,
            None => self.search(check.clone()).await,
        };
        judged.unwrap_or_else(|error| unanswered(check, &error))
    }

    /// A certificate that is given, or was found.
    async fn judge(&self, check: Finding, arn: &str) -> cloud::Result<Finding> {
        let region = arn.split(':').nth(3).unwrap_or_default();
        if region != self.cloud.region {
            return Ok(check.fail(
                format!("{arn} is in {region}"),
                format!("a load balancer uses certificates of its own region, {}", self.cloud.region),
                "Request or import it there, and set load_balancer.certificate.",
            ));
        }
        let reply = self.cloud.acm.describe_certificate().certificate_arn(arn).send().await;
        let reply = match reply.map_err(cloud::Error::from) {
            Err(error) if error.code() == "ResourceNotFoundException" => None,
            reply => reply?.certificate,
        };
        let Some(detail) = reply else {
            return Ok(check.fail(
                format!("{arn} does not exist"),
                "it was deleted, or is another account's",
                "Set load_balancer.certificate to an ISSUED one: `aws acm list-certificates`.",
            ));
        };
        let name = self.site.and_then(crate::site::Site::record_name);
        Ok(verdict(check, arn, &detail, name.as_deref()))
    }

    /// None was found by the record's name: why.
    async fn search(&self, check: Finding) -> cloud::Result<Finding> {
        let Some(dns) = &self.config.dns else {
            return Ok(check.fail(
                "no certificate is given, and no record by whose name to find one",
                "deploy.yaml has neither load_balancer.certificate nor dns",
                "Set one of them, or load_balancer.listener: http.",
            ));
        };
        let name = site::full_name(&dns.record, &site::zone_name(&dns.zone, self.cloud).await?);
        let here = site::certificates(self.cloud, None, &[], &every_key()).await?;
        let covering: Vec<&CertificateSummary> = here.iter().filter(|one| site::covers(one, &name)).collect();
        if let Some(one) = covering.first() {
            let arn = one.certificate_arn().unwrap_or_default();
            let reply = self.cloud.acm.describe_certificate().certificate_arn(arn).send().await.or_absent()?;
            if let Some(detail) = reply.and_then(|reply| reply.certificate) {
                return Ok(verdict(check, arn, &detail, Some(&name)));
            }
        }
        let elsewhere = match self.cloud.region == OTHER_REGION {
            true => Vec::new(),
            false => site::certificates(self.cloud, Some(OTHER_REGION), &[CertificateStatus::Issued], &site::TAKEN)
                .await
                .unwrap_or_default(),
        };
        if let Some(one) = elsewhere.iter().find(|one| site::covers(one, &name)) {
            return Ok(check.fail(
                format!("{} covers {name}, and is in {OTHER_REGION}", one.certificate_arn().unwrap_or_default()),
                format!("a load balancer uses certificates of its own region, {}", self.cloud.region),
                format!("Request one for {name} in {}: `aws acm request-certificate --domain-name {name} --validation-method DNS`.", self.cloud.region),
            ));
        }
        let names: Vec<&str> = here.iter().filter_map(|one| one.domain_name()).collect();
        let evidence = match names.is_empty() {
            true => format!("{} has no certificate", self.cloud.region),
            false => format!("{} has certificates for {}, none covers {name}", self.cloud.region, names.join(", ")),
        };
        Ok(check.fail(
            evidence,
            "a wildcard covers one label, and not the zone's own name",
            format!("`aws acm request-certificate --domain-name {name} --validation-method DNS`, then its validation record."),
        ))
    }
}

fn verdict(check: Finding, arn: &str, detail: &CertificateDetail, name: Option<&str>) -> Finding {
    let status = detail.status().map_or("unknown", CertificateStatus::as_str);
    let key = detail.key_algorithm().map_or_else(String::new, |key| key.as_str().replace('-', "_"));
    let mut covered: Vec<&str> = detail.subject_alternative_names().iter().map(String::as_str).collect();
    covered.extend(detail.domain_name());
    covered.dedup();
    let evidence = format!("{arn}: {status}, {key}, for {}", covered.join(", "));
    if status != "ISSUED" {
        let fix = match status {
            "PENDING_VALIDATION" => {
                "Create the validation record that `aws acm describe-certificate` shows, and wait some minutes."
            }
            "EXPIRED" => "Import a new one, or let ACM issue one by DNS validation, which renews itself.",
            _ => "Request another one: this one will not be issued.",
        };
        return check.fail(evidence, "only ISSUED certificates are listed and taken", fix);
    }
    let taken = site::TAKEN.iter().any(|one| one.as_str() == key);
    if !key.is_empty() && !taken {
        return check.fail(
            evidence,
            format!("load balancers do not take a key of {key}"),
            "Request one with RSA_2048 or EC_prime256v1.",
        );
    }
    if let Some(name) = name.filter(|name| !covered.iter().any(|one| site::covers_name(one, name))) {
        return check.fail(
            evidence,
            format!("it does not cover {name}"),
            "Set load_balancer.certificate to one that does, or leave it out to have one found by name.",
        );
    }
    check.pass(evidence)
}

fn every_key() -> Vec<KeyAlgorithm> {
    KeyAlgorithm::values().iter().map(|key| KeyAlgorithm::from(*key)).collect()
}
