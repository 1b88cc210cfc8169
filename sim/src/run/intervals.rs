//! The intervals of several runs, as far as the sum of their rows does not tell them.

use std::sync::{Mutex, PoisonError};

use tidegate_core::Ratio;
use tidegate_core::record::{TimelineRow, Times};

/// What the servers of one or several runs had and used in an interval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Use {
    /// Core-nanoseconds of work that the servers with traffic did.
    pub done: u128,
    /// Core-nanoseconds that they had.
    pub available: u128,
}

#[derive(Debug)]
struct Interval {
    latency: Times,
    cores: Use,
    /// Used shares of memory in millionths, added up over the servers with traffic.
    memory: u64,
    servers: u64,
}

/// Intervals of runs that go on side by side. Only whole numbers are added up, so that the order
/// in which they come makes no difference.
#[derive(Debug, Default)]
pub(crate) struct Intervals(Mutex<Vec<Interval>>);

impl Intervals {
    /// A run has come to the end of an interval, counted from 0, with this row.
    pub(super) fn add(&self, number: usize, row: &TimelineRow, cores: Use, latency: &Times) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.len() <= number {
            let (latency, cores) = (latency.none_yet(), Use::default());
            all.push(Interval { latency, cores, memory: 0, servers: 0 });
        }
        let sum = &mut all[number];
        sum.latency.merge(latency);
        sum.cores.done += cores.done;
        sum.cores.available += cores.available;
        if let Some(memory) = row.memory {
            sum.memory += u64::from(memory.ppm()) * u64::from(row.serving);
            sum.servers += u64::from(row.serving);
        }
    }

    /// Gives the sum of all rows what it cannot tell by itself.
    pub(crate) fn complete(&self, rows: &mut [TimelineRow]) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, sum) in rows.iter_mut().zip(all.iter()) {
            row.cpu = sum.cores.share();
            let mean = || Ratio::from_ppm((sum.memory / sum.servers) as u32);
            row.memory = (sum.servers > 0).then(mean);
            sum.latency.percentiles_into(row);
        }
    }
}

impl Use {
    /// Busy share of the cores.
    pub fn share(&self) -> Option<Ratio> {
        (self.available > 0).then(|| Ratio::of(self.done, self.available).min(Ratio::ONE))
    }
}
