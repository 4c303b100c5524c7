//! A small AWS of our own, at the wire: the calls that `deploy` and a curious newcomer make, with AWS's own refusals.
//!
//! Calls that it does not know get the service's own "no such action". What it does is what AWS documents or what
//! users reported; the source stands beside it. It keeps no secrets and checks no signatures.

mod account;
mod authorization;
mod autoscaling;
mod dispatch;
mod dns;
mod ec2;
mod elb;
mod faults;
mod health;
mod iam;
mod loopback;
pub mod oz;
mod paging;
mod parameters;
mod seed;
mod serve;
mod service;
pub mod tables;
mod time;
pub mod weather;
mod wire;
mod world;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use axum::body::Body;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::cloud::StandIn;
use crate::oz::{Answer, BaseUrl, NoAnswer, Stage, Transport};

use ec2::launch_templates as templates;
use faults::Faults;
pub use faults::{Cut, Fault};
pub use seed::seed;
pub use serve::serve;
use service::Route;
pub use weather::Weather;
pub use world::World;

/// One call of an AWS client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The service that it is signed for.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The error's code, when it was refused.
    pub code: Option<String>,
    /// The actions of IAM that its caller needs for it.
    pub actions: Vec<String>,
    /// It only asked whether it would be done (EC2's `DryRun`).
    pub is_dry_run: bool,
}

impl Call {
    /// Whether it may change something.
    pub fn mutates(&self) -> bool {
        !self.is_dry_run && !dispatch::is_read(&self.operation)
    }
}

/// What the Web SDK would hand over in the sandbox, of nobody.
pub fn sample_capture() -> serde_json::Value {
    oz::samples::capture("sample", false)
}

/// A reference photo of the same nobody.
pub fn sample_reference() -> Vec<u8> {
    oz::samples::picture(crate::oz::picture::Kind::Jpeg, "sample", false)
}

/// A world, and who asks it. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    calls: Mutex<Vec<Call>>,
    faults: Faults,
    /// The world after each change and at each second that was looked at, for reads that lag behind.
    history: Mutex<VecDeque<World>>,
    oz: oz::Service,
    /// Whose turn it is behind the load balancers.
    turn: AtomicUsize,
    /// The world's time when `since` was.
    origin: f64,
    since: Instant,
    pace: f64,
}

/// A world in a file.
#[derive(Serialize, Deserialize)]
struct Kept {
    unix_seconds: f64,
    world: World,
}

impl Sandbox {
    /// A world of which only the seed exists; `pace`: how many of its seconds pass in one of the runtime's.
    pub fn seeded(pace: f64) -> Sandbox {
        Sandbox::of(World::seeded(&seed()), pace)
    }

