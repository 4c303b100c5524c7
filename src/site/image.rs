//! The image of the instances: by its name, its id, a parameter that holds its id, or its product on AWS Marketplace.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Filter, Image, ImageState, ProductCodeValues};

use super::{Looked, MachineImage, Noun, missing};
use crate::cloud::{Absent, Cloud, Need, Result};
use crate::config::Config;

/// How many a call lists at most.
const PAGE: i32 = 1000;

/// Where a buyer finds the image, and why one that exists may not be listed.
const CURE: &str = "Subscribe to Oz Liveness on AWS Marketplace in this region; `aws ec2 describe-images --owners \
                    aws-marketplace --filters Name=name,Values='NAME*'` lists what you may use, and the product's \
                    launch page shows the AMI's id. An image that the vendor shares with the account goes by its id. \
                    Where Allowed AMIs are on, EC2 hides every other image.";

/// Who shares an image can give it any name: it is offered, and never taken by its name.
const SHARED: &str = "Set instance.image to the id, if you know its owner's account.";

/// The image that instance.image names.
pub async fn image(config: &Config, cloud: &Cloud) -> Looked<MachineImage> {
    let asked = config.instance.image.as_str();
    let images = images(asked, cloud).await?;
    let products: BTreeSet<&str> = images.iter().map(|image| product(image).unwrap_or_default()).collect();
    if products.len() > 1 {
        let ids: Vec<&str> = images.iter().filter_map(Image::image_id).collect();
        let what = format!("{} images of several products fit {asked:?}: {} (guide step 3)", ids.len(), ids.join(", "));
        return missing(
            Noun::Image,
            what,
            "Set instance.image to the id of the right one, or to product: and its code.",
        );
    }
    // Of one product the newest: AWS keeps earlier releases available to those who subscribed.
    let Some(image) = images.into_iter().max_by_key(|image| image.creation_date.clone()) else {
        let what = format!("no image {asked:?} in {} (guide step 3)", cloud.region);
        return match shared(cloud, asked).await.as_slice() {
            [] => missing(Noun::Image, what, CURE),
            offered => {
                missing(Noun::Image, format!("{what}; shared with this account: {}", offered.join(", ")), SHARED)
            }
        };
    };
    match image.state() {
        None | Some(ImageState::Available) => {}
        Some(state) => {
            let what = format!("the image {asked:?} is {}, not available (guide step 3)", state.as_str());
            return missing(Noun::Image, what, CURE);
        }
    }
    let root_device = image.root_device_name.need("RootDeviceName")?;
    let mut devices = image.block_device_mappings.iter().flatten();
    let root = devices.find(|device| device.device_name() == Some(&root_device));
    let snapshot_gib = root.and_then(|root| root.ebs()?.volume_size()).unwrap_or_default();
    let architecture = image.architecture.map(|one| one.as_str().to_owned()).unwrap_or_default();
    // EC2 writes both times in one form, so their order is that of their letters.
    let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now()).to_string();
    let deprecated = image.deprecation_time.filter(|since| *since <= now);
    Ok(Ok(MachineImage { id: image.image_id.need("ImageId")?, root_device, architecture, snapshot_gib, deprecated }))
}

/// The images that a value of instance.image means.
///
/// # Errors
/// AWS cannot be asked.
pub async fn images(asked: &str, cloud: &Cloud) -> Result<Vec<Image>> {
    if let Some(path) = asked.strip_prefix("ssm:") {
        match cloud.ssm.get_parameter().name(path).send().await.or_absent()? {
            Some(reply) => {
                let id = reply.parameter.and_then(|parameter| parameter.value).need("Parameter.Value")?;
                images_by_id(cloud, &id).await
            }
            None => Ok(Vec::new()),
        }
    } else if let Some(code) = asked.strip_prefix("product:") {
        images_by_product(cloud, code).await
    } else if asked.starts_with("ami-") {
        images_by_id(cloud, asked).await
    } else {
        images_by_name(cloud, asked).await
    }
}

async fn images_by_id(cloud: &Cloud, id: &str) -> Result<Vec<Image>> {
    let reply = cloud.ec2.describe_images().image_ids(id).send().await.or_absent()?;
    Ok(reply.and_then(|reply| reply.images).unwrap_or_default())
}

