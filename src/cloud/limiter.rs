//! Every call to AWS passes here: few at once, and counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Counts the calls of every client, and knows AWS's time from the answers.
#[derive(Debug, Default)]
pub struct CallLimiter {
    calls: AtomicU64,
    /// The date of the last answer, and when it came.
    date: Mutex<Option<(DateTime, Instant)>>,
    /// Whether anything was ever answered.
    reached: AtomicBool,
    /// When it was first seen that nothing is.
    unreached: Mutex<Option<Instant>>,
}

/// How long the network may be away at the start of a run: without one a person is told so in seconds, and a name that
/// is not resolved at the first look gets some tries.
const FIRST_OUTAGE: Duration = Duration::from_secs(3);

/// Nothing was ever answered: there is no way out, or a wrong one.
#[derive(Debug, thiserror::Error)]
#[error("nothing was reached since the start")]
pub struct NeverReached(#[source] ConnectorError);

impl CallLimiter {
    /// A limiter that has counted nothing.
    pub fn new() -> CallLimiter {
        CallLimiter::default()
    }

    /// HTTP requests sent so far, repetitions included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// AWS's time, in seconds since 1970: what it says of its resources is compared with this, not with a clock of this
    /// machine, which may be wrong. `None`: nothing was answered yet.
    pub fn time(&self) -> Option<i64> {
        let (date, since) = (*self.date.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(date.secs() + i64::try_from(since.elapsed().as_secs()).unwrap_or_default())
    }

    /// The same error; where nothing was ever reached, after a few seconds one that the SDK does not try again.
    fn judged(&self, error: ConnectorError) -> ConnectorError {
        if self.reached.load(Ordering::Relaxed) || error.is_user() {
            return error;
        }
        let since = *self.unreached.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        if since.elapsed() < FIRST_OUTAGE { error } else { ConnectorError::user(Box::new(NeverReached(error))) }
    }

    fn note_date(&self, answer: &HttpResponse) {
        let date = answer.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let Some(date) = date {
            *self.date.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
        }
    }

    /// The same client with at most `limit` requests under way at once.
    pub fn admit(self: &Arc<CallLimiter>, inner: SharedHttpClient, limit: usize) -> SharedHttpClient {
        let turns = Arc::new(Semaphore::new(limit));
        SharedHttpClient::new(Limited { inner, limiter: Arc::clone(self), turns })
    }
}

#[derive(Debug)]
struct Limited {
    inner: SharedHttpClient,
    limiter: Arc<CallLimiter>,
    turns: Arc<Semaphore>,
}

impl HttpClient for Limited {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, parts);
        SharedHttpConnector::new(LimitedConnector {
            inner,
            limiter: Arc::clone(&self.limiter),
            turns: Arc::clone(&self.turns),
        })
    }
}

#[derive(Debug)]
struct LimitedConnector {
    inner: SharedHttpConnector,
    limiter: Arc<CallLimiter>,
    turns: Arc<Semaphore>,
}

impl HttpConnector for LimitedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, limiter, turns) = (self.inner.clone(), Arc::clone(&self.limiter), Arc::clone(&self.turns));
        HttpConnectorFuture::new(async move {
            let _turn = turns.acquire_owned().await; // never closed
            limiter.calls.fetch_add(1, Ordering::Relaxed);
            let answer = inner.call(request).await.map_err(|error| limiter.judged(error))?;
            limiter.reached.store(true, Ordering::Relaxed);
            limiter.note_date(&answer);
            Ok(answer)
        })
    }
}
