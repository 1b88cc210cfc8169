//! Who measures servers: Prometheus.

use async_trait::async_trait;
use tidegate_core::{Dated, Ratio, ServerId};

use super::{Ask, PortError};

/// What was measured of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Which server.
    pub server: ServerId,
    /// Busy share of all its cores, over the metric's range; dated by its last sample.
    pub cpu: Option<Dated<Ratio>>,
    /// Used share of its memory; dated by its last sample.
    pub memory: Option<Dated<Ratio>>,
}

/// Measures the servers of a group.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// The last samples. A server without a sample, or one whose last is stale, is left out.
    async fn usage(&self, ask: Ask) -> Result<Vec<Usage>, PortError>;
}
