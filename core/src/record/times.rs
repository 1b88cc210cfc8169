//! Times of requests: a histogram, with mean and maximum exact.

use super::histogram::Histogram;
use super::{Distribution, TimelineRow};
use crate::time::Span;

const MICROSECOND: i64 = 1_000;
/// Bits that tell times apart to a thousandth, and those that do to a hundredth.
pub(super) const PRECISE: u32 = 11;
pub(super) const COARSE: u32 = 8;
/// Bits that tell times apart to three per cent.
pub(super) const ROUGH: u32 = 6;

/// Times in a histogram of microseconds; mean and maximum exact.
#[derive(Debug)]
pub struct Times {
    histogram: Histogram,
    sum: u128,
    max: i64,
    /// Whether some were counted in bulk, whose maximum nobody knows.
    in_bulk: bool,
}

impl Times {
    /// Told apart by so many bits: see [`Histogram::new`].
    pub(super) const fn new(bits: u32) -> Self {
        Self { histogram: Histogram::new(bits), sum: 0, max: 0, in_bulk: false }
    }

    #[inline]
    pub(super) fn add(&mut self, span: Span) {
        let ns = span.as_nanos();
        self.histogram.add((ns / MICROSECOND).cast_unsigned());
        self.sum += u128::from(ns.cast_unsigned());
        self.max = self.max.max(ns);
    }

    /// So many times of this length.
    pub(super) fn add_times(&mut self, count: u64, span: Span) {
        let ns = span.as_nanos();
        self.in_bulk = true;
        self.histogram.add_times(count, (ns / MICROSECOND).cast_unsigned());
        self.sum += u128::from(count) * u128::from(ns.cast_unsigned());
    }

    /// Takes in the times of another run that was recorded alike.
    pub fn merge(&mut self, other: &Self) {
        self.histogram.merge(&other.histogram);
        self.sum += other.sum;
        self.max = self.max.max(other.max);
        self.in_bulk |= other.in_bulk;
    }

    /// As precise, with no times.
    #[must_use]
    pub const fn none_yet(&self) -> Self {
        Self::new(self.histogram.bits())
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.histogram.clear();
        (self.sum, self.max, self.in_bulk) = (0, 0, false);
    }

    /// Writes its percentiles into `row`.
    pub fn percentiles_into(&self, row: &mut TimelineRow) {
        row.p50_ms = self.percentile(50.0);
        row.p95_ms = self.percentile(95.0);
        row.p99_ms = self.percentile(99.0);
    }

    fn percentile(&self, percent: f64) -> Option<f64> {
        let microseconds = self.histogram.quantile(percent / 100.0);
        (!self.histogram.is_empty()).then(|| microseconds as f64 / 1e3)
    }

    /// As a record has it.
    pub fn distribution(&self) -> Distribution {
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
