//! What a launch needs beyond the type: a subscription, volumes that the type can serve, a key that may be used.

use async_trait::async_trait;
use aws_sdk_ec2::types::InstanceType;

use super::{about, touches, touches_instances};
use crate::checks::check::{About, Check, CheckContext, Ran};
use crate::checks::stack::{Stack, unanswered};
use crate::cloud;
use crate::outcome::{Finding, Status};
use crate::steps::launch_template;

/// Whether the account may launch the image: asked by a dry run.
pub struct Subscription;

#[async_trait(?Send)]
impl Check for Subscription {
    fn about(&self) -> &'static About {
        const { &about("subscription", 0, "the account may launch the image") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        // Who is not AWS may not heed the flag, and launch one.
        let is_aws = |stack: &Stack<'_>| !stack.cloud.redirected.has("ec2");
        touches_instances(cx) && cx.stack().is_ok_and(|stack| image(stack).is_some() && is_aws(stack))
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let Some(image) = image(stack) else { return Ok(finding.skip("there is no image")) };
        let kind = InstanceType::from(stack.config.instance.instance_type.as_str());
        let request = stack.cloud.ec2.run_instances().dry_run(true).image_id(image).instance_type(kind);
        let request = request.min_count(1).max_count(1);
        let subnet = stack.config.network.private_subnets.first();
        let reply = request.set_subnet_id(subnet.cloned()).send().await.map_err(cloud::Error::from);
        Ok(match reply {
            Ok(_) => finding.found(Status::Unknown, "EC2 did not heed the dry run's flag"),
            Err(error) => judge_dry_run(finding, &error),
        })
    }
}

fn image<'a>(stack: &Stack<'a>) -> Option<&'a str> {
    stack.site.map(|site| site.image.id.as_str()).filter(|id| !id.is_empty())
}

fn judge_dry_run(finding: Finding, error: &cloud::Error) -> Finding {
    let message = error.message();
    match error.code() {
        // It asks for permissions; whether products are looked at is not documented.
        "DryRunOperation" => finding.pass("AWS raised no objection to a dry run of a launch"),
        "OptInRequired" => {
            let link = message.split_whitespace().find(|word| word.starts_with("https://"));
            let link = link.unwrap_or("https://aws.amazon.com/marketplace").trim_end_matches('.');
            let cause = "the account has not subscribed to the product on AWS Marketplace: no instance can be launched";
            finding.fail(message, cause, format!("Subscribe, and accept the terms: {link}"))
        }
        "PendingVerification" | "Blocked" => {
            let cause = "AWS lets this account launch nothing yet";
            finding.fail(message, cause, "Write to AWS Support: https://support.console.aws.amazon.com/support/home")
        }
        // The policy of `deploy iam-policy` lets nobody launch but from a launch template.
        "UnauthorizedOperation" => {
            finding.found(Status::Unknown, "the caller may launch from launch templates only").because(
                "whether the account has subscribed is asked by a dry run of a launch without one",
                "Nothing to do: a launch that AWS refuses for it is told.",
            )
        }
        // What another check says better: types, zones, subnets, images.
        code if code.starts_with("Invalid") || code == "Unsupported" => finding.skip(error.to_string()),
        _ => unanswered(finding, error),
    }
}

/// Whether the instance type can serve the volume as fast as deploy.yaml wants it.
pub struct VolumeLimits;

