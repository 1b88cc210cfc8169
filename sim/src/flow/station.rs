//! The shared stations, as servers of flows.

use super::erlang::Delay;
use super::means::{Means, station};
use crate::model::{Host, Model, Place};

/// Redis, database and storage.
#[derive(Debug)]
pub(crate) struct Stations {
    delays: [Delay; 3],
    /// Network there and back, in nanoseconds.
    networks: [u64; 3],
    /// Whether each runs on the primary's cores.
    hosted: [bool; 3],
    /// Work a second that each was given in the last step, in servers.
    offered: [f64; 3],
}

/// The wait of one visit to a station.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wait {
    /// Share of visits that wait.
    pub probability: f64,
    /// Mean wait of all visits, in seconds.
    pub mean: f64,
}

impl Stations {
    /// The stations of `model`, idle.
    pub fn new(model: &Model) -> Self {
        let all = [model.redis, model.database, model.nfs];
        Self {
            delays: all.map(|station| Delay::new(station.servers)),
            networks: all.map(|station| station.latency.as_nanos().cast_unsigned()),
            hosted: all.map(|station| station.host == Host::Primary),
            offered: [0.0; 3],
        }
    }

    /// Network to a station and back, in nanoseconds.
    pub fn network(&self, place: Place) -> u64 {
        station(place).map_or(0, |index| self.networks[index])
    }

    /// Visits to those on the primary take longer by what its cores are slower.
    pub fn slow(&self, means: &mut Means, slowdown: f64) {
        for index in (0..3).filter(|&index| self.hosted[index]) {
            means.stations[index] *= slowdown;
            means.squares[index] *= slowdown * slowdown;
        }
    }

    /// Visits that are served by the primary's cores, on average over the last step.
    pub fn on_primary(&self) -> f64 {
        (0..3).filter(|&index| self.hosted[index]).map(|index| self.offered[index]).sum()
    }

    /// What they were given in a step.
    pub const fn set_offered(&mut self, offered: [f64; 3]) {
        self.offered = offered;
    }

    /// What they were given in the last step.
    pub const fn offered(&self) -> [f64; 3] {
        self.offered
    }

    /// Work a second that station `index` can take beside `others`.
    pub fn room(&self, index: usize, others: f64) -> f64 {
        (self.delays[index].servers() - others).max(0.0)
    }

    /// The wait at station `index` when it is given `offered` work a second of the kind of
    /// `means`: M/M/c, times (1 + c²) ÷ 2 (Lee and Longton 1959).
    pub fn wait(&self, index: usize, offered: f64, means: &Means) -> Wait {
        let visits = means.visits[index];
        if visits <= 0.0 {
            return Wait::default();
        }
        let delay = &self.delays[index];
        let utilization = (offered / delay.servers()).min(1.0 - 1e-6);
        let service = means.stations[index] / visits;
        let square = means.squares[index] / visits;
        let variability = if service > 0.0 { square / (service * service) / 2.0 } else { 0.0 };
        Wait {
            probability: delay.probability(utilization),
            mean: delay.wait(utilization) * service * variability,
        }
    }
}
