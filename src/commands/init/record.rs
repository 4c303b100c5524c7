//! The record, and the hosted zone that holds it.

use aws_sdk_route53::types::HostedZone;

use super::question::{Asker, Question};
use super::survey::Survey;
use super::written::{Written, ZONE};
use crate::cli;
use crate::outcome::{Failed, Problem};
use crate::site::{covers, full_name};

/// The record's name within its zone, as in deploy.yaml.example.
const RECORD_NAME: &str = "app";

/// Chooses the zone; the clients' name, when it is known.
///
/// # Errors
/// Somebody was asked, and a signal or the end of the input came instead of an answer.
pub async fn choose(
    args: &cli::Init,
    survey: &Survey,
    asker: &mut Asker<'_>,
    written: &mut Written,
) -> Result<Option<String>, Failed> {
    if args.no_record || args.name.is_some() {
        return Ok(args.name.clone());
    }
    let record = args.record.as_deref().unwrap_or(RECORD_NAME);
    let zones = match (&survey.zones, &args.zone) {
        (Err(_), Some(zone)) => return Ok(Some(full_name(record, zone))),
        (Err(why), None) => {
            written.unseen(ZONE, why);
            return Ok(None);
        }
        (Ok(zones), _) => zones,
    };
    // What the world asks for is in no private zone.
    let fits = |zone: &&HostedZone| !(written.is_public() && is_private(zone));
    let meant = |zone: &&HostedZone| args.zone.as_ref().is_none_or(|one| is_called(zone, one));
    let fitting: Vec<&HostedZone> = zones.iter().filter(fits).filter(meant).collect();
    let is_covered = |zone: &HostedZone| {
        let name = full_name(record, &zone.name);
        survey.certificates.iter().flatten().any(|one| covers(one, &name))
    };
    let covered: Vec<usize> = (0..fitting.len()).filter(|at| is_covered(fitting[*at])).collect();
    let chosen = match (fitting.as_slice(), covered.as_slice()) {
        ([], _) if args.zone.is_some() => {
            let there: Vec<&str> = zones.iter().map(bare_name).collect();
            let what = format!("there is no such hosted zone; there are: {}", there.join(", "));
            asker.problems.push(Problem::new(what, "Correct --zone; --no-record makes no record."));
            return Ok(None);
        }
        ([], _) => {
            written.note("dns", "no hosted zone was found: there will be no record");
            return Ok(None);
        }
        ([only], _) => *only,
        (several, covered) => {
            let candidates = several.iter().map(|zone| (value(zone, zones), words(zone, is_covered(zone)))).collect();
            let (default, is_clear) = (covered.first().copied().unwrap_or_default(), covered.len() == 1);
            let what = format!("the hosted zone of the record {record}");
            let question = Question { what, flag: "--zone", candidates, default, is_clear };
            let answer = asker.choose(question).await?;
            several.iter().copied().find(|zone| value(zone, zones) == answer).unwrap_or(several[default])
        }
    };
    written.text(ZONE, &value(chosen, zones));
    Ok(Some(full_name(record, &chosen.name)))
}

fn bare_name(zone: &HostedZone) -> &str {
    zone.name.trim_end_matches('.')
}

fn id(zone: &HostedZone) -> &str {
    zone.id.trim_start_matches("/hostedzone/")
}

fn is_private(zone: &HostedZone) -> bool {
    zone.config().is_some_and(|config| config.private_zone)
}

fn is_called(zone: &HostedZone, wanted: &str) -> bool {
    id(zone) == wanted || bare_name(zone).eq_ignore_ascii_case(wanted.trim_end_matches('.'))
}

/// Its name; its id where two have one name, a public and a private one.
fn value(zone: &HostedZone, all: &[HostedZone]) -> String {
    let is_one = all.iter().filter(|other| other.name == zone.name).count() == 1;
    if is_one { bare_name(zone).to_owned() } else { id(zone).to_owned() }
}

fn words(zone: &HostedZone, is_covered: bool) -> String {
    let kind = if is_private(zone) { "private" } else { "public" };
    let certificate = if is_covered { "a certificate covers the record" } else { "no certificate covers the record" };
    format!("{} {}, {kind}, {certificate}", bare_name(zone), id(zone))
}
