//! The stand-in for the Oz service: judges requests as strictly as the real one is documented to, then answers in the
//! guide's shapes whatever a test asks for. What the vendor does not document is marked synthetic.

mod answers;
mod judge;
pub mod samples;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clock::elapse;
use judge::{Asked, Wrong};

/// More than any capture.
const LARGEST: usize = 1 << 30;

/// What the service answers to one kind of request.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Answer {
    /// What the request deserves.
    #[default]
    Judged,
    /// DECLINED: no living person.
    Declined,
    /// OPERATOR_REQUIRED: a person has to look.
    OperatorRequired,
    /// A folder that failed for a technical reason.
    Failed,
    /// Still under way: an anomaly, the service is synchronous.
    Processing,
    /// As judged, and then this place of the answer (a JSON pointer) is another value.
    With(&'static str, Value),
    /// As judged, without the best shot that was asked for.
    NoBestShot,
    /// The vendor's error body.
    Error(u16, i64, &'static str),
    /// A page of whatever stands before the service.
    Html(u16),
    /// To another address, with this status.
    Redirect(u16),
    /// As judged, after so long.
    Slow(Duration),
    /// More is promised than comes.
    Cut,
    /// This status, type of content and body.
    Raw(u16, &'static str, Vec<u8>),
    /// An error that repeats the token and the payload it got.
    Echo,
    /// A good answer of so many bytes.
    Flood(usize),
}

/// What the service is told to do.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Wanted in `X-Forensic-Access-Token`.
    pub token: Option<String>,
    /// Before every path.
    pub prefix: String,
    /// To `/api/version`.
    pub version: Answer,
    /// To a liveness request.
    pub liveness: Answer,
    /// To a biometry request.
    pub biometry: Answer,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its method.
    pub method: String,
    /// Its path, with the prefix.
    pub path: String,
    /// Its headers, with names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Name, file name, content type, length.
    pub parts: Vec<(String, Option<String>, Option<String>, usize)>,
    /// Its JSON.
    pub payload: Option<Value>,
    /// Names in the ZIP.
    pub frames: Vec<String>,
}

/// The service. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Service(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    script: Script,
    seen: Vec<Seen>,
    under_way: usize,
    most_under_way: usize,
}

impl Service {
    /// A service that does what the script says.
    pub fn new(script: Script) -> Service {
        Service(Arc::new(Mutex::new(Known { script, ..Known::default() })))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the script.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.known().script);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.known().seen.clone()
    }

    /// How many requests were under way at once, at most.
    pub fn most_under_way(&self) -> usize {
        self.known().most_under_way
    }

    /// Answers one request.
    pub async fn answer(&self, request: http::Request<Bytes>) -> Response<Body> {
        let _under_way = UnderWay::begin(self);
        let script = self.known().script.clone();
        let mut seen = seen(&request);
        let judged = route(&script, &request, &mut seen).await;
        let payload = seen.payload.clone();
        self.known().seen.push(seen);
        match judged {
            Err(wrong) => wrong.answer(),
            Ok((answer, asked)) => give(answer, &asked, payload, &request).await,
        }
    }
}

/// A request that is under way until this is dropped: a client may go away before its answer.
struct UnderWay<'a>(&'a Service);

impl UnderWay<'_> {
    fn begin(service: &Service) -> UnderWay<'_> {
        let mut known = service.known();
        known.under_way += 1;
        known.most_under_way = known.most_under_way.max(known.under_way);
        UnderWay(service)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.known().under_way -= 1;
    }
}

/// The service alone over plain HTTP, until `shutdown`.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    service: Service,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(answer).with_state(service);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn answer(State(service): State<Service>, request: Request) -> Response<Body> {
    match whole(request).await {
        Ok(request) => service.answer(request).await,
        Err(refused) => refused,
    }
}

/// A request with all of its body.
pub async fn whole(request: Request) -> Result<http::Request<Bytes>, Response<Body>> {
    let (parts, body) = request.into_parts();
    match to_bytes(body, LARGEST).await {
        Ok(body) => Ok(http::Request::from_parts(parts, body)),
        Err(_) => Err(html(413)),
    }
}

fn seen(request: &http::Request<Bytes>) -> Seen {
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        headers: headers.collect(),
        parts: Vec::new(),
        payload: None,
        frames: Vec::new(),
    }
}

