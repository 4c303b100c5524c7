//! Where a volume with our tag comes from: a launch of ours, or a copy of our tags, as a restored backup carries them.
//!
//! A tag alone makes no volume ours to delete. A launch of ours made one when it was made from the root snapshot of an
//! image that our launch template names; when the template is gone, of an image that is not the account's own (the
//! product's), since a backup's image is.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Volume};

use crate::cloud::{Absent, Cloud, Result, tags};
use crate::site::Site;

/// Tags that AWS Backup and Data Lifecycle Manager give to what they make.
const BACKUP_TAGS: [&str; 3] = ["aws:backup:", "aws:dlm:", "dlm:"];
/// Most values of one filter.
const FILTER_MOST: usize = 200;

/// Ids of those of these volumes that no launch of ours made.
///
/// # Errors
/// EC2 does not describe the template or its images.
pub async fn not_of_a_launch(cloud: &Cloud, site: &Site, volumes: &[&Volume]) -> Result<BTreeSet<String>> {
    let snapshots: BTreeSet<&str> = volumes.iter().filter_map(|volume| snapshot(volume)).collect();
    let known = snapshots_of_launches(cloud, site, &snapshots).await?;
    let others = volumes.iter().filter(|volume| {
        let is_backup =
            tags::from_ec2(volume.tags()).keys().any(|key| BACKUP_TAGS.iter().any(|tag| key.starts_with(tag)));
        is_backup || snapshot(volume).is_none_or(|snapshot| !known.contains(snapshot))
    });
    Ok(others.filter_map(|volume| volume.volume_id.clone()).collect())
}

/// Its size, when it was made, and from what.
pub fn words(volume: &Volume) -> String {
    let size = volume.size().unwrap_or_default();
    let made = volume.create_time().map_or_else(|| "at a time that EC2 does not say".to_owned(), ToString::to_string);
    let from = snapshot(volume).map_or_else(|| "empty".to_owned(), |snapshot| format!("from {snapshot}"));
    format!("{size} GiB, made {made}, {from}")
}

fn snapshot(volume: &Volume) -> Option<&str> {
    volume.snapshot_id().filter(|id| !id.is_empty())
}

/// Those of these snapshots that launches of ours start from.
async fn snapshots_of_launches(cloud: &Cloud, site: &Site, snapshots: &BTreeSet<&str>) -> Result<BTreeSet<String>> {
    if snapshots.is_empty() {
        return Ok(BTreeSet::new());
    }
    let images = images_of(cloud, snapshots).await?;
    let template = images_of_template(cloud, site).await?;
    let account = cloud.account().await?.id;
    let is_ours = |(image, (owner, _)): &(&String, &(String, BTreeSet<String>))| match &template {
        Some(template) => template.contains(*image),
        None => *owner != account,
    };
    Ok(images.iter().filter(is_ours).flat_map(|(_, (_, snapshots))| snapshots.clone()).collect())
}

/// The images that begin with these snapshots: owner, and snapshot of the root device, by id.
async fn images_of(cloud: &Cloud, snapshots: &BTreeSet<&str>) -> Result<BTreeMap<String, (String, BTreeSet<String>)>> {
    let mut found = BTreeMap::new();
    for some in snapshots.iter().copied().collect::<Vec<_>>().chunks(FILTER_MOST) {
        let values = some.iter().map(|id| (*id).to_owned()).collect();
        let filter = Filter::builder().name("block-device-mapping.snapshot-id").set_values(Some(values)).build();
        let pages = cloud.ec2.describe_images().filters(filter).into_paginator().page_size(1000);
        for image in pages.items().send().try_collect().await? {
            let root = image.block_device_mappings().iter().filter(|one| one.device_name() == image.root_device_name());
            let roots = root.filter_map(|one| one.ebs()?.snapshot_id().map(str::to_owned)).collect();
            let (id, owner) = (image.image_id.clone().unwrap_or_default(), image.owner_id.clone().unwrap_or_default());
            found.insert(id, (owner, roots));
        }
    }
    Ok(found)
}

/// The images that the versions of our template name; `None`: it is gone.
async fn images_of_template(cloud: &Cloud, site: &Site) -> Result<Option<BTreeSet<String>>> {
    let request = cloud.ec2.describe_launch_template_versions();
    let request = request.launch_template_name(&site.config.names.launch_template).into_paginator().page_size(200);
    let versions = request.items().send().try_collect().await.or_absent()?;
    Ok(versions.map(|versions| {
        let images = versions.into_iter().filter_map(|version| version.launch_template_data?.image_id);
        images.collect()
    }))
}
