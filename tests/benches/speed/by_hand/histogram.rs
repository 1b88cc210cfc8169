//! Times in bins that widen with the time: memory stays as it is, however many come.

use super::{Found, MILLISECOND};

/// Bins for each doubling of the time.
const FINE_BITS: u32 = 6;
const FINE: u64 = 1 << FINE_BITS;

/// Counts of times in nanoseconds, a percentile of which is within 1.6 %.
pub(super) struct Histogram {
    bins: Vec<u64>,
    count: u64,
    sum: u64,
}

impl Histogram {
    pub fn new() -> Self {
        Self { bins: vec![0; (65 - FINE_BITS as usize) << FINE_BITS], count: 0, sum: 0 }
    }

    #[inline]
    pub fn add(&mut self, ns: u64) {
        self.bins[bin(ns)] += 1;
        self.count += 1;
        self.sum += ns;
    }

    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What a simulation of `events` events says that recorded its times here.
    pub fn found(&self, events: u64) -> Found {
        let milliseconds = |ns: f64| ns / MILLISECOND as f64;
        let mean = self.sum as f64 / self.count as f64;
        Found { events, mean_ms: milliseconds(mean), p99_ms: milliseconds(self.percentile(0.99)) }
    }

    /// The time that a share of all stays below, taken to be spread evenly within a bin.
    fn percentile(&self, share: f64) -> f64 {
        let mut wanted = share * self.count as f64;
        for (index, &count) in self.bins.iter().enumerate() {
            let count = count as f64;
            if wanted <= count {
                let (from, to) = (lowest(index) as f64, lowest(index + 1) as f64);
                return from + (to - from) * wanted / count;
            }
            wanted -= count;
        }
        f64::NAN
    }
}

/// Times below [`FINE`] have bins of their own; of longer ones the leading bits count.
#[inline]
fn bin(ns: u64) -> usize {
    let scale = (ns | FINE).ilog2() - FINE_BITS;
    (u64::from(scale) * FINE + (ns >> scale)) as usize
}

/// The least time of a bin.
const fn lowest(bin: usize) -> u64 {
    let bin = bin as u64;
    if bin < FINE {
        return bin;
    }
    let scale = bin / FINE - 1;
    (bin - scale * FINE) << scale
}
