//! The health gate of a rollout, prepared before the first write.

use crate::checks;
use crate::cli;
use crate::commands::Session;
use crate::engine::Outputs;
use crate::outcome::Failed;
use crate::oz::{Capture, CaptureOverrides};
use crate::rollout::HealthGate;
use crate::site::Site;

/// What will be asked of the service during a rollout; `None` when nothing is to be, or nothing can be yet.
///
/// # Errors
/// The capture is refused.
pub async fn prepare<'a>(
    before: Option<HealthGate<'a>>,
    session: &'a Session<'a>,
    args: &cli::Up,
    (site, ids): (&Site, &Outputs),
) -> Result<Option<HealthGate<'a>>, Failed> {
    if !args.asks() || before.is_some() {
        return Ok(before);
    }
    let Some(endpoint) = checks::through_load_balancer(site, ids) else {
        return Ok(None);
    };
    let metered = match &site.config.verify.capture {
        Some(path) => {
            let capture = Capture::read(path.as_ref(), &CaptureOverrides::default())?;
            Some((capture, session.web(None).await?))
        }
        None => None,
    };
    Ok(Some(HealthGate::new(endpoint, &*session.transport, metered)?))
}