    /// The world kept in this file, in which time went on meanwhile; a seeded one when there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or is no world.
    pub fn open(path: &Path, pace: f64) -> std::io::Result<Sandbox> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Sandbox::seeded(pace));
            }
            Err(error) => return Err(error),
        };
        let damaged = |error| std::io::Error::new(std::io::ErrorKind::InvalidData, format!("not a sandbox: {error}"));
        let mut kept: Kept = serde_json::from_slice(&text).map_err(damaged)?;
        kept.world.now += (unix_seconds() - kept.unix_seconds).max(0.0) * pace;
        let sandbox = Sandbox::of(kept.world, pace);
        sandbox.seed(fastrand::u64(..)); // each command meets other weather
        Ok(sandbox)
    }

    /// Keeps the world in this file, all of it or nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, path: &Path) -> std::io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let kept = Kept { unix_seconds: unix_seconds(), world: self.world() };
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&temporary, serde_json::to_vec(&kept)?)?;
        std::fs::rename(&temporary, path)
    }

    /// In place of the network, for any AWS client of this process.
    pub fn http_client(&self) -> SharedHttpClient {
        let sandbox = self.clone();
        http_client_fn(move |_: &HttpConnectorSettings, _: &_| SharedHttpConnector::new(Connector(sandbox.clone())))
    }

    /// In place of AWS.
    pub fn stand_in(&self) -> StandIn {
        let world = self.world();
        let left = world.weather.credentials_last_seconds.map(Duration::from_secs_f64);
        let ends = left.map(|left| SystemTime::now() + left);
        StandIn { http_client: self.http_client(), account: world.account, ends }
    }

    /// Answers one call of an AWS client.
    pub fn answer(&self, request: &http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let mut world = self.world_now();
        // What is seen between two looks depends on when they are: a past that skips some is another past.
        let is_kept = lock(&self.inner.history).back().is_some_and(|past| world.now < past.now + 1.0);
        if world.weather.describe_lag_seconds > 0.0 && !is_kept {
            self.remember(&world);
        }
        let (call, response) = match self.past(&world, request) {
            Some(mut past) => dispatch::answer(&mut past, request),
            None => dispatch::answer(&mut world, request),
        };
        if call.mutates() {
            self.remember(&world);
        }
        lock(&self.inner.calls).push(call);
        response
    }

    /// Keeps what reads that lag behind may still show.
    fn remember(&self, world: &World) {
        let (lag, mut history) = (world.weather.describe_lag_seconds, lock(&self.inner.history));
        if lag <= 0.0 {
            return history.clear();
        }
        let over = |past: &World| past.now < world.now - lag;
        while history.get(1).is_some_and(over) {
            history.pop_front();
        }
        history.push_back(world.clone());
    }

    /// The world as a read sees it that lags behind; `None`: as it is. Route 53 and STS always tell the newest.
    fn past(&self, world: &World, request: &http::Request<Vec<u8>>) -> Option<World> {
        let lag = world.weather.describe_lag_seconds;
        let asked = wire::read(request);
        let lags = ["ec2", "iam", "autoscaling", "elasticloadbalancing"].contains(&asked.service.as_str());
        if lag <= 0.0 || !lags || !dispatch::is_read(&asked.operation) {
            return None;
        }
        let then = world.now - lag * self.inner.faults.random();
        let history = lock(&self.inner.history);
        let mut past = history.iter().rev().find(|past| past.now <= then)?.clone();
        past.advance(then);
        (past.weather, past.requests) = (world.weather.clone(), world.requests);
        Some(past)
    }

    /// What a client gets for a request to this host and port: from the stand-in service, or from the load balancer
    /// before it.
    ///
    /// # Errors
    /// The name does not resolve, or nobody answers there.
    pub async fn browse(
        &self,
        (host, port): (&str, u16),
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>, NoAnswer> {
        let turn = self.inner.turn.fetch_add(1, Ordering::Relaxed);
        let route = service::route(&self.world_now(), host, port, turn)?;
        match route {
            Route::Service => Ok(self.inner.oz.answer(request).await),
            Route::Unavailable(status) => Ok(by_load_balancer(oz::html(status.as_u16()))),
            Route::Redirect(to) => {
                let named = request.headers().get(http::header::HOST).and_then(|name| name.to_str().ok());
                let named = named.and_then(|name| name.split(':').next()).unwrap_or(host);
                let to = to.replace("#{host}", named);
                let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
                Ok(by_load_balancer(sent_on(301, &format!("https://{to}:443{path}"))?))
            }
            Route::Login(to) => Ok(by_load_balancer(sent_on(302, &to)?)),
        }
    }

    /// The stand-in service behind its load balancers.
    pub fn oz(&self) -> oz::Service {
        self.inner.oz.clone()
    }

    /// How many of its seconds pass in one of the runtime's.
    pub fn pace(&self) -> f64 {
        self.inner.pace
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.inner.calls).clone()
    }

    /// Forgets the calls, not the world.
    pub fn clear_calls(&self) {
        lock(&self.inner.calls).clear();
    }

    /// The world as it is now.
    pub fn world(&self) -> World {
        self.world_now().clone()
    }

    /// Changes the world as it is now: its weather, or what stands. Health checks have found it already.
    pub fn change(&self, change: impl FnOnce(&mut World)) {
        let mut world = self.world_now();
        change(&mut world);
        health::settle(&mut world);
        self.remember(&world);
    }

    /// This world, from now on.
    pub fn of(world: World, pace: f64) -> Sandbox {
        let origin = world.now;
        Sandbox {
            inner: Arc::new(Inner {
                world: Mutex::new(world),
                calls: Mutex::default(),
                faults: Faults::default(),
                history: Mutex::default(),
                oz: oz::Service::default(),
                turn: AtomicUsize::new(0),
                origin,
                since: Instant::now(),
                pace,
            }),
        }
    }

    /// The world, at the runtime's time.
    fn world_now(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.inner.world);
        world.advance(self.inner.origin + self.inner.since.elapsed().as_secs_f64() * self.inner.pace);
        world
    }
}

#[async_trait(?Send)]
impl Transport for Sandbox {
    async fn get(&self, base: &BaseUrl, path: &str) -> Result<Answer, NoAnswer> {
        let unanswered = |why: String| NoAnswer::at(Stage::Answer, why);
        let request = http::Request::get(base.join(path).as_str()).body(Bytes::new());
        let request = request.map_err(|error| unanswered(error.to_string()))?;
        let answer = self.browse(base.connects_to(), request).await;
        let (parts, body) = answer?.into_parts();
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = axum::body::to_bytes(body, 1 << 20).await.map_err(|error| unanswered(error.to_string()))?;
        let (server, location) = (text(http::header::SERVER), text(http::header::LOCATION));
        Ok(Answer { status: parts.status, server, location, content_type: text(http::header::CONTENT_TYPE), body })
    }
}

/// An answer of the load balancer itself says so.
fn by_load_balancer(mut answer: http::Response<Body>) -> http::Response<Body> {
    answer.headers_mut().insert(http::header::SERVER, http::HeaderValue::from_static("awselb/2.0"));
    answer
}

#[derive(Debug)]
struct Connector(Sandbox);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.0.clone();
        HttpConnectorFuture::new(async move {
            let other = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
            let body = request.body().bytes().unwrap_or_default().to_vec();
            let mut plain = http::Request::builder().method(request.method()).uri(request.uri());
            for (name, value) in request.headers() {
                plain = plain.header(name, value);
            }
            let plain = plain.body(body).map_err(|error| other(error.into()))?;
            // A turn for others, as a network would give it.
            tokio::task::yield_now().await;
            let cut = |_| ConnectorError::io("the connection was cut".into());
            let answer = sandbox.answer_with_faults(&plain).await.map_err(cut)?;
            let answer = answer.map(SdkBody::from);
            HttpResponse::try_from(answer).map_err(|error| other(error.into()))
        })
    }
}

/// An answer that sends its client elsewhere.
fn sent_on(status: u16, to: &str) -> Result<http::Response<Body>, NoAnswer> {
    let to = http::HeaderValue::from_str(to).map_err(|error| NoAnswer::at(Stage::Answer, error.to_string()))?;
    let mut answer = oz::html(status);
    answer.headers_mut().insert("location", to);
    Ok(answer)
}

/// What a panic of another thread left behind is as good as before: every change of a world is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
