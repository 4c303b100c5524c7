//! ACM: certificates that were issued before.

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::sandbox::wire::{Refusal, Reply, list, need, refuse};
use crate::sandbox::world::World;

/// Who issued them.
const AUTHORITY: &str = "authority.sandbox";

/// One call; `None`: not one of ACM that the sandbox has.
pub fn call(world: &World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "ListCertificates" => summaries(world, asked),
        "DescribeCertificate" => one(world, asked).map(|row| json!({"Certificate": details(world, row)})),
        "GetCertificate" => one(world, asked).and_then(issued),
        "ListTagsForCertificate" => one(world, asked).map(|row| json!({"Tags": list(row, "_tags")})),
        _ => return None,
    })
}

fn one<'a>(world: &'a World, asked: &Value) -> Result<&'a Value, Refusal> {
    let arn = need(asked, "CertificateArn")?;
    if !arn.starts_with("arn:aws:acm:") {
        let message = format!(
            "1 validation error detected: Value '{arn}' at 'certificateArn' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: \
             arn:[\\w+=/,.@-]+:acm:[\\w+=/,.@-]*:[0-9]+:[\\w+=,.@-]+(/[\\w+=,.@-]+)*"
        );
        return refuse("ValidationException", message);
    }
    match world.row("certificates", arn) {
        Some(row) => Ok(row),
        None => refuse(
            "ResourceNotFoundException",
            format!("Could not find certificate {arn} in account {}.", world.account),
        ),
    }
}

/// A row has the fields of a certificate's summary and of its details; each of the two lacks some of the other's.
fn details(world: &World, row: &Value) -> Value {
    let mut details = without(row, &["SubjectAlternativeNameSummaries", "InUse"]);
    details["InUseBy"] = json!(users(world, row));
    details
}

/// The certificate itself, and who issued it, in PEM: made anew for each call, since no key is kept.
fn issued(row: &Value) -> Reply {
    let pem = |names: Vec<String>| {
        let key = KeyPair::generate().ok()?;
        Some(CertificateParams::new(names).ok()?.self_signed(&key).ok()?.pem())
    };
    let name = row["DomainName"].as_str().unwrap_or_default().to_owned();
    match pem(vec![name]).zip(pem(vec![AUTHORITY.to_owned()])) {
        Some((certificate, chain)) => Ok(json!({"Certificate": certificate, "CertificateChain": chain})),
        None => refuse("RequestInProgressException", "The certificate is not available yet."),
    }
}

fn summary(world: &World, row: &Value) -> Value {
    let mut summary = without(row, &["SubjectAlternativeNames"]);
    summary["InUse"] = json!(!users(world, row).is_empty());
    summary
}

/// The load balancers that use a certificate.
fn users<'a>(world: &'a World, row: &Value) -> Vec<&'a Value> {
    let uses = |listener: &&Value| {
        list(listener, "Certificates").iter().any(|one| one["CertificateArn"] == row["CertificateArn"])
    };
    world.rows("listeners").filter(uses).map(|listener| &listener["LoadBalancerArn"]).collect()
}

fn without(row: &Value, fields: &[&str]) -> Value {
    let mut shown = row.clone();
    fields.iter().for_each(|field| shown[field] = Value::Null);
    shown
}

/// Without `keyTypes` only RSA of 1024 and 2048 bits are listed (ACM API reference, ListCertificates).
fn summaries(world: &World, asked: &Value) -> Reply {
    let asked_kinds = list(&asked["Includes"], "keyTypes");
    let listed = |row: &&Value| match asked_kinds {
        [] => ["RSA-1024", "RSA-2048"].iter().any(|kind| row["KeyAlgorithm"] == *kind),
        kinds => kinds.iter().any(|kind| {
            kind.as_str().map(|kind| kind.replace('_', "-")) == row["KeyAlgorithm"].as_str().map(str::to_owned)
        }),
    };
    // A certificate is in one region.
    let here = |row: &&Value| {
        row["CertificateArn"].as_str().and_then(|arn| arn.split(':').nth(3)) == asked["_region"].as_str()
    };
    let states = list(asked, "CertificateStatuses");
    let of_state = |row: &&Value| states.is_empty() || states.contains(&row["Status"]);
    let all = world.rows("certificates").filter(here).filter(listed).filter(of_state);
    Ok(json!({"CertificateSummaryList": all.map(|row| summary(world, row)).collect::<Vec<_>>()}))
}
