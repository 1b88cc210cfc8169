//! A server all of whose places are taken, and which refuses what comes on top.

use super::latency::Conditions;

/// By what part the throughput that a server cannot exceed may change while it goes on as it did.
const SAME: f64 = 0.01;
/// Arrivals for each request that it serves, at least.
const MORE: f64 = 1.05;

/// How a full server goes on: as many requests are here at the end of a step as before it, so they
/// are served as fast and meet the same, however long the step is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overflow {
    /// The throughput that it cannot exceed.
    pub most: f64,
    /// Its throughput.
    pub throughput: f64,
    /// What its requests meet.
    pub conditions: Conditions,
}

impl Overflow {
    /// Whether it goes on so when `rate` requests arrive a second and it cannot serve more than
    /// `most` of them.
    pub fn lasts(&self, rate: f64, most: f64) -> bool {
        (most - self.most).abs() <= SAME * self.most && rate >= MORE * self.throughput
    }
}
