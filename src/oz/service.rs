//! The calls themselves.

use bytes::Bytes;
use http::StatusCode;
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::capture::Capture;
use super::payload::{self, KEYS};
use super::picture::Picture;
use super::sensitive::Redaction;
use super::transport::{VERSION, judge_version, not_json};
use super::verdict::{best_shot, error_words, judge};
use super::web::why;
use super::{BaseUrl, Token, Web};
use crate::clock::{Attempt, Ended, Label, Late, Wait};
use crate::outcome::{Analysis, Level, Verdict};

/// Past this an answer is no answer.
const LARGEST_ANSWER: usize = 64 << 20;
/// How often a connection is tried before there is said to be none.
const CONNECTS: u32 = 4;

/// A service at a base URL.
pub struct Service {
    base: BaseUrl,
    client: reqwest::Client,
    token: Option<Token>,
    redaction: Redaction,
}

/// An answer to an analysis.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What it says, in three levels.
    pub verdict: Verdict,
    /// Liveness only, and not always.
    pub best_shot: Option<Picture>,
}

/// An answer, or why there is none.
type Body = Result<(StatusCode, Bytes), String>;

impl Service {
    /// A service; nothing is called yet.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(base: BaseUrl, token: Option<Token>, web: &Web) -> Result<Service, String> {
        Service::at(base, token, web, None)
    }

    /// The same at these addresses, whatever its name leads to.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn at(
        base: BaseUrl,
        token: Option<Token>,
        web: &Web,
        at: Option<&[std::net::SocketAddr]>,
    ) -> Result<Service, String> {
        let client = web.client(&base, at)?;
        let mut redaction = Redaction::default();
        if let Some(token) = token.as_ref().and_then(|token| token.expose().to_str().ok()) {
            redaction.withhold(token);
        }
        Ok(Service { base, client, token, redaction })
    }

    /// `GET /api/version` (guide step 7): any JSON with a good status. `Ok(Err)`: why not.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn version(&self, wait: &Wait<'_>) -> Result<Result<Value, String>, Ended> {
        let request = || self.client.get(self.base.join(VERSION));
        let body = self.send(request, wait).await?;
        Ok(body.and_then(|(status, body)| judge_version(status, &body, &self.redaction)))
    }

    /// Liveness of a capture.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn liveness(&self, capture: &Capture, wait: &Wait<'_>) -> Result<Answered, Ended> {
        let mut redaction = self.redaction.clone();
        redaction.withhold_all(&Value::Object(capture.meta.expose().clone()));
        if let Some(info) = &capture.additional_info {
            redaction.withhold(info.expose());
        }
        let form = || {
            let zip = Part::stream_with_length(capture.zip.expose().clone(), capture.zip.expose().len() as u64);
            let zip = zip.file_name("media_key1.zip").mime_str("application/zip")?;
            Ok(Form::new().part(KEYS[0], zip).part("payload", json_part(&payload::liveness(capture))?))
        };
        self.analyse(Analysis::Quality, &form, &redaction, wait).await
    }

    /// Whether two pictures show the same person; `meta` is the liveness folder's.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn biometry(
        &self,
        (reference, shot): (&Picture, &Picture),
        meta: &Map<String, Value>,
        wait: &Wait<'_>,
    ) -> Result<Answered, Ended> {
        let mut redaction = self.redaction.clone();
        redaction.withhold_all(&Value::Object(meta.clone()));
        let photo = |name: &str, picture: &Picture| {
            let part = Part::bytes(picture.bytes().to_vec());
            part.file_name(format!("{name}.{}", picture.kind.ending())).mime_str(picture.kind.mime())
        };
        let form = || {
            let payload = json_part(&payload::biometry(meta))?;
            let form = Form::new().part(KEYS[0], photo("reference_photo", reference)?);
            Ok(form.part(KEYS[1], photo("best_shot", shot)?).part("payload", payload))
        };
        self.analyse(Analysis::Biometry, &form, &redaction, wait).await
    }

    async fn analyse(
        &self,
        asked: Analysis,
        form: &dyn Fn() -> reqwest::Result<Form>,
        redaction: &Redaction,
        wait: &Wait<'_>,
    ) -> Result<Answered, Ended> {
        let url = self.base.join("/api/instant/folders/");
        let start = Instant::now();
        let unsendable = |error: reqwest::Error| Verdict::unanswered(why(&error));
        if let Err(error) = form() {
            return Ok(Answered { verdict: unsendable(error), best_shot: None });
        }
        let request = || match form() {
            Ok(form) => self.client.post(url.clone()).multipart(form),
            Err(_) => self.client.post(url.clone()),
        };
        let mut answered = match self.send(request, wait).await? {
            Err(why) => Answered { verdict: Verdict::unanswered(redaction.clean(&why)), best_shot: None },
            Ok((status, body)) => judged(asked, status, &body, redaction),
        };
        answered.verdict.duration_ms = start.elapsed().as_millis() as u64;
        Ok(answered)
    }

    /// Sends once; only a connection that never came about is tried again, since analyses are metered.
    async fn send(&self, request: impl Fn() -> RequestBuilder, wait: &Wait<'_>) -> Result<Body, Ended> {
        let (wait, label, mut connects) = (wait.quiet(), Label::new("service", self.base.to_string()), 0);
        let sent = wait.until(&label, async || -> Result<_, Late> {
            let request = match &self.token {
                Some(token) => request().header("X-Forensic-Access-Token", token.expose()),
                None => request(),
            };
            let answer = wait.within(async { received(request.send().await?).await }).await;
            let answer = answer.map_err(|ended| Late { ended, why: String::new() })?;
            connects += 1;
            Ok(match answer {
                Err(Cut::Http(error)) if error.is_connect() && connects < CONNECTS && !is_tls(&error) => {
                    Attempt::Again(why(&error))
                }
                answer => Attempt::Done(answer.map_err(|cut| cut.words())),
            })
        });
        sent.await.map_err(Ended::from)
    }
}

