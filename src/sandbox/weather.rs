//! What the world does to those who live in it. Each switch is something that AWS documents or that users reported.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire::Refusal;
use super::world::World;

/// The switches; times are AWS's seconds. By default the world is calm: nothing fails, and what AWS says is what is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// EC2 and Auto Scaling see a new instance profile so much later (5 to 15 s: terraform-provider-aws#5217, #24910).
    pub iam_delay_seconds: f64,
    /// Reads may show what was so long ago (Amazon EC2 developer guide, "Eventual consistency").
    pub describe_lag_seconds: f64,
    /// A new load balancer is active after so long (the AWS CLI's waiter: 15 s × 40).
    pub provisioning_seconds: f64,
    /// Why a load balancer's state becomes `failed` instead (ELBv2 API reference, LoadBalancerState).
    pub provisioning_fails: Option<String>,
    /// A deleted load balancer's network interfaces end after so long (terraform-provider-aws waits up to 35 minutes).
    pub linger_seconds: f64,
    /// An instance runs so long after its launch.
    pub launch_seconds: f64,
    /// An instance is terminated so long after the call that ends it.
    pub termination_seconds: f64,
    /// The service of a new instance answers after so long.
    pub boot_seconds: f64,
    /// Images and instance types whose service never answers its health check.
    pub dead: Vec<String>,
    /// Images and instance types whose health check answers, and whose API does not (healthy on 8501, dead on 80).
    pub mute: Vec<String>,
    /// Why launches fail, by availability zone, `*` for all: the code of a scaling activity's words.
    pub launch_fails: BTreeMap<String, String>,
    /// A group is gone before its instances are ("without waiting for all instances to be terminated",
    /// DeleteAutoScalingGroup).
    pub instances_outlive_group: bool,
    /// Volumes and network interfaces outlive their instances.
    pub leaks: bool,
    /// Average CPU of every group, in percent.
    pub cpu: f64,
    /// The quota of vCPUs of standard instances (L-1216C47A).
    pub vcpus: f64,
    /// Availability zones that do not offer the instance types.
    pub not_offered: Vec<String>,
    /// A hosted zone takes no other change for so long after one (PriorRequestNotComplete).
    pub zone_busy_seconds: f64,
    /// Calls that each service takes at once, and a second afterwards ("Request throttling for the Amazon EC2 API").
    pub throttle: Option<Throttle>,
    /// The credentials expire then, in seconds since the world was seeded.
    pub credentials_expire_seconds: Option<f64>,
    /// The credentials say that they end so many seconds after the run began.
    pub credentials_last_seconds: Option<f64>,
    /// The credentials are those of the account's root user.
    pub root_user: bool,
    /// RunInstances, a dry run too, asks to subscribe to the images' product first.
    pub not_subscribed: bool,
    /// Nobody has made a load balancer or a group in this account: it lacks the service-linked roles.
    pub unused_account: bool,
    /// New volumes are encrypted by this key: `alias/aws/ebs` is AWS's own (EBS user guide, "encryption by default").
    pub ebs_key: Option<String>,
    /// Quotas by their codes or names, where they are not AWS's own: `L-0EA8095F`, `application-load-balancers`.
    pub quotas: BTreeMap<String, f64>,
    /// Every connection is cut: the way to AWS is down (a NAT gateway or a proxy that fails over).
    pub outage: bool,
    /// The share of calls that something goes wrong with, 0 to 1: everything but a denial.
    pub fault_rate: f64,
    /// ELBv2 takes a create whose tags differ for another one (ansible/ansible#29965), and refuses it; else it answers
    /// with what there is.
    pub tags_are_settings: bool,
    /// Encoded authorization messages may be decoded (sts:DecodeAuthorizationMessage).
    pub may_decode: bool,
    /// A target group is in use for so long after its load balancer was deleted (up to two minutes, as users report).
    pub target_group_linger_seconds: f64,
    /// EC2 sees the role of an instance profile so much later than it was added ("has no associated IAM Roles",
    /// terraform-provider-aws#29866).
    pub role_delay_seconds: f64,
    /// Launches see that role so much later: the create of a group may pass, and its first launches fail (there).
    pub role_delay_in_launches_seconds: f64,
    /// A target that leaves is `draining` for so long (ELBv2 user guide, "Deregistration delay": up to 300 s).
    pub draining_seconds: f64,
    /// Targets stay `unused` for so long after their load balancer became active or began to forward to them (Elastic
    /// Load Balancing is eventually consistent: aws/aws-sdk-js#1593).
    pub unused_seconds: f64,
    /// A refresh replaces new instances that fail their health checks, and tries to launch, for so long before it fails
    /// (an hour: Auto Scaling user guide, "How an instance refresh works").
    pub refresh_retry_seconds: f64,
    /// Regions that refuse the caller's token, as opt-in regions refuse one of the global STS endpoint (IAM user guide,
    /// "Manage AWS STS in an AWS Region").
    pub token_refused_in: Vec<String>,
    /// Regions that no call reaches: a network with endpoints for one region alone, or a firewall.
    pub no_way_to: Vec<String>,
    /// Services that no call reaches, as a signature names them: a network whose endpoints leave out `wafv2`.
    pub no_way_to_services: Vec<String>,
    /// Availability zones that take no load balancer (user guide, "Subnets for your load balancer": constrained zones).
    pub constrained: Vec<String>,
    /// The account has very many things: EC2 lists nothing whole, and a page may be empty before the last one.
    pub large_account: bool,
    /// What the caller's policies do not allow: `route53:ListHostedZones`.
    pub denied: Vec<String>,
}

