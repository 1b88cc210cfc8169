//! Counts and distributions of a run, folded as the facts come.

use hdrhistogram::Histogram;
use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::record::{Distribution, Requests, TimelineRow};
use tidegate_core::{Span, Timestamp};

const MICROSECOND: i64 = 1_000;

/// Times in a histogram that grows with the longest; mean and maximum exact.
#[derive(Debug)]
struct Times {
    histogram: Histogram<u64>,
    sum: u128,
    max: i64,
    /// Times below the least that the histogram tells apart, added to it when it is asked.
    none: u64,
}

impl Times {
    /// Percentiles will have so many significant digits, from 1 to 5.
    fn new(digits: u8) -> Self {
        let histogram = Histogram::new(digits);
        let mut histogram = histogram.unwrap_or_else(|_| unreachable!("a valid precision"));
        histogram.auto(true);
        Self { histogram, sum: 0, max: 0, none: 0 }
    }

    fn add(&mut self, span: Span) {
        let ns = span.as_nanos();
        if ns < MICROSECOND {
            self.none += 1;
        } else {
            self.histogram += (ns / MICROSECOND).cast_unsigned();
        }
        self.sum += u128::from(ns.cast_unsigned());
        self.max = self.max.max(ns);
    }

    /// The histogram with all times in it.
    fn whole(&mut self) -> &Histogram<u64> {
        // Zero is within the range of every histogram.
        let _ = self.histogram.record_n(0, std::mem::take(&mut self.none));
        &self.histogram
    }

    fn percentile(&mut self, percent: f64) -> Option<f64> {
        let all = self.whole();
        (!all.is_empty()).then(|| all.value_at_percentile(percent) as f64 / 1e3)
    }

    fn distribution(&mut self) -> Distribution {
        let count = u128::from(self.whole().len());
        if count == 0 {
            return Distribution::default();
        }
        Distribution {
            mean: Some((self.sum / count) as f64 / 1e6),
            p50: self.percentile(50.0),
            p95: self.percentile(95.0),
            p99: self.percentile(99.0),
            max: Some(self.max as f64 / 1e6),
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
    pub fn new() -> Self {
        Self {
            arrived: 0,
            served: 0,
            failed: Default::default(),
            latency: Times::new(3),
            wait: Times::new(3),
            interval: TimelineRow::default(),
            interval_latency: Times::new(2),
            digest: 0,
        }
    }

    /// The counts and percentiles since the last call.
    pub fn take_interval(&mut self) -> TimelineRow {
        let mut row = std::mem::take(&mut self.interval);
        row.p50_ms = self.interval_latency.percentile(50.0);
        row.p95_ms = self.interval_latency.percentile(95.0);
        row.p99_ms = self.interval_latency.percentile(99.0);
        self.interval_latency.histogram.reset();
        row
    }

    pub fn requests(&mut self, failed_by_scaling: u64, in_flight_at_end: u64) -> Requests {
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
            | Fact::PowerChanged { .. }
            | Fact::ReadyChanged { .. }
            | Fact::RoutingChanged { .. }
            | Fact::ServicesStopped { .. }
            | Fact::Sampled { .. } => {}
        }
    }
}
