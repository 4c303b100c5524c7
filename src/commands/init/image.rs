//! The image.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Image;

use super::question::{Asker, Question};
use super::survey::Survey;
use super::written::{IMAGE, Written};
use crate::outcome::Failed;
use crate::site::product;

/// The image: one of several products is chosen; of one product each run finds the newest.
///
/// # Errors
/// Somebody was asked, and a signal or the end of the input came instead of an answer.
pub async fn choose(survey: &Survey, asker: &mut Asker<'_>, written: &mut Written) -> Result<(), Failed> {
    let images = match &survey.images {
        Ok(images) => images,
        Err(why) => {
            written.warn(IMAGE, why.as_str());
            return Ok(());
        }
    };
    let mut newest: BTreeMap<&str, &Image> = BTreeMap::new();
    for image in images {
        let best = newest.entry(product(image).unwrap_or_default()).or_insert(image);
        if image.creation_date() > best.creation_date() {
            *best = image;
        }
    }
    let candidates: Vec<(String, String)> =
        newest.iter().map(|(product, image)| (image_id(image), of_image(product, image))).collect();
    match candidates.as_slice() {
        [] => written.warn(
            IMAGE,
            format!(
                "it was not found in {}: subscribe to Oz Liveness on AWS Marketplace, or set the AMI's id",
                written.region
            ),
        ),
        [(id, words)] => written.note(IMAGE, format!("now {id} ({words})")),
        _ => {
            let (what, flag) = ("the image".to_owned(), "--image");
            let id = asker.choose(Question { what, flag, candidates, default: 0, is_clear: false }).await?;
            written.text(IMAGE, &id);
        }
    }
    Ok(())
}

fn image_id(image: &Image) -> String {
    image.image_id().unwrap_or_default().to_owned()
}

fn of_image(product: &str, image: &Image) -> String {
    let product = if product.is_empty() { "of no product".to_owned() } else { format!("product {product}") };
    format!("{}, {product}, of {}", image.name().unwrap_or_default(), image.creation_date().unwrap_or_default())
}