impl Default for Weather {
    fn default() -> Weather {
        Weather {
            iam_delay_seconds: 0.0,
            describe_lag_seconds: 0.0,
            provisioning_seconds: 120.0,
            provisioning_fails: None,
            linger_seconds: 30.0,
            launch_seconds: 20.0,
            termination_seconds: 30.0,
            boot_seconds: 60.0,
            dead: Vec::new(),
            mute: Vec::new(),
            launch_fails: BTreeMap::new(),
            instances_outlive_group: false,
            leaks: false,
            cpu: 3.0,
            vcpus: 1920.0,
            not_offered: Vec::new(),
            zone_busy_seconds: 0.0,
            throttle: None,
            credentials_expire_seconds: None,
            credentials_last_seconds: None,
            root_user: false,
            not_subscribed: false,
            unused_account: false,
            ebs_key: None,
            quotas: BTreeMap::new(),
            outage: false,
            fault_rate: 0.0,
            tags_are_settings: true,
            may_decode: true,
            target_group_linger_seconds: 0.0,
            role_delay_seconds: 0.0,
            role_delay_in_launches_seconds: 0.0,
            draining_seconds: 0.0,
            unused_seconds: 5.0,
            refresh_retry_seconds: 3600.0,
            token_refused_in: Vec::new(),
            no_way_to: Vec::new(),
            no_way_to_services: Vec::new(),
            constrained: Vec::new(),
            large_account: false,
            denied: Vec::new(),
        }
    }
}

impl Weather {
    /// The same with one switch set: `iam_delay_seconds=15`, `launch_fails={"*": OptInRequired}`.
    ///
    /// # Errors
    /// No such switch, or not such a value, in words.
    pub fn with(&self, switch: &str) -> Result<Weather, String> {
        let (name, value) = switch.split_once('=').ok_or("write it as NAME=VALUE")?;
        let name = name.trim();
        let value: serde_yaml::Value =
            serde_yaml::from_str(value).map_err(|_| format!("{switch}: the value is not YAML"))?;
        let mut all = serde_yaml::to_value(self).map_err(|error| error.to_string())?;
        let now = all.get(name).cloned().ok_or_else(|| unknown(name))?;
        if let Some(all) = all.as_mapping_mut() {
            all.insert(name.into(), value);
        }
        serde_yaml::from_value(all).map_err(|_| format!("{switch}: {name} is {}", kind(&now)))
    }

    /// Every switch with its value, below what it means.
    pub fn shown(&self) -> String {
        let all = serde_yaml::to_value(self).unwrap_or_default();
        let mut text = String::new();
        for (name, value) in all.as_mapping().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            for line in meaning(name) {
                text += &format!("# {line}\n");
            }
            text += &format!("{name}: {}\n", serde_json::to_string(value).unwrap_or_default());
        }
        text
    }
}

/// What a switch means: the comment above its field, in this very file.
fn meaning(name: &str) -> Vec<&'static str> {
    let lines: Vec<&str> = include_str!("weather.rs").lines().map(str::trim).collect();
    let field = format!("pub {name}: ");
    let at = lines.iter().position(|line| line.starts_with(&field)).unwrap_or_default();
    let above = lines[..at].iter().rev().map_while(|line| line.strip_prefix("/// "));
    let mut above: Vec<&str> = above.collect();
    above.reverse();
    above
}

