//! deploy.yaml: its keys, their defaults, and every mistake in it at once.
//!
//! `tree` keeps the place of each key and value, `section` and `shape` read the tree into [`Config`], `rules`, `forms`
//! and `names` know what AWS would refuse, and `mistake` collects what they find. `schema` tells editors what all of
//! them ask for, `example` what each key means. Nothing here asks the network or the account.
//!
//! A [`Config`] is written with serde and never read with it: serde stops at the first error and knows no places.

mod documented;
pub mod example;
mod forms;
mod mistake;
mod names;
mod rules;
mod schema;
mod section;
mod shape;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Serialize, Serializer};

pub use documented::{Key, keys, values};
pub use mistake::{Mistakes, Place};
pub use names::Names;
pub use schema::schema;

use mistake::Findings;
use tree::Node;

/// Reads a deploy.yaml, then each `a.b=c` of `set` over it. The names come back as AWS will see them, prefix included.
///
/// An override's value is a text, number, `true`, `false` or `null` as written; one that begins with a bracket or a
/// quote is YAML. Nothing after the `=` is the empty text. All that follows `tags.` is one key, its dots included.
///
/// # Errors
/// Every mistake; of a file that is not YAML, the first error of syntax and the mistakes of the overrides.
pub fn parse(text: &str, file: &str, set: &[String]) -> Result<Config, Mistakes> {
    let top = Place::File { file: file.into(), line: 1, column: 1 };
    let mut findings = Findings::new(top.clone());
    let mut root = tree::parse(text, file, &mut findings).unwrap_or_else(|mistake| {
        findings.halt(mistake);
        Node::empty(top)
    });
    for set in set {
        override_one(&mut root, set, &mut findings);
    }
    let config = shape::config(root, &mut findings);
    rules::check(&config, &mut findings);
    names::check(&config.names, &mut findings);
    findings.into_result()?;
    Ok(Config { names: config.names.prefixed(), ..config })
}

fn override_one(root: &mut Node, set: &str, findings: &mut Findings) {
    let place = Place::Set(Arc::from(set));
    let Some((path, value)) = set.split_once('=') else {
        return findings.add(place, "no `=` in it", "write KEY=VALUE, such as scaling.max=10");
    };
    let keys: Vec<&str> = match path.split_once('.') {
        Some(("tags", key)) => vec!["tags", key],
        _ => path.split('.').collect(),
    };
    if keys.iter().any(|key| key.is_empty()) {
        return findings.add(place, "a key is missing before the `=`", "write KEY=VALUE, such as scaling.max=10");
    }
    match tree::parse_override(value, &place, findings) {
        Ok(node) => root.set(&keys, node),
        Err(mistake) => findings.add(mistake.place, mistake.what, mistake.cure),
    }
}

/// The stack's name when deploy.yaml has none.
const STACK: &str = "oz-liveness";

/// The record's name within its zone when deploy.yaml has none (guide step 7).
const RECORD: &str = "app";

/// deploy.yaml. What is left out is as in the guide.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// Names this deployment; the value of the owner tag.
    pub stack: String,
    /// The account that alone may be touched: twelve digits; `None` is whichever the credentials are of.
    pub account: Option<String>,
    /// Region of everything but IAM and Route 53; `None` is AWS_REGION's or the profile's.
    pub region: Option<String>,
    /// What must exist already (guide steps 1 and 4).
    pub network: Network,
    /// The load balancer and its listeners (guide steps 1 and 4).
    pub load_balancer: LoadBalancer,
    /// The instances (guide step 3).
    pub instance: Instance,
    /// The auto scaling group (guide step 4).
    pub scaling: Scaling,
    /// How the load balancer finds an instance healthy (guide step 5).
    pub health_check: HealthCheck,
    /// The record (guide step 7); `None` makes none.
    pub dns: Option<Dns>,
    /// What the resources are called (guide steps 1 to 5).
    pub names: Names,
    /// Tags of every resource, beside `Name` and the owner tag.
    pub tags: BTreeMap<String, String>,
    /// What `verify` compares with (guide step 6 and the client's part).
    pub verify: Verify,
    /// What is looked at before the first write.
    pub preflight: Preflight,
}

impl Config {
    /// The key that names the load balancer's subnets, and what it names.
    pub fn load_balancer_subnets(&self) -> (&'static str, &[String]) {
        match self.load_balancer.scheme {
            Scheme::Internal => ("network.private_subnets", &self.network.private_subnets),
            Scheme::InternetFacing => ("network.public_subnets", &self.network.public_subnets),
        }
    }

    /// The guide's values in this network, without a record.
    pub fn new(network: Network) -> Config {
        Config {
            stack: STACK.to_owned(),
            account: None,
            region: None,
            network,
            load_balancer: LoadBalancer::default(),
            instance: Instance::default(),
            scaling: Scaling::default(),
            health_check: HealthCheck::default(),
            dns: None,
            names: Names::default(),
            tags: BTreeMap::new(),
            verify: Verify::default(),
            preflight: Preflight::default(),
        }
    }
}

/// The network, which is looked up and never made (guide steps 1 and 4).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Network {
    /// `vpc-…`
    pub vpc: String,
    /// `subnet-…` of the instances and of an internal load balancer; at least two, in two zones.
    pub private_subnets: Vec<String>,
    /// `subnet-…` of an internet-facing load balancer; at least two then.
    pub public_subnets: Vec<String>,
}

