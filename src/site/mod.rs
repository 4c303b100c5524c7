//! The site: deploy.yaml plus what is looked up and never made.

mod certificate;
mod image;

use aws_sdk_ec2::types::Filter;
use aws_sdk_route53::types::HostedZone;
use tokio::sync::OnceCell;

use crate::cloud::{Absent, Cloud, Error, Memo, Result, Tags};
use crate::config::{Config, Listener};
use crate::outcome::Problem;
use certificate::certificate;
use image::image;

pub use certificate::{TAKEN, certificates, covers, covers_name, serves};
pub use image::{images, product};

/// The tag that says whose a resource is; its value is the stack's name.
pub const OWNER_TAG: &str = "oz-deploy:stack";

/// The tag of a security group that says until when its stack is wanted, in UTC as RFC 3339 writes it. It is no part of
/// what a stack is compared by.
pub const EXPIRES_TAG: &str = "oz-deploy:expires";

/// The tag of an auto scaling group that was parked: the sizes that it will have again, `2/2/91`. No part of what a
/// stack is compared by.
pub const PARKED_TAG: &str = "oz-deploy:parked";

/// What every step reads.
#[derive(Debug, Clone)]
pub struct Site {
    /// deploy.yaml, with names as AWS will see them.
    pub config: Config,
    /// Region of everything but IAM and Route 53.
    pub region: String,
    /// The image's id and the name of its root device.
    pub image: MachineImage,
    /// The certificate's ARN; empty without HTTPS.
    pub certificate: String,
    /// Every certificate that would do as well, this one among them.
    pub certificates: Vec<String>,
    /// The zone of the record; `None` without one.
    pub zone: Option<Zone>,
    /// What is not there any more and a stack that exists has all the same: enough for all but a change of its user.
    pub gone: Vec<Missing>,
    /// Where records that lead to the load balancer could not be looked for, in words.
    pub unseen_records: Vec<String>,
    /// Until when the stack is wanted, as its tag is to say; `None`: the tag stays as it is.
    pub expires: Option<String>,
}

/// An AMI, as far as a launch template needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineImage {
    /// `ami-…`
    pub id: String,
    /// `/dev/xvda` and the like. With a wrong one the guide's volume becomes a second disk, silently.
    pub root_device: String,
    /// `x86_64` and the like; empty when EC2 does not say.
    pub architecture: String,
    /// The size of the root device's snapshot, in GiB.
    pub snapshot_gib: i32,
    /// Since when its owner advises against it, as EC2 writes times; `None`: not at all, or from a day to come.
    pub deprecated: Option<String>,
}

/// A hosted zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// Without `/hostedzone/`.
    pub id: String,
    /// Without the trailing dot.
    pub name: String,
}

impl From<HostedZone> for Zone {
    fn from(zone: HostedZone) -> Zone {
        Zone { id: bare(&zone.id), name: zone.name.trim_end_matches('.').to_lowercase() }
    }
}

/// What a stack that exists has of what is looked up.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    /// Its template's image.
    pub image: Option<MachineImage>,
    /// The certificate that its listener shows.
    pub certificate: Option<&'a str>,
    /// Its load balancer exists.
    pub stands: bool,
}

/// What is looked up and never made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// The instances' image.
    Image,
    /// The listener's certificate.
    Certificate,
    /// The record's hosted zone.
    Zone,
}

/// Something the site needs and does not have: what, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n  {cure}")]
pub struct Missing {
    /// What kind of thing it is.
    pub noun: Noun,
    /// What is missing.
    pub what: String,
    /// What to do.
    pub cure: String,
}

/// Why a site could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// AWS refused or did not answer.
    #[error(transparent)]
    Cloud(#[from] Error),
    /// It is not there: everything that is missing.
    #[error("{}", .0.iter().map(Missing::to_string).collect::<Vec<_>>().join("\n"))]
    Missing(Vec<Missing>),
}

impl Site {
    /// A site for which nothing was looked up: enough to trace edges and to remove a stack.
    pub fn blank(config: Config, region: &str) -> Site {
        let (image, certificate, certificates) = (MachineImage::default(), String::new(), Vec::new());
        let (gone, unseen_records) = (Vec::new(), Vec::new());
        Site {
            config,
            region: region.to_owned(),
            image,
            certificate,
            certificates,
            zone: None,
            gone,
            unseen_records,
            expires: None,
        }
    }

    /// Keeps the certificate that a listener has, where it would do: between two that do, a change gains nothing.
    pub fn keep_certificate(&mut self, arn: &str) {
        if self.certificates.iter().any(|one| one == arn) {
            arn.clone_into(&mut self.certificate);
        }
    }

