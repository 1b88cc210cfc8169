//! Whose machines a group's servers are.

use std::sync::Arc;

use super::Cause;
use super::servers::{ServersFile, Wrong};
use crate::adapters::http_provider::{self, HttpProvider, HttpProviderConfig};
use crate::adapters::process::{ProcessConfig, Processes};
use crate::clock::Clock;
use crate::ports::Provider;

/// The table that says it.
#[derive(Clone, Copy, Debug)]
pub enum ProviderFile<'a> {
    /// Commands on this machine.
    Process(&'a ProcessConfig),
    /// A cloud with a REST API.
    Http(&'a HttpProviderConfig),
}

/// What stands in front of them.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    Process(Arc<Processes>),
    Http(Arc<HttpProvider>),
}

impl<'a> ProviderFile<'a> {
    /// What to do where it is not told, or more than once.
    pub(super) const HINT: &'static str = "give one of the tables `process` and `http`";

    /// All that are given.
    pub(super) fn all(servers: &'a ServersFile) -> impl Iterator<Item = Self> {
        let process = servers.process.iter().map(Self::Process);
        process.chain(servers.http.iter().map(Self::Http))
    }

    /// The name of the table.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Process(_) => "process",
            Self::Http(_) => "http",
        }
    }

    /// How many machines it lists.
    pub(super) const fn servers(self) -> usize {
        match self {
            Self::Process(own) => own.servers.len(),
            Self::Http(own) => own.servers.len(),
        }
    }

    pub(super) fn check(self) -> Result<(), Wrong> {
        match self {
            Self::Process(_) => Ok(()),
            Self::Http(own) => own.check().map_err(|(key, why)| {
                let hint = "`allow_plain = true` allows `http`, where somebody else encrypts";
                (vec!["http", key], why, (key == "url").then_some(hint))
            }),
        }
    }

    /// Connects to nothing yet; reads the secrets.
    pub(crate) fn open(self, clock: &Arc<dyn Clock>) -> Result<Opened, Cause> {
        let clock = Arc::clone(clock);
        Ok(match self {
            Self::Process(own) => Opened::Process(Arc::new(Processes::new(own.clone(), clock))),
            Self::Http(own) => Opened::Http(Arc::new(http_provider::open(own.clone(), clock)?)),
        })
    }
}

impl Opened {
    /// As a port.
    pub(crate) fn port(&self) -> Arc<dyn Provider> {
        match self {
            Self::Process(processes) => processes.clone(),
            Self::Http(cloud) => cloud.clone(),
        }
    }
}
