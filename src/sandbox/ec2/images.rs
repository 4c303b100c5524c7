//! Images: whose they are, and which product they carry.

use serde_json::{Value, json};

use super::filters::Filter;
use super::nouns::IMAGE;
use crate::sandbox::parameters::{Reply, refuse, texts};
use crate::sandbox::world::World;

/// Filters of images.
pub const FILTERS: &[Filter] = &[
    ("image-id", "imageId"),
    ("name", "name"),
    ("description", "description"),
    ("state", "imageState"),
    ("is-public", "isPublic"),
    ("owner-id", "imageOwnerId"),
    ("owner-alias", "imageOwnerAlias"),
    ("product-code", "productCodes.productCode"),
    ("product-code.type", "productCodes.type"),
    ("architecture", "architecture"),
    ("image-type", "imageType"),
    ("hypervisor", "hypervisor"),
    ("platform", "platform"),
    ("ena-support", "enaSupport"),
    ("creation-date", "creationDate"),
    ("root-device-name", "rootDeviceName"),
    ("root-device-type", "rootDeviceType"),
    ("virtualization-type", "virtualizationType"),
    ("manifest-location", "imageLocation"),
    ("block-device-mapping.device-name", "blockDeviceMapping.deviceName"),
    ("block-device-mapping.snapshot-id", "blockDeviceMapping.ebs.snapshotId"),
    ("block-device-mapping.volume-size", "blockDeviceMapping.ebs.volumeSize"),
    ("block-device-mapping.volume-type", "blockDeviceMapping.ebs.volumeType"),
    ("block-device-mapping.encrypted", "blockDeviceMapping.ebs.encrypted"),
];

/// Owners are ids of accounts or the aliases `self`, `amazon`, `aws-marketplace` (EC2 API reference, DescribeImages).
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let (owners, users) = (texts(asked, "Owner"), texts(asked, "ExecutableBy"));
    let is_owner = |owner: &str| ["self", "amazon", "aws-marketplace"].contains(&owner) || is_account(owner);
    if let Some(owner) = owners.iter().find(|owner| !is_owner(owner)) {
        return refuse("InvalidUserID.Malformed", format!("Invalid user id: \"{owner}\""));
    }
    let mut rows = IMAGE.rows(world, asked)?;
    let is_own = |row: &Value| row["imageOwnerId"] == world.account.as_str();
    rows.retain(|row| {
        let of = |owner: &String| {
            owner == "self" && is_own(row)
                || [&row["imageOwnerAlias"], &row["imageOwnerId"]].iter().any(|one| one.as_str() == Some(owner))
        };
        let runs = |user: &String| (user == "all") == (row["isPublic"] == true);
        (owners.is_empty() || owners.iter().any(of)) && (users.is_empty() || users.iter().any(runs))
    });
    Ok(json!({"imagesSet": rows}))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|one| one.is_ascii_digit())
}