    /// Takes what is gone from a stack that exists: this image and this certificate, where it has them. An image that
    /// is asked for by another id was never this one. A zone that is gone took its records along: a stack whose load
    /// balancer stands goes on without one.
    ///
    /// # Errors
    /// Everything that is missing at once, when something is that the stack does not have either.
    pub fn with_gone_from(mut self, kept: Kept<'_>) -> Result<Site, SiteError> {
        for missing in &self.gone {
            match (missing.noun, &kept) {
                (Noun::Image, Kept { image: Some(image), .. }) if self.may_be(image) => self.image = image.clone(),
                (Noun::Certificate, Kept { certificate: Some(arn), .. }) => (*arn).clone_into(&mut self.certificate),
                (Noun::Zone, Kept { stands: true, .. }) => {}
                _ => return Err(SiteError::Missing(self.gone)),
            }
        }
        Ok(self)
    }

    /// Whether the zone of the record does not exist any more.
    pub fn lacks_zone(&self) -> bool {
        self.gone.iter().any(|missing| missing.noun == Noun::Zone)
    }

    fn may_be(&self, image: &MachineImage) -> bool {
        let asked = &self.config.instance.image;
        !asked.starts_with("ami-") || *asked == image.id
    }

    /// Looks up what the stack needs and never makes, side by side.
    ///
    /// # Errors
    /// AWS cannot be asked. What is missing is in [`Site::gone`].
    pub async fn look_up(config: Config, cloud: &Cloud, memo: &Memo) -> Result<Site, Error> {
        let (image, certificates, zone) =
            tokio::join!(image(&config, cloud), certificate(&config, cloud), zone(&config, cloud, memo));
        let mut gone = Vec::new();
        let image = image?.unwrap_or_else(|m| blank(&mut gone, m));
        let certificates = certificates?.unwrap_or_else(|m| blank(&mut gone, m));
        let zone = zone?.unwrap_or_else(|m| blank(&mut gone, m));
        let certificate = certificates.first().cloned().unwrap_or_default();
        Ok(Site { image, certificate, certificates, zone, gone, ..Site::blank(config, &cloud.region) })
    }

    /// What a removal needs: only the zone, and not even that must exist.
    ///
    /// # Errors
    /// Route 53 cannot be asked for it.
    pub async fn look_up_for_teardown(config: Config, cloud: &Cloud, memo: &Memo) -> Result<Site, Error> {
        let zone = zone(&config, cloud, memo).await?.unwrap_or_default();
        Ok(Site { zone, ..Site::blank(config, &cloud.region) })
    }

    /// The zone and the whole name of the record; `None`: there is to be none, or no such zone.
    ///
    /// # Errors
    /// Route 53 cannot be asked for the zone.
    pub async fn record(&self, cloud: &Cloud, memo: &Memo) -> Result<Option<(Zone, String)>> {
        let Some(dns) = &self.config.dns else {
            return Ok(None);
        };
        let zone = match &self.zone {
            Some(zone) => Some(zone.clone()),
            None => zone(&self.config, cloud, memo).await?.unwrap_or_default(),
        };
        Ok(zone.map(|zone| (zone.clone(), full_name(&dns.record, &zone.name))))
    }

    /// The tags of a resource of this name: the owner's, its name, and the user's own.
    pub fn tags(&self, name: &str) -> Tags {
        let mut tags = self.config.tags.clone();
        tags.insert("Name".to_owned(), name.to_owned());
        tags.insert(OWNER_TAG.to_owned(), self.config.stack.clone());
        tags
    }

    /// EC2's filter for what carries this stack's owner tag.
    pub fn owner_filter(&self) -> Filter {
        Filter::builder().name(format!("tag:{OWNER_TAG}")).values(&self.config.stack).build()
    }

    /// Whether these tags say that it belongs to this stack.
    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(OWNER_TAG) == Some(&self.config.stack)
    }

    /// Whether the load balancer speaks HTTPS.
    pub fn https(&self) -> bool {
        self.config.load_balancer.listener == Listener::Https
    }

    /// The record's whole name, without a trailing dot: `app.example.com`.
    pub fn record_name(&self) -> Option<String> {
        let dns = self.config.dns.as_ref()?;
        let zone = self.zone.as_ref().map_or(dns.zone.as_str(), |zone| zone.name.as_str());
        Some(full_name(&dns.record, zone))
    }
}

impl From<&Missing> for Problem {
    fn from(missing: &Missing) -> Problem {
        Problem::new(&missing.what, &missing.cure)
    }
}

/// In place of what is missing, which is noted.
fn blank<T: Default>(missing: &mut Vec<Missing>, noun: Missing) -> T {
    missing.push(noun);
    T::default()
}

/// A record's whole name, in lower case, without a trailing dot.
pub fn full_name(record: &str, zone: &str) -> String {
    let zone = zone.trim_end_matches('.').to_lowercase();
    match record {
        "" | "@" => zone,
        record => format!("{}.{zone}", record.to_lowercase()),
    }
}

type Looked<T> = Result<std::result::Result<T, Missing>>;

fn missing<T>(noun: Noun, what: String, cure: &str) -> Looked<T> {
    Ok(Err(Missing { noun, what, cure: cure.to_owned() }))
}

