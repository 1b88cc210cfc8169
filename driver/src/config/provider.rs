//! Whose machines a group's servers are.

use std::sync::Arc;

use super::Cause;
use super::choice::Choice;
use super::servers::{ServersFile, Wrong};
use crate::adapters::ec2::{self, Ec2, Ec2Config};
use crate::adapters::http_provider::{self, HttpProvider, HttpProviderConfig};
use crate::adapters::process::{ProcessConfig, Processes};
use crate::clock::Clock;
use crate::ports::Provider;

/// The table that says it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProviderFile<'a> {
    /// Commands on this machine.
    Process(&'a ProcessConfig),
    /// A cloud with a REST API.
    Http(&'a HttpProviderConfig),
    /// Amazon EC2.
    Ec2(&'a Ec2Config),
}

/// What stands in front of them.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    Process(Arc<Processes>),
    Http(Arc<HttpProvider>),
    Ec2(Arc<Ec2>),
}

impl<'a> ProviderFile<'a> {
    pub(super) const CHOICE: Choice = Choice {
        what: "who starts and stops the machines",
        hint: "give one of the tables `process`, `http` and `ec2`",
    };

    /// All that are given.
    pub(super) fn all(servers: &'a ServersFile) -> impl Iterator<Item = (&'static str, Self)> {
        let process = servers.process.iter().map(Self::Process);
        let http = servers.http.iter().map(Self::Http);
        let all = process.chain(http).chain(servers.ec2.iter().map(Self::Ec2));
        all.map(|one| (one.table(), one))
    }

    /// The name of the table.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Process(_) => "process",
            Self::Http(_) => "http",
            Self::Ec2(_) => "ec2",
        }
    }

    /// How many machines it lists.
    pub(super) const fn servers(self) -> usize {
        match self {
            Self::Process(own) => own.servers.len(),
            Self::Http(own) => own.servers.len(),
            Self::Ec2(own) => own.servers.len(),
        }
    }

    pub(super) fn check(self) -> Result<(), Wrong> {
        match self {
            Self::Process(_) => Ok(()),
            Self::Http(own) => own.check().map_err(|(key, why)| {
                let hint = "`allow_plain = true` allows `http`, where somebody else encrypts";
                (vec!["http", key], why, (key == "url").then_some(hint))
            }),
            Self::Ec2(own) => own.check().map_err(|(key, why)| (vec!["ec2", key], why, None)),
        }
    }

    /// Connects to nothing yet; reads the secrets.
    pub(crate) fn open(self, clock: &Arc<dyn Clock>) -> Result<Opened, Cause> {
        let clock = Arc::clone(clock);
        Ok(match self {
            Self::Process(own) => Opened::Process(Arc::new(Processes::new(own.clone(), clock))),
            Self::Http(own) => Opened::Http(Arc::new(http_provider::open(own.clone(), clock)?)),
            Self::Ec2(own) => Opened::Ec2(Arc::new(ec2::open(own.clone(), clock)?)),
        })
    }
}

impl Opened {
    /// As a port.
    pub(crate) fn port(&self) -> Arc<dyn Provider> {
        match self {
            Self::Process(processes) => processes.clone(),
            Self::Http(cloud) => cloud.clone(),
            Self::Ec2(cloud) => cloud.clone(),
        }
    }
}
