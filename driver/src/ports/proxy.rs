//! Who routes requests: `HAProxy`, nginx, Envoy.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tidegate_core::{Dated, ServerId, Span};

use super::{Ask, Order, PortError};

/// What the proxy says of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routing {
    /// Which server.
    pub server: ServerId,
    /// Whether it gets new requests.
    pub routed: Option<Dated<bool>>,
    /// Requests that it has and has not answered.
    pub in_flight: Option<Dated<u32>>,
    /// What it has counted of it.
    pub counted: Option<Traffic>,
}

/// What the proxy has counted of a server since it started. A count that is lower than before means
/// that the proxy was started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Traffic {
    /// Which server.
    pub server: ServerId,
    /// Requests that were sent to it.
    pub routed: u64,
    /// Of these, answered.
    pub served: u64,
    /// Of these, failed.
    pub failed: u64,
}

/// Routes requests to the servers of a group. Each of them is declared beforehand, a standby as one
/// that gets nothing.
#[async_trait]
pub trait Proxy: Send + Sync {
    /// What it says of each server.
    async fn state(&self, ask: Ask) -> Result<Vec<Routing>, PortError>;

    /// Sends a server new requests by its `weight` relative to the others, raised from nothing over
    /// `slow_start`. Done when the proxy has the weight, not when it has been raised.
    async fn join(&self, order: Order, weight: u16, slow_start: Span) -> Result<(), PortError>;

    /// Sends a server nothing new. Requests in flight go on; done when the proxy knows it.
    async fn drain(&self, order: Order) -> Result<(), PortError>;
}
