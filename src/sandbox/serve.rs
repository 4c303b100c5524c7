//! The sandbox over loopback: AWS for any client, and the stand-in service for whoever does not sign.

use std::future::Future;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use tokio::net::TcpListener;

use super::{Sandbox, wire};

/// More than any call of AWS that the sandbox knows.
const LARGEST: usize = 16 << 20;

/// Serves until `shutdown`.
pub async fn serve(
    sandbox: Sandbox,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(answer).with_state(sandbox);
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

async fn answer(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    };
    let request = http::Request::from_parts(parts, body.to_vec());
    if wire::service(&request).is_some() {
        return sandbox.answer(&request).map(Body::from);
    }
    let host = request
        .headers()
        .get("host")
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    match sandbox.browse(&format!("https://{host}{path}")).await {
        Ok(answer) => answer.map(Body::from),
        Err(why) => plain(StatusCode::BAD_GATEWAY, &why),
    }
}

fn plain(status: StatusCode, words: &str) -> Response {
    let mut response = Response::new(Body::from(words.to_owned()));
    *response.status_mut() = status;
    response
}
