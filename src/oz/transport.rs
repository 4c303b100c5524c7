//! How one question without a body reaches a service: over the network, or inside this process.

use std::time::Duration;

use async_trait::async_trait;
use http::Request;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::connection::{NoAnswer, Stage};
use super::exchange::{Answer, no_body};
use super::sensitive::Redaction;
use super::status::Said;
use super::{BaseUrl, Refused, Token, Web};
use crate::text::lenient_json;

/// How long one question may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Carries a GET to a service and its answer back.
#[async_trait(?Send)]
pub trait Transport {
    /// The answer.
    ///
    /// # Errors
    /// Why there is none.
    async fn get(&self, base: &BaseUrl, path: &str) -> Result<Answer, NoAnswer>;
}

/// The network, with the system's authorities and proxies.
#[derive(Default)]
pub struct Network(OnceCell<Web>);

#[async_trait(?Send)]
impl Transport for Network {
    async fn get(&self, base: &BaseUrl, path: &str) -> Result<Answer, NoAnswer> {
        let web = self.0.get_or_try_init(async || Web::new(None)).await;
        get(web.map_err(|refused: Refused| NoAnswer::at(Stage::Proxy, refused.what))?, base, path, None).await
    }
}

/// The path of the version (guide step 7).
pub const VERSION: &str = "/api/version";

/// Where a client posts a capture, or two pictures: with the slash, since a redirect would turn the POST into a GET.
pub const ANALYSES: &str = "/api/instant/folders/";

/// Why a service does not say its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoVersion {
    /// No answer came.
    NoAnswer(NoAnswer),
    /// Something else was answered.
    Said(Said),
}

impl std::fmt::Display for NoVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoVersion::NoAnswer(error) => f.write_str(&error.words),
            NoVersion::Said(said) => f.write_str(&said.words),
        }
    }
}

/// Asks once for the version.
///
/// # Errors
/// Why there is none.
pub async fn ask_version(transport: &dyn Transport, base: &BaseUrl) -> Result<Value, NoVersion> {
    judge_version(&transport.get(base, VERSION).await.map_err(NoVersion::NoAnswer)?, &Redaction::default())
}

/// One question over the network.
///
/// # Errors
/// Why there is no answer.
pub async fn get(web: &Web, base: &BaseUrl, path: &str, token: Option<&Token>) -> Result<Answer, NoAnswer> {
    let mut request = Request::get(base.path(path));
    if let Some(token) = token {
        request = request.header("X-Forensic-Access-Token", token.expose());
    }
    let request = request.body(no_body()).map_err(|error| NoAnswer::at(Stage::Name, error.to_string()))?;
    let silent = || NoAnswer::at(Stage::Answer, format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()));
    timeout(ANSWER_TIMEOUT, web.send(base, request)).await.unwrap_or_else(|_| Err(silent()))
}

/// The version's fields are not documented: any JSON with a good status will do, and it is shown whole.
///
/// # Errors
/// What came instead.
pub fn judge_version(answer: &Answer, redaction: &Redaction) -> Result<Value, NoVersion> {
    let json = lenient_json(&answer.body);
    match json {
        Some(version) if answer.status.is_success() => Ok(redaction.clean_tree(version)),
        json => Err(NoVersion::Said(Said::of(answer, json.as_ref(), redaction))),
    }
}
