//! What a swarm covered.

use std::collections::BTreeMap;

use tidegate_core::Span;

use super::case::Outcome;
use crate::model::FaultKind;

/// Sums over the runs of a swarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Seconds that were simulated.
    pub seconds: u64,
    /// Requests that arrived.
    pub requests: u64,
    /// Requests that failed.
    pub failed_requests: u64,
    /// Jobs that were enqueued.
    pub jobs: u64,
    /// Scale events: up, down, failed.
    pub events: [u64; 3],
    /// Runs in which a fault of this kind befell something, and how often it did.
    pub faults: BTreeMap<FaultKind, (u64, u64)>,
}

impl Tally {
    /// Takes in a run.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.seconds += outcome.simulated.as_secs_f64() as u64;
        self.requests += outcome.requests;
        self.failed_requests += outcome.failed_requests;
        self.jobs += outcome.jobs;
        for (sum, count) in self.events.iter_mut().zip(outcome.events) {
            *sum += count;
        }
        let mut kinds: BTreeMap<FaultKind, u64> = BTreeMap::new();
        for (kind, hits) in outcome.faults.iter().filter(|(_, hits)| *hits > 0) {
            *kinds.entry(*kind).or_default() += hits;
        }
        for (kind, hits) in kinds {
            let (runs, all) = self.faults.entry(kind).or_default();
            (*runs, *all) = (*runs + 1, *all + hits);
        }
    }

    /// Time that was simulated.
    pub fn simulated(&self) -> Span {
        Span::from_secs(self.seconds.cast_signed())
    }

    /// Kinds of faults, of `kinds`, that never befell anything.
    pub fn never(&self, kinds: &[FaultKind]) -> Vec<FaultKind> {
        kinds.iter().copied().filter(|kind| !self.faults.contains_key(kind)).collect()
    }
}
