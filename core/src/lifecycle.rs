//! A standby server's life, as a closed set of stages.

mod doubt;
mod standby;

use serde::{Deserialize, Serialize};

pub use standby::{Context, Standby};

/// Where a server is in its life.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Prepared, stopped, free of charge.
    #[default]
    Standby,
    /// The machine is being started.
    Starting,
    /// Services come up; nothing is routed to it.
    Warming,
    /// The proxy is being told.
    Joining,
    /// It takes its share of the traffic.
    Serving,
    /// The proxy sends nothing new; requests in flight finish.
    Draining,
    /// Its workers take no new job; running jobs finish.
    Quiescing,
    /// Services and machine stop.
    Stopping,
    /// A sequence failed and was undone; it rests before it counts as a standby again.
    Faulted,
}

impl Stage {
    /// All stages, in the order of a server's life.
    pub const ALL: [Self; 9] = [
        Self::Standby,
        Self::Starting,
        Self::Warming,
        Self::Joining,
        Self::Serving,
        Self::Draining,
        Self::Quiescing,
        Self::Stopping,
        Self::Faulted,
    ];

    /// Its name, as in a record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standby => "standby",
            Self::Starting => "starting",
            Self::Warming => "warming",
            Self::Joining => "joining",
            Self::Serving => "serving",
            Self::Draining => "draining",
            Self::Quiescing => "quiescing",
            Self::Stopping => "stopping",
            Self::Faulted => "faulted",
        }
    }

    /// Whether it serves or is on its way to it.
    pub const fn is_committed(self) -> bool {
        matches!(self, Self::Starting | Self::Warming | Self::Joining | Self::Serving)
    }
}
