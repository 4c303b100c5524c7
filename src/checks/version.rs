//! Whether the service says its version (guide step 7): through the load balancer, or wherever a URL leads.

use async_trait::async_trait;
use serde_json::Value;

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Turn, Verb};
use super::endpoint::{Endpoint, SETTLES};
use super::reach::ReachLoadBalancer;
use crate::clock::{Ended, Wait};
use crate::outcome::{Finding, Status};
use crate::oz::{BaseUrl, NoAnswer, NoVersion, Service, Stage};

/// Whether the service says its version through the load balancer.
pub struct Version;

#[async_trait(?Send)]
impl Check for Version {
    fn about(&self) -> &'static About {
        &About {
            id: "version",
            step: 7,
            title: "/api/version through the load balancer",
            places: &[Place::At(Node::Service), Place::WayTo(Node::Service)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn turn(&self) -> Turn {
        Turn::IfGood(&ReachLoadBalancer)
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (endpoint, way) = cx.way()?;
        let through = endpoint.through(way);
        Ok(asked(self.finding(), endpoint, through, way.version.as_deref(), cx.wait()).await?)
    }
}

/// Whether a service that may be anybody's says its version.
pub struct VersionAlone;

#[async_trait(?Send)]
impl Check for VersionAlone {
    fn about(&self) -> &'static About {
        &About {
            id: "version",
            step: 7,
            title: "/api/version",
            places: &[Place::At(Node::Service), Place::WayTo(Node::Service)],
            verbs: &[Verb::Verify],
            asks: Asks::Service,
        }
    }

    fn applies(&self, cx: &CheckContext<'_>) -> bool {
        cx.endpoint().is_ok_and(|endpoint| endpoint.way.is_none())
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let endpoint = cx.endpoint()?;
        Ok(asked(self.finding(), endpoint, endpoint.base.clone(), None, cx.wait()).await?)
    }
}

/// Asks for the version, and compares it.
///
/// # Errors
/// The deadline passed, or a signal asked to stop.
pub(super) async fn asked(
    finding: Finding,
    endpoint: &Endpoint<'_>,
    base: BaseUrl,
    wanted: Option<&str>,
    wait: &Wait<'_>,
) -> Result<Finding, Ended> {
    let service = Service::new(base, endpoint.token.clone(), endpoint.web);
    Ok(match service.version(wait).await? {
        Ok(version) => compared(finding, &version, wanted),
        Err(why) => unsaid(finding, &why),
    })
}

/// What a check finds when the service does not say its version.
pub fn unsaid(finding: Finding, why: &NoVersion) -> Finding {
    match why {
        NoVersion::Said(said) => {
            let found = finding.fail(&said.words, &said.cause, &said.fix);
            // A load balancer says 502 and 503 too while its targets are being taken in.
            if said.may_pass { found.settling(SETTLES) } else { found }
        }
        NoVersion::NoAnswer(NoAnswer { refusal: Some(refusal), .. }) => {
            finding.fail(&refusal.what, &refusal.cause, &refusal.fix)
        }
        NoVersion::NoAnswer(error) => {
            let (cause, fix) = match error.stage {
                Stage::Name => (
                    "its name leads nowhere from here: it does not exist (yet), or this machine's resolver does not \
                     know it",
                    "Look at `getent hosts` of the name.",
                ),
                Stage::Connection => (
                    "it is not reached from here: nothing listens there, a firewall or a security group drops the \
                     connection, or there is no way to its network",
                    "Run inside its network, or through a tunnel or a proxy that leads there.",
                ),
                Stage::Refused => (
                    "an address that is reached refuses the port: no listener is there, or something on the way \
                     answers in its place",
                    "`deploy plan` shows whether a listener is missing.",
                ),
                Stage::Proxy => (
                    "the proxy of this machine does not lead there",
                    "Look at HTTPS_PROXY and at the proxy's own rules; NO_PROXY lists what is reached directly.",
                ),
                Stage::Handshake => (
                    "what takes the connection speaks no TLS, or has no certificate for this name",
                    "`deploy plan` shows the listener; is it https at all?",
                ),
                Stage::Answer => (
                    "the connection stood, and no whole answer came: the service hangs or has ended, or something on \
                     the way cut it",
                    "`deploy diagnose` looks at the way behind it.",
                ),
            };
            let found = finding.fail(&error.words, cause, fix);
            if error.stage == Stage::Refused { found.settling(SETTLES) } else { found }
        }
    }
}

/// Any JSON with a good status; its fields are not documented, so it is shown whole.
fn compared(finding: Finding, version: &Value, wanted: Option<&str>) -> Finding {
    match wanted {
        Some(wanted) if !says(version, wanted) => finding.fail(
            version.to_string(),
            format!("verify.version wants {wanted}"),
            "Look at instance.image (`deploy up` rolls a changed one out), or correct verify.version.",
        ),
        _ => finding.found(Status::Pass, version.to_string()),
    }
}

fn says(version: &Value, wanted: &str) -> bool {
    match version {
        Value::String(text) => text == wanted,
        Value::Array(values) => values.iter().any(|value| says(value, wanted)),
        Value::Object(fields) => fields.values().any(|value| says(value, wanted)),
        Value::Number(number) => number.to_string() == wanted,
        _ => false,
    }
}
