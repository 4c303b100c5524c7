//! Guide step 6: targets healthy, the load balancer active, and an answer from the service itself.

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerStateEnum, TargetHealthStateEnum};

use crate::cloud::{self, Cloud};
use crate::engine::{Clock, Event, Outputs, Stop};
use crate::report::Check;
use crate::sandbox::Sandbox;
use crate::site::Site;
use crate::steps::{load_balancer, target_group};

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
}

/// Health of the targets, by count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// How many are healthy.
    pub healthy: usize,
    /// How many are registered.
    pub registered: usize,
    /// The state and AWS's reason of each that is not healthy.
    pub others: Vec<String>,
}

/// Asks for the health of every target.
pub async fn targets(cloud: &Cloud, target_group: &str) -> cloud::Result<Targets> {
    let reply = cloud
        .elb
        .describe_target_health()
        .target_group_arn(target_group)
        .send()
        .await?;
    let all = reply.target_health_descriptions();
    let state = |one: &aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription| {
        one.target_health()
            .and_then(|health| health.state().cloned())
    };
    let healthy = all
        .iter()
        .filter(|one| state(one) == Some(TargetHealthStateEnum::Healthy))
        .count();
    let others = all
        .iter()
        .filter(|one| state(one) != Some(TargetHealthStateEnum::Healthy))
        .map(|one| {
            let id = one.target().and_then(|target| target.id()).unwrap_or("?");
            let health = one.target_health();
            let state = health
                .and_then(|health| health.state())
                .map_or("unknown", |state| state.as_str());
            let reason = health
                .and_then(|health| health.reason())
                .map_or(String::new(), |r| format!(", {}", r.as_str()));
            format!("{id} {state}{reason}")
        });
    Ok(Targets {
        healthy,
        registered: all.len(),
        others: others.collect(),
    })
}

/// Waits until as many targets are healthy as the group has at least, then until the load balancer is active.
pub async fn wait_healthy(
    cloud: &Cloud,
    site: &Site,
    outputs: &Outputs,
    (clock, stop): (&Clock, &Stop),
    tell: &dyn Fn(Event),
) -> Result<Vec<Check>, Unproven> {
    let (Some(group), Some(balancer)) = (
        outputs.get(&target_group::ARN),
        outputs.get(&load_balancer::ARN),
    ) else {
        return Err(Unproven::NoAnswer(
            "there is no load balancer or no target group".to_owned(),
        ));
    };
    let wanted = usize::try_from(site.config.scaling.min.max(1)).unwrap_or(1);
    let name = site.config.names.target_group.clone();
    for attempt in 0.. {
        let targets = targets(cloud, group).await?;
        let why = format!("{} of {wanted} targets healthy", targets.healthy);
        if targets.healthy >= wanted {
            break;
        }
        let others = targets.others.join("; ");
        let why = if others.is_empty() {
            why
        } else {
            format!("{why} ({others})")
        };
        tell(Event::Waiting {
            key: "target_health",
            name: name.clone(),
            why: why.clone(),
        });
        pause(clock, stop, attempt, why).await?;
    }
    tell(Event::Finished {
        key: "target_health",
        name: name.clone(),
        verb: "healthy",
    });
    for attempt in 0.. {
        let known = outputs
            .get(&load_balancer::STATE)
            .is_some_and(|state| state == "active");
        if known || is_active(cloud, balancer).await? {
            break;
        }
        let why = "the load balancer is provisioning".to_owned();
        tell(Event::Waiting {
            key: "load_balancer",
            name: site.config.names.load_balancer.clone(),
            why: why.clone(),
        });
        pause(clock, stop, attempt, why).await?;
    }
    let evidence = format!("{wanted} or more targets of {name} are healthy");
    Ok(vec![
        Check::new("targets", 6, "targets healthy").pass(evidence),
    ])
}

/// `https://app.example.com`, or by the load balancer's own name when there is no record.
pub fn endpoint(site: &Site, outputs: &Outputs) -> Option<String> {
    let scheme = if site.https() { "https" } else { "http" };
    let name = site.record_name().or_else(|| {
        outputs
            .get(&load_balancer::DNS_NAME)
            .map(|name| name.to_lowercase())
    })?;
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
        let answer = match sandbox {
            Some(sandbox) => browse(sandbox, &url).await,
            None => get(&url).await,
        };
        match answer {
            Ok(evidence) => {
                return Ok(Check::new("version", 7, "/api/version").pass(evidence));
            }
            Err(why) if attempt == 4 => return Err(Unproven::NoAnswer(format!("{url}: {why}"))),
            Err(why) => {
                tell(Event::Waiting {
                    key: "version",
                    name: url.clone(),
                    why: why.clone(),
                });
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

async fn is_active(cloud: &Cloud, balancer: &str) -> cloud::Result<bool> {
    let reply = cloud
        .elb
        .describe_load_balancers()
        .load_balancer_arns(balancer)
        .send()
        .await?;
    let state = reply
        .load_balancers()
        .first()
        .and_then(|found| found.state())
        .and_then(|state| state.code());
    Ok(matches!(
        state,
        Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired)
    ))
}

async fn browse(sandbox: &Sandbox, url: &str) -> Result<String, String> {
    let answer = sandbox.browse(url).await?;
    judged(answer.status().as_u16(), answer.body())
}

async fn get(url: &str) -> Result<String, String> {
    // Only the first caller installs it; a second time says that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(5))
        .timeout(std::time::Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| error.to_string())?;
    let answer = client
        .get(url)
        .send()
        .await
        .map_err(|error| causes(&error))?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(|error| causes(&error))?;
    judged(status, &body)
}

/// The version's fields are not documented: any JSON will do, and it is shown whole.
fn judged(status: u16, body: &[u8]) -> Result<String, String> {
    match (status, serde_json::from_slice::<serde_json::Value>(body)) {
        (200..=299, Ok(version)) => Ok(version.to_string()),
        (200..=299, Err(_)) => Err(format!("HTTP {status}, and the body is not JSON")),
        _ => Err(format!("HTTP {status}")),
    }
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