fn unknown(name: &str) -> String {
    let all = serde_yaml::to_value(Weather::default()).unwrap_or_default();
    let names = all.as_mapping().into_iter().flatten().filter_map(|(name, _)| name.as_str().map(str::to_owned));
    let near = names.map(|known| (strsim::jaro_winkler(&known, name), known));
    let near = near.filter(|(like, _)| *like > 0.8).max_by(|one, other| one.0.total_cmp(&other.0));
    let near = near.map(|(_, known)| format!("; did you mean {known}?")).unwrap_or_default();
    format!("there is no switch {name}{near}")
}

/// What a switch takes, by what it has.
fn kind(value: &serde_yaml::Value) -> &'static str {
    match value {
        serde_yaml::Value::Bool(_) => "true or false",
        serde_yaml::Value::Number(_) => "a number, such as 30",
        serde_yaml::Value::Sequence(_) => "a list, such as [one, two]",
        serde_yaml::Value::Mapping(_) => "a table, such as {name: value}",
        _ => "of another form: see what is said above it",
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Calls at once.
    pub burst: f64,
    /// Calls a second afterwards.
    pub per_second: f64,
}

/// Why a call does not even reach its service: expired credentials, then throttling.
pub fn turned_away(world: &mut World, service: &str) -> Option<Refusal> {
    let json = matches!(service, "acm" | "pricing" | "ssm" | "servicequotas" | "monitoring" | "wafv2");
    if world.weather.credentials_expire_seconds.is_some_and(|end| world.now >= end) {
        let (code, words) = match service {
            "ec2" => ("RequestExpired", "Request has expired."),
            _ if json => ("ExpiredTokenException", "The security token included in the request is expired"),
            _ => ("ExpiredToken", "The security token included in the request is expired"),
        };
        return Some(Refusal { code, message: words.to_owned(), status: if service == "ec2" { 400 } else { 403 } });
    }
    let Throttle { burst, per_second } = world.weather.throttle?;
    let now = world.now;
    let (tokens, at) = world.buckets.entry(service.to_owned()).or_insert((burst, now));
    *tokens = (*tokens + (now - *at) * per_second).min(burst);
    *at = now;
    if *tokens >= 1.0 {
        *tokens -= 1.0;
        return None;
    }
    Some(match service {
        "ec2" => Refusal { code: "RequestLimitExceeded", message: "Request limit exceeded.".to_owned(), status: 503 },
        _ => Refusal { code: "Throttling", message: "Rate exceeded".to_owned(), status: 400 },
    })
}

/// Whether an instance is of one of these images or types.
pub fn is_of(instance: &Value, kinds: &[String]) -> bool {
    kinds.iter().any(|kind| instance["imageId"] == kind.as_str() || instance["instanceType"] == kind.as_str())
}

/// What a scaling activity says of a failed launch, in AWS's words.
pub fn launch_words(code: &str, kind: &str, zone: &str) -> String {
    let others = other_zones(zone);
    let words = match code {
        "InsufficientInstanceCapacity" => format!(
            "We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}). Our \
             system will be working on provisioning additional capacity. You can currently get {kind} capacity by not \
             specifying an Availability Zone in your request or choosing {others}."
        ),
        "VcpuLimitExceeded" => {
            "You have requested more vCPU capacity than your current vCPU limit of 8 allows for the \
             instance bucket that the specified instance type belongs to. Please visit \
             http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
                .to_owned()
        }
        "OptInRequired" => {
            "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do \
             so please visit https://aws.amazon.com/marketplace/pp?sku=sandbox."
                .to_owned()
        }
        "InvalidKMSKey" => {
            "Instance became unhealthy while waiting for instance to be in InService state. Termination \
             Reason: Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state"
                .to_owned()
        }
        "Unsupported" => format!(
            "Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}). \
             Please retry your request by not specifying an Availability Zone or choosing {others}."
        ),
        other => format!("{other}: the launch failed."),
    };
    format!("{words} Launching EC2 instance failed.")
}

/// The other zones of a region that has three.
fn other_zones(zone: &str) -> String {
    let region = zone.trim_end_matches(|one: char| one.is_ascii_lowercase());
    let zones = ['a', 'b', 'c'].map(|letter| format!("{region}{letter}"));
    zones.into_iter().filter(|other| other != zone).collect::<Vec<_>>().join(", ")
}
