//! `HAProxy`, by its runtime API on a UNIX socket of `level admin`.
//!
//! Each server stands in the file of `HAProxy` under a name of its own, a standby as `disabled`:
//! what is declared at run time is gone after a restart. After a restart the state is what the file
//! says, and is reported as it is.
//!
//! - `HAProxy` takes a server that is made `ready` for up until a check fails, so one that is in
//!   maintenance is drained first: then it is checked and gets nothing. It is made `ready` once it
//!   has passed.
//! - A server that ceases to be drained takes nothing of what waits in the backend's queue, and
//!   with `roundrobin` nothing new either while anything waits there: under more load than the
//!   others take it would get no request at all. It looks there when it is told how many requests
//!   it may have at once, so it is told the number that it has.
//! - `HAProxy` can be told of a slow start by its file alone (`slowstart` on the server's line), so
//!   an order for another one is refused.
//! - A drained server keeps its place and is checked on. Its requests in flight are those that it
//!   has (`scur`) and those that wait for it (`qcur`); one reading of zero is no proof.
//! - After a reload, a former process still answers what it has, of which the present one knows
//!   nothing. While one runs, a server that seems to have no request may have one: that is unknown.
//! - `HAProxy` has no memory for a fence. Orders are refused by what this adapter let through
//!   before.

mod examine;
mod former;
mod socket;
mod stat;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{Dated, ServerId, Span};

use crate::clock::Clock;
use crate::fence::Fence;
use crate::ports::{Ask, Order, PortError, Proxy, Routing};

use socket::Socket;
use stat::Row;

const POLL: Span = Span::from_millis(100);
const WEIGHT_MAX: u16 = 256;
const NOT_CHECKED: &str = "Health checks are not configured on this server";

/// Which servers of which `HAProxy`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HaproxyConfig {
    /// Where its runtime API listens.
    pub socket: PathBuf,
    /// The backend that all servers of the group are in.
    pub backend: String,
    /// The server's names there, the primary's first.
    pub servers: Vec<String>,
    /// What `slowstart` says on the lines of the standbys in its file.
    #[serde(default)]
    pub slow_start: Span,
}

/// A name that cannot stand in a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name of a backend or server of HAProxy: letters, digits and `_.:-` are")]
pub struct BadName(String);

/// `HAProxy`, for one group.
pub struct Haproxy {
    config: HaproxyConfig,
    socket: Socket,
    clock: Arc<dyn Clock>,
    fence: Fence,
}

impl std::fmt::Debug for Haproxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Haproxy").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Haproxy {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A name that `HAProxy` would not take either.
    pub fn new(config: HaproxyConfig, clock: Arc<dyn Clock>) -> Result<Self, BadName> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "_.:-".contains(letter);
        let is_bad = |name: &&String| name.is_empty() || !name.chars().all(fits);
        if let Some(bad) = std::iter::once(&config.backend).chain(&config.servers).find(is_bad) {
            return Err(BadName(bad.clone()));
        }
        let socket = Socket::new(config.socket.clone());
        Ok(Self { config, socket, clock, fence: Fence::default() })
    }

    /// What it says of the servers of the backend that are the group's.
    async fn rows(&self) -> Result<Vec<(ServerId, Row)>, PortError> {
        let text = self.socket.ask(&format!("show stat {} 4 -1", self.config.backend)).await?;
        let rows = stat::parse(&text)?;
        let id = |row: &Row| self.config.servers.iter().position(|name| *name == row.svname);
        let ours = rows.into_iter().filter_map(|row| Some((ServerId(id(&row)? as u16), row)));
        Ok(ours.collect())
    }

    async fn row(&self, server: ServerId) -> Result<Row, PortError> {
        let mut rows = self.rows().await?.into_iter();
        let found = rows.find(|(id, _)| *id == server);
        found.map(|(_, row)| row).ok_or_else(|| {
            let name = self.config.servers.get(server.index());
            let name = name.map_or_else(|| server.to_string(), Clone::clone);
            let backend = &self.config.backend;
            PortError::refused(format!(
                "HAProxy's backend `{backend}` has no server `{name}`: declare it in its file"
            ))
        })
    }

    /// Gives an order, which says nothing if it went well.
    async fn order(&self, command: &str) -> Result<(), PortError> {
        match self.socket.ask(command).await?.trim() {
            "" => Ok(()),
            answer => Err(PortError::refused(format!("HAProxy says: {answer}"))),
        }
    }

    /// Lets the server be checked; whether its file has a check for it.
    async fn enable_health(&self, name: &str) -> Result<bool, PortError> {
        match self.socket.ask(&format!("enable health {name}")).await?.trim() {
            "" => Ok(true),
            answer if answer.starts_with(NOT_CHECKED) => Ok(false),
            answer => Err(PortError::refused(format!("HAProxy says: {answer}"))),
        }
    }

    /// Waits until the server is so, unless a later order comes.
    async fn wait(&self, order: &Order, is_so: impl Fn(&Row) -> bool) -> Result<(), PortError> {
        while !is_so(&self.row(order.server).await?) {
            self.clock.sleep_until(self.clock.now() + POLL).await;
            self.fence.enter(order.server, order.generation)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Proxy for Haproxy {
    async fn state(&self, ask: Ask) -> Result<Vec<Routing>, PortError> {
        // In this order, a reload in between is seen.
        let rows = self.rows().await?.into_iter();
        let some_are_unseen = former::some_run(&self.socket).await?;
        let states = rows.map(|(server, row)| {
            let in_flight = Some(row.in_flight()).filter(|seen| *seen > 0 || !some_are_unseen);
            Routing {
                server,
                routed: Some(Dated::new(row.is_routed(), ask.now)),
                in_flight: in_flight.map(|seen| Dated::new(seen, ask.now)),
                counted: Some(row.traffic(server)),
            }
        });
        Ok(states.collect())
    }

    async fn join(&self, order: Order, weight: u16, slow_start: Span) -> Result<(), PortError> {
        self.fence.enter(order.server, order.generation)?;
        if weight == 0 || weight > WEIGHT_MAX {
            return Err(PortError::refused(format!(
                "the weight is {weight}; HAProxy takes 1 to {WEIGHT_MAX}"
            )));
        }
        let configured = self.config.slow_start;
        if slow_start != configured {
            return Err(PortError::refused(format!(
                "the slow start is {slow_start}, but `slowstart` in HAProxy's file is {configured}"
            )));
        }
        let row = self.row(order.server).await?;
        let name = row.name(&self.config.backend);
        self.order(&format!("set server {name} weight {weight}")).await?;
        let is_checked = self.enable_health(&name).await?;
        if row.is_in_maintenance() && is_checked {
            self.order(&format!("set server {name} state drain")).await?;
            self.wait(&order, Row::has_passed).await?;
        }
        self.order(&format!("set server {name} state ready")).await?;
        self.wait(&order, Row::is_routed).await?;
        self.order(&format!("set maxconn server {name} {}", row.limit())).await
    }

    async fn drain(&self, order: Order) -> Result<(), PortError> {
        self.fence.enter(order.server, order.generation)?;
        let row = self.row(order.server).await?;
        if row.is_in_maintenance() {
            return Ok(());
        }
        let name = row.name(&self.config.backend);
        self.order(&format!("set server {name} state drain")).await
    }
}
