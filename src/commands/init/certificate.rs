//! The certificate.

use aws_sdk_acm::types::CertificateSummary;

use super::question::{Asker, Question};
use super::survey::Survey;
use super::written::{CERTIFICATE, Written, ZONE};
use crate::outcome::{Failed, Problem};
use crate::site::covers;

/// The certificate: none is named where clients use a name that one covers, since each run finds the best of those.
///
/// # Errors
/// Somebody was asked, and a signal or the end of the input came instead of an answer.
pub async fn choose(
    name: Option<&str>,
    survey: &Survey,
    asker: &mut Asker<'_>,
    written: &mut Written,
) -> Result<(), Failed> {
    if !written.is_https() || written.has(CERTIFICATE) {
        return Ok(());
    }
    let certificates = match (&survey.certificates, name) {
        (Ok(certificates), _) => certificates,
        (Err(why), _) if name.is_some() || written.has(ZONE) => {
            written.warn(CERTIFICATE, format!("{why}; each run finds the one that covers the clients' name"));
            return Ok(());
        }
        (Err(why), _) => {
            asker.problems.push(without_name(why));
            return Ok(());
        }
    };
    let Some(name) = name else {
        if written.has(ZONE) {
            return Ok(()); // the example's, which nobody has a certificate for
        }
        let arn = match certificates.as_slice() {
            [] => {
                asker.problems.push(without_name("there is no ISSUED certificate either"));
                return Ok(());
            }
            [only] => arn(only).to_owned(),
            several => {
                let candidates = several.iter().map(|one| (arn(one).to_owned(), covered(one))).collect();
                let what = "the certificate".to_owned();
                let flag = "--certificate";
                asker.choose(Question { what, flag, candidates, default: 0, is_clear: false }).await?
            }
        };
        written.text(CERTIFICATE, &arn);
        return Ok(());
    };
    let covering: Vec<&str> = certificates.iter().filter(|one| covers(one, name)).map(arn).collect();
    match covering.as_slice() {
        [] => {
            let cure = "request one in ACM, or name another with --record, --zone or --certificate";
            written.warn(CERTIFICATE, format!("no ISSUED certificate in {} covers {name}: {cure}", written.region));
        }
        arns => written.note(CERTIFICATE, format!("for {name} now: {}", arns.join(", "))),
    }
    Ok(())
}

/// HTTPS without a certificate and without a name to find one for is nothing that the loader takes.
fn without_name(why: &str) -> Problem {
    let what = format!("HTTPS needs a certificate, and there is no record to find one for: {why}");
    let cure = "Name one with --certificate, the record's zone with --zone, or the clients' name with --name; \
                --listener http does without.";
    Problem::new(what, cure)
}

fn arn(certificate: &CertificateSummary) -> &str {
    certificate.certificate_arn().unwrap_or_default()
}

fn covered(certificate: &CertificateSummary) -> String {
    let others = certificate.subject_alternative_name_summaries().iter().map(String::as_str);
    let main = certificate.domain_name().unwrap_or_default();
    std::iter::once(main).chain(others.filter(|one| *one != main)).collect::<Vec<_>>().join(", ")
}
