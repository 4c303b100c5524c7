//! Through here every call to AWS passes: few at once, and counted.

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
pub struct Gate {
    calls: AtomicU64,
}

impl Gate {
    /// A gate that nothing has passed.
    pub fn new() -> Gate {
        Gate::default()
    }

    /// HTTP requests sent so far, repetitions included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The same client with at most `limit` requests under way at once.
    pub fn admit(self: &Arc<Gate>, inner: SharedHttpClient, limit: usize) -> SharedHttpClient {
        let turns = Arc::new(Semaphore::new(limit));
        SharedHttpClient::new(Gated { inner, gate: Arc::clone(self), turns })
    }
}

#[derive(Debug)]
struct Gated {
    inner: SharedHttpClient,
    gate: Arc<Gate>,
    turns: Arc<Semaphore>,
}

impl HttpClient for Gated {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, parts);
        SharedHttpConnector::new(GatedConnector { inner, gate: Arc::clone(&self.gate), turns: Arc::clone(&self.turns) })
    }
}

#[derive(Debug)]
struct GatedConnector {
    inner: SharedHttpConnector,
    gate: Arc<Gate>,
    turns: Arc<Semaphore>,
}

impl HttpConnector for GatedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, gate, turns) = (self.inner.clone(), Arc::clone(&self.gate), Arc::clone(&self.turns));
        HttpConnectorFuture::new(async move {
            let _turn = turns.acquire_owned().await; // never closed
            gate.calls.fetch_add(1, Ordering::Relaxed);
            inner.call(request).await
        })
    }
}
