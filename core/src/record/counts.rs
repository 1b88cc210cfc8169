//! Counts and distributions of a run, folded as the facts come.

use super::times::{COARSE, PRECISE, ROUGH, Times};
use super::{Requests, TimelineRow};
use crate::fact::{Fact, FactSink, FailureCause, Flow};
use crate::time::Timestamp;

/// Counts requests and their times, for the run and for the present interval.
#[derive(Debug)]
pub struct Counts {
    arrived: u64,
    served: u64,
    /// In the order of [`FailureCause::ALL`].
    failed: [u64; FailureCause::ALL.len()],
    latency: Times,
    wait: Times,
    interval: TimelineRow,
    interval_latency: Times,
    digest: u64,
}

impl Counts {
    /// With times to a thousandth if they are wanted `fine`.
    pub fn new(fine: bool) -> Self {
        let (all, interval) = if fine { (PRECISE, COARSE) } else { (ROUGH, ROUGH) };
        Self {
            arrived: 0,
            served: 0,
            failed: Default::default(),
            latency: Times::new(all),
            wait: Times::new(all),
            interval: TimelineRow::default(),
            interval_latency: Times::new(interval),
            digest: 0,
        }
    }

    /// The counts and percentiles of the present interval.
    pub fn interval(&self) -> TimelineRow {
        let mut row = self.interval;
        self.interval_latency.percentiles_into(&mut row);
        row
    }

    /// The latencies of the present interval.
    pub const fn interval_latency(&self) -> &Times {
        &self.interval_latency
    }

    /// The present interval ends here.
    pub fn begin_interval(&mut self) {
        self.interval = TimelineRow::default();
        self.interval_latency.clear();
    }

    /// What became of all requests.
    pub fn requests(&self, failed_by_scaling: u64, in_flight_at_end: u64) -> Requests {
        Requests {
            arrived: self.arrived,
            served: self.served,
            failed: self.failed.iter().sum(),
            failed_by_scaling,
            in_flight_at_end,
            latency_ms: self.latency.distribution(),
            wait_ms: self.wait.distribution(),
        }
    }

    /// Latencies and waits.
    pub fn into_times(self) -> [Times; 2] {
        [self.latency, self.wait]
    }

    /// Requests answered so far.
    pub const fn served(&self) -> u64 {
        self.served
    }

    /// Failed requests by cause, causes without any left out.
    pub fn failures(&self) -> Vec<(FailureCause, u64)> {
        let all = FailureCause::ALL.into_iter().zip(self.failed);
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// A hash of when each request arrived and was answered.
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    fn flow(&mut self, at: Timestamp, flow: Flow) {
        match flow {
            Flow::Arrived { count } => {
                self.arrived += count;
                self.interval.arrived += count;
                self.mix(at, count);
            }
            Flow::Served { count, .. } => {
                self.served += count;
                self.interval.served += count;
                self.mix(at, count);
            }
            Flow::Took { count, latency, wait } => {
                self.latency.add_times(count, latency);
                self.interval_latency.add_times(count, latency);
                self.wait.add_times(count, wait);
            }
            Flow::Failed { count, cause, .. } => {
                self.failed[cause as usize] += count;
                self.interval.failed += count;
            }
            Flow::Routed { .. }
            | Flow::JobsEnqueued { .. }
            | Flow::JobsStarted { .. }
            | Flow::JobsCompleted { .. }
            | Flow::JobsKilled { .. } => {}
        }
    }

    fn mix(&mut self, at: Timestamp, request: u64) {
        let word = at.as_nanos().cast_unsigned() ^ request.rotate_left(40);
        self.digest = (self.digest ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
}

impl FactSink for Counts {
    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::RequestArrived { request } => {
                self.arrived += 1;
                self.interval.arrived += 1;
                self.mix(at, request.0);
            }
            Fact::RequestServed { request, latency, wait, .. } => {
                self.served += 1;
                self.interval.served += 1;
                self.latency.add(latency);
                self.interval_latency.add(latency);
                self.wait.add(wait);
                self.mix(at, request.0);
            }
            Fact::RequestFailed { cause, .. } => {
                self.failed[cause as usize] += 1;
                self.interval.failed += 1;
            }
            Fact::RequestRouted { .. }
            | Fact::RequestRedispatched { .. }
            | Fact::RequestAbandoned { .. }
            | Fact::JobEnqueued { .. }
            | Fact::JobStarted { .. }
            | Fact::JobCompleted { .. }
            | Fact::JobKilled { .. }
            | Fact::JobFailed { .. }
            | Fact::PowerChanged { .. }
            | Fact::ReadyChanged { .. }
            | Fact::RoutingChanged { .. }
            | Fact::ServicesStopped { .. }
            | Fact::JobEvicted { .. }
            | Fact::FileWritten { .. }
            | Fact::FileRead { .. }
            | Fact::JobLost { .. }
            | Fact::Broke { .. }
            | Fact::CommandApplied { .. }
            | Fact::TookOver { .. }
            | Fact::FaultBegan { .. }
            | Fact::FaultEnded { .. }
            | Fact::Sampled { .. } => {}
            Fact::Flow(flow) => self.flow(at, flow),
        }
    }
}
