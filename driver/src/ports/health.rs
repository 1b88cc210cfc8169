//! Whether a server's own parts answer: HTTP checks.

use async_trait::async_trait;
use tidegate_core::{Health, ServerId, Timestamp};

use super::{Ask, PortError};

/// What checks of some parts of a server found. A part that is in neither set is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Parts that answered as they should.
    pub good: Health,
    /// Parts that did not, or not in time.
    pub bad: Health,
    /// When the checks began.
    pub at: Timestamp,
}

impl Checks {
    /// Checks at `at` of which nothing is known yet.
    pub const fn unknown(at: Timestamp) -> Self {
        Self { good: Health::NONE, bad: Health::NONE, at }
    }

    /// With what was found of `part`.
    #[must_use]
    pub const fn with(self, part: Health, is_good: bool) -> Self {
        if is_good {
            Self { good: self.good.with(part), ..self }
        } else {
            Self { bad: self.bad.with(part), ..self }
        }
    }
}

/// Checks the parts that a server has of its own.
#[async_trait]
pub trait Probes: Send + Sync {
    /// Checks [`Health::BENCHES`] and [`Health::SERVICES`] of a server whose machine is on. A part
    /// that does not answer is bad; an error means that it could not even be asked.
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError>;
}
