//! Guide step 7: the record. The guide says "CNAME, alias": for a load balancer AWS has A (and AAAA) aliases only.
//!
//! Records carry no tags: a record is ours when it is an alias to a load balancer that carries our tag, or to one of
//! our name that no longer exists (it was deleted by hand, or a removal and a creation ran at once): no client depends
//! on it.

mod leading;

use std::collections::BTreeMap;

use aws_sdk_route53::types::{AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecordSet, RrType};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::{load_balancer, shared, target_group};
use crate::cloud::{self, Absent, Cloud, Memo, Need};
use crate::config::Config;
use crate::engine::{Context, Goal, Key, Live, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::outcome::few;
use crate::site::{Site, Zone, full_name};

use leading::first_page;
pub use leading::{Leading, PAGES, leading_to, not_looked_for};

/// The name that clients use.
pub struct DnsRecord;

/// An alias record.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Spec {
    zone: String,
    name: String,
    kind: String,
    /// The load balancer's DNS name, in lower case.
    alias: String,
    alias_zone: String,
    evaluate_target_health: bool,
    /// As AWS lists it: a deletion must repeat it word by word.
    #[serde(skip)]
    listed: Option<ResourceRecordSet>,
    /// Further aliases to our load balancer, in words by name: a removal takes them along.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    each: BTreeMap<String, String>,
    /// The same, each with its zone.
    #[serde(skip)]
    further: Vec<(String, ResourceRecordSet)>,
    /// What else leads to our load balancer, in words: a removal leaves it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<String>,
}

impl Resource for DnsRecord {
    const KEY: Key = "dns_record";
    const STEP: u8 = 7;
    const FORCES_REPLACEMENT: &'static [&'static str] = &["zone", "name"];
    const FOUND_BY_NAME: bool = true;
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        site.record_name().unwrap_or_else(|| "(no record)".to_owned())
    }

    /// Where its zone does not exist any more, there is no place for it.
    fn included(&self, site: &Site) -> bool {
        site.config.dns.is_some() && !site.lacks_zone()
    }

    fn want(&self, site: &Site, refs: &Refs) -> Spec {
        let zone = site.zone.as_ref().map(|zone| zone.id.clone()).unwrap_or_default();
        Spec {
            zone,
            name: site.record_name().unwrap_or_default(),
            kind: RrType::A.as_str().to_owned(),
            alias: refs.get(load_balancer::DNS_NAME).to_lowercase(),
            alias_zone: refs.get(load_balancer::ZONE),
            evaluate_target_health: true, // the console's default
            listed: None,
            each: BTreeMap::new(),
            further: Vec::new(),
            kept: Vec::new(),
        }
    }

    async fn find(&self, cx: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        let own = own(cx, reading).await?;
        if reading.goal == Goal::Present {
            return Ok(own);
        }
        let is_own = |set: &ResourceRecordSet| own.as_ref().is_some_and(|own| own.spec.listed.as_ref() == Some(set));
        let mut all = pointing_at_ours(cx, reading).await?;
        all.retain(|(_, set)| !is_own(set));
        let (further, strangers): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, set)| is_plain_alias(set));
        let strangers: Vec<String> = strangers.iter().map(|(zone, set)| in_words(zone, set)).collect();
        let further: Vec<(String, ResourceRecordSet)> = further.into_iter().map(|(zone, set)| (zone.id, set)).collect();
        if own.is_none() && further.is_empty() && strangers.is_empty() {
            return Ok(None);
        }
        let owner = if further.is_empty() {
            Owner::Untouchable(format!("{} leads to our load balancer", few(&strangers, "; ")))
        } else {
            Owner::Parent(load_balancer::LoadBalancer::KEY)
        };
        let mut live = own.unwrap_or_else(|| Live::ready(Spec::default(), owner));
        live.spec.each = further.iter().map(|(zone, set)| (plain(&set.name), in_zone(zone, set))).collect();
        (live.spec.further, live.spec.kept) = (further, strangers);
        Ok(Some(live))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // records carry no tags
    }

    /// CREATE, not UPSERT: it is refused when someone else made a record of this name at the same time.
    async fn create(&self, &Context { cloud, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        change(cloud, &want.zone, [(ChangeAction::Create, alias(want)?)].into()).await
    }

    /// One batch, all or nothing: a record of another type has to be removed in the same change.
    async fn update(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        let old = live.spec.listed.clone().filter(|_| live.spec.kind != want.kind);
        let mut changes: Vec<_> = old.into_iter().map(|old| (ChangeAction::Delete, old)).collect();
        changes.push((ChangeAction::Upsert, alias(want)?));
        change(cloud, &want.zone, changes).await
    }

    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        let own = live.spec.listed.clone().map(|set| (live.spec.zone.clone(), set));
        let mut zones: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (zone, set) in own.into_iter().chain(live.spec.further.clone()) {
            zones.entry(zone).or_default().push((ChangeAction::Delete, set));
        }
        for (zone, changes) in zones {
            change(cloud, &zone, changes).await?;
        }
        Ok(())
    }
}

