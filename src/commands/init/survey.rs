//! What the account has of what a stack needs and never makes.

use aws_sdk_acm::types::{CertificateStatus, CertificateSummary};
use aws_sdk_ec2::types::{Image, Tag};
use aws_sdk_route53::types::HostedZone;

use super::subnet::{self, Subnet};
use crate::cloud::{Cloud, Result};
use crate::site;

/// What was read; or why it may not be.
pub type Seen<T> = std::result::Result<Vec<T>, String>;

/// A VPC.
pub struct Vpc {
    /// `vpc-…`
    pub id: String,
    /// Its name and its addresses.
    pub words: String,
}

/// All of it.
pub struct Survey {
    /// The region's VPCs.
    pub vpcs: Seen<Vpc>,
    /// Their subnets.
    pub subnets: Seen<Subnet>,
    /// ISSUED certificates that a load balancer can show.
    pub certificates: Seen<CertificateSummary>,
    /// The account's hosted zones.
    pub zones: Seen<HostedZone>,
    /// Images that may be meant.
    pub images: Seen<Image>,
}

impl Survey {
    /// Reads everything side by side.
    ///
    /// # Errors
    /// AWS does not answer, or refuses for another reason than a lack of permission.
    pub async fn of(cloud: &Cloud, image: &str) -> Result<Survey> {
        let (vpcs, subnets, certificates, zones, images) = tokio::join!(
            vpcs(cloud),
            subnet::subnets(cloud),
            certificates(cloud),
            async { Ok(cloud.route53.list_hosted_zones().into_paginator().items().send().try_collect().await?) },
            site::images(image, cloud),
        );
        Ok(Survey {
            vpcs: seen(vpcs)?,
            subnets: seen(subnets)?,
            certificates: seen(certificates)?,
            zones: seen(zones)?,
            images: seen(images)?,
        })
    }
}

/// A lack of permission is told, and holds nothing up.
fn seen<T>(read: Result<Vec<T>>) -> Result<Seen<T>> {
    match read {
        Err(error) if error.is_denied() => {
            Ok(Err(format!("could not be read: {}:{} is not allowed", error.service(), error.operation())))
        }
        read => read.map(Ok),
    }
}

async fn vpcs(cloud: &Cloud) -> Result<Vec<Vpc>> {
    let request = cloud.ec2.describe_vpcs().into_paginator().page_size(1000);
    let found: Vec<aws_sdk_ec2::types::Vpc> = request.items().send().try_collect().await?;
    let words = |vpc: &aws_sdk_ec2::types::Vpc| {
        let default = if vpc.is_default() == Some(true) { "default" } else { "" };
        listed(&[name(vpc.tags()), default, vpc.cidr_block().unwrap_or_default()])
    };
    let vpcs = found.iter().map(|vpc| Vpc { id: vpc.vpc_id().unwrap_or_default().to_owned(), words: words(vpc) });
    Ok(vpcs.collect())
}

async fn certificates(cloud: &Cloud) -> Result<Vec<CertificateSummary>> {
    let issued = site::certificates(cloud, None, &[CertificateStatus::Issued], &site::TAKEN).await?;
    Ok(issued.into_iter().filter(site::serves).collect())
}

/// The tag that the console shows as a name; empty without one.
pub fn name(tags: &[Tag]) -> &str {
    tags.iter().find(|tag| tag.key() == Some("Name")).and_then(Tag::value).unwrap_or_default()
}

/// Those of the words that there are. What others wrote, such as a name, stays on its line.
pub fn listed(words: &[&str]) -> String {
    let words = words.iter().filter(|word| !word.is_empty());
    words.map(|word| word.replace(char::is_control, " ")).collect::<Vec<_>>().join(", ")
}
