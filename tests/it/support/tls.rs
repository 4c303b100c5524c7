//! TLS before a server that speaks none.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Ends TLS with this certificate on a listener, and hands everything on to a server behind it.
pub fn end_tls(listener: TcpListener, (certificate, key): (CertificateDer<'static>, &KeyPair), behind: SocketAddr) {
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await?;
                    let mut server = tokio::net::TcpStream::connect(behind).await?;
                    tokio::io::copy_bidirectional(&mut stream, &mut server).await
                });
            }
        });
    });
}
