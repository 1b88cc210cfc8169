//! Envoy, by a file of endpoints that it watches (EDS) and its administration interface.
//!
//! The file is a `DiscoveryResponse` in JSON, in which each server has an endpoint, a standby's
//! `DRAINING`. Envoy takes it up when another is moved into its place, and reads it when it starts,
//! so a restart forgets nothing. What is in force is what Envoy says, never what the file says.
//!
//! - A drained server keeps its endpoint: one that is taken away could not be asked for its
//!   requests any more.
//! - With less than half of the servers healthy, Envoy sends requests to all of them, drained ones
//!   too, unless its cluster's `healthy_panic_threshold` is 0.
//! - After a hot restart the former process answers what it has, of which the present one knows
//!   nothing: until the former's time is over, a server that seems to have no request may have one.
//! - Its slow start begins when a server becomes healthy, not when it joins, so none is ordered.
//! - The fence of the last order about a server stands in its endpoint's metadata.

mod admin;
mod endpoints;
mod examine;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{Dated, ServerId, Span};

use super::own_file::OwnFile;
use crate::clock::Clock;
use crate::fence::Fence;
use crate::ports::{Ask, Order, PortError, Proxy, Routing};

use admin::{Admin, Host};
use endpoints::{Eds, Endpoint, Endpoints};

/// Which servers of which Envoy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvoyConfig {
    /// Where its administration interface is, as `http://HOST:PORT`.
    pub admin: String,
    /// The file of the cluster's endpoints. Nobody else may change it while a host is at work.
    pub file: PathBuf,
    /// The cluster that all servers of the group are in.
    pub cluster: String,
    /// The servers' addresses as they stand in the file, the primary's first: `IP:PORT`, or the
    /// path of a UNIX socket.
    pub servers: Vec<String>,
}

/// Why Envoy cannot be asked as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvoyConfigError {
    /// The address makes no sense.
    #[error("`admin` is not where an Envoy is administrated: {0}")]
    Admin(String),
    /// A server is named twice.
    #[error("the address `{0}` is listed twice")]
    Twice(String),
}

/// Envoy, for one group.
pub struct Envoy {
    config: EnvoyConfig,
    admin: Admin,
    file: OwnFile,
    clock: Arc<dyn Clock>,
    fence: Fence,
}

/// What a server's endpoint is to be.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    eds: Eds,
    /// None: as it is.
    weight: Option<u32>,
}

impl Wanted {
    fn is_in_force(self, host: &Host) -> bool {
        let has_weight = self.weight.is_none_or(|weight| host.weight == weight);
        has_weight && host.eds() == self.eds && (host.is_routed() || self.eds == Eds::Draining)
    }

    /// What there is to look at if it does not come about.
    fn overdue(self, host: Option<&Host>) -> &'static str {
        match host {
            Some(host) if host.eds() == self.eds => {
                "Envoy has it, and sends it nothing: its own check of the server is not good"
            }
            Some(_) | None => {
                "Envoy goes on as before: see its log, and whether its cluster is of this file"
            }
        }
    }
}

impl std::fmt::Debug for Envoy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envoy").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Envoy {
    /// Asks nothing yet.
    pub fn new(config: EnvoyConfig, clock: Arc<dyn Clock>) -> Result<Self, EnvoyConfigError> {
        for (index, address) in config.servers.iter().enumerate() {
            if config.servers[..index].contains(address) {
                return Err(EnvoyConfigError::Twice(address.clone()));
            }
        }
        let admin = Admin::new(&config.admin).map_err(EnvoyConfigError::Admin)?;
        let file = OwnFile::new(config.file.clone(), "the file of endpoints");
        Ok(Self { config, admin, file, clock, fence: Fence::default() })
    }

    fn address(&self, server: ServerId) -> Result<&str, PortError> {
        let address = self.config.servers.get(server.index());
        let unknown = || PortError::refused(format!("no address is configured for {server}"));
        address.map(String::as_str).ok_or_else(unknown)
    }

    fn endpoints(&self) -> Result<Endpoints, PortError> {
        Endpoints::parse(&self.file.read()?)
    }

    /// Makes a server's endpoint be so, and waits until it is in force.
    async fn change(&self, order: &Order, wanted: Wanted) -> Result<(), PortError> {
        self.fence.enter(order.server, order.generation)?;
        let address = self.address(order.server)?;
        self.write(order, address, wanted).await?;
        loop {
            let hosts = self.admin.hosts(&self.config.cluster).await?;
            let host = hosts.iter().find(|host| host.address == address);
            if host.is_some_and(|host| wanted.is_in_force(host)) {
                return Ok(());
            }
            self.fence.pause(order, &*self.clock, wanted.overdue(host)).await?;
            let left = self.endpoints()?.endpoint(address)?.generation;
            self.fence.enter_after(order, left)?;
        }
    }

    /// Envoy looks at the file when it is moved there, so it is written even if it is so already.
    async fn write(&self, order: &Order, address: &str, wanted: Wanted) -> Result<(), PortError> {
        let _held = self.file.lock(order, &self.fence, &*self.clock).await?;
        let endpoints = self.endpoints()?;
        let endpoint = endpoints.endpoint(address)?;
        self.fence.enter_after(order, endpoint.generation)?;
        let next = Endpoint {
            eds: wanted.eds,
            weight: wanted.weight.unwrap_or(endpoint.weight),
            generation: Some(order.generation),
        };
        self.file.replace("", &endpoints.with(address, next)?)
    }
}

#[async_trait]
impl Proxy for Envoy {
    async fn state(&self, ask: Ask) -> Result<Vec<Routing>, PortError> {
        // In this order, a hot restart in between is seen.
        let hosts = self.admin.hosts(&self.config.cluster).await?;
        let some_are_unseen = self.admin.has_a_former_process().await?;
        let state = |(server, address): (u16, &String)| {
            let server = ServerId(server);
            let host = hosts.iter().find(|host| host.address == *address)?;
            let in_flight = Some(host.in_flight()).filter(|seen| *seen > 0 || !some_are_unseen);
            Some(Routing {
                server,
                routed: Some(Dated::new(host.is_routed(), ask.now)),
                in_flight: in_flight.map(|seen| Dated::new(seen, ask.now)),
                counted: Some(host.traffic(server)),
            })
        };
        Ok((0..).zip(&self.config.servers).filter_map(state).collect())
    }

    async fn join(&self, order: Order, weight: u16, slow_start: Span) -> Result<(), PortError> {
        if weight == 0 {
            return Err(PortError::refused("the weight is 0; Envoy takes 1 or more"));
        }
        if !slow_start.is_zero() {
            return Err(PortError::refused(format!(
                "the slow start is {slow_start}, and Envoy has none that begins when a server \
                 joins: let the policy's be 0s"
            )));
        }
        let wanted = Wanted { eds: Eds::Healthy, weight: Some(u32::from(weight)) };
        self.change(&order, wanted).await
    }

    async fn drain(&self, order: Order) -> Result<(), PortError> {
        self.change(&order, Wanted { eds: Eds::Draining, weight: None }).await
    }
}
