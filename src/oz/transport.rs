//! How one question without a body reaches a service: over the network, or inside this process.

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::sensitive::Redaction;
use super::verdict::error_words;
use super::web::why;
use super::{BaseUrl, Refused, Web};

/// How long one question may take.
const ANSWER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// Carries a GET to a service and its answer back.
#[async_trait(?Send)]
pub trait Transport {
    /// The answer's status and body.
    ///
    /// # Errors
    /// Why there is none, in words.
    async fn get(&self, base: &BaseUrl, path: &str) -> Result<(StatusCode, Bytes), String>;
}

/// The network, with the system's authorities and proxies.
pub struct Network;

#[async_trait(?Send)]
impl Transport for Network {
    async fn get(&self, base: &BaseUrl, path: &str) -> Result<(StatusCode, Bytes), String> {
        let web = Web::new(None).map_err(|refused: Refused| refused.what)?;
        let request = web.client(base, None)?.get(base.join(path)).timeout(ANSWER_TIMEOUT);
        let answer = request.send().await.map_err(|error| why(&error))?;
        let status = answer.status();
        Ok((status, answer.bytes().await.map_err(|error| why(&error))?))
    }
}

/// The path of the version (guide step 7).
pub const VERSION: &str = "/api/version";

/// Asks once for the version.
///
/// # Errors
/// Why there is none, in words.
pub async fn ask_version(transport: &dyn Transport, base: &BaseUrl) -> Result<Value, String> {
    let (status, body) = transport.get(base, VERSION).await?;
    judge_version(status, &body, &Redaction::default())
}

/// The version's fields are not documented: any JSON with a good status will do, and it is shown whole.
///
/// # Errors
/// What came instead, in words.
pub fn judge_version(status: StatusCode, body: &[u8], redaction: &Redaction) -> Result<Value, String> {
    match serde_json::from_slice::<Value>(body) {
        Ok(version) if status.is_success() => Ok(redaction.clean_tree(version)),
        Ok(error) => Err(format!("HTTP {}: {}", status.as_u16(), error_words(&error, redaction))),
        Err(_) if status.is_success() => Err(format!("HTTP {}, and the body is not JSON", status.as_u16())),
        Err(_) => Err(not_json(status)),
    }
}

/// Pages of a proxy or load balancer are not shown: they may echo what was sent.
pub fn not_json(status: StatusCode) -> String {
    let meaning = match status.as_u16() {
        301 | 302 | 307 | 308 => ": a redirect; the base URL is wrong",
        400 => ": refused, perhaps for its Host (the service's APP_ALLOWED_HOSTS)",
        401 | 403 => ": forbidden; is a token wanted?",
        404 => ": nothing is there; is the base URL right?",
        413 => ": too large for the service or what is in front of it",
        502 => ": the load balancer got no usable answer from the instance",
        503 => ": no healthy instance is behind the load balancer",
        504 => ": the instance did not answer the load balancer in time",
        _ => "",
    };
    format!("HTTP {}{meaning}", status.as_u16())
}