/// The name by which clients reach the service: the record's, or verify.name; `None`: only the load balancer's own.
///
/// # Errors
/// Route 53 cannot be asked for the zone's name.
pub async fn client_name(config: &Config, cloud: &Cloud) -> Result<Option<String>> {
    Ok(match &config.dns {
        Some(dns) => Some(full_name(&dns.record, &zone_name(&dns.zone, cloud).await?)),
        None => config.verify.name.as_ref().map(|name| name.to_lowercase()),
    })
}

/// The name of a zone: one that is given by its id has its name only in Route 53.
async fn zone_name(zone: &str, cloud: &Cloud) -> Result<String> {
    if !is_zone_id(zone) {
        return Ok(zone.to_owned());
    }
    let reply = cloud.route53.get_hosted_zone().id(zone).send().await.or_absent()?;
    Ok(reply.and_then(|reply| reply.hosted_zone).map(|zone| zone.name).unwrap_or_default())
}

#[derive(Default)]
struct ZoneOnce(OnceCell<std::result::Result<Option<Zone>, Missing>>);

/// Read once, however many ask.
async fn zone(config: &Config, cloud: &Cloud, memo: &Memo) -> Looked<Option<Zone>> {
    memo.of::<ZoneOnce>().0.get_or_try_init(|| ask_zone(config, cloud, memo)).await.cloned()
}

#[derive(Default)]
struct AllZones(OnceCell<Vec<Zone>>);

/// Every hosted zone of the account. Read once.
///
/// # Errors
/// Route 53 does not list them.
pub async fn all_zones(cloud: &Cloud, memo: &Memo) -> Result<Vec<Zone>> {
    let read = || async {
        let zones = cloud.route53.list_hosted_zones().into_paginator().items().send();
        Ok(zones.try_collect().await?.into_iter().map(Zone::from).collect())
    };
    memo.of::<AllZones>().0.get_or_try_init(read).await.cloned()
}

/// The zones that deploy.yaml may mean, out of the list of all where that is read besides and may be read; `None`: it
/// is to be asked for alone.
async fn listed_zones(zone: &str, cloud: &Cloud, memo: &Memo) -> Result<Option<Vec<Zone>>> {
    if !memo.has_lists {
        return Ok(None);
    }
    let name = zone.trim_end_matches('.').to_lowercase();
    match all_zones(cloud, memo).await {
        Ok(zones) => {
            let meant = |one: &Zone| if is_zone_id(zone) { one.id == zone } else { one.name == name };
            Ok(Some(zones.into_iter().filter(meant).collect()))
        }
        Err(error) if error.is_denied() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn ask_zone(config: &Config, cloud: &Cloud, memo: &Memo) -> Looked<Option<Zone>> {
    let Some(dns) = &config.dns else {
        return Ok(Ok(None));
    };
    let listed = listed_zones(&dns.zone, cloud, memo).await?;
    if is_zone_id(&dns.zone) {
        if let Some(zone) = listed.into_iter().flatten().next() {
            return Ok(Ok(Some(zone)));
        }
        let reply = cloud.route53.get_hosted_zone().id(&dns.zone).send().await.or_absent()?;
        return match reply.and_then(|reply| reply.hosted_zone) {
            Some(zone) => Ok(Ok(Some(Zone::from(zone)))),
            None => missing(
                Noun::Zone,
                format!("no hosted zone {} (guide step 7)", dns.zone),
                "Set dns.zone to the zone's name or id.",
            ),
        };
    }
    let zones = match listed {
        Some(listed) => listed,
        None => zones_named(&dns.zone, cloud).await?,
    };
    match zones.as_slice() {
        [zone] => Ok(Ok(Some(zone.clone()))),
        [] => missing(
            Noun::Zone,
            format!("no hosted zone {} in this account (guide step 7)", dns.zone),
            "Create the zone, set dns.zone to the one that holds the name, or omit dns for no record.",
        ),
        _ => {
            let ids: Vec<&str> = zones.iter().map(|zone| zone.id.as_str()).collect();
            let what = format!("{} hosted zones are named {}: {} (guide step 7)", ids.len(), dns.zone, ids.join(", "));
            missing(Noun::Zone, what, "Set dns.zone to the id of the right one (public or private).")
        }
    }
}

async fn zones_named(zone: &str, cloud: &Cloud) -> Result<Vec<Zone>> {
    let wanted = format!("{}.", zone.trim_end_matches('.').to_lowercase());
    // The name is where the list starts, not a filter.
    let reply = cloud.route53.list_hosted_zones_by_name().dns_name(&wanted).send().await?;
    Ok(reply.hosted_zones.into_iter().filter(|zone| zone.name == wanted).map(Zone::from).collect())
}

/// Whether dns.zone is a hosted zone's id, not its name.
pub fn is_zone_id(zone: &str) -> bool {
    zone.starts_with('Z') && !zone.contains('.')
}

fn bare(id: &str) -> String {
    id.trim_start_matches("/hostedzone/").to_owned()
}
