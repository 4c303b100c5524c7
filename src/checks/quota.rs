//! The account's quotas, and whether that of vCPUs has room for the instances: each class of instance types has its
//! own.

use aws_sdk_cloudwatch::types::Statistic;
use aws_sdk_ec2::types::{Instance, InstanceTypeInfo};

use super::capacity::latest;
use super::stack::Stack;
use crate::cloud::{self, Cloud};
use crate::outcome::{Finding, Status};

/// Instance types that share a quota.
struct Class {
    code: &'static str,
    /// As the metric of its use calls it.
    name: &'static str,
    /// The letters that its types begin with.
    families: &'static [&'static str],
}

/// Amazon EC2 user guide, "On-Demand Instance quotas".
const CLASSES: [Class; 7] = [
    Class {
        code: "L-1216C47A",
        name: "Standard/OnDemand",
        families: &["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"],
    },
    Class { code: "L-DB2E81BA", name: "G/OnDemand", families: &["g", "gr", "vt"] },
    Class { code: "L-417A185B", name: "P/OnDemand", families: &["p"] },
    Class { code: "L-7295265B", name: "X/OnDemand", families: &["x"] },
    Class { code: "L-74FC7D96", name: "F/OnDemand", families: &["f"] },
    Class { code: "L-1945791B", name: "Inf/OnDemand", families: &["inf"] },
    Class { code: "L-6E869C2A", name: "DL/OnDemand", families: &["dl"] },
];

/// Judges whether the quota of vCPUs has room for the group.
///
/// # Errors
/// EC2, Service Quotas or CloudWatch does not say.
pub async fn room(stack: &Stack<'_>, finding: Finding) -> cloud::Result<Finding> {
    let wanted = stack.config.instance.instance_type.as_str();
    let Some(class) = class_of(wanted) else {
        let cause = "each class of instance types has its own quota, and this program does not know this one's";
        let fix = "`aws service-quotas list-service-quotas --service-code ec2` shows it.";
        return Ok(finding
            .found(Status::Unknown, format!("the quota of {wanted} was not asked for"))
            .because(cause, fix));
    };
    let (kind, instances, allowed, used) = tokio::try_join!(
        stack.instance_type(),
        stack.instances(),
        applied(stack.cloud, "ec2", class.code),
        used(stack.cloud, class)
    )?;
    let Some(each) = kind.and_then(vcpus) else {
        return Ok(finding.skip(format!("EC2 does not say how many vCPUs {wanted} has")));
    };
    let Some(allowed) = allowed else {
        return Ok(finding.found(Status::Unknown, "AWS does not say how many vCPUs there may be"));
    };
    let own = own(instances, class, each);
    Ok(judge(
        stack,
        finding,
        class,
        Room { allowed, others: (used - own).max(0.0), used, each, running: instances.len() },
    ))
}

/// What is known of a quota and of what fills it, in vCPUs.
struct Room {
    allowed: f64,
    used: f64,
    /// Used by others than the group.
    others: f64,
    /// Of one instance.
    each: f64,
    /// How many instances the group has.
    running: usize,
}

fn judge(stack: &Stack<'_>, finding: Finding, class: &Class, room: Room) -> Finding {
    let Room { allowed, used, others, each, running } = room;
    let scaling = &stack.config.scaling;
    let count = |instances: i32| f64::from(instances) * each;
    let (min, max) = (count(scaling.min), count(scaling.max));
    let standing = i32::try_from(running).unwrap_or_default().max(scaling.desired);
    // An instance refresh launches new instances before old ones end: up to half as many more.
    let surge = count(standing + (standing + 1) / 2);
    let evidence = format!(
        "quota {allowed} vCPUs, {used} in use, {min} for scaling.min, {surge} while a refresh replaces {standing} \
         instances, {max} for scaling.max"
    );
    let wanted = others + max.max(surge);
    let fix = format!(
        "`aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {} \
         --desired-value {wanted}`",
        class.code
    );
    if others + min > allowed {
        finding.fail(evidence, "the vCPU quota does not allow even the least number of instances", fix)
    } else if others + surge > allowed {
        let cause = "an instance refresh cannot launch new instances before old ones end";
        finding.found(Status::Warn, evidence).because(cause, fix)
    } else if wanted > allowed {
        finding.found(Status::Warn, evidence).because("the vCPU quota ends before scaling.max is reached", fix)
    } else {
        finding.pass(evidence)
    }
}

/// The class of an instance type, by the letters before its first digit.
fn class_of(instance_type: &str) -> Option<&'static Class> {
    let family = instance_type.split(|letter: char| !letter.is_ascii_lowercase()).next().unwrap_or_default();
    CLASSES.iter().find(|class| class.families.contains(&family))
}

fn vcpus(kind: &InstanceTypeInfo) -> Option<f64> {
    Some(f64::from(kind.v_cpu_info()?.default_v_cpus()?))
}

/// The vCPUs of those of these instances that are of this class; `each`: of one of which EC2 does not say it.
fn own(instances: &[Instance], class: &Class, each: f64) -> f64 {
    let is_of_class = |one: &&Instance| {
        let kind = one.instance_type().map_or("", aws_sdk_ec2::types::InstanceType::as_str);
        class_of(kind).is_some_and(|other| other.code == class.code)
    };
    let vcpus = |one: &Instance| {
        let options = one.cpu_options()?;
        Some(f64::from(options.core_count()?) * f64::from(options.threads_per_core()?))
    };
    instances.iter().filter(is_of_class).map(|one| vcpus(one).unwrap_or(each)).sum()
}

/// How many vCPUs of a class are in use. Where nothing of it runs, there is no such metric.
async fn used(cloud: &Cloud, class: &Class) -> cloud::Result<f64> {
    let of = [("Service", "EC2"), ("Resource", "vCPU"), ("Type", "Resource"), ("Class", class.name)];
    Ok(latest(cloud, ("AWS/Usage", "ResourceCount"), &of, Statistic::Maximum).await?.unwrap_or_default())
}

/// A quota as it is for this account; `None`: Service Quotas gives no value.
///
/// # Errors
/// Service Quotas does not say.
pub async fn applied(cloud: &Cloud, service: &str, code: &str) -> cloud::Result<Option<f64>> {
    let request = cloud.quotas.get_service_quota().service_code(service).quota_code(code);
    let quota = match request.send().await.map_err(cloud::Error::from) {
        Ok(reply) => reply.quota,
        // An account that never asked for more has AWS's own.
        Err(error) if error.code() == "NoSuchResourceException" => {
            let request = cloud.quotas.get_aws_default_service_quota().service_code(service).quota_code(code);
            request.send().await?.quota
        }
        Err(error) => return Err(error),
    };
    Ok(quota.and_then(|quota| quota.value))
}

#[cfg(test)]
mod tests {
    use super::class_of;

    #[test]
    fn each_instance_type_is_counted_in_its_own_quota() {
        for (instance_type, code) in [
            ("c7i-flex.4xlarge", Some("L-1216C47A")),
            ("im4gn.large", Some("L-1216C47A")),
            ("t3.micro", Some("L-1216C47A")),
            ("g5.4xlarge", Some("L-DB2E81BA")),
            ("gr6.4xlarge", Some("L-DB2E81BA")),
            ("inf2.xlarge", Some("L-1945791B")),
            ("x2iedn.xlarge", Some("L-7295265B")),
            ("trn1.2xlarge", None),
            ("hpc6a.48xlarge", None),
            ("mac2.metal", None),
            ("u-6tb1.metal", None),
        ] {
            assert_eq!(class_of(instance_type).map(|class| class.code), code, "{instance_type}");
        }
    }
}
