//! One machine: what was done to it, and what it is like since.

use tidegate_core::{Generation, Power, Timestamp};

use super::Times;

#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    /// When it was last turned on or off, if it ever was.
    turned: Option<Timestamp>,
    is_on: bool,
    /// When its services were started, if they run.
    pub services: Option<Timestamp>,
    pub routed: bool,
    /// When it was last sent nothing new.
    unrouted: Option<Timestamp>,
    /// When its workers were told to take no job, if they were.
    quiesced: Option<Timestamp>,
    /// The highest fence that it has seen.
    pub generation: Generation,
}

impl Machine {
    pub const fn off() -> Self {
        Self {
            turned: None,
            is_on: false,
            services: None,
            routed: false,
            unrouted: None,
            quiesced: None,
            generation: Generation(0),
        }
    }

    /// One that has been on for long.
    pub const fn serving(now: Timestamp) -> Self {
        Self { is_on: true, services: Some(now), routed: true, ..Self::off() }
    }

    pub fn power(&self, now: Timestamp, times: &Times) -> Power {
        let since = |span| self.turned.is_none_or(|turned| now >= turned + span);
        match (self.is_on, since(times.boot), since(times.stop)) {
            (true, true, _) => Power::On,
            (true, false, _) => Power::Booting,
            (false, _, true) => Power::Off,
            (false, _, false) => Power::Stopping,
        }
    }

    /// Whether it was not so before.
    pub fn turn(&mut self, on: bool, now: Timestamp) -> bool {
        if self.is_on == on {
            return false;
        }
        let Self { generation, routed, .. } = *self;
        *self = Self { turned: Some(now), is_on: on, generation, routed, ..Self::off() };
        true
    }

    pub const fn route(&mut self, routed: bool, now: Timestamp) {
        if self.routed && !routed {
            self.unrouted = Some(now);
        }
        self.routed = routed;
    }

    pub fn quiesce(&mut self, quiesced: bool, now: Timestamp) {
        self.quiesced = quiesced.then(|| self.quiesced.unwrap_or(now));
    }

    /// Whether its services are up and answer.
    pub fn is_healthy(&self, now: Timestamp, times: &Times) -> bool {
        let started = |at| now >= at + times.services || self.turned.is_none();
        self.power(now, times) == Power::On && self.services.is_some_and(started)
    }

    pub fn in_flight(&self, now: Timestamp, times: &Times) -> u32 {
        let lasting = self.unrouted.is_some_and(|at| now < at + times.requests);
        u32::from(self.services.is_some() && (self.routed || lasting))
    }

    pub fn jobs(&self, now: Timestamp, times: &Times) -> u32 {
        let lasting = self.quiesced.is_none_or(|at| now < at + times.jobs);
        u32::from(self.is_healthy(now, times) && lasting)
    }
}