// How AWS spells it.

/// The record of the wanted name.
async fn own(&Context { cloud, site, .. }: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
    let Some((zone, name)) = site.record(cloud, &reading.memo).await? else {
        return Ok(None);
    };
    let sets = sets_named(cloud, reading, &zone.id, &name).await?;
    let ours = [RrType::A, RrType::Aaaa, RrType::Cname];
    let Some(set) = sets.into_iter().find(|set| ours.contains(&set.r#type)) else {
        return Ok(None);
    };
    let spec = spec_of(&zone.id, &name, set);
    let owner = owner(cloud, site, reading, &spec).await?;
    Ok(Some(Live::ready(spec, owner)))
}

#[derive(Default)]
struct Unseen(OnceCell<Vec<String>>);

/// Where the reading of this memo could not look for further records, and why, in words.
pub fn unseen(memo: &Memo) -> Vec<String> {
    memo.of::<Unseen>().0.get().cloned().unwrap_or_default()
}

/// Every record that leads to our load balancer, alias or not, with its zone: of all zones that we may read.
///
/// # Errors
/// Route 53 does not list them.
async fn pointing_at_ours(cx: &Context<'_>, reading: &Reading) -> Result<Vec<(Zone, ResourceRecordSet)>> {
    if reading.output(load_balancer::DNS_NAME).await?.is_none() {
        return Ok(Vec::new());
    }
    let balancing = shared::balancing(cx, reading).await?;
    let ours = balancing
        .load_balancer
        .as_ref()
        .filter(|one| one.load_balancer_arn().is_some_and(|arn| cx.site.owns(&balancing.tags(arn))));
    let names = ours.and_then(|balancer| balancer.dns_name()).map(plain).into_iter().collect();
    let Leading { records, unseen } = leading_to(cx, &reading.memo, &names, usize::MAX).await?;
    // One reading looks once.
    let _ = reading.memo.of::<Unseen>().0.set(unseen);
    Ok(records)
}

/// Records, in words, that lead to load balancers of the stack beside the one that deploy.yaml has: one of an earlier
/// name, or made by hand. And where they could not be looked for.
///
/// # Errors
/// Route 53 does not list them.
pub async fn strays(
    cx: &Context<'_>,
    memo: &Memo,
    names: impl Iterator<Item = &str>,
) -> Result<(Vec<String>, Vec<String>)> {
    let Leading { records, unseen } = leading_to(cx, memo, &names.map(plain).collect(), PAGES).await?;
    let others = records.iter().filter(|(zone, set)| !is_meant(&cx.site.config, zone, &plain(&set.name)));
    Ok((others.map(|(zone, set)| in_words(zone, set)).collect(), unseen))
}

/// Whether deploy.yaml has this name in this zone, or as the name whose record is kept elsewhere.
fn is_meant(config: &Config, zone: &Zone, name: &str) -> bool {
    let is_record = config.dns.as_ref().is_some_and(|dns| {
        let is_zone = dns.zone == zone.id || dns.zone.trim_end_matches('.').to_lowercase() == zone.name;
        is_zone && escaped(&full_name(&dns.record, &zone.name)) == name
    });
    is_record || config.verify.name.as_ref().is_some_and(|meant| escaped(&meant.to_lowercase()) == name)
}

/// Whether it is an alias of its own, and not one of several records of its name.
fn is_plain_alias(set: &ResourceRecordSet) -> bool {
    set.alias_target.is_some() && set.set_identifier.is_none()
}

fn in_words(zone: &Zone, set: &ResourceRecordSet) -> String {
    in_zone(&zone.id, set)
}

fn in_zone(zone: &str, set: &ResourceRecordSet) -> String {
    let kind = if set.alias_target.is_some() { "alias" } else { "record" };
    format!("the {} {kind} {} in the zone {zone}", set.r#type.as_str(), plain(&set.name))
}

/// Where the zone is read for further records too, and a page holds all of it, it is found there. Else the start of a
/// list is a position, not a filter; a name's records come together.
async fn sets_named(cloud: &Cloud, reading: &Reading, zone: &str, name: &str) -> Result<Vec<ResourceRecordSet>> {
    let listed = escaped(name);
    let of_name = |sets: Vec<ResourceRecordSet>| sets.into_iter().filter(|set| plain(&set.name) == listed).collect();
    if reading.memo.has_lists {
        match first_page(cloud, &reading.memo, zone).await? {
            None => return Ok(Vec::new()),
            Some(page) if !page.is_truncated => return Ok(of_name(page.resource_record_sets)),
            Some(_) => {}
        }
    }
    let request = cloud.route53.list_resource_record_sets().hosted_zone_id(zone).start_record_name(name);
    let reply = request.max_items(20).send().await.or_absent()?;
    Ok(reply.map(|reply| of_name(reply.resource_record_sets)).unwrap_or_default())
}

fn spec_of(zone: &str, name: &str, set: ResourceRecordSet) -> Spec {
    let alias = set.alias_target.as_ref();
    let values =
        set.resource_records().iter().map(aws_sdk_route53::types::ResourceRecord::value).collect::<Vec<_>>().join(", ");
    Spec {
        zone: zone.to_owned(),
        name: name.to_owned(),
        kind: set.r#type.as_str().to_owned(),
        alias: alias.map_or(values, |alias| plain(&alias.dns_name)),
        alias_zone: alias.map_or_else(String::new, |alias| alias.hosted_zone_id.clone()),
        evaluate_target_health: alias.is_some_and(|alias| alias.evaluate_target_health),
        listed: Some(as_deleted(set)),
        each: BTreeMap::new(),
        further: Vec::new(),
        kept: Vec::new(),
    }
}

/// Its owner: our load balancer, another one with our tag, or someone else.
async fn owner(cloud: &Cloud, site: &Site, reading: &Reading, spec: &Spec) -> Result<Owner> {
    let weighted = spec.listed.as_ref().and_then(|set| set.set_identifier.clone());
    if let Some(identifier) = weighted {
        return Ok(Owner::Untouchable(format!("it is one of several records of this name ({identifier:?})")));
    }
    let is_alias = spec.listed.as_ref().is_some_and(|set| set.alias_target.is_some());
    let target = reading.output(load_balancer::DNS_NAME).await?.map(|name| name.to_lowercase());
    if is_alias && target.as_ref() == Some(&spec.alias) {
        return Ok(Owner::Parent(load_balancer::LoadBalancer::KEY));
    }
    if is_alias {
        let ours = match target_of_ours(cloud, site, &spec.alias).await? {
            Some(ours) => ours,
            None => no_longer_exists(cloud, site, &spec.alias).await,
        };
        if ours {
            return Ok(Owner::Tags(site.tags(&spec.name)));
        }
    }
    if spec.kind == RrType::Cname.as_str() && target.is_some_and(|target| target == plain(&spec.alias)) {
        let why = "it is a CNAME to our load balancer, where an alias is wanted: a record of someone else";
        return Ok(Owner::Stranger(why.to_owned()));
    }
    let kind = if is_alias { "alias" } else { "record" };
    Ok(Owner::Stranger(format!("it is a {} {kind} to {}, not to our load balancer", spec.kind, spec.alias)))
}

/// Whether the load balancer of this DNS name carries our tag; `None`: the account has none. Asked only about a record
/// that points elsewhere.
async fn target_of_ours(cloud: &Cloud, site: &Site, dns_name: &str) -> Result<Option<bool>> {
    let mut pages = cloud.elb.describe_load_balancers().into_paginator().items().send();
    while let Some(balancer) = pages.next().await {
        let balancer = balancer?;
        if balancer.dns_name().map(str::to_lowercase).as_deref() != Some(dns_name) {
            continue;
        }
        let arn = balancer.load_balancer_arn.need("LoadBalancerArn")?;
        return Ok(Some(target_group::is_ours(cloud, site, &arn).await?));
    }
    Ok(None)
}

/// Whether this was the DNS name of a load balancer of our name that no longer exists: no name server knows it. One of
/// another account, of the same name, would be known.
async fn no_longer_exists(cloud: &Cloud, site: &Site, dns_name: &str) -> bool {
    if !is_named_after(dns_name, &site.config.names.load_balancer, &cloud.region) {
        return false;
    }
    let Some(dns) = &cloud.dns else {
        return true;
    };
    let domain = dns_name.split_once(".elb.").map_or("", |(_, rest)| rest);
    let witness = format!("elasticloadbalancing.{}.{domain}", cloud.region);
    dns.deny(dns_name, &witness).await
}

/// `[internal-]NAME-NUMBER.REGION.elb.amazonaws.com`, as AWS names load balancers; other partitions have other domains.
fn is_named_after(dns_name: &str, name: &str, region: &str) -> bool {
    let own = dns_name.strip_prefix("internal-").unwrap_or(dns_name);
    let Some(rest) = own.strip_prefix(&name.to_lowercase()).and_then(|rest| rest.strip_prefix('-')) else {
        return false;
    };
    let number = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
    rest.len() > number.len() && number == format!(".{region}.elb.{}", cloud::domain(region))
}

fn alias(want: &Spec) -> Result<ResourceRecordSet> {
    let target = AliasTarget::builder()
        .hosted_zone_id(&want.alias_zone)
        .dns_name(&want.alias)
        .evaluate_target_health(want.evaluate_target_health)
        .build()?;
    Ok(ResourceRecordSet::builder().name(&want.name).r#type(RrType::A).alias_target(target).build()?)
}

async fn change(cloud: &Cloud, zone: &str, changes: Vec<(ChangeAction, ResourceRecordSet)>) -> Result<Outputs> {
    let mut batch = ChangeBatch::builder().comment("deploy");
    for (action, set) in changes {
        batch = batch.changes(Change::builder().action(action).resource_record_set(set).build()?);
    }
    let request = cloud.route53.change_resource_record_sets().hosted_zone_id(zone);
    request.change_batch(batch.build()?).send().await?;
    Ok(Outputs::new())
}

/// As a change may have it: moto 5.2 lists an alias with a TTL of 0, which Route 53 refuses.
fn as_deleted(mut set: ResourceRecordSet) -> ResourceRecordSet {
    if set.alias_target.is_some() {
        set.ttl = None;
    }
    set
}

/// In one spelling: lower case, no trailing dot, without the console's `dualstack.`.
fn plain(name: &str) -> String {
    let name = name.trim_end_matches('.').to_lowercase();
    name.strip_prefix("dualstack.").map(str::to_owned).unwrap_or(name)
}

/// Route 53 lists `*` as `\052`.
fn escaped(name: &str) -> String {
    name.replace('*', "\\052")
}

#[cfg(test)]
mod tests {
    use super::is_named_after;

    #[test]
    fn a_load_balancers_name_ends_in_the_domain_of_its_partition_and_in_no_other() {
        for (name, region, is_ours) in [
            ("internal-app-alb-12.eu-central-1.elb.amazonaws.com", "eu-central-1", true),
            ("app-alb-12.cn-north-1.elb.amazonaws.com.cn", "cn-north-1", true),
            ("app-alb-12.eusc-de-east-1.elb.amazonaws.eu", "eusc-de-east-1", true),
            ("app-alb-12.eusc-de-east-1.elb.amazonaws.com", "eusc-de-east-1", false),
            ("app-alb-12.eu-central-1.elb.amazonaws.com.example", "eu-central-1", false),
            ("app-alb-12.eu-west-1.elb.amazonaws.com", "eu-central-1", false),
            ("app-alb-2-12.eu-central-1.elb.amazonaws.com", "eu-central-1", false),
            ("app-alb-.eu-central-1.elb.amazonaws.com", "eu-central-1", false),
        ] {
            assert_eq!(is_named_after(name, "App-ALB", region), is_ours, "{name}");
        }
    }
}
