//! One request over one connection, and its answer.

use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SERVER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::connection::{Io, NoAnswer, Stage};

/// Past this an answer is no answer.
const LARGEST_ANSWER: usize = 64 << 20;
/// Bodies go out in pieces of this size, so that none is copied whole.
const PIECE: usize = 64 << 10;

/// What is sent.
pub type Body = BoxBody<Bytes, Infallible>;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Who says that it answered: the header `Server`.
    pub server: Option<String>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// What its body says that it is.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Bytes,
}

/// No body: not even an empty one in chunks, which a GET should not have.
pub fn no_body() -> Body {
    BodyExt::boxed(Empty::new())
}

/// A body of these parts, and its length.
pub fn body(parts: Vec<Bytes>) -> (Body, u64) {
    let length = parts.iter().map(|part| part.len() as u64).sum();
    let pieces = parts.into_iter().flat_map(|part| {
        let starts = (0..part.len()).step_by(PIECE);
        starts.map(|start| part.slice(start..part.len().min(start + PIECE))).collect::<Vec<_>>()
    });
    let frames = pieces.map(|piece| Ok(Frame::data(piece))).collect::<Vec<_>>();
    (BodyExt::boxed(StreamBody::new(stream::iter(frames))), length)
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// No answer came, or not whole. A status that came is an answer, however its body ends: unless it means success.
pub async fn exchange(stream: impl Io + 'static, mut request: Request<Body>) -> Result<Answer, NoAnswer> {
    let agent = HeaderValue::from_static(concat!("deploy/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().insert(USER_AGENT, agent);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| unanswered(&error))?;
    let answer = async { received(sender.send_request(request).await.map_err(|error| unanswered(&error))?).await };
    // The connection is what reads and writes; how it ends is told to whoever waits for the answer.
    let works = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        answer = answer => answer,
        never = works => never,
    }
}

/// Sets what the body is.
pub fn set_content(headers: &mut HeaderMap, content_type: &str, length: u64) {
    headers.insert(CONTENT_LENGTH, length.into());
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
}

async fn received(answer: Response<Incoming>) -> Result<Answer, NoAnswer> {
    let status = answer.status();
    let text = |name: HeaderName| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let (server, location, content_type) = (text(SERVER), text(LOCATION), text(CONTENT_TYPE));
    let (mut incoming, mut body) = (answer.into_body(), BytesMut::new());
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => {
                let data = frame.into_data().unwrap_or_default();
                if body.len() + data.len() > LARGEST_ANSWER {
                    let words = format!("the answer is larger than {} MiB", LARGEST_ANSWER >> 20);
                    return Err(NoAnswer::at(Stage::Answer, words));
                }
                body.extend_from_slice(&data);
            }
            Err(error) if status.is_success() => {
                let words = format!("the answer was cut: {}", cause(&error));
                return Err(NoAnswer::at(Stage::Answer, words));
            }
            // What it refuses is known; what it would have said of it is lost.
            Err(_) => break,
        }
    }
    Ok(Answer { status, server, location, content_type, body: body.freeze() })
}

fn unanswered(error: &hyper::Error) -> NoAnswer {
    NoAnswer::at(Stage::Answer, format!("no answer: {}", cause(error)))
}

/// The innermost cause.
fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
