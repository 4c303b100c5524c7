//! Which of a VPC's subnets: one a zone, since a load balancer takes no two of one.

use std::collections::BTreeMap;

use super::question::{Asker, Question};
use super::subnet::Subnet;
use super::survey::Survey;
use super::written::{PRIVATE_SUBNETS, PUBLIC_SUBNETS, Written};
use crate::checks::way_out::Way;
use crate::config::example::Value;
use crate::outcome::{Failed, Problem};

/// Fewer zones than these a load balancer does not take.
pub const ZONES_MIN: usize = 2;

/// A kind of subnets.
pub struct Kind {
    path: &'static str,
    flag: &'static str,
    word: &'static str,
}

/// Of the instances, and of an internal load balancer.
pub const PRIVATE: Kind = Kind { path: PRIVATE_SUBNETS, flag: "--private-subnets", word: "private" };
/// Of an internet-facing load balancer.
pub const PUBLIC: Kind = Kind { path: PUBLIC_SUBNETS, flag: "--public-subnets", word: "public" };

/// Chooses those of one kind.
///
/// # Errors
/// Somebody was asked, and a signal or the end of the input came instead of an answer.
pub async fn choose(
    kind: &Kind,
    given: &[String],
    vpc: &str,
    survey: &Survey,
    asker: &mut Asker<'_>,
    written: &mut Written,
) -> Result<(), Failed> {
    let known = survey.subnets.as_deref().unwrap_or_default();
    let words = |id: &String| {
        let found = known.iter().find(|one| one.id == *id);
        (id.clone(), found.map(|one| one.words.clone()).unwrap_or_default())
    };
    if !given.is_empty() {
        for id in given.iter().filter(|id| survey.subnets.is_ok() && !known.iter().any(|one| one.id == **id)) {
            let what = format!("there is no subnet {id} in an availability zone of {}", written.region);
            asker.problems.push(Problem::new(what, format!("Correct {}.", kind.flag)));
        }
        written.set(kind.path, Value::List(given.iter().map(words).collect()));
        return Ok(());
    }
    if let Err(why) = &survey.subnets {
        written.unseen(kind.path, why);
        return Ok(());
    }
    let zones = by_zone(kind, vpc, survey);
    if zones.len() < ZONES_MIN {
        let there: Vec<&str> = known.iter().filter(|one| one.vpc == vpc).map(|one| one.words.as_str()).collect();
        let what = format!("{vpc} has {} subnets in {} of the two zones needed", kind.word, zones.len());
        let there = if there.is_empty() { "it has none".to_owned() } else { there.join("; ") };
        let cure = format!("Make them, or name others with {} or --vpc. Its subnets: {there}.", kind.flag);
        asker.problems.push(Problem::new(what, cure));
        return Ok(());
    }
    let mut chosen = Vec::new();
    for (zone, of_zone) in zones {
        if let [only] = of_zone.as_slice() {
            chosen.push(only.id.clone());
            continue;
        }
        let candidates = of_zone.iter().map(|one| (one.id.clone(), one.words.clone())).collect();
        let what = format!("the {} subnet in {zone}", kind.word);
        chosen.push(asker.choose(Question { what, flag: kind.flag, candidates, default: 0, is_clear: false }).await?);
    }
    let without = known.iter().filter(|one| chosen.contains(&one.id) && matches!(one.way, Way::None | Way::Hole(_)));
    if kind.path == PRIVATE_SUBNETS && without.count() > 0 {
        written.warn(kind.path, "without a way out, instances cannot meter their use: a NAT gateway gives one");
    }
    written.set(kind.path, Value::List(chosen.iter().map(words).collect()));
    Ok(())
}

/// A VPC's subnets of this kind, by their zones. Private ones without a way out count where there are no others.
fn by_zone<'a>(kind: &Kind, vpc: &str, survey: &'a Survey) -> BTreeMap<&'a str, Vec<&'a Subnet>> {
    if kind.path == PUBLIC_SUBNETS {
        return grouped(vpc, survey, |way| matches!(way, Way::Internet(_)));
    }
    let open = grouped(vpc, survey, is_open);
    if open.len() >= ZONES_MIN { open } else { grouped(vpc, survey, |way| !matches!(way, Way::Internet(_))) }
}

/// In how many zones a VPC has private subnets, and in how many such with a way out.
pub fn zones(vpc: &str, survey: &Survey) -> (usize, usize) {
    (by_zone(&PRIVATE, vpc, survey).len(), grouped(vpc, survey, is_open).len())
}

fn is_open(way: &Way) -> bool {
    matches!(way, Way::Open(_))
}

fn grouped<'a>(vpc: &str, survey: &'a Survey, is_kind: fn(&Way) -> bool) -> BTreeMap<&'a str, Vec<&'a Subnet>> {
    let mut zones: BTreeMap<&str, Vec<&Subnet>> = BTreeMap::new();
    let of_vpc = survey.subnets.iter().flatten().filter(|one| one.vpc == vpc && is_kind(&one.way));
    of_vpc.for_each(|one| zones.entry(&one.zone).or_default().push(one));
    zones
}
