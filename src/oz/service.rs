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
use super::verdict::{Analysis, Level, Verdict, best_shot, error_words};
use super::web::why;
use super::{BaseUrl, Token, Web};
use crate::engine::{Clock, Stop};

pub use crate::engine::clock::Late;

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

/// What `/api/version` said. Its fields are not documented: it is shown whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Version(pub Value);

/// An answer to an analysis.
#[derive(Debug, Clone)]
pub struct Answered {
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
        let client = web.client(base.host(), at)?;
        let mut redaction = Redaction::default();
        if let Some(token) = token.as_ref().and_then(|token| token.expose().to_str().ok()) {
            redaction.withhold(token);
        }
        Ok(Service { base, client, token, redaction })
    }

    /// `GET /api/version` (guide step 7): any JSON with a good status. `Ok(Err)`: why not.
    ///
    /// # Errors
    /// The deadline passed, or somebody asked to stop.
    pub async fn version(&self, time: (&Clock, &Stop)) -> Result<Result<Version, String>, Late> {
        let request = || self.client.get(self.base.join("/api/version"));
        let body = self.send(request, time).await?;
        Ok(body.and_then(|(status, body)| {
            let json = serde_json::from_slice::<Value>(&body);
            match json {
                Ok(version) if status.is_success() => Ok(Version(self.clean(version))),
                Ok(error) => Err(format!("HTTP {}: {}", status.as_u16(), error_words(&error, &self.redaction))),
                Err(_) if status.is_success() => Err(format!("HTTP {}, and the body is not JSON", status.as_u16())),
                Err(_) => Err(not_json(status)),
            }
        }))
    }

    /// Liveness of a capture.
    ///
    /// # Errors
    /// The deadline passed, or somebody asked to stop.
    pub async fn liveness(&self, capture: &Capture, time: (&Clock, &Stop)) -> Result<Answered, Late> {
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
        self.analyse(Analysis::Quality, &form, &redaction, time).await
    }

    /// Whether two pictures show the same person; `meta` is the liveness folder's.
    ///
    /// # Errors
    /// The deadline passed, or somebody asked to stop.
    pub async fn biometry(
        &self,
        (reference, shot): (&Picture, &Picture),
        meta: &Map<String, Value>,
        time: (&Clock, &Stop),
    ) -> Result<Answered, Late> {
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
        self.analyse(Analysis::Biometry, &form, &redaction, time).await
    }

    async fn analyse(
        &self,
        asked: Analysis,
        form: &dyn Fn() -> reqwest::Result<Form>,
        redaction: &Redaction,
        time: (&Clock, &Stop),
    ) -> Result<Answered, Late> {
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
        let mut answered = match self.send(request, time).await? {
            Err(why) => Answered { verdict: Verdict::unanswered(redaction.clean(&why)), best_shot: None },
            Ok((status, body)) => judged(asked, status, &body, redaction),
        };
        answered.verdict.duration_ms = start.elapsed().as_millis() as u64;
        Ok(answered)
    }

    /// Sends once; only a connection that never came about is tried again, since analyses are metered.
    async fn send(&self, request: impl Fn() -> RequestBuilder, (clock, stop): (&Clock, &Stop)) -> Result<Body, Late> {
        for attempt in 0.. {
            let request = match &self.token {
                Some(token) => request().header("X-Forensic-Access-Token", token.expose()),
                None => request(),
            };
            let answer = clock.within(stop, async { received(request.send().await?).await }).await?;
            match answer {
                Err(Cut::Http(error)) if error.is_connect() && attempt + 1 < CONNECTS && !is_tls(&error) => {
                    if !clock.pause(attempt, stop).await {
                        return Err(if stop.signal().is_some() { Late::Stopped } else { Late::Deadline });
                    }
                }
                answer => return Ok(answer.map_err(|cut| cut.words())),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn clean(&self, tree: Value) -> Value {
        match tree {
            Value::String(text) => Value::String(self.redaction.clean(&text)),
            Value::Array(values) => values.into_iter().map(|value| self.clean(value)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(key, value)| (self.redaction.clean(&key), self.clean(value))).collect()
            }
            other => other,
        }
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
        (Some(answer), status) if status.is_success() => Verdict::judge(asked, answer, redaction),
        (Some(error), status) => failed(format!("HTTP {}: {}", status.as_u16(), error_words(error, redaction))),
        (None, status) if status.is_success() => failed(format!("HTTP {}, and the body is not JSON", status.as_u16())),
        (None, status) if status.is_server_error() => Verdict::unanswered(not_json(status)),
        (None, status) => failed(not_json(status)),
    };
    let best_shot = json.as_ref().filter(|_| asked == Analysis::Quality).and_then(best_shot);
    Answered { verdict, best_shot }
}

/// Pages of a proxy or load balancer are not shown: they may echo what was sent.
fn not_json(status: StatusCode) -> String {
    let meaning = match status.as_u16() {
        301 | 302 | 307 | 308 => ": a redirect; the base URL is wrong",
        400 => ": refused, perhaps for its Host (the service's APP_ALLOWED_HOSTS)",
        401 | 403 => ": forbidden; is a token wanted?",
        404 => ": nothing is there; is the base URL right?",
        413 => ": too large for the service or what stands before it",
        502 => ": the load balancer got no usable answer from the instance",
        503 => ": no healthy instance stands behind the load balancer",
        504 => ": the instance did not answer the load balancer in time",
        _ => "",
    };
    format!("HTTP {}{meaning}", status.as_u16())
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
        if cause.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        next = cause.source();
    }
    false
}