/// The load balancer and its listeners (guide steps 1 and 4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadBalancer {
    /// Whether it is reached from the Internet.
    pub scheme: Scheme,
    /// The protocol of its listener.
    pub listener: Listener,
    /// ARN of an ACM certificate; `None` is the ISSUED one that covers the record's name.
    pub certificate: Option<String>,
    /// With HTTPS: a listener on port 80 that redirects to 443.
    pub redirect_http: bool,
    /// Who may connect (guide step 1).
    #[serde(serialize_with = "as_texts")]
    pub ingress_cidrs: Vec<IpNet>,
    /// Must be true for an internet-facing load balancer that is open to everybody.
    pub allow_public: bool,
}

impl Default for LoadBalancer {
    fn default() -> LoadBalancer {
        LoadBalancer {
            scheme: Scheme::Internal,
            listener: Listener::Https,
            certificate: None,
            redirect_http: true,
            ingress_cidrs: vec![Ipv4Net::default().into(), Ipv6Net::default().into()],
            allow_public: false,
        }
    }
}

/// Whether a load balancer has public addresses (guide step 4: internal is preferred).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Private addresses, in the private subnets.
    Internal,
    /// Public addresses, in the public subnets.
    InternetFacing,
}

/// The protocol of the load balancer's listener (guide step 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Listener {
    /// Port 443.
    Https,
    /// Port 80.
    Http,
}

/// The instances (guide step 3).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "an instance type is AWS's noun")]
pub struct Instance {
    /// An AMI's name, its id, `ssm:` and the path of a parameter that holds the id, or `product:` and a product code.
    pub image: String,
    /// EC2's instance type.
    #[serde(rename = "type")]
    pub instance_type: String,
    /// Name of a key pair for SSH.
    pub key_pair: Option<String>,
    /// The root volume.
    pub volume: Volume,
    /// Whether the metadata service asks for a token (IMDSv2).
    pub imds: Imds,
}

impl Default for Instance {
    fn default() -> Instance {
        Instance {
            image: "api-instant".to_owned(),
            instance_type: "c7i-flex.4xlarge".to_owned(),
            key_pair: None,
            volume: Volume::default(),
            imds: Imds::Required,
        }
    }
}

/// The gp3 root volume of an instance (guide step 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// GiB.
    pub size_gib: i32,
    /// Operations a second.
    pub iops: i32,
    /// MiB a second.
    pub throughput_mibps: i32,
    /// Whether it is encrypted; `None` is the account's own default.
    pub encrypted: Option<bool>,
    /// ARN, id or alias of its KMS key; `None` is the account's default key.
    pub kms_key: Option<String>,
}

impl Default for Volume {
    fn default() -> Volume {
        Volume { size_gib: 50, iops: 12_000, throughput_mibps: 500, encrypted: None, kms_key: None }
    }
}

/// Whether the instance metadata service answers without a token. The guide is silent; IMDSv1 leaks credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Imds {
    /// IMDSv2 only.
    Required,
    /// IMDSv1 too.
    Optional,
}

/// The auto scaling group and its policy (guide step 4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scaling {
    /// Least number of instances.
    pub min: i32,
    /// Number of instances at creation; later it is the policy's.
    pub desired: i32,
    /// Greatest number of instances.
    pub max: i32,
    /// Average CPU utilisation that the policy keeps, per cent.
    pub cpu_target_percent: f64,
    /// Seconds until a new instance counts in the average.
    pub warm_up_seconds: i32,
    /// Seconds until a new instance's health counts; the console's default, the API's would be 0.
    pub grace_period_seconds: i32,
}

impl Default for Scaling {
    fn default() -> Scaling {
        Scaling {
            min: 2,
            desired: 2,
            max: 91,
            cpu_target_percent: 30.0,
            warm_up_seconds: 120,
            grace_period_seconds: 300,
        }
    }
}

/// How the load balancer finds an instance healthy (guide step 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// TCP port of the instance.
    pub port: u16,
    /// Path of the request.
    pub path: String,
    /// HTTP codes that mean healthy, in AWS's syntax: `404`, `200,404`, `200-299`.
    pub success_codes: String,
}

impl Default for HealthCheck {
    fn default() -> HealthCheck {
        HealthCheck { port: 8501, path: "/".to_owned(), success_codes: "404".to_owned() }
    }
}

/// The alias record (guide step 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dns {
    /// The hosted zone's name, or its id (`Z…`) where two zones have one name.
    pub zone: String,
    /// The record's name within the zone; empty or `@` is the zone itself.
    pub record: String,
}

/// What `deploy verify` compares with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verify {
    /// The name by which clients reach the service when its record is elsewhere; `None`: the record of `dns`, or the
    /// load balancer's own name.
    pub name: Option<String>,
    /// What `/api/version` must answer (guide step 7); `None` takes any version.
    pub version: Option<String>,
    /// A capture of the Web SDK for the liveness call; `None` makes no call.
    pub capture: Option<PathBuf>,
    /// A reference photo for the biometry call; `None` makes no call.
    pub reference: Option<PathBuf>,
}

/// What `deploy up` and `deploy preflight` look at before the first write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Preflight {
    /// Codes of checks that warn and do not refuse.
    pub ignore: Vec<String>,
}

/// `ipnet` is built without serde here.
fn as_texts<S: Serializer>(cidrs: &[IpNet], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(cidrs.iter().map(IpNet::to_string))
}
