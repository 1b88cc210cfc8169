//! When time alone may change a decision.

use crate::time::Timestamp;

/// The earliest of the moments after the present that were noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wake {
    now: Timestamp,
    at: Option<Timestamp>,
}

impl Wake {
    /// Nothing was noted at `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self { now, at: None }
    }

    /// Notes a moment; one that is past counts for nothing.
    pub fn note(&mut self, at: Timestamp) {
        if at > self.now && self.at.is_none_or(|known| at < known) {
            self.at = Some(at);
        }
    }

    /// The earliest.
    pub const fn at(self) -> Option<Timestamp> {
        self.at
    }
}
