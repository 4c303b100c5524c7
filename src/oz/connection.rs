//! A connection to a host, as it is reached from here: by its addresses, or through a proxy.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::trust::Refusal;
use crate::proxy::Proxy;

/// For a TCP connection, for a handshake, and for a proxy's word.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What bytes go over.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection, whatever it leads through.
pub type Connection = Box<dyn Io>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct NoAnswer {
    /// How far it came.
    pub stage: Stage,
    /// In words.
    pub words: String,
    /// What is wrong with TLS, when that is it.
    pub refusal: Option<Refusal>,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The host's name leads nowhere.
    Name,
    /// None of its addresses takes a connection.
    Connection,
    /// Its addresses are reached, and refuse the port.
    Refused,
    /// The proxy does not lead there.
    Proxy,
    /// No TLS, or a certificate that is refused.
    Handshake,
    /// The connection stood; the answer did not come, or not whole.
    Answer,
}

impl Stage {
    /// Whether it is worth another try: nothing was sent, and the host may be a moment from being there.
    pub fn may_come(self) -> bool {
        matches!(self, Stage::Name | Stage::Connection | Stage::Refused)
    }
}

impl NoAnswer {
    /// At this stage, for this reason.
    pub fn at(stage: Stage, words: impl Into<String>) -> NoAnswer {
        NoAnswer { stage, words: words.into(), refusal: None }
    }

    /// Whether the host was never reached.
    pub fn is_unreached(&self) -> bool {
        matches!(self.stage, Stage::Name | Stage::Connection | Stage::Proxy)
    }

    /// The same, said of a way through a proxy.
    pub fn through(mut self, proxy: &Proxy) -> NoAnswer {
        self.words = format!("{}, through {proxy}", self.words);
        self
    }
}

/// A host's addresses.
///
/// # Errors
/// Its name leads nowhere.
pub async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, NoAnswer> {
    let nowhere = |why: String| NoAnswer::at(Stage::Name, format!("no connection: {host} leads nowhere: {why}"));
    let found = timeout(PATIENCE, lookup_host((host, port))).await;
    let found = found.map_err(|_| nowhere("the resolver does not answer".to_owned()))?;
    let found: Vec<SocketAddr> = found.map_err(|error| nowhere(error.to_string()))?.collect();
    if found.is_empty() { Err(nowhere("it has no address".to_owned())) } else { Ok(found) }
}

/// To the first of these addresses that takes a connection; all are tried at once, since some may be dead.
///
/// # Errors
/// None does.
pub async fn direct(addresses: &[SocketAddr]) -> Result<Connection, NoAnswer> {
    let tries = addresses.iter().map(async |to| (*to, timeout(PATIENCE, TcpStream::connect(to)).await));
    let (mut tries, mut failed) = (tries.collect::<FuturesUnordered<_>>(), Vec::new());
    let mut stage = if addresses.is_empty() { Stage::Connection } else { Stage::Refused };
    while let Some((to, tried)) = tries.next().await {
        if !matches!(&tried, Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused) {
            stage = Stage::Connection;
        }
        match tried {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true); // slower without, and no worse
                return Ok(Box::new(LastWords(stream)));
            }
            Ok(Err(error)) => failed.push(format!("{to}: {}", refused(&error))),
            Err(_) => failed.push(format!("{to}: no connection within {} s", PATIENCE.as_secs())),
        }
    }
    failed.sort();
    Err(NoAnswer::at(stage, format!("no connection: {}", failed.join("; "))))
}

/// Through a proxy's tunnel, which looks the name up itself (RFC 9110, 9.3.6).
///
/// # Errors
/// The proxy is not reached, or does not lead there.
pub async fn tunnel(proxy: &Proxy, tls: &Arc<ClientConfig>, host: &str, port: u16) -> Result<Connection, NoAnswer> {
    let stream = to_proxy(proxy, tls).await?;
    let silent = || NoAnswer::at(Stage::Proxy, format!("{proxy} did not answer within {} s", PATIENCE.as_secs()));
    timeout(PATIENCE, connect(proxy, stream, host, port)).await.unwrap_or_else(|_| Err(silent()))
}

/// To the proxy itself.
///
/// # Errors
/// It is not reached.
pub async fn to_proxy(proxy: &Proxy, tls: &Arc<ClientConfig>) -> Result<Connection, NoAnswer> {
    let unreached = |error: NoAnswer| NoAnswer::at(Stage::Proxy, format!("{proxy} is not reached: {error}"));
    let stream = direct(&addresses(proxy.host(), proxy.port()).await.map_err(unreached)?).await.map_err(unreached)?;
    if !proxy.is_https() {
        return Ok(stream);
    }
    Ok(Box::new(handshake(stream, tls, proxy.host()).await.map_err(unreached)?))
}

async fn connect(proxy: &Proxy, stream: Connection, host: &str, port: u16) -> Result<Connection, NoAnswer> {
    let refused = |why: String| NoAnswer::at(Stage::Proxy, format!("{proxy} {why}"));
    let cut = |error: hyper::Error| refused(format!("cut the connection: {error}"));
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let to = format!("{host}:{port}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(cut)?;
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::builder().method(Method::CONNECT).uri(&to).header("host", &to);
    if let Some(authorization) = &proxy.authorization {
        request = request.header("proxy-authorization", authorization);
    }
    let request = request.body(Empty::<bytes::Bytes>::new()).map_err(|error| refused(error.to_string()))?;
    let answer = sender.send_request(request).await.map_err(cut)?;
    match answer.status() {
        status if status.is_success() => {
            let stream = hyper::upgrade::on(answer).await.map_err(cut)?;
            Ok(Box::new(TokioIo::new(stream)))
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Err(refused("wants a login (407): name it in the variable, as http://user:password@host:port".to_owned()))
        }
        status => Err(refused(format!("does not lead to {to}: HTTP {}", status.as_u16()))),
    }
}

/// TLS with a host on a connection.
///
/// # Errors
/// It is refused, or does not end.
pub async fn handshake(
    stream: Connection,
    tls: &Arc<ClientConfig>,
    host: &str,
) -> Result<TlsStream<Connection>, NoAnswer> {
    let at = |words: String| NoAnswer::at(Stage::Handshake, words);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| at(format!("{host} is no name of a server")))?;
    let shaken = timeout(PATIENCE, TlsConnector::from(Arc::clone(tls)).connect(name, stream)).await;
    let shaken = shaken.map_err(|_| at(format!("no TLS handshake within {} s", PATIENCE.as_secs())))?;
    shaken.map_err(|error| {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(inner) = inner else {
            return at(format!("no connection: it was closed in the TLS handshake ({error})"));
        };
        let refusal = Refusal::of(inner, host);
        let words = format!("{} ({})", refusal.what, refusal.cause);
        NoAnswer { refusal: Some(refusal), ..at(words) }
    })
}

/// In words that tell the ways apart.
fn refused(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused: nothing listens there".to_owned(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "this machine has no route there".to_owned()
        }
        _ => error.to_string(),
    }
}

/// A server may answer and close before it has read everything, such as 413 to a large body: what can no longer be
/// written is dropped, so that its answer is still read.
struct LastWords(TcpStream);

impl AsyncRead for LastWords {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for LastWords {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.0).poll_write(cx, bytes) {
            Poll::Ready(Err(error)) if is_closed(&error) => Poll::Ready(Ok(bytes.len())),
            written => written,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
