//! A server that hears what a client says first, and knows nothing of what it would be answered.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A listener on loopback.
pub struct Witness(TcpListener);

/// What a TLS server with the certificate `own` of a folder needs.
fn acceptor(folder: &Path) -> TlsAcceptor {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(&read("own")).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&read("own.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// What comes next, if anything does.
pub async fn heard(mut stream: impl AsyncRead + Unpin) -> Option<String> {
    let mut heard = vec![0; 4096];
    let length = stream.read(&mut heard).await.ok().filter(|length| *length > 0)?;
    Some(String::from_utf8_lossy(&heard[..length]).into_owned())
}

/// Shows a client the certificate `own` of this folder; nothing if it ends the handshake.
pub async fn accepted(stream: TcpStream, folder: &Path) -> Option<TlsStream<TcpStream>> {
    acceptor(folder).accept(stream).await.ok()
}

impl Witness {
    pub async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The next client that comes.
    pub async fn client(&self) -> TcpStream {
        let came = tokio::time::timeout(Duration::from_mins(1), self.0.accept()).await;
        came.unwrap().unwrap().0
    }

    /// What a client says to a server with the certificate `own` of this folder; nothing if it
    /// ends the handshake.
    pub async fn encrypted(&self, folder: &Path) -> Option<String> {
        heard(accepted(self.client().await, folder).await?).await
    }

    /// What a client says to a server that speaks no TLS and answers `answer`.
    pub async fn plain(&self, answer: &str) -> String {
        let mut stream = self.client().await;
        let heard = heard(&mut stream).await.unwrap_or_default();
        stream.write_all(answer.as_bytes()).await.unwrap();
        heard
    }
}
