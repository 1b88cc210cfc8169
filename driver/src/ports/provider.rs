//! Who starts and stops machines: a cloud, a hypervisor, a supervisor of processes.

use async_trait::async_trait;
use tidegate_core::{Dated, Power, ServerId, Timestamp};

use super::{Ask, Order, PortError};

/// What the provider says of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerState {
    /// Which server.
    pub server: ServerId,
    /// Its state.
    pub power: Dated<Power>,
}

/// A machine began or ceased to be billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerChange {
    /// Which server.
    pub server: ServerId,
    /// Whether it is billed from then on.
    pub on: bool,
    /// When, by the provider's own record.
    pub at: Timestamp,
}

/// How far an order has come when its call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Its effect is in place.
    Done,
    /// It was accepted and is under way: the runtime asks for the machine's state until it is
    /// there, so that no adapter needs to wait.
    Underway,
}

/// Starts and stops the machines of a group.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The state of each machine. One that is not known is left out.
    async fn power(&self, ask: Ask) -> Result<Vec<PowerState>, PortError>;

    /// Starts a machine. One that is on or on its way up is not started again.
    async fn power_on(&self, order: Order) -> Result<Accepted, PortError>;

    /// Stops a machine. One that is off or on its way down is not stopped again.
    async fn power_off(&self, order: Order) -> Result<Accepted, PortError>;

    /// All changes from `since` on, in the order of time: what the ledger rests on.
    async fn changes(&self, since: Timestamp, ask: Ask) -> Result<Vec<PowerChange>, PortError>;
}
