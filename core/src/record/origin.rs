//! What a run began with: all that its journal and its facts do not tell.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{FORMAT, ServerInfo};
use crate::billing::Pricing;
use crate::controller::{Controller, RestoreError, Snapshot};
use crate::decision::Decision;
use crate::ids::ServerId;
use crate::journal::Replay;
use crate::money::Currency;
use crate::time::Timestamp;

/// Where a run took place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// In a simulated world.
    #[default]
    Simulated,
    /// On real servers.
    Live,
}

impl Kind {
    /// Whether it was simulated.
    pub fn is_simulated(&self) -> bool {
        *self == Self::Simulated
    }
}

/// The beginning of a run, in the form of `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// Where it took place.
    pub kind: Kind,
    /// Name of the scenario or of the group.
    pub name: String,
    /// The run in one line.
    pub title: String,
    /// IANA name of the zone in which times are shown and months are billed.
    pub zone: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Of all prices.
    pub currency: Currency,
    /// The servers, the primary first.
    pub servers: Vec<Member>,
    /// The controller before the journal's first line.
    pub controller: Snapshot,
    /// The decision before it, which that line may leave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Decision>,
}

/// A server of the group, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What it is.
    #[serde(flatten)]
    pub info: ServerInfo,
    /// How its power is billed.
    pub pricing: Pricing,
}

/// Why an origin cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// A newer program wrote it.
    #[error("the record has format {0}, which is newer than this program's")]
    Newer(u32),
    /// It has another number of servers than its controller.
    #[error("the record lists {listed} servers, and its controller has {known}")]
    Servers {
        /// As they are listed.
        listed: usize,
        /// As the controller has them.
        known: usize,
    },
    /// Nobody knows the zone.
    #[error("`{0}` is not a time zone")]
    Zone(String),
    /// The controller cannot be taken up.
    #[error(transparent)]
    Controller(#[from] RestoreError),
}

impl Origin {
    /// The zone.
    ///
    /// # Errors
    /// If there is none of its name.
    pub fn zone(&self) -> Result<TimeZone, OriginError> {
        TimeZone::get(&self.zone).map_err(|_| OriginError::Zone(self.zone.clone()))
    }

    /// The controller as it was.
    ///
    /// # Errors
    /// If a newer program wrote it, or it makes no sense.
    pub fn controller(&self) -> Result<Controller, OriginError> {
        if self.format > FORMAT {
            return Err(OriginError::Newer(self.format));
        }
        let controller = Controller::restore(self.controller.clone())?;
        let (listed, known) = (self.servers.len(), usize::from(controller.config().standbys) + 1);
        if listed != known {
            return Err(OriginError::Servers { listed, known });
        }
        Ok(controller)
    }

    /// The controller, to be stepped through the journal.
    ///
    /// # Errors
    /// As [`Self::controller`].
    pub fn replay(&self) -> Result<Replay, OriginError> {
        Ok(Replay::new(self.controller()?, self.last))
    }

    pub(super) fn has(&self, server: ServerId) -> bool {
        server.index() < self.servers.len()
    }
}
