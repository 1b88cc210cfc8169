//! A connection to a Redis, made when it is first needed and anew when it broke.

mod encrypted;

use std::path::PathBuf;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, IntoConnectionInfo, RedisError};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{SecretError, SecretSource, TlsError};
use crate::ports::PortError;
use crate::tls;

use encrypted::Encrypted;

/// Until a Redis that does not answer is unreachable: longer than a script takes, which looks
/// through a thousand jobs at a time.
const ANSWER: Duration = Duration::from_secs(5);

/// Where a Redis is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://HOST:PORT/DATABASE`, `rediss://` for an encrypted connection, or
    /// `redis+unix:///SOCKET?db=DATABASE`, without a password.
    pub url: String,
    /// A file of certificates in PEM that are trusted besides the system's, for `rediss`.
    pub ca: Option<PathBuf>,
    /// Its user, if it is not the default one.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretSource>,
}

/// Why a configured Redis cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum RedisConfigError {
    /// The address makes no sense.
    #[error(
        "the address of a Redis is `rediss://HOST:PORT/DATABASE`, or `redis` without encryption, \
         and holds no password"
    )]
    Url,
    /// Nothing is encrypted, though certificates are named.
    #[error("`ca` is for an encrypted connection: take `rediss://HOST:PORT`, or leave it")]
    Plain,
    /// It asks that certificates are not checked.
    #[error("the certificate of a Redis is always checked: take `#insecure` away, and name `ca`")]
    Unchecked,
    /// Nobody can be asked over an encrypted connection.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its password.
    #[error(transparent)]
    Password(#[from] SecretError),
}

pub(super) struct Link {
    way: Way,
    open: Mutex<Option<MultiplexedConnection>>,
}

/// How a Redis is reached.
enum Way {
    Plain(Client),
    Encrypted(Box<Encrypted>),
}

impl Link {
    /// Connects to nothing yet; reads the password and the certificates.
    pub fn new(config: &RedisConfig) -> Result<Self, RedisConfigError> {
        // The library speaks no TLS, and so takes no address that says so.
        let encrypted = config.url.strip_prefix("rediss://").map(|rest| format!("redis://{rest}"));
        if config.ca.is_some() && encrypted.is_none() {
            return Err(RedisConfigError::Plain);
        }
        if encrypted.as_ref().is_some_and(|url| url.contains('#')) {
            return Err(RedisConfigError::Unchecked);
        }
        let url = encrypted.as_deref().unwrap_or(&config.url);
        let info = url.into_connection_info().map_err(|_| RedisConfigError::Url)?;
        if info.redis_settings().password().is_some() {
            return Err(RedisConfigError::Url);
        }
        let mut settings = info.redis_settings().clone();
        if let Some(user) = &config.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &config.password {
            settings = settings.set_password(password.read()?.expose());
        }
        let info = info.set_redis_settings(settings);
        let way = if encrypted.is_some() {
            Way::Encrypted(Box::new(Encrypted::new(&info, config.ca.as_deref())?))
        } else {
            Way::Plain(Client::open(info).map_err(|_| RedisConfigError::Url)?)
        };
        Ok(Self { way, open: Mutex::new(None) })
    }

    /// What `ask` gets from it. A connection that broke is not used again.
    pub async fn with<T>(
        &self,
        ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, PortError> {
        let mut connection = self.connection().await?;
        let answer = ask(&mut connection).await;
        if let Err(why) = &answer
            && (why.is_unrecoverable_error() || why.is_timeout())
        {
            *self.open.lock().await = None;
        }
        answer.map_err(|why| failed(&why))
    }

    async fn connection(&self) -> Result<MultiplexedConnection, PortError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &*open {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new();
        let config = config.set_response_timeout(Some(ANSWER)).set_connection_timeout(Some(ANSWER));
        let made = match &self.way {
            Way::Plain(client) => {
                let made = client.get_multiplexed_async_connection_with_config(&config).await;
                made.map_err(|why| failed(&why))?
            }
            Way::Encrypted(way) => way.connect(config).await?,
        };
        *open = Some(made.clone());
        Ok(made)
    }
}

/// What a port makes of an error. The words of Redis hold no password; those of the library may
/// hold an address, and are left out.
fn failed(why: &RedisError) -> PortError {
    if why.kind() == ErrorKind::AuthenticationFailed {
        return PortError::refused("Redis does not take this user and password");
    }
    if let Some(words) = tls::explained(why) {
        return PortError::unreachable(format!("Redis: {words}"));
    }
    if why.is_timeout() {
        return PortError::timed_out("Redis does not answer in time");
    }
    if why.is_io_error() || why.is_unrecoverable_error() || why.is_connection_dropped() {
        return PortError::unreachable("Redis cannot be reached");
    }
    let (code, detail) = (why.code().unwrap_or_default(), why.detail().unwrap_or_default());
    if code == "BUSY" || code == "LOADING" {
        return PortError::unreachable(format!("Redis says: {code} {detail}"));
    }
    PortError::refused(format!("Redis says: {code} {detail}"))
}
