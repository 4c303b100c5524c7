//! Records of any name that lead to a load balancer of the stack, in every zone that may be read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsOutput;
use aws_sdk_route53::types::ResourceRecordSet;
use tokio::sync::OnceCell;

use super::plain;
use crate::cloud::{self, Absent, Cloud, Memo};
use crate::engine::{Context, Result};
use crate::outcome::{Problem, few};
use crate::site::{Zone, all_zones};

/// Pages of records (300 each) that a look reads which is made again and again: Route 53 answers five calls a second,
/// to everybody in the account together ("Quotas", developer guide).
pub const PAGES: usize = 20;

/// What leads to a load balancer.
#[derive(Debug, Default)]
pub struct Leading {
    /// Each with its zone.
    pub records: Vec<(Zone, ResourceRecordSet)>,
    /// Where none were looked for, and why, in words.
    pub unseen: Vec<String>,
}

/// Every record, alias or not, that leads to one of these names. Reads so many pages of records at most.
///
/// # Errors
/// Route 53 does not list them, and not because the caller may not ask.
pub async fn leading_to(cx: &Context<'_>, memo: &Memo, names: &BTreeSet<String>, mut pages: usize) -> Result<Leading> {
    let mut found = Leading::default();
    if names.is_empty() {
        return Ok(found);
    }
    let zones = match all_zones(cx.cloud, memo).await {
        Ok(zones) => zones,
        Err(error) => {
            let why = denied(error)?;
            found.unseen.push(format!("the account's hosted zones cannot be listed ({why})"));
            own_zone(cx, memo).await?
        }
    };
    for zone in zones {
        let (sets, unread) = sets_of((cx.cloud, memo), &zone.id, &mut pages).await?;
        let leading = sets.into_iter().filter(|set| leads_to(set, names));
        found.records.extend(leading.map(|set| (zone.clone(), super::as_deleted(set))));
        found.unseen.extend(unread.map(|why| format!("the zone {} ({}) {why}", zone.name, zone.id)));
    }
    Ok(found)
}

/// What is said where records could not be looked for: nothing is left out in silence.
pub fn not_looked_for(unseen: &[String]) -> Option<Problem> {
    let cure = "Allow route53:ListHostedZones and route53:ListResourceRecordSets, or look for them by hand: a record \
                that leads to the load balancer leads nowhere when that is gone.";
    let what = format!("further records that lead to our load balancer were not looked for: {}", few(unseen, "; "));
    (!unseen.is_empty()).then(|| Problem::new(what, cure))
}

/// The zone of deploy.yaml, where that one may be asked for.
async fn own_zone(cx: &Context<'_>, memo: &Memo) -> Result<Vec<Zone>> {
    match cx.site.record(cx.cloud, memo).await {
        Ok(record) => Ok(record.map(|(zone, _)| zone).into_iter().collect()),
        Err(error) => denied(error).map(|_| Vec::new()),
    }
}

/// The code of a denial.
fn denied(error: cloud::Error) -> Result<String> {
    if error.is_denied() { Ok(error.code().to_owned()) } else { Err(error.into()) }
}

/// The records of a zone, as far as they can be read; and why not all of them.
async fn sets_of(
    (cloud, memo): (&Cloud, &Memo),
    zone: &str,
    pages: &mut usize,
) -> Result<(Vec<ResourceRecordSet>, Option<String>)> {
    let (mut found, mut next) = (Vec::new(), Some((None, None, None)));
    while let Some((name, kind, identifier)) = next {
        if *pages == 0 {
            return Ok((found, Some("has more records than one look reads".to_owned())));
        }
        *pages -= 1;
        let reply = match name {
            None => first_page(cloud, memo, zone).await,
            Some(name) => {
                let request = cloud.route53.list_resource_record_sets().hosted_zone_id(zone).start_record_name(name);
                let request = request.set_start_record_type(kind).set_start_record_identifier(identifier);
                request.send().await.or_absent()
            }
        };
        let reply = match reply {
            Err(error) => return Ok((found, Some(format!("cannot be read ({})", denied(error)?)))),
            Ok(reply) => reply,
        };
        let Some(reply) = reply else { return Ok((found, None)) };
        found.extend(reply.resource_record_sets);
        let start = (reply.next_record_name, reply.next_record_type, reply.next_record_identifier);
        next = reply.is_truncated.then_some(start);
    }
    Ok((found, None))
}

#[derive(Default)]
struct FirstPages(RefCell<BTreeMap<String, Rc<OnceCell<Option<ListResourceRecordSetsOutput>>>>>);

/// The first page of the records of a zone, each read once; `None`: there is no such zone.
///
/// # Errors
/// Route 53 does not list them.
pub(super) async fn first_page(
    cloud: &Cloud,
    memo: &Memo,
    zone: &str,
) -> cloud::Result<Option<ListResourceRecordSetsOutput>> {
    let page = Rc::clone(memo.of::<FirstPages>().0.borrow_mut().entry(zone.to_owned()).or_default());
    let read = || async { cloud.route53.list_resource_record_sets().hosted_zone_id(zone).send().await.or_absent() };
    page.get_or_try_init(read).await.cloned()
}

fn leads_to(set: &ResourceRecordSet, names: &BTreeSet<String>) -> bool {
    let values = set.resource_records().iter().map(|record| plain(record.value()));
    let alias = set.alias_target.as_ref().map(|alias| plain(&alias.dns_name));
    values.chain(alias).any(|target| names.contains(&target))
}
