//! A connection to a Redis, made when it is first needed and anew when it broke.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, IntoConnectionInfo, RedisError};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{SecretError, SecretSource};
use crate::ports::PortError;

/// Until a Redis that does not answer is unreachable: longer than a script takes, which looks
/// through a thousand jobs at a time.
const ANSWER: Duration = Duration::from_secs(5);

/// Where a Redis is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://HOST:PORT/DATABASE` or `redis+unix:///SOCKET?db=DATABASE`, without a password.
    pub url: String,
    /// Its user, if it is not the default one.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretSource>,
}

/// Why a configured Redis cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum RedisConfigError {
    /// The address makes no sense.
    #[error("the address of a Redis is `redis://HOST:PORT/DATABASE`, without a password")]
    Url,
    /// Its password.
    #[error(transparent)]
    Password(#[from] SecretError),
}

pub(super) struct Link {
    client: Client,
    open: Mutex<Option<MultiplexedConnection>>,
}

impl Link {
    /// Connects to nothing yet.
    pub fn new(config: &RedisConfig) -> Result<Self, RedisConfigError> {
        let url = config.url.as_str();
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
        let client = Client::open(info.set_redis_settings(settings));
        let client = client.map_err(|_| RedisConfigError::Url)?;
        Ok(Self { client, open: Mutex::new(None) })
    }

    /// What `ask` gets from it. A connection that broke is not used again.
    pub async fn with<T>(
        &self,
        ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, PortError> {
        let mut connection = self.connection().await.map_err(|why| failed(&why))?;
        let answer = ask(&mut connection).await;
        if let Err(why) = &answer
            && (why.is_unrecoverable_error() || why.is_timeout())
        {
            *self.open.lock().await = None;
        }
        answer.map_err(|why| failed(&why))
    }

    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &*open {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new();
        let config = config.set_response_timeout(Some(ANSWER)).set_connection_timeout(Some(ANSWER));
        let made = self.client.get_multiplexed_async_connection_with_config(&config).await?;
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
