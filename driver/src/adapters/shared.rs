//! Whether all servers reach the same Redis and the same storage: what is written along the way of
//! one server is read along the way of another. The first server's ways are written to.

mod examine;
mod storage;

use std::time::Duration;

use async_trait::async_trait;
use redis::cmd;
use serde::Deserialize;
use tidegate_core::{Health, ServerId, Span};
use tokio::time::timeout;

use super::redis_link::{Link, RedisConfig, RedisConfigError};
use crate::ports::{Ask, Checks, PortError, SharedState};

use storage::Storage;
pub use storage::{StorageThere, StorageWay};

/// How long what was written stays in Redis, in seconds.
const KEPT_S: u32 = 60;

/// The ways of the servers to what they share.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedConfig {
    /// Under which name the checks of this group are written.
    pub group: String,
    /// The ways of each server, the primary's first.
    pub servers: Vec<SharedWays>,
    /// Until a check that has no answer has failed.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
}

const fn default_timeout() -> Span {
    Span::from_secs(2)
}

/// How a server reaches what all share.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedWays {
    /// Redis as the server reaches it: its own relay or tunnel to it, where it has one.
    pub redis: RedisConfig,
    /// A folder of the storage as the server has it.
    pub storage: StorageWay,
}

struct Ways {
    redis: Link,
    storage: Storage,
}

/// Checks of what a group's servers share.
pub struct Shared {
    group: String,
    ways: Vec<Ways>,
    limit: Duration,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Shared {
    /// Connects to nothing yet; reads the passwords.
    pub fn new(config: SharedConfig) -> Result<Self, RedisConfigError> {
        let ways = config.servers.iter().map(|ways| {
            let storage = ways.storage.clone().into();
            Ok(Ways { redis: Link::new(&ways.redis)?, storage })
        });
        let ways = ways.collect::<Result<_, RedisConfigError>>()?;
        let limit = Duration::from_nanos(config.timeout.as_nanos().unsigned_abs());
        Ok(Self { group: config.group, ways, limit })
    }

    fn first(&self) -> Result<&Ways, PortError> {
        self.ways.first().ok_or_else(|| PortError::refused("no server shares anything"))
    }

    async fn shares_redis(&self, ways: &Ways, name: &str, nonce: &str) -> Result<bool, PortError> {
        let key = format!("tidegate:shared:{name}");
        let write = async |redis: &mut redis::aio::MultiplexedConnection| {
            let mut set = cmd("SET");
            set.arg(&key).arg(nonce).arg("EX").arg(KEPT_S);
            set.query_async::<()>(redis).await
        };
        self.first()?.redis.with(write).await?;
        let read = async |redis: &mut redis::aio::MultiplexedConnection| {
            cmd("GET").arg(&key).query_async::<Option<String>>(redis).await
        };
        Ok(ways.redis.with(read).await?.as_deref() == Some(nonce))
    }

    async fn shares_storage(&self, ways: &Ways, name: &str, nonce: &str) -> Option<bool> {
        let name = format!(".tidegate-{name}");
        self.first().ok()?.storage.write(name.clone(), nonce.to_owned()).await?;
        Some(ways.storage.read(name).await? == nonce)
    }
}

#[async_trait]
impl SharedState for Shared {
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError> {
        let ways = self.ways.get(server.index());
        let ways = ways.ok_or_else(|| PortError::refused("no ways are configured for it"))?;
        let name = format!("{}-{server}", self.group);
        let nonce = format!("{}-{}", std::process::id(), ask.now.as_nanos());
        let (redis, storage) = tokio::join!(
            timeout(self.limit, self.shares_redis(ways, &name, &nonce)),
            timeout(self.limit, self.shares_storage(ways, &name, &nonce)),
        );
        let checks = Checks::unknown(ask.now);
        let checks = checks.with(Health::REDIS, matches!(redis, Ok(Ok(true))));
        Ok(checks.with(Health::STORAGE, matches!(storage, Ok(Some(true)))))
    }
}
