//! A proxy that is not told of servers which join: to try a scale-up without a request.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tidegate_core::{Dated, ServerId, Span};

use crate::clock::Clock;
use crate::ports::{Ask, Order, PortError, Proxy, Routing};

/// In front of a proxy that is only asked.
pub(super) struct Dry {
    proxy: Arc<dyn Proxy>,
    clock: Arc<dyn Clock>,
    /// Those that would get requests.
    joined: Mutex<BTreeSet<ServerId>>,
}

impl Dry {
    pub fn new(proxy: Arc<dyn Proxy>, clock: Arc<dyn Clock>) -> Self {
        Self { proxy, clock, joined: Mutex::default() }
    }

    fn joined(&self) -> MutexGuard<'_, BTreeSet<ServerId>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the proxy itself says of a server.
    async fn known(&self, order: &Order) -> Result<Routing, PortError> {
        let ask = Ask { now: self.clock.now(), deadline: order.deadline };
        let known = self.proxy.state(ask).await?.into_iter();
        let known = known.into_iter().find(|one| one.server == order.server);
        let unknown = || format!("the proxy does not know {}", order.server);
        known.ok_or_else(|| PortError::refused(unknown()))
    }
}

#[async_trait]
impl Proxy for Dry {
    async fn state(&self, ask: Ask) -> Result<Vec<Routing>, PortError> {
        let mut states = self.proxy.state(ask).await?;
        let joined = self.joined();
        for state in states.iter_mut().filter(|state| joined.contains(&state.server)) {
            state.routed = Some(Dated::new(true, ask.now));
        }
        Ok(states)
    }

    async fn join(&self, order: Order, _: u16, _: Span) -> Result<(), PortError> {
        self.known(&order).await?;
        self.joined().insert(order.server);
        Ok(())
    }

    /// One that a run with traffic left in the proxy is drained there.
    async fn drain(&self, order: Order) -> Result<(), PortError> {
        self.joined().remove(&order.server);
        let is_routed = self.known(&order).await?.routed.is_some_and(|routed| routed.value);
        if is_routed { self.proxy.drain(order).await } else { Ok(()) }
    }
}