async fn route(script: &Script, request: &http::Request<Bytes>, seen: &mut Seen) -> Result<(Answer, Asked), Wrong> {
    let Some(path) = request.uri().path().strip_prefix(script.prefix.as_str()) else {
        return Err(Wrong::new(404, 10, "no such path"));
    };
    authorised(script, request)?;
    match (request.method().as_str(), path) {
        ("GET", "/api/version") => Ok((script.version.clone(), Asked::Version)),
        ("POST", "/api/instant/folders/") => {
            let asked = judge::judge(request, seen).await?;
            let answer = if matches!(asked, Asked::Liveness { .. }) { &script.liveness } else { &script.biometry };
            Ok((answer.clone(), asked))
        }
        // Without the slash most frameworks redirect, and the client's POST becomes a GET.
        (_, "/api/instant/folders") => Ok((Answer::Redirect(301), Asked::Version)),
        (_, "/api/version" | "/api/instant/folders/") => Err(Wrong::new(405, 1, "method not allowed")),
        _ => Err(Wrong::new(404, 10, "no such path")),
    }
}

/// Codes as documented; the statuses are synthetic.
fn authorised(script: &Script, request: &http::Request<Bytes>) -> Result<(), Wrong> {
    let given = request.headers().get("x-forensic-access-token").map(HeaderValue::as_bytes);
    match (&script.token, given) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Wrong::new(401, 6, "authorization token not provided")),
        (Some(wanted), Some(given)) if wanted.as_bytes() == given => Ok(()),
        (Some(_), Some(_)) => Err(Wrong::new(403, 7, "authorization token is invalid")),
    }
}

async fn give(answer: Answer, asked: &Asked, payload: Option<Value>, request: &http::Request<Bytes>) -> Response<Body> {
    match answer {
        Answer::Judged => json_answer(200, &asked.answer()),
        Answer::Declined => json_answer(200, &answers::resolved(asked.answer(), "DECLINED")),
        Answer::OperatorRequired => json_answer(200, &answers::resolved(asked.answer(), "OPERATOR_REQUIRED")),
        Answer::Failed => json_answer(200, &answers::failed(asked.answer())),
        Answer::Processing => json_answer(200, &answers::processing(asked.answer())),
        Answer::With(pointer, value) => json_answer(200, &answers::with(asked.answer(), pointer, value)),
        Answer::NoBestShot => {
            json_answer(200, &answers::with(asked.answer(), "/analyses/0/results_media/0/output_images", json!([])))
        }
        Answer::Error(status, code, message) => Wrong::new(status, code, message).answer(),
        Answer::Html(status) => html(status),
        Answer::Redirect(status) => {
            let mut answer = html(status);
            answer.headers_mut().insert("location", HeaderValue::from_static("https://elsewhere.example.com/"));
            answer
        }
        Answer::Slow(time) => {
            elapse(time).await;
            json_answer(200, &asked.answer())
        }
        Answer::Cut => {
            let chunks = [Ok(Bytes::from_static(b"{\"resolution_status\": \"FINI")), Err(std::io::Error::other("cut"))];
            let mut answer = Response::new(Body::from_stream(futures_util::stream::iter(chunks)));
            answer.headers_mut().insert("content-length", HeaderValue::from_static("4096"));
            answer
        }
        Answer::Raw(status, kind, body) => plain(status, kind, body),
        Answer::Echo => {
            let token = request
                .headers()
                .get("x-forensic-access-token")
                .map(|token| String::from_utf8_lossy(token.as_bytes()).into_owned());
            let message =
                format!("token {} is not allowed; got {}", token.unwrap_or_default(), payload.unwrap_or_default());
            json_answer(400, &json!({"error_code": 9, "error_message": message, "details": null}))
        }
        Answer::Flood(bytes) => {
            const CHUNK: usize = 16 << 10;
            let chunks = (0..bytes.div_ceil(CHUNK)).map(|_| Ok::<_, Infallible>(Bytes::from_static(&[b' '; CHUNK])));
            Response::new(Body::from_stream(futures_util::stream::iter(chunks)))
        }
    }
}

fn json_answer(status: u16, body: &Value) -> Response<Body> {
    plain(status, "application/json", body.to_string().into_bytes())
}

/// As nginx and load balancers answer.
pub fn html(status: u16) -> Response<Body> {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    plain(status, "text/html", format!("<html><body><h1>{status} {reason}</h1></body></html>").into_bytes())
}

fn plain(status: u16, kind: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    answer.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    answer
}
