//! Services that are started and stopped by commands that the configuration names: systemd over
//! SSH, a script.
//!
//! The commands must do nothing where it is so already. They know no fence: there is the runtime's
//! own alone.

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::ServerId;

use super::program;
use crate::ports::{Order, PortError, Services};

/// How the services of a server are started and stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceCommands {
    /// A program and its arguments, which ends once the services were started.
    pub start: Vec<String>,
    /// The same, once they have stopped.
    pub stop: Vec<String>,
}

/// Commands for the services of one group.
#[derive(Debug)]
pub struct Commands {
    servers: Vec<ServiceCommands>,
}

impl Commands {
    /// Those of each server, the primary's first, whose own are never run.
    pub fn new(servers: Vec<ServiceCommands>) -> Self {
        Self { servers }
    }

    fn of(&self, server: ServerId) -> Result<&ServiceCommands, PortError> {
        let own = self.servers.get(server.index());
        own.ok_or_else(|| PortError::refused(format!("no commands are configured for {server}")))
    }
}

#[async_trait]
impl Services for Commands {
    async fn start(&self, order: Order) -> Result<(), PortError> {
        program::run(&self.of(order.server)?.start).await
    }

    async fn stop(&self, order: Order) -> Result<(), PortError> {
        program::run(&self.of(order.server)?.stop).await
    }
}
