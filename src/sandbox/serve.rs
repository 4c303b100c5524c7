//! The sandbox over loopback: AWS for any client, and the stand-in service for whoever does not sign.

use std::future::Future;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tokio::net::TcpListener;

use super::{Cut, Sandbox, oz, wire};

/// Serves until `shutdown`.
pub async fn serve(
    sandbox: Sandbox,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(answer).with_state(sandbox);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn answer(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let request = match oz::whole(request).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let (parts, body) = request.into_parts();
    let call = http::Request::from_parts(parts.clone(), Vec::new());
    if wire::service(&call).is_some() {
        let answer = sandbox.answer_with_faults(&call.map(|_: Vec<u8>| body.to_vec())).await;
        return match answer {
            Ok(answer) => answer.map(Body::from),
            Err(Cut) => cut(),
        };
    }
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let request = http::Request::from_parts(parts, body);
    match sandbox.browse((&host, 443), request).await {
        Ok(answer) => answer,
        Err(why) => (StatusCode::BAD_GATEWAY, why.words).into_response(),
    }
}

/// An answer that is a cut connection: hyper ends it when a body fails.
pub fn cut() -> Response {
    let broken = std::io::Error::other("the connection is cut");
    Response::new(Body::from_stream(futures_util::stream::iter([Err::<bytes::Bytes, _>(broken)])))
}
