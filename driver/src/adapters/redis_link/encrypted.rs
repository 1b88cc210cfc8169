//! A connection to a Redis over TLS. The library's own trusts either the system or named
//! certificates, and does not tell a handshake without an answer from a Redis without one.

use std::path::Path;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, RedisConnectionInfo};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::{ANSWER, RedisConfigError, failed};
use crate::ports::PortError;
use crate::tls;

/// Where a Redis is, and who it must be.
pub(super) struct Encrypted {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
    settings: RedisConnectionInfo,
}

impl Encrypted {
    /// Connects to nothing yet; reads the certificates.
    pub fn new(info: &ConnectionInfo, ca: Option<&Path>) -> Result<Self, RedisConfigError> {
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(RedisConfigError::Url);
        };
        let name = ServerName::try_from(host.clone()).map_err(|_| RedisConfigError::Url)?;
        let tls = Arc::new(tls::trusting(ca)?).into();
        let settings = info.redis_settings().clone();
        Ok(Self { host: host.clone(), port: *port, name, tls, settings })
    }

    /// Connects, and shows the password once it is known who answers.
    pub async fn connect(
        &self,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, PortError> {
        let end = Instant::now() + ANSWER;
        let late = |_| PortError::timed_out("Redis does not answer in time");
        let connecting = TcpStream::connect((&*self.host, self.port));
        let stream = timeout_at(end, connecting).await.map_err(late)?;
        let away = |why| PortError::unreachable(format!("Redis cannot be reached: {why}"));
        let handshake = self.tls.connect(self.name.clone(), stream.map_err(away)?);
        let stream = timeout_at(end, handshake).await.map_err(|_| {
            PortError::timed_out("Redis does not answer in TLS: perhaps it does not speak it there")
        })?;
        let stream = stream.map_err(|why| match tls::explained(&why) {
            Some(words) => PortError::unreachable(format!("Redis: {words}")),
            None => PortError::unreachable(format!("Redis ends the TLS handshake: {why}")),
        })?;
        let made = MultiplexedConnection::new_with_config(&self.settings, stream, config);
        let made = timeout_at(end, made).await.map_err(late)?;
        let (connection, driver) = made.map_err(|why| failed(&why))?;
        // It ends with the last of those who use it.
        tokio::spawn(driver);
        Ok(connection)
    }
}
