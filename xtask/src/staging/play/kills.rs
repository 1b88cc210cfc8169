//! When the controller is killed.

use tidegate_core::{Span, Timestamp};
use tidegate_sim::chance::Uniforms;

/// The longest time from one kill to the next, in seconds. A sequence takes a few.
const MOST_S: f64 = 4.0;

/// Kills at random moments, the same ones for the same seed.
pub(super) struct Kills {
    draws: Uniforms,
    next: Timestamp,
    pub count: u64,
}

impl Kills {
    pub fn new(seed: u64, start: Timestamp) -> Self {
        let mut kills = Self { draws: Uniforms::new(seed, "staging/kill"), next: start, count: 0 };
        kills.plan(start);
        kills
    }

    /// Whether one is due, which then counts as done.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let due = now >= self.next;
        if due {
            self.count += 1;
            self.plan(now);
        }
        due
    }

    fn plan(&mut self, now: Timestamp) {
        self.next = now + Span::from_nanos((self.draws.draw() * MOST_S * 1e9) as i64);
    }
}
