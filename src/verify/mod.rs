//! Guide steps 6 and 7: what must be so when the stack works, and for what reason it is not.

mod activities;
mod certificate;
mod endpoint;
mod found;
mod reasons;
mod stack;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerStateEnum, TargetHealthStateEnum};

use crate::cloud::{self, Cloud};
use crate::engine::{Clock, Event, Outputs, Patience, Stop};
use crate::oz::{BaseUrl, Web, why};
use crate::report::Check;
use crate::sandbox::Sandbox;
use crate::site::Site;
use crate::steps::{auto_scaling, load_balancer, target_group};

pub use activities::{Failing, launches};
pub use endpoint::{Endpoint, judge_version};
pub use found::{Found, timed, timed_each};
pub use reasons::{Explained, explain};
pub use stack::{Stack, instances};

/// Why a stack is not proven.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    #[error("{0}")]
    Deadline(String),
    #[error("interrupted")]
    Interrupted,
    #[error("{0}")]
    NoAnswer(String),
    /// Waiting longer cannot help.
    #[error("{what}")]
    Never {
        what: String,
        cause: String,
        fix: String,
        /// AWS itself refuses, rather than that the service is not right.
        refused: bool,
    },
}

/// Health of the targets, by count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// How many are healthy.
    pub healthy: usize,
    /// How many are registered.
    pub registered: usize,
    /// Each that is not healthy.
    pub others: Vec<Unhealthy>,
}

/// A target that is not healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unhealthy {
    pub id: String,
    /// `initial`, `unhealthy`, `unused`, `draining`.
    pub state: String,
    /// AWS's reason code; empty when it gave none.
    pub reason: String,
    /// AWS's own sentence.
    pub description: Option<String>,
    /// On its way out: no fault.
    pub leaving: bool,
}

impl std::fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.id, self.state)?;
        match self.reason.as_str() {
            "" => Ok(()),
            reason => write!(f, ", {reason}"),
        }
    }
}

impl Targets {
    /// The others in a line.
    pub fn others(&self) -> String {
        let words: Vec<String> = self.others.iter().map(Unhealthy::to_string).collect();
        words.join("; ")
    }
}

/// The name servers of a public zone; none of a private one, or when they cannot be told.
pub async fn name_servers(cloud: &Cloud, zone: &str) -> Vec<String> {
    let Ok(reply) = cloud.route53.get_hosted_zone().id(zone).send().await else {
        return Vec::new();
    };
    let private = reply.hosted_zone().and_then(|zone| zone.config()).is_some_and(|config| config.private_zone());
    match reply.delegation_set {
        Some(set) if !private => set.name_servers,
        _ => Vec::new(),
    }
}

/// Asks for the health of every target.
pub async fn targets(cloud: &Cloud, target_group: &str) -> cloud::Result<Targets> {
    let reply = cloud.elb.describe_target_health().target_group_arn(target_group).send().await?;
    let all = reply.target_health_descriptions();
    let state = |one: &aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription| {
        one.target_health().and_then(|health| health.state().cloned())
    };
    let healthy = all.iter().filter(|one| state(one) == Some(TargetHealthStateEnum::Healthy)).count();
    let others = all.iter().filter(|one| state(one) != Some(TargetHealthStateEnum::Healthy)).map(|one| {
        let health = one.target_health();
        let state = health.and_then(|health| health.state()).map_or("unknown", |state| state.as_str());
        let reason = health.and_then(|health| health.reason());
        Unhealthy {
            id: one.target().and_then(|target| target.id()).unwrap_or("?").to_owned(),
            state: state.to_owned(),
            reason: reason.map_or(String::new(), |reason| reason.as_str().to_owned()),
            description: health.and_then(|health| health.description()).map(str::to_owned),
            leaving: state == "draining",
        }
    });
    Ok(Targets { healthy, registered: all.len(), others: others.collect() })
}