async fn images_by_product(cloud: &Cloud, code: &str) -> Result<Vec<Image>> {
    let product = Filter::builder().name("product-code").values(code).build();
    let request = cloud.ec2.describe_images().owners("aws-marketplace").filters(product).filters(available());
    Ok(request.into_paginator().page_size(PAGE).items().send().try_collect().await?)
}

/// Only images of the Marketplace and of the account itself: any account can publish an AMI of any name. The
/// Marketplace copies and renames what vendors give it: `NAME-<product>[-ami-….N]`
/// (hashicorp/terraform-provider-aws#9637). The
/// account's own image of exactly this name wins.
async fn images_by_name(cloud: &Cloud, name: &str) -> Result<Vec<Image>> {
    let escaped: String =
        name.chars().flat_map(|c| ['\\', c].into_iter().skip(usize::from(!"*?\\".contains(c)))).collect();
    let named = Filter::builder().name("name").values(&escaped).values(format!("{escaped}-*")).build();
    let request = cloud.ec2.describe_images().owners("aws-marketplace").owners("self");
    let pages = request.filters(named).filters(available()).into_paginator().page_size(PAGE);
    let images: Vec<Image> = pages.items().send().try_collect().await?;
    let (own, sold): (Vec<Image>, Vec<Image>) =
        images.into_iter().partition(|image| image.image_owner_alias() != Some("aws-marketplace"));
    let exact: Vec<Image> = own.into_iter().filter(|image| image.name() == Some(name)).collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    Ok(sold.into_iter().filter(|image| image.name().is_some_and(|sold| is_renamed(sold, name))).collect())
}

/// The images of this name that other accounts share with this one, each with its owner; for a message: none when EC2
/// does not say.
async fn shared(cloud: &Cloud, name: &str) -> Vec<String> {
    let named = Filter::builder().name("name").values(name).build();
    let private = Filter::builder().name("is-public").values("false").build();
    let request = cloud.ec2.describe_images().executable_users("self").filters(named).filters(private);
    let pages = request.into_paginator().page_size(PAGE).items().send();
    let images: Vec<Image> = pages.try_collect().await.unwrap_or_default();
    let words = images.iter().map(|image| {
        format!("{} (owner {})", image.image_id().unwrap_or_default(), image.owner_id().unwrap_or_default())
    });
    words.collect()
}

fn available() -> Filter {
    Filter::builder().name("state").values("available").build()
}

/// Whether the Marketplace may have given this name to an image that its vendor calls `name`: the product's id follows,
/// a UUID or `prod-…`.
fn is_renamed(sold: &str, name: &str) -> bool {
    let Some(rest) = sold.strip_prefix(name) else {
        return false;
    };
    let Some(product) = rest.strip_prefix('-') else {
        return rest.is_empty();
    };
    let lengths: Vec<usize> = product.split('-').take(5).map(str::len).collect();
    let hexadecimal = product.split('-').take(5).all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    product.starts_with("prod-") || (hexadecimal && lengths == [8, 4, 4, 4, 12])
}

/// The Marketplace's code of the product that an image belongs to.
pub fn product(image: &Image) -> Option<&str> {
    let codes = image.product_codes().iter();
    codes
        .filter(|code| code.product_code_type() == Some(&ProductCodeValues::Marketplace))
        .find_map(|c| c.product_code_id())
}

#[cfg(test)]
mod tests {
    use super::is_renamed;

    #[test]
    fn the_marketplaces_names_are_known_and_other_products_are_not() {
        for sold in [
            "api-instant",
            "api-instant-0e1f2a3b-4c5d-6e7f-8091-a2b3c4d5e6f7",
            "api-instant-548f7b74-f4a1-4b2c-9d3e-0123456789ab-ami-0d27962ec648085f7.4",
            "api-instant-prod-abcdefghijklm",
        ] {
            assert!(is_renamed(sold, "api-instant"), "{sold}");
        }
        for sold in
            ["api-instant-next", "api-instant-next-0e1f2a3b-4c5d-6e7f-8091-a2b3c4d5e6f7", "api-instantly", "api"]
        {
            assert!(!is_renamed(sold, "api-instant"), "{sold}");
        }
    }
}
