//! What the driver needs of the world, as traits. An adapter stands behind each of them for one
//! group: it knows what the group's servers are called where it looks.
//!
//! - Reads take an [`Ask`] and give what is known, dated; what is not known is left out, never
//!   zero. A value of which the source tells no time is dated by [`Ask::now`], when the question
//!   was put, so that it never seems younger than it is.
//! - Orders take an [`Order`] and return when their effect is in place. Carried out twice under one
//!   id they have the effect of once, and an order for what is so already is done.
//! - The runtime drops a future whose time is over: no call may rely on being polled to its end.
//! - Nothing is retried in an adapter. The core owns retries and their back-off.

mod alerts;
mod health;
mod jobs;
mod metrics;
mod provider;
mod proxy;
mod services;
mod shared_state;

use std::fmt;
use std::sync::Arc;

use tidegate_core::{Command, CommandId, Failure, Generation, ServerId, Timestamp};

pub use alerts::Alerts;
pub use health::{Checks, Probes};
pub use jobs::{Jobs, Workers};
pub use metrics::{Metrics, Usage};
pub use provider::{Accepted, PowerChange, PowerState, Provider};
pub use proxy::{Proxy, Routing, Traffic};
pub use services::Services;
pub use shared_state::SharedState;

/// All ports of a group.
#[derive(Clone)]
pub struct Ports {
    /// Who routes requests.
    pub proxy: Arc<dyn Proxy>,
    /// Who measures servers.
    pub metrics: Arc<dyn Metrics>,
    /// Whose alerts are notified.
    pub alerts: Arc<dyn Alerts>,
    /// Who runs background jobs.
    pub jobs: Arc<dyn Jobs>,
    /// Whether a server's own parts answer.
    pub probes: Arc<dyn Probes>,
    /// Whether a server reaches what all share.
    pub shared_state: Arc<dyn SharedState>,
    /// Who starts and stops a machine's services.
    pub services: Arc<dyn Services>,
    /// Who starts and stops machines.
    pub provider: Arc<dyn Provider>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// When it was put.
    pub now: Timestamp,
    /// When the runtime ceases to wait for the answer and drops it.
    pub deadline: Timestamp,
}

/// What every order carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The command's identity. A retry keeps it.
    pub id: CommandId,
    /// The server it is about.
    pub server: ServerId,
    /// The fence. Where the other side can keep it, it refuses an order with a lower one.
    pub generation: Generation,
    /// When the core ceases to wait and tries again or gives up.
    pub deadline: Timestamp,
}

impl From<&Command> for Order {
    fn from(command: &Command) -> Self {
        let Command { id, server, generation, deadline, .. } = *command;
        Self { id, server, generation, deadline }
    }
}

/// Why a port did not do what it was asked: what the core makes of it, and what people read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct PortError {
    /// For the core.
    pub failure: Failure,
    /// For people: a fragment that reads after "failed to …: ". No secret may stand in it.
    pub what: String,
}

impl PortError {
    /// An error of this kind.
    pub fn new(failure: Failure, what: impl Into<String>) -> Self {
        Self { failure, what: what.into() }
    }

    /// The other side does not answer.
    pub fn unreachable(what: impl Into<String>) -> Self {
        Self::new(Failure::Unreachable, what)
    }

    /// It answered that it will not, or what it answered makes no sense.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(Failure::Refused, what)
    }

    /// An order with a higher generation has come since.
    pub fn fenced(what: impl Into<String>) -> Self {
        Self::new(Failure::Fenced, what)
    }

    /// It did not answer in time.
    pub fn timed_out(what: impl Into<String>) -> Self {
        Self::new(Failure::TimedOut, what)
    }
}
