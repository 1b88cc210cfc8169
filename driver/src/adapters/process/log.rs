//! The file of what was started and stopped.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tidegate_core::{Generation, ServerId, Timestamp};

use super::group::Group;
use crate::adapters::lines::{Lines, Open};
use crate::ports::{Order, PortError};

/// What became of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Event {
    On,
    Stopping,
    Off,
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub server: ServerId,
    pub event: Event,
    pub at: Timestamp,
    /// Of the order that it goes back to.
    pub generation: Generation,
    pub group: Group,
}

/// The file at `path`.
pub(super) const fn at(path: PathBuf) -> Lines<Line> {
    Lines::new(path, "the file of processes")
}

impl Open<Line> {
    pub fn last(&self, server: ServerId) -> Option<Line> {
        self.lines().iter().rfind(|line| line.server == server).copied()
    }

    /// Lets an order through, unless one of a higher generation had an effect before.
    pub fn enter(&self, order: &Order) -> Result<(), PortError> {
        let ours = self.lines().iter().filter(|line| line.server == order.server);
        if ours.map(|line| line.generation).max() > Some(order.generation) {
            return Err(PortError::fenced("a later order came before"));
        }
        Ok(())
    }
}
