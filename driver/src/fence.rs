//! Refuses orders that are out of date, for as long as the process lives.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tidegate_core::{Generation, ServerId, Span};

use crate::clock::Clock;
use crate::ports::{Order, PortError};

const OVERTAKEN: &str = "a later order came before";

const POLL: Span = Span::from_millis(50);

/// The highest generation that was let through, by server.
#[derive(Debug, Default)]
pub(crate) struct Fence(Mutex<BTreeMap<ServerId, Generation>>);

impl Fence {
    /// Lets an order through, unless one of a higher generation has come before.
    pub fn enter(&self, server: ServerId, generation: Generation) -> Result<(), PortError> {
        let mut highest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = highest.entry(server).or_insert(generation);
        if generation < *highest {
            return Err(PortError::fenced(OVERTAKEN));
        }
        *highest = generation;
        Ok(())
    }

    /// The same, by what the order that was last carried out has left where it was, too.
    pub fn enter_after(&self, order: &Order, left: Option<Generation>) -> Result<(), PortError> {
        self.enter(order.server, order.generation)?;
        if left > Some(order.generation) {
            return Err(PortError::fenced(OVERTAKEN));
        }
        Ok(())
    }

    /// Waits a little for what was ordered, unless the order's time is over, which is told as
    /// `overdue`, or a later one has come.
    pub async fn pause(
        &self,
        order: &Order,
        clock: &dyn Clock,
        overdue: &str,
    ) -> Result<(), PortError> {
        if clock.now() >= order.deadline {
            return Err(PortError::timed_out(overdue));
        }
        clock.sleep_until(clock.now() + POLL).await;
        self.enter(order.server, order.generation)
    }
}
