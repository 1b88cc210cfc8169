//! Who runs background jobs: RQ over Redis.

use async_trait::async_trait;
use tidegate_core::{Dated, ServerId};

use super::{Ask, Order, PortError};

/// A server's job workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers {
    /// Which server.
    pub server: ServerId,
    /// Whether as many are registered as it should have.
    pub registered: Option<Dated<bool>>,
    /// Jobs that they are running, those included that were taken and have not begun.
    pub busy: Option<Dated<u32>>,
}

/// Runs the background jobs of a group.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// The workers of each server. A server of which nothing is known is left out; one that is
    /// known to have no workers is not.
    async fn workers(&self, ask: Ask) -> Result<Vec<Workers>, PortError>;

    /// Lets a server's workers take no new job, nor those that are started anew. Running jobs go
    /// on. Done when none can take another: a job must not be lost between taken and begun.
    async fn quiesce(&self, order: Order) -> Result<(), PortError>;

    /// Lets a server's workers take jobs again.
    async fn resume(&self, order: Order) -> Result<(), PortError>;
}
