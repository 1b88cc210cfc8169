//! RQ 1.16 to 3.0, by the keys that it keeps in Redis.
//!
//! RQ can suspend all workers of a Redis at once, but not one server's. What it offers for a single
//! worker is a warm shutdown: it finishes its job, takes no other and ends. A server is quiesced by
//! that, either through `rq:pubsub:WORKER`, which needs no access to the server, or by a configured
//! command (`systemctl stop --no-block 'rq@*'` over SSH), and resumed by a command that starts
//! workers.
//!
//! - Where no stop command is configured, nothing may start a worker anew that has ended well
//!   (`Restart=on-failure`): it is told to end again, for as long as the order lasts.
//! - A worker is told once. A second time would kill the job that it is running.
//! - A worker that is told to end between taking a job and beginning it leaves the job in
//!   `:intermediate`, or in no list at all if it listens to several queues. Once the workers are
//!   gone, such jobs are put back at the head of their queue. Those that another server's worker is
//!   about to begin look the same, so none is put back before it has lain there for
//!   `put_back_after`.
//! - A worker that vanished without a word stays registered until its key expires.
//! - The fence is kept in Redis.

mod examine;
mod quiesce;
mod registry;
mod scripts;
mod stuck;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{Dated, ServerId, Span};

use super::redis_link::{Link, RedisConfig, RedisConfigError};
use crate::clock::Clock;
use crate::ports::{Ask, Jobs, Order, PortError, Workers};

use registry::Registry;

/// Which workers, in which Redis.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RqConfig {
    /// The Redis of RQ.
    pub redis: RedisConfig,
    /// Under which name the fences of this group are kept there.
    pub group: String,
    /// The workers of each server, the primary's first.
    pub servers: Vec<ServerWorkers>,
    /// How long a job that was taken may wait to begin before it counts as lost.
    #[serde(default = "default_put_back_after")]
    pub put_back_after: Span,
}

const fn default_put_back_after() -> Span {
    Span::from_secs(20)
}

/// How the workers of a server are known, and started and stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerWorkers {
    /// Workers that connect to Redis from this IP address.
    pub address: Option<String>,
    /// Workers whose names begin so. With an address, both must be so.
    pub name_prefix: Option<String>,
    /// How many workers it should have.
    pub count: u32,
    /// A command that lets them end warm and not start again, without waiting for their jobs. None:
    /// RQ's own shutdown command.
    pub stop: Option<Vec<String>>,
    /// A command that starts them again. None: they cannot be resumed.
    pub start: Option<Vec<String>>,
}

/// Why RQ cannot be reached as configured.
#[derive(Debug, thiserror::Error)]
pub enum RqConfigError {
    /// Its Redis.
    #[error(transparent)]
    Redis(#[from] RedisConfigError),
    /// It is not said which workers are a server's.
    #[error("the workers of {0} need an `address`, a `name_prefix` or both")]
    Unnamed(ServerId),
}

/// RQ, for one group.
pub struct Rq {
    config: RqConfig,
    link: Link,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Rq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rq").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Rq {
    /// Connects to nothing yet; reads the password.
    pub fn new(config: RqConfig, clock: Arc<dyn Clock>) -> Result<Self, RqConfigError> {
        let unnamed = |own: &ServerWorkers| own.address.is_none() && own.name_prefix.is_none();
        if let Some(index) = config.servers.iter().position(unnamed) {
            return Err(RqConfigError::Unnamed(ServerId(index as u16)));
        }
        let link = Link::new(&config.redis)?;
        Ok(Self { config, link, clock })
    }

    fn own(&self, server: ServerId) -> Result<&ServerWorkers, PortError> {
        let own = self.config.servers.get(server.index());
        own.ok_or_else(|| PortError::refused(format!("no workers are configured for {server}")))
    }

    async fn registry(&self) -> Result<Registry, PortError> {
        self.link.with(registry::read).await
    }
}

#[async_trait]
impl Jobs for Rq {
    async fn workers(&self, ask: Ask) -> Result<Vec<Workers>, PortError> {
        let registry = self.registry().await?;
        let of = |(own, id): (&ServerWorkers, u16)| Workers {
            server: ServerId(id),
            registered: Some(Dated::new(registry.able(own).count() >= own.count as usize, ask.now)),
            busy: Some(Dated::new(registry.busy(own), ask.now)),
        };
        Ok(self.config.servers.iter().zip(0..).map(of).collect())
    }

    async fn quiesce(&self, order: Order) -> Result<(), PortError> {
        let own = self.own(order.server)?;
        self.enter(&order).await?;
        self.end_workers(own, &order).await?;
        self.put_back_lost(&order).await
    }

    async fn resume(&self, order: Order) -> Result<(), PortError> {
        let own = self.own(order.server)?;
        self.enter(&order).await?;
        self.start_workers(own, &order).await
    }
}
