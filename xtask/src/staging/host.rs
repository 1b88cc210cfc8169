//! The hosts of the stack: what each is called, where it is in the stack's own network, and what it
//! may use.

use std::path::PathBuf;

use clap::ValueEnum;
use tidegate_core::ServerId;

use crate::command::root;

/// A host is a network namespace with control groups of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Host {
    /// `HAProxy`.
    Proxy,
    /// The primary, with Redis.
    App1,
    /// The standby.
    App2,
    /// Prometheus and the controller.
    Mon,
    /// The clients.
    Load,
}

impl Host {
    pub const ALL: [Self; 5] = [Self::Proxy, Self::App1, Self::App2, Self::Mon, Self::Load];
    /// The servers of the group, the primary first.
    pub const SERVERS: [Self; 2] = [Self::App1, Self::App2];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::App1 => "app1",
            Self::App2 => "app2",
            Self::Mon => "mon",
            Self::Load => "load",
        }
    }

    pub const fn address(self) -> &'static str {
        match self {
            Self::Proxy => "10.77.0.10",
            Self::App1 => "10.77.0.11",
            Self::App2 => "10.77.0.12",
            Self::Mon => "10.77.0.13",
            Self::Load => "10.77.0.14",
        }
    }

    /// The server of the group that is called so.
    pub fn server(name: &str) -> Option<ServerId> {
        let index = Self::SERVERS.iter().position(|host| host.name() == name)?;
        Some(ServerId(index as u16))
    }

    pub const fn is_server(self) -> bool {
        matches!(self, Self::App1 | Self::App2)
    }

    /// Its network, as a file.
    pub fn namespace(self) -> PathBuf {
        PathBuf::from(format!("/run/netns/{PREFIX}-{}", self.name()))
    }

    /// The file of the requests that a server took up, a number a line.
    pub fn took(self) -> PathBuf {
        folder().join(format!("{}.took", self.name()))
    }

    /// Where a server listens for orders of its services.
    pub fn orders(self) -> PathBuf {
        folder().join(format!("{}.orders", self.name()))
    }
}

/// What the names of namespaces and control groups begin with.
pub(super) const PREFIX: &str = "tidegate";

/// Job workers on each server.
pub(super) const JOB_WORKERS: u32 = 2;

/// How much of one of this machine's cores a core of a server is.
pub(super) const CORE: f64 = 0.5;

/// Where the stack keeps its state and logs.
pub(super) fn folder() -> PathBuf {
    let root = root();
    root.canonicalize().unwrap_or(root).join("target/staging")
}

/// A program of the stack's own Python packages.
pub(super) fn python(program: &str) -> PathBuf {
    let root = root();
    root.canonicalize().unwrap_or(root).join("target/python/staging/bin").join(program)
}
