//! What the instances need of the account: their type, room in the quota, an image that fits, a key pair.

use async_trait::async_trait;

use super::{about, touches, touches_instances};
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::stack::{NO_SUBNET, unanswered};
use crate::checks::{capacity, quota};
use crate::cloud::Absent;
use crate::outcome::Status;
use crate::steps::launch_template;

/// Whether the instance type exists, and in which of the subnets' zones AWS offers it.
pub struct InstanceTypeOffered;

#[async_trait(?Send)]
impl Check for InstanceTypeOffered {
    fn about(&self) -> &'static About {
        const { &about("instance_type", 3, "the instance type is offered") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_instances(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let read = async { tokio::try_join!(stack.instance_type(), capacity::zones_with_type(stack), stack.subnets()) };
        let (kind, offered, subnets) = match read.await {
            Ok(read) => read,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let name = &stack.config.instance.instance_type;
        if kind.is_none() {
            let fix = "`aws ec2 describe-instance-types --query InstanceTypes[].InstanceType` lists what there is.";
            let cause = "instance.type names what AWS does not have in this region";
            return Ok(finding.fail(format!("no instance type {name} in {}", stack.cloud.region), cause, fix));
        }
        let zones = capacity::zones_of_instances(stack, subnets);
        if zones.is_empty() {
            return Ok(finding.skip(NO_SUBNET));
        }
        // A zone's name is each account's own; its id is the same zone in all of them.
        let shown = |zone: &String| {
            let known = subnets.iter().find(|subnet| subnet.availability_zone() == Some(zone));
            match known.and_then(aws_sdk_ec2::types::Subnet::availability_zone_id) {
                Some(id) => format!("{zone} ({id})"),
                None => zone.clone(),
            }
        };
        let without: Vec<String> = zones.difference(&offered).map(shown).collect();
        let with = offered.iter().map(shown).collect::<Vec<_>>().join(", ");
        let fix = if with.is_empty() {
            "Take another instance.type: `aws ec2 describe-instance-type-offerings --location-type availability-zone`."
                .to_owned()
        } else {
            format!("Name private subnets in {with}, or take another instance.type.")
        };
        if without.is_empty() {
            return Ok(finding.pass(format!("{name} in {with}")));
        }
        let evidence = format!("{name} is not offered in {}", without.join(", "));
        if without.len() == zones.len() {
            return Ok(finding.fail(evidence, "no instance could be launched in any of the private subnets", fix));
        }
        let cause = "instances are launched in the other zones alone";
        Ok(finding.found(Status::Warn, evidence).because(cause, fix))
    }
}

/// Whether the quota of vCPUs has room for the group.
pub struct VcpuQuota;

#[async_trait(?Send)]
impl Check for VcpuQuota {
    fn about(&self) -> &'static About {
        const { &about("vcpu_quota", 4, "room in the quota of vCPUs") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_instances(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let judged = quota::room(stack, finding.clone()).await;
        Ok(judged.unwrap_or_else(|error| unanswered(finding, &error)))
    }
}

/// Whether the image runs on the instance type, and fits on its volume.
pub struct ImageFits;

#[async_trait(?Send)]
impl Check for ImageFits {
    fn about(&self) -> &'static About {
        const { &about("image_fits", 3, "the image fits the instances") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches(cx, &[launch_template::ID.0]) && cx.stack().is_ok_and(|stack| stack.site.is_some())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let Some(image) = stack.site.map(|site| &site.image) else {
            return Ok(finding.skip("there is no image"));
        };
        let kind = match stack.instance_type().await {
            Ok(kind) => kind,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let (name, id) = (&stack.config.instance.instance_type, &image.id);
        let runs =
            kind.and_then(|kind| kind.processor_info()).map(aws_sdk_ec2::types::ProcessorInfo::supported_architectures);
        let runs: Vec<&str> =
            runs.unwrap_or_default().iter().map(aws_sdk_ec2::types::ArchitectureType::as_str).collect();
        let wanted = stack.config.instance.volume.size_gib;
        if !runs.is_empty() && !image.architecture.is_empty() && !runs.contains(&image.architecture.as_str()) {
            let evidence = format!("{id} is {}, {name} runs {}", image.architecture, runs.join(", "));
            return Ok(finding.fail(
                evidence,
                "the image and the instance type are of different architectures",
                "Take \
                an instance.type of the image's architecture.",
            ));
        }
        if image.snapshot_gib > wanted {
            let evidence =
                format!("the snapshot of {id} has {} GiB, instance.volume.size_gib is {wanted}", image.snapshot_gib);
            let fix = format!("Set instance.volume.size_gib to {} or more.", image.snapshot_gib);
            return Ok(finding.fail(evidence, "a volume cannot be smaller than the snapshot it is made from", fix));
        }
        let evidence = format!("{id}, {}, {} GiB", image.architecture, image.snapshot_gib);
        match &image.deprecated {
            Some(since) => Ok(finding.found(Status::Warn, format!("{evidence}, deprecated since {since}")).because(
                "its owner advises against it, and may withdraw it: then no new instance can be launched",
                "Take a newer release: leave instance.image at the product's name, or set it to the newer id.",
            )),
            None => Ok(finding.pass(evidence)),
        }
    }
}

/// Whether the key pair exists.
pub struct KeyPair;

#[async_trait(?Send)]
impl Check for KeyPair {
    fn about(&self) -> &'static About {
        const { &about("key_pair", 3, "the key pair is there") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches(cx, &[launch_template::ID.0]) && cx.stack().is_ok_and(|stack| stack.config.instance.key_pair.is_some())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let Some(name) = &stack.config.instance.key_pair else {
            return Ok(finding.skip("none is asked for"));
        };
        match stack.cloud.ec2.describe_key_pairs().key_names(name).send().await.or_absent() {
            Ok(Some(_)) => Ok(finding.pass(name)),
            Ok(None) => Ok(finding.fail(
                format!("no key pair {name} in {}", stack.cloud.region),
                "instance.key_pair names what is not there",
                "Import it: `aws ec2 import-key-pair`; or leave instance.key_pair out.",
            )),
            Err(error) => Ok(unanswered(finding, &error)),
        }
    }
}