#[async_trait(?Send)]
impl Check for VolumeLimits {
    fn about(&self) -> &'static About {
        const { &about("volume_limits", 3, "the instance type is as fast as its volume") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches(cx, &[launch_template::ID.0])
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let kind = match stack.instance_type().await {
            Ok(kind) => kind,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let name = &stack.config.instance.instance_type;
        let Some(ebs) = kind.and_then(|kind| kind.ebs_info()?.ebs_optimized_info()) else {
            return Ok(finding.skip(format!("EC2 names no limits of {name}")));
        };
        let volume = &stack.config.instance.volume;
        // EBS counts in MiB for volumes and in MB for instances.
        let throughput = f64::from(volume.throughput_mibps) * 1.048_576;
        let limits = [
            (
                "instance.volume.iops",
                f64::from(volume.iops),
                ebs.baseline_iops().map(f64::from),
                ebs.maximum_iops().map(f64::from),
                "IOPS",
            ),
            (
                "instance.volume.throughput_mibps",
                throughput,
                ebs.baseline_throughput_in_m_bps(),
                ebs.maximum_throughput_in_m_bps(),
                "MB/s",
            ),
        ];
        let over = |limit: fn(Option<f64>, Option<f64>) -> Option<f64>, word: &str| -> Vec<String> {
            let over = limits.iter().filter_map(|(key, wanted, always, most, unit)| {
                let limit = limit(*always, *most).filter(|limit| wanted > limit)?;
                Some(format!("{key} is {wanted:.0} {unit}, {name} has {word} {limit:.0}"))
            });
            over.collect()
        };
        let (above, beyond) = (over(|_, most| most, "at most"), over(|always, _| always, "always"));
        if !above.is_empty() {
            let cause = "the volume is paid for and can never be used so fast";
            let fix = "Lower it, or take a larger instance.type.";
            return Ok(finding.fail(above.join("; "), cause, fix));
        }
        if !beyond.is_empty() {
            let cause = "the instance reaches more for half an hour a day at least, and then falls back";
            let fix = "Lower it, or take a larger instance.type.";
            return Ok(finding.found(Status::Warn, beyond.join("; ")).because(cause, fix));
        }
        Ok(finding.pass(format!("{} IOPS and {throughput:.0} MB/s are within what {name} has always", volume.iops)))
    }
}

/// Whether Auto Scaling can use the key that encrypts the volumes.
pub struct VolumeKey;

#[async_trait(?Send)]
impl Check for VolumeKey {
    fn about(&self) -> &'static About {
        const { &about("volume_key", 3, "Auto Scaling can use the volume's key") }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        touches_instances(cx)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        let key = match key(stack).await {
            Ok(key) => key,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let Some(key) = key else { return Ok(finding.pass("the volumes are not encrypted")) };
        if key.ends_with("alias/aws/ebs") {
            return Ok(finding.pass("AWS's own key, alias/aws/ebs"));
        }
        let parts: Vec<&str> = key.split(':').collect();
        if let [_, _, "kms", region, ..] = parts.as_slice()
            && *region != stack.cloud.region
        {
            let fix = format!("Name a key of {}: `aws kms list-aliases`.", stack.cloud.region);
            return Ok(finding.fail(format!("{key} is in {region}"), "a key encrypts in its own region alone", fix));
        }
        let account = match stack.cloud.account().await {
            Ok(account) => account,
            Err(error) => return Ok(unanswered(finding, &error)),
        };
        let cause = "a customer's key is used by Auto Scaling only when its policy lets the service-linked role; else \
                     every launch ends in Client.InternalError. Its policy is not read here";
        let fix = format!(
            "See `aws kms get-key-policy --policy-name default --key-id {key}`; it needs these statements: {}",
            statements(&account.partition, &account.id)
        );
        Ok(finding.found(Status::Warn, format!("volumes are encrypted by {key}")).because(cause, fix))
    }
}

/// The key that encrypts the volumes; `None`: they are not encrypted.
async fn key(stack: &Stack<'_>) -> cloud::Result<Option<String>> {
    let volume = &stack.config.instance.volume;
    if let Some(key) = &volume.kms_key {
        return Ok(Some(key.clone()));
    }
    let ec2 = &stack.cloud.ec2;
    // What the account encrypts by default is encrypted, whatever the template says.
    let by_default = ec2.get_ebs_encryption_by_default().send().await?.ebs_encryption_by_default;
    if volume.encrypted != Some(true) && by_default != Some(true) {
        return Ok(None);
    }
    let key = ec2.get_ebs_default_kms_key_id().send().await?.kms_key_id;
    Ok(Some(key.unwrap_or_else(|| "alias/aws/ebs".to_owned())))
}

/// What a key's policy needs ("Required AWS KMS key policy for use with encrypted volumes", Auto Scaling user guide).
fn statements(partition: &str, account: &str) -> String {
    let role = format!(
        "arn:{partition}:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    );
    let uses = serde_json::json!({
        "Sid": "AutoScalingUsesTheKey", "Effect": "Allow", "Principal": {"AWS": role}, "Resource": "*",
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
    });
    let grants = serde_json::json!({
        "Sid": "AutoScalingGrantsToVolumes", "Effect": "Allow", "Principal": {"AWS": role}, "Resource": "*",
        "Action": "kms:CreateGrant", "Condition": {"Bool": {"kms:GrantIsForAWSResource": true}},
    });
    format!("{uses}, {grants}")
}
