//! What all clouds have in common: a machine is looked at before it is ordered about, so that
//! nothing is ordered that is so already, and when it was on is written down.
//!
//! A cloud keeps no fence, so orders are fenced for as long as the process lives; between
//! processes the runtime's own fence does it.

mod billed;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tidegate_core::{CommandId, Dated, Power, ServerId, Span, Timestamp};

use crate::clock::Clock;
use crate::fence::Fence;
use crate::ports::{Accepted, Ask, Order, PortError, PowerChange, PowerState, Provider};

use billed::{Billed, Sighting};

/// A machine, as its cloud tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its state.
    pub power: Power,
    /// Since when it has been on or off, where the cloud tells.
    pub since: Option<Timestamp>,
}

/// How hard a machine is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is asked to shut itself down.
    Ask,
    /// Its power is cut.
    Force,
}

/// A cloud's own words for what is asked and ordered.
#[async_trait]
pub trait Cloud: Send + Sync + 'static {
    /// What it tells of each of the group's machines, the primary's first.
    async fn look(&self) -> Vec<Result<Told, PortError>>;

    /// The same of one.
    async fn look_at(&self, server: ServerId) -> Result<Told, PortError>;

    /// Starts a machine. It returns once the cloud has taken that up.
    async fn start(&self, order: &Order) -> Result<(), PortError>;

    /// Stops a machine. It returns once the cloud has taken that up.
    async fn stop(&self, order: &Order, how: Stop) -> Result<(), PortError>;

    /// How long a machine has to shut itself down until the next attempt cuts its power; never
    /// where there is none.
    fn grace(&self) -> Option<Span>;
}

/// The machines of one group in a cloud.
pub struct Machines<C> {
    cloud: C,
    clock: Arc<dyn Clock>,
    billed: Arc<Billed>,
    fence: Fence,
    /// By which command each was last told to stop, and when it was first.
    stopping: Mutex<BTreeMap<ServerId, (CommandId, Timestamp)>>,
}

impl<C> std::fmt::Debug for Machines<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machines").finish_non_exhaustive()
    }
}

impl<C: Cloud> Machines<C> {
    /// Those of `cloud`. When they were on is written to the file `log`.
    pub fn new(cloud: C, log: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let (billed, fence) = (Arc::new(Billed::new(log)), Fence::default());
        Self { cloud, clock, billed, fence, stopping: Mutex::default() }
    }

    /// The cloud itself.
    pub(crate) const fn cloud(&self) -> &C {
        &self.cloud
    }

    fn saw(&self, server: ServerId, told: &Told, asked: Timestamp) {
        let on = told.power != Power::Off;
        let ordered = self.stopping().get(&server).copied().filter(|_| !on);
        // The cloud's clock may be behind, and tell whole seconds.
        let since = told.since.map(|since| ordered.map_or(since, |(_, at)| since.max(at)));
        self.billed.saw(Sighting { server, on, asked, since });
    }

    fn stopping(&self) -> MutexGuard<'_, BTreeMap<ServerId, (CommandId, Timestamp)>> {
        self.stopping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When this command first told its server to stop.
    fn first_told(&self, order: &Order, now: Timestamp) -> Timestamp {
        let (server, own) = (order.server, (order.id, now));
        let mut stopping = self.stopping();
        let told = stopping.entry(server).or_insert(own);
        if told.0 != order.id {
            *told = own;
        }
        told.1
    }

    /// Whether an order that the cloud refused asked for what is so meanwhile.
    async fn is_so(&self, server: ServerId, wanted: [Power; 2]) -> bool {
        let told = self.cloud.look_at(server).await;
        told.is_ok_and(|told| wanted.contains(&told.power))
    }
}

#[async_trait]
impl<C: Cloud> Provider for Machines<C> {
    /// A machine that the cloud does not tell of is left out. If it tells of none, the error is
    /// that of the first.
    async fn power(&self, ask: Ask) -> Result<Vec<PowerState>, PortError> {
        let (mut states, mut failed) = (Vec::new(), None);
        for (told, id) in self.cloud.look().await.into_iter().zip(0..) {
            let server = ServerId(id);
            match told {
                Ok(told) => {
                    self.saw(server, &told, ask.now);
                    states.push(PowerState { server, power: Dated::new(told.power, ask.now) });
                }
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        match failed {
            Some(why) if states.is_empty() => Err(why),
            _ => Ok(states),
        }
    }

    async fn power_on(&self, order: Order) -> Result<Accepted, PortError> {
        let server = order.server;
        self.fence.enter(server, order.generation)?;
        self.stopping().remove(&server);
        match self.cloud.look_at(server).await?.power {
            Power::On => return Ok(Accepted::Done),
            Power::Booting => return Ok(Accepted::Underway),
            Power::Stopping => {
                return Err(PortError::refused("it still stops: it can be started once it is off"));
            }
            Power::Off => {}
        }
        let before = self.clock.now();
        if let Err(why) = self.cloud.start(&order).await
            && !self.is_so(server, [Power::On, Power::Booting]).await
        {
            return Err(why);
        }
        let asked = self.clock.now();
        self.billed.saw(Sighting { server, on: true, asked, since: Some(before) });
        Ok(Accepted::Underway)
    }

    async fn power_off(&self, order: Order) -> Result<Accepted, PortError> {
        let server = order.server;
        self.fence.enter(server, order.generation)?;
        let now = self.clock.now();
        let power = self.cloud.look_at(server).await?.power;
        if power == Power::Off {
            return Ok(Accepted::Done);
        }
        let first = self.first_told(&order, now);
        let is_over = self.cloud.grace().is_some_and(|grace| now >= first + grace);
        let how = if is_over { Stop::Force } else { Stop::Ask };
        if power == Power::Stopping && how == Stop::Ask {
            return Ok(Accepted::Underway);
        }
        let wanted = match how {
            Stop::Ask => [Power::Off, Power::Stopping],
            Stop::Force => [Power::Off, Power::Off],
        };
        if let Err(why) = self.cloud.stop(&order, how).await
            && !self.is_so(server, wanted).await
        {
            return Err(why);
        }
        Ok(Accepted::Underway)
    }

    async fn changes(&self, since: Timestamp, _: Ask) -> Result<Vec<PowerChange>, PortError> {
        let billed = Arc::clone(&self.billed);
        let told = tokio::task::spawn_blocking(move || billed.changes()).await;
        let broke_off = |_| Err(PortError::refused("the work on the file of power broke off"));
        let changes = told.unwrap_or_else(broke_off)?;
        Ok(changes.into_iter().filter(|change| change.at >= since).collect())
    }
}
