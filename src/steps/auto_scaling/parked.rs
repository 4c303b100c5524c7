//! A parked group: no instances, and the sizes that it will have again in a tag.

use std::fmt;
use std::str::FromStr;

use aws_sdk_autoscaling::types::{AutoScalingGroup, Tag};

use crate::cloud::{Cloud, Result, tags};
use crate::site::PARKED_TAG;

/// Least, wanted and greatest number of instances; written `2/2/91`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The least.
    pub min: i32,
    /// How many were wanted.
    pub desired: i32,
    /// The greatest.
    pub max: i32,
}

impl Sizes {
    /// Those of a group as it is.
    pub fn of(group: &AutoScalingGroup) -> Sizes {
        let number = |size: Option<i32>| size.unwrap_or_default();
        Sizes { min: number(group.min_size), desired: number(group.desired_capacity), max: number(group.max_size) }
    }

    /// With other limits; what is wanted stays, as far as they allow it.
    pub(super) fn within(self, min: i32, max: i32) -> Sizes {
        Sizes { min, desired: self.desired.max(min).min(max), max }
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.min, self.desired, self.max)
    }
}

impl FromStr for Sizes {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Sizes, ()> {
        let numbers: Vec<i32> =
            text.split('/').map(str::parse).collect::<std::result::Result<_, _>>().map_err(|_| ())?;
        let [min, desired, max] = numbers[..] else { return Err(()) };
        let is_ordered = 0 <= min && min <= desired && desired <= max && max > 0;
        if is_ordered { Ok(Sizes { min, desired, max }) } else { Err(()) }
    }
}

/// The sizes that a parked group will have again; `None`: it is not parked. Where somebody gave it sizes, the tag is a
/// remnant and means nothing.
pub fn parked(group: &AutoScalingGroup) -> Option<Sizes> {
    let sizes = tags::from_autoscaling(group.tags()).get(PARKED_TAG)?.parse().ok();
    sizes.filter(|_| group.max_size() == Some(0))
}

/// Notes its sizes, then takes every instance. Killed in between, it is as it was.
///
/// # Errors
/// Auto Scaling refuses.
pub async fn park(cloud: &Cloud, name: &str, sizes: Sizes) -> Result<()> {
    note(cloud, name, sizes).await?;
    resize(cloud, name, Sizes { min: 0, desired: 0, max: 0 }).await
}

/// Gives it back what was noted, then takes the note. Killed in between, the note means nothing.
///
/// # Errors
/// Auto Scaling refuses.
pub async fn unpark(cloud: &Cloud, name: &str, sizes: Sizes) -> Result<()> {
    resize(cloud, name, sizes).await?;
    cloud.autoscaling.delete_tags().tags(tag(name).build()).send().await?;
    Ok(())
}

/// Notes the sizes that it will have again.
pub(super) async fn note(cloud: &Cloud, name: &str, sizes: Sizes) -> Result<()> {
    let tag = tag(name).value(sizes.to_string()).propagate_at_launch(false).build();
    cloud.autoscaling.create_or_update_tags().tags(tag).send().await?;
    Ok(())
}

async fn resize(cloud: &Cloud, name: &str, sizes: Sizes) -> Result<()> {
    let request = cloud.autoscaling.update_auto_scaling_group().auto_scaling_group_name(name);
    let request = request.min_size(sizes.min).desired_capacity(sizes.desired).max_size(sizes.max);
    request.send().await?;
    Ok(())
}

fn tag(group: &str) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    Tag::builder().resource_id(group).resource_type("auto-scaling-group").key(PARKED_TAG)
}
