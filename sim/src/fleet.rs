//! A fleet: thousands of groups, each with its own world and controller, under one provider.
//!
//! Groups meet only at the provider. All go on to the end of a window side by side, each stopping
//! where it asks for a machine; those who asked are then answered in the order of time and go on
//! one by one, until all are at the end of the window. Before a group is answered, every other one
//! has come at least as far, so that the provider knows of all that it gave away and got back: the
//! result is that of one clock for all, whatever the number of threads.

mod sum;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use tidegate_core::Span;
use tidegate_core::record::{GroupRow, RunRecord};

use crate::flow::Tables;
use crate::model::{Fidelity, Fleet, Model, ProviderLimits};
use crate::provider::Provider;
use crate::run::{Detail, Intervals, Progress, Run};
use crate::side_by_side::side_by_side;

use sum::Sum;

/// Windows of a run, if its groups share a provider with limits.
const WINDOWS: u64 = 12;
/// Nanoseconds over which those who ask the provider are answered before all go on.
const STRETCH: u64 = 60_000_000_000;
/// Intervals of a fleet's timeline.
const INTERVALS: i64 = 96;

/// Requests of each kind that stand for all of a group.
const ATOMS: usize = 64;

/// A finished run of a fleet.
#[derive(Debug)]
pub struct FinishedFleet {
    /// All groups together, as one run.
    pub record: RunRecord,
    /// Each group, in their order.
    pub groups: Vec<GroupRow>,
    /// Events that all worlds processed.
    pub events: u64,
}

/// Simulates all groups of `fleet` on `jobs` threads; `model` is that of the whole scenario. The
/// result does not depend on the number of threads.
///
/// # Errors
/// Never at present: nothing is written.
pub fn run(
    model: &Model,
    fleet: &Fleet,
    jobs: NonZeroUsize,
    progress: &(dyn Fn(Progress) + Sync),
) -> io::Result<FinishedFleet> {
    let tens = model.duration.as_secs_ceil().div_euclid(10 * INTERVALS).max(1);
    let interval = Span::from_secs(tens * 10);
    let fluid = model.fidelity == Fidelity::Fluid;
    let tables = fluid.then(|| Arc::new(Tables::new(model, ATOMS)));
    let intervals = Arc::new(Intervals::default());
    let together = Some(Arc::clone(&intervals));
    let detail = Detail { interval, fine: false, tables, together };
    let run = Fleets { model, fleet, detail, jobs, progress };
    let sum = match model.provider {
        None => run.apart()?,
        Some(limits) => run.together(limits)?,
    };
    let mut finished = sum.close(model, fleet, interval);
    intervals.complete(&mut finished.record.timeline.rows);
    Ok(finished)
}

struct Fleets<'a> {
    model: &'a Model,
    fleet: &'a Fleet,
    detail: Detail,
    jobs: NonZeroUsize,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl Fleets<'_> {
    fn begin(&self, index: usize) -> Run<'static> {
        let model = Arc::new(self.fleet.model_of(self.model, index));
        Run::new(model, &self.detail, None, None)
    }

    fn tell(&self, done: u64, of: u64) {
        let share = self.model.duration.as_nanos() as f64 * done as f64 / of.max(1) as f64;
        let simulated = Span::from_nanos(share as i64);
        (self.progress)(Progress { simulated, of: self.model.duration, events: 0 });
    }

    /// Each group from its start to its end: they have nothing to do with each other.
    fn apart(&self) -> io::Result<Sum> {
        let count = self.fleet.groups.len();
        let sum = Mutex::new(Sum::default());
        side_by_side(self.jobs, 0..count, |index| {
            let mut run = self.begin(index);
            run.go(u64::MAX, &mut |_| {})?;
            let finished = run.finish();
            if let Ok(mut sum) = sum.lock() {
                sum.add(index, finished);
                self.tell(sum.groups() as u64, count as u64);
            }
            io::Result::Ok(())
        })?;
        Ok(sum.into_inner().unwrap_or_default())
    }

    /// All groups from window to window.
    fn together(&self, limits: ProviderLimits) -> io::Result<Sum> {
        let mut runs = self.begin_all()?;
        let mut provider = Provider::new(limits);
        let end = self.model.duration.as_nanos().cast_unsigned();
        for window in 1..=WINDOWS {
            let until = if window == WINDOWS { u64::MAX } else { end / WINDOWS * window };
            loop {
                side_by_side(self.jobs, &mut runs, |run| run.go(until, &mut |_| {}).map(drop))?;
                if !answer_in_turn(&mut runs, &mut provider, until)? {
                    break;
                }
            }
            self.tell(window, WINDOWS);
        }
        let sum = Mutex::new(Sum::new(provider.starts));
        side_by_side(self.jobs, runs.into_iter().enumerate(), |(index, run)| {
            let finished = run.finish();
            if let Ok(mut sum) = sum.lock() {
                sum.add(index, finished);
            }
            io::Result::Ok(())
        })?;
        Ok(sum.into_inner().unwrap_or_default())
    }

    fn begin_all(&self) -> io::Result<Vec<Run<'static>>> {
        let mut runs = Vec::new();
        runs.resize_with(self.fleet.groups.len(), || None);
        side_by_side(self.jobs, runs.iter_mut().enumerate(), |(index, run)| {
            *run = Some(self.begin(index));
            io::Result::Ok(())
        })?;
        Ok(runs.into_iter().flatten().collect())
    }
}

/// Puts what the groups ask for next to the provider in the order of time, over a short stretch of
/// it, to whose end those who are answered go on alone: what follows they may all do side by side.
/// False if nobody asks for anything before `until`.
fn answer_in_turn(runs: &mut [Run<'_>], provider: &mut Provider, until: u64) -> io::Result<bool> {
    let mut asking = BinaryHeap::new();
    for (index, run) in runs.iter_mut().enumerate() {
        run.give_back(provider);
        asking.extend(run.asks().first().map(|ask| Reverse((ask.at, index))));
    }
    let Some(Reverse((first, _))) = asking.peek().copied() else { return Ok(false) };
    let horizon = first.saturating_add(STRETCH).min(until);
    while asking.peek().is_some_and(|Reverse((at, _))| *at < horizon || horizon == until) {
        let Some(Reverse((_, index))) = asking.pop() else { break };
        let run = &mut runs[index];
        run.ask(provider);
        run.go(horizon, &mut |_| {})?;
        run.give_back(provider);
        asking.extend(run.asks().first().map(|ask| Reverse((ask.at, index))));
    }
    Ok(true)
}