fn json_part(payload: &Value) -> reqwest::Result<Part> {
    Part::text(payload.to_string()).mime_str("application/json")
}

fn judged(asked: Analysis, status: StatusCode, body: &[u8], redaction: &Redaction) -> Answered {
    let failed =
        |why: String| Verdict { transport: Level::Ok, technical: Some(Level::Failed), ..Verdict::unanswered(why) };
    let json = serde_json::from_slice::<Value>(body).ok();
    let verdict = match (&json, status) {
        (_, status) if status.is_redirection() => Verdict::unanswered(format!(
            "HTTP {}: a redirect, which would turn the POST into a GET; the base URL is wrong",
            status.as_u16()
        )),
        (Some(answer), status) if status.is_success() => judge(asked, answer, redaction),
        (Some(error), status) => failed(format!("HTTP {}: {}", status.as_u16(), error_words(error, redaction))),
        (None, status) if status.is_success() => failed(format!("HTTP {}, and the body is not JSON", status.as_u16())),
        (None, status) if status.is_server_error() => Verdict::unanswered(not_json(status)),
        (None, status) => failed(not_json(status)),
    };
    let best_shot = json.as_ref().filter(|_| asked == Analysis::Quality).and_then(best_shot);
    Answered { verdict, best_shot }
}

/// Why an answer did not come whole.
enum Cut {
    Http(reqwest::Error),
    TooLarge,
}

impl From<reqwest::Error> for Cut {
    fn from(error: reqwest::Error) -> Cut {
        Cut::Http(error)
    }
}

impl Cut {
    fn words(&self) -> String {
        match self {
            Cut::Http(error) => why(error),
            Cut::TooLarge => format!("the answer is larger than {} MiB", LARGEST_ANSWER >> 20),
        }
    }
}

async fn received(mut answer: Response) -> Result<(StatusCode, Bytes), Cut> {
    let status = answer.status();
    if answer.content_length().is_some_and(|length| length > LARGEST_ANSWER as u64) {
        return Err(Cut::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Cut::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body.into()))
}

/// A refused certificate does not become better by trying again.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if cause.is::<rustls::Error>()
            || inner.is_some_and(
                <dyn std::error::Error + std::marker::Send + std::marker::Sync + 'static>::is::<rustls::Error>,
            )
        {
            return true;
        }
        next = cause.source();
    }
    false
}