/// Waits until as many targets are healthy as the group has at least, and the load balancer is active. `made`: the group
/// was made just now, so that every failure in its history is of now.
///
/// # Errors
/// The deadline passed, or what is waited for can never come true.
pub async fn wait_healthy(
    cloud: &Cloud,
    site: &Site,
    (outputs, made): (&Outputs, bool),
    (clock, stop): (&Clock, &Stop),
    tell: &dyn Fn(Event),
) -> Result<Vec<Check>, Unproven> {
    let (Some(group), Some(balancer)) = (outputs.get(&target_group::ARN), outputs.get(&load_balancer::ARN)) else {
        return Err(Unproven::NoAnswer("there is no load balancer or no target group".to_owned()));
    };
    let wanted = usize::try_from(site.config.scaling.min.max(1)).unwrap_or(1);
    let name = site.config.names.target_group.clone();
    let mut active = outputs.get(&load_balancer::STATE).is_some_and(|state| state == "active");
    let (mut before, mut patience) = (made.then_some(None), Patience::default());
    for attempt in 0.. {
        let looked = async {
            let (targets, state) = tokio::join!(targets(cloud, group), async {
                match active {
                    true => Ok(true),
                    false => is_active(cloud, balancer).await,
                }
            });
            let targets = targets?;
            if targets.registered < wanted {
                refused(cloud, outputs, &mut before).await?;
            }
            Ok((targets, state?))
        };
        let why = match looked.await {
            Ok((targets, state)) => {
                (active, patience) = (state, Patience::default());
                if targets.healthy >= wanted && active {
                    break;
                }
                lost(site, (&targets, wanted), active)?;
                waited_for(&targets, wanted, active)
            }
            Err(Unproven::Cloud(error)) => patience.with(error, clock)?.to_owned(),
            Err(error) => return Err(error),
        };
        tell(Event::Waiting { key: "target_health", name: name.clone(), why: why.clone() });
        pause(clock, stop, attempt, why).await?;
    }
    tell(Event::Finished { key: "target_health", name: name.clone(), verb: "healthy" });
    let evidence = format!("{wanted} or more targets of {name} are healthy");
    Ok(vec![Check::new("targets", 6, "targets healthy").pass(evidence)])
}

/// What is not there yet, and AWS's words for it.
fn waited_for(targets: &Targets, wanted: usize, active: bool) -> String {
    let mut why = format!("{} of {wanted} targets healthy", targets.healthy);
    let others = targets.others();
    if !others.is_empty() {
        why += &format!(" ({others})");
    }
    if !active {
        why += "; the load balancer is provisioning";
    }
    why
}

/// Ends a wait for launches that AWS will go on refusing. What failed before the first look, `before`, may be mended.
async fn refused(cloud: &Cloud, outputs: &Outputs, before: &mut Option<Option<String>>) -> Result<(), Unproven> {
    let Some(name) = outputs.get(&auto_scaling::NAME) else {
        return Ok(());
    };
    let (launches, group) = tokio::try_join!(launches(cloud, name), cloud::group(cloud, name))?;
    let before = before.get_or_insert_with(|| launches.newest().map(str::to_owned));
    let failing = group.and_then(|group| launches.failing(&group, before.as_deref()));
    match failing.filter(|failing| failing.lasts) {
        None => Ok(()),
        Some(failing) => {
            let known = failing.known.map(|row| (row.cause.clone(), row.fix.clone()));
            let (cause, fix) = known.unwrap_or_default();
            let what = format!("no instance can be launched: {}", failing.words);
            Err(Unproven::Never { what, cause, fix, refused: true })
        }
    }
}

/// Ends a wait for targets that nothing will make healthy. A listener of a load balancer that is still being made is no
/// listener yet.
fn lost(site: &Site, (targets, wanted): (&Targets, usize), active: bool) -> Result<(), Unproven> {
    let lost = targets.others.iter().filter(|one| active && !one.leaving).find_map(|one| {
        let explained = explain(&one.reason, one.description.as_deref(), &site.config);
        (!explained.heals).then_some((one, explained))
    });
    match lost {
        Some((one, explained)) => Err(Unproven::Never {
            what: format!("{} of {wanted} targets healthy; {one}", targets.healthy),
            cause: explained.cause,
            fix: explained.fix,
            refused: false,
        }),
        None => Ok(()),
    }
}

