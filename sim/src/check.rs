//! `tidegate check`: drawn scenarios with faults, run and judged by the thousand.
//!
//! Each run is a scenario file of its own: a shipped one with its load, topology, policy and faults
//! drawn anew within [`Bounds`]. What is drawn depends on the seed, the file and the number of the
//! run alone, so the result is the same on any number of threads.

mod bounds;
mod case;
mod chance;
mod defects;
mod draw;
mod exhaustive;
mod faults;
mod paths;
mod regression;
mod shrink;
mod tally;

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::side_by_side::side_by_side;

pub use bounds::Bounds;
pub use case::{Base, Case, Failure, Outcome};
pub use defects::{Caught, defects};
pub use draw::draw;
pub use exhaustive::{Cell, Table, exhaustive};
pub use regression::regression;
pub use shrink::{Effort, Shrunk, shrink};
pub use tally::Tally;

/// What a swarm is to do.
#[derive(Clone, Copy, Debug)]
pub struct Swarm<'a> {
    /// The scenarios that runs are drawn from, in turn.
    pub bases: &'a [Base],
    /// Within which bounds.
    pub bounds: &'a Bounds,
    /// The seed of all draws.
    pub seed: u64,
    /// How many runs.
    pub runs: u64,
    /// On how many threads.
    pub jobs: NonZeroUsize,
    /// Ends the swarm with the runs that are done by then.
    pub stop: &'a AtomicBool,
}

/// What came of a swarm.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// What was covered.
    pub tally: Tally,
    /// Runs that failed, by their numbers, and how.
    pub failed: Vec<(u64, Vec<Failure>)>,
}

impl Swept {
    /// The first failure of each property, by the numbers of their runs.
    pub fn firsts(&self) -> Vec<(u64, &Failure)> {
        let mut firsts: Vec<(u64, &Failure)> = Vec::new();
        for (run, failures) in &self.failed {
            for failure in failures {
                if firsts.iter().all(|(_, first)| first.property != failure.property) {
                    firsts.push((*run, failure));
                }
            }
        }
        firsts
    }
}

/// How far a swarm has come, and what its last run came to.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    /// Runs that are done.
    pub runs: u64,
    /// Seconds that they simulated.
    pub seconds: u64,
    /// The run that was done last.
    pub number: u64,
    /// How it failed, if it did.
    pub failures: &'a [Failure],
}

/// Draws and runs cases; `done` is told after each, and says whether others are to begin.
pub fn swarm(swarm: &Swarm<'_>, done: &(dyn Fn(Done<'_>) -> bool + Sync)) -> Swept {
    let enough = AtomicBool::new(false);
    let swept = Mutex::new(Swept::default());
    let (count, simulated) = (AtomicU64::new(0), AtomicU64::new(0));
    // A run that fails is a result, not an error.
    let go_on = |_: &usize| !swarm.stop.load(Ordering::Relaxed) && !enough.load(Ordering::Relaxed);
    let numbers = (0..swarm.runs as usize).take_while(go_on);
    let _ = side_by_side(swarm.jobs, numbers, |number| {
        let number = number as u64;
        let case = swarm.case(number);
        let outcome = case.run();
        let seconds = outcome.simulated.as_secs_f64() as u64;
        let seconds = simulated.fetch_add(seconds, Ordering::Relaxed) + seconds;
        let runs = count.fetch_add(1, Ordering::Relaxed) + 1;
        if !done(Done { runs, seconds, number, failures: &outcome.failures }) {
            enough.store(true, Ordering::Relaxed);
        }
        if let Ok(mut swept) = swept.lock() {
            swept.tally.add(&outcome);
            if !outcome.failures.is_empty() {
                swept.failed.push((number, outcome.failures));
            }
        }
        Ok::<(), ()>(())
    });
    let mut swept = swept.into_inner().unwrap_or_default();
    swept.failed.sort_by_key(|(number, _)| *number);
    swept
}

impl Swarm<'_> {
    /// The case of run `number`.
    pub fn case(&self, number: u64) -> Case {
        let base = &self.bases[(number % self.bases.len() as u64) as usize];
        draw(base, self.bounds, self.seed, number)
    }
}

#[cfg(test)]
mod tests;
