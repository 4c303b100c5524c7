//! Every call to AWS passes here: few at once, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Semaphore;

/// Counts the calls of every client.
#[derive(Debug, Default)]
pub struct CallLimiter {
    calls: AtomicU64,
}

impl CallLimiter {
    /// A limiter that has counted nothing.
    pub fn new() -> CallLimiter {
        CallLimiter::default()
    }

    /// HTTP requests sent so far, repetitions included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
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
            inner.call(request).await
        })
    }
}