/// `https://app.example.com`, or by the load balancer's own name when there is no record.
pub fn endpoint(site: &Site, outputs: &Outputs) -> Option<String> {
    let scheme = if site.https() { "https" } else { "http" };
    let name = site.record_name().or_else(|| outputs.get(&load_balancer::DNS_NAME).map(|name| name.to_lowercase()))?;
    Some(format!("{scheme}://{name}"))
}

/// Asks the service for its version through the load balancer; the network is the sandbox's when there is one.
pub async fn version(
    endpoint: &str,
    sandbox: Option<&Sandbox>,
    (clock, stop): (&Clock, &Stop),
    tell: &dyn Fn(Event),
) -> Result<Check, Unproven> {
    let url = format!("{endpoint}/api/version");
    for attempt in 0..5 {
        match get(&url, sandbox).await {
            Ok(evidence) => {
                return Ok(Check::new("version", 7, "/api/version").pass(evidence));
            }
            Err(why) if attempt == 4 => return Err(Unproven::NoAnswer(format!("{url}: {why}"))),
            Err(why) => {
                tell(Event::Waiting { key: "version", name: url.clone(), why: why.clone() });
                pause(clock, stop, attempt, why).await?;
            }
        }
    }
    Err(Unproven::NoAnswer(url))
}

async fn pause(clock: &Clock, stop: &Stop, attempt: u32, why: String) -> Result<(), Unproven> {
    match clock.pause(attempt, stop).await {
        true => Ok(()),
        false if stop.signal().is_some() => Err(Unproven::Interrupted),
        false => Err(Unproven::Deadline(why)),
    }
}

async fn is_active(cloud: &Cloud, balancer: &str) -> Result<bool, Unproven> {
    let request = cloud.elb.describe_load_balancers().load_balancer_arns(balancer);
    let reply = request.send().await.map_err(cloud::Error::from)?;
    let state = reply.load_balancers().first().and_then(|found| found.state());
    match state.and_then(|state| state.code()) {
        Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => Ok(true),
        Some(LoadBalancerStateEnum::Failed) => {
            let why = state.and_then(|state| state.reason()).unwrap_or("AWS gives no reason");
            Err(Unproven::Never {
                what: format!("the load balancer failed: {why}"),
                cause:
                    "AWS could not make it: often no free addresses, or no internet gateway for an internet-facing one"
                        .to_owned(),
                fix: "`deploy teardown --yes`, mend the network, `deploy up`.".to_owned(),
                refused: true,
            })
        }
        _ => Ok(false),
    }
}

/// Asks once for JSON; `Err`: why there was none.
pub async fn get(url: &str, sandbox: Option<&Sandbox>) -> Result<String, String> {
    let (status, body) = match sandbox {
        Some(sandbox) => browse(sandbox, url).await?,
        None => fetch(url).await?,
    };
    judged(status, &body)
}

async fn browse(sandbox: &Sandbox, url: &str) -> Result<(u16, Vec<u8>), String> {
    let base = BaseUrl::parse(url, true).map_err(|refused| refused.what)?;
    let request = http::Request::get(url).body(bytes::Bytes::new());
    let request = request.map_err(|error| error.to_string())?;
    let answer = sandbox.browse((base.host(), base.port()), request).await?;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
    Ok((status, body.map_err(|error| error.to_string())?.to_vec()))
}

async fn fetch(url: &str) -> Result<(u16, Vec<u8>), String> {
    let base = BaseUrl::parse(url, true).map_err(|refused| refused.what)?;
    let client = Web::new(None).map_err(|refused| refused.what)?.client(base.host(), None)?;
    let answer = client.get(url).timeout(std::time::Duration::from_secs(20)).send().await;
    let answer = answer.map_err(|error| why(&error))?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(|error| why(&error))?;
    Ok((status, body.to_vec()))
}

/// The version's fields are not documented: any JSON will do, and it is shown whole.
fn judged(status: u16, body: &[u8]) -> Result<String, String> {
    match (status, serde_json::from_slice::<serde_json::Value>(body)) {
        (200..=299, Ok(version)) => Ok(version.to_string()),
        (200..=299, Err(_)) => Err(format!("HTTP {status}, and the body is not JSON")),
        _ => Err(format!("HTTP {status}")),
    }
}
