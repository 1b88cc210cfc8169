//! Counts and distributions of a run, folded as the facts come.

use tidegate_core::fact::{Fact, FactSink, FailureCause, Flow};
use tidegate_core::record::{Distribution, Requests, TimelineRow};
use tidegate_core::{Span, Timestamp};

use crate::histogram::Histogram;

const MICROSECOND: i64 = 1_000;
/// Bits that tell times apart to a thousandth, and those that do to a hundredth.
const PRECISE: u32 = 11;
const COARSE: u32 = 8;
/// Bits that tell times apart to three per cent.
const ROUGH: u32 = 6;

/// Times in a histogram of microseconds; mean and maximum exact.
#[derive(Debug)]
pub(crate) struct Times {
    histogram: Histogram,
    sum: u128,
    max: i64,
    /// Whether some were counted in bulk, whose maximum nobody knows.
    in_bulk: bool,
}

impl Times {
    const fn new(bits: u32) -> Self {
        Self { histogram: Histogram::new(bits), sum: 0, max: 0, in_bulk: false }
    }

    #[inline]
    fn add(&mut self, span: Span) {
        let ns = span.as_nanos();
        self.histogram.add((ns / MICROSECOND).cast_unsigned());
        self.sum += u128::from(ns.cast_unsigned());
        self.max = self.max.max(ns);
    }

    /// So many times of this length.
    fn add_times(&mut self, count: u64, span: Span) {
        let ns = span.as_nanos();
        self.in_bulk = true;
        self.histogram.add_times(count, (ns / MICROSECOND).cast_unsigned());
        self.sum += u128::from(count) * u128::from(ns.cast_unsigned());
    }

    /// Takes in the times of another run that was recorded alike.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.histogram.merge(&other.histogram);
        self.sum += other.sum;
        self.max = self.max.max(other.max);
        self.in_bulk |= other.in_bulk;
    }

    /// As precise, with no times.
    pub(super) const fn none_yet(&self) -> Self {
        Self::new(self.histogram.bits())
    }

    fn clear(&mut self) {
        self.histogram.clear();
        (self.sum, self.max, self.in_bulk) = (0, 0, false);
    }

    pub(super) fn percentiles_into(&self, row: &mut TimelineRow) {
        row.p50_ms = self.percentile(50.0);
        row.p95_ms = self.percentile(95.0);
        row.p99_ms = self.percentile(99.0);
    }

    fn percentile(&self, percent: f64) -> Option<f64> {
        let microseconds = self.histogram.quantile(percent / 100.0);
        (!self.histogram.is_empty()).then(|| microseconds as f64 / 1e3)
    }

    pub(crate) fn distribution(&self) -> Distribution {
        let count = u128::from(self.histogram.len());
        if count == 0 {
            return Distribution::default();
        }
        Distribution {
            mean: Some((self.sum / count) as f64 / 1e6),
            p50: self.percentile(50.0),
            p95: self.percentile(95.0),
            p99: self.percentile(99.0),
            max: (!self.in_bulk).then_some(self.max as f64 / 1e6),
        }
    }
}

/// Counts requests and their times, for the run and for the present interval.
#[derive(Debug)]
pub(super) struct Collector {
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

impl Collector {
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

    pub const fn served(&self) -> u64 {
        self.served
    }

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

impl FactSink for Collector {
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
