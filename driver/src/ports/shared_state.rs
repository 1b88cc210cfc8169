//! Whether a server reaches what all share: storage and Redis.

use async_trait::async_trait;
use tidegate_core::ServerId;

use super::{Ask, Checks, PortError};

/// Checks what the servers of a group share.
#[async_trait]
pub trait SharedState: Send + Sync {
    /// Checks [`tidegate_core::Health::STORAGE`], that a server whose machine is on reads what
    /// another wrote, and [`tidegate_core::Health::REDIS`], that it reaches the same Redis as the
    /// others. A mount that hangs is bad, not an error: the check has a time-out of its own.
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError>;
}
