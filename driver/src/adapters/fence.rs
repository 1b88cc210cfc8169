//! Refuses orders that are out of date, where the other side cannot.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tidegate_core::{Generation, ServerId};

use crate::ports::{Order, PortError};

/// The highest generation that was let through, by server.
#[derive(Debug, Default)]
pub(super) struct Fence(Mutex<BTreeMap<ServerId, Generation>>);

impl Fence {
    /// Lets an order through, unless one of a higher generation has come before.
    pub fn enter(&self, order: &Order) -> Result<(), PortError> {
        let mut highest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = highest.entry(order.server).or_insert(order.generation);
        if order.generation < *highest {
            return Err(PortError::fenced("a later order came before"));
        }
        *highest = order.generation;
        Ok(())
    }
}
