//! Cold caches: what a server's first requests cost more.

use crate::chance::exp;
use crate::model::Cache;

/// Steps into which the time of warming is cut, at most.
const STEPS: u32 = 1_024;
/// The extra share counts as gone after so many times `warm_after` requests.
const WARM: u32 = 10;

/// The factor on a request's work by the number of requests that its server took up before.
#[derive(Debug)]
pub(super) struct Warming {
    factors: Vec<f64>,
    /// Binary logarithm of the requests that share a step.
    shift: u32,
}

impl Warming {
    /// A table of 1 + (cold − 1) × exp(−n ÷ `warm_after`); empty if caches make no difference.
    pub fn new(cache: &Cache) -> Self {
        let requests = WARM * cache.warm_after;
        let shift = requests.div_ceil(STEPS).next_power_of_two().trailing_zeros();
        let steps = if cache.cold > 1.0 { requests.div_ceil(1 << shift) } else { 0 };
        let factor = |step: u32| {
            let served = f64::from(step << shift);
            1.0 + (cache.cold - 1.0) * exp(-served / f64::from(cache.warm_after))
        };
        Self { factors: (0..steps).map(factor).collect(), shift }
    }

    /// The factor after `served` requests, or `None` once the caches are warm.
    #[inline]
    pub fn factor(&self, served: u32) -> Option<f64> {
        self.factors.get((served >> self.shift) as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extra_work_wears_off_exponentially() {
        for warm_after in [1, 500, 1_000_000] {
            let warming = Warming::new(&Cache { cold: 3.0, warm_after });
            assert_eq!(warming.factor(0), Some(3.0));
            let after = |requests: u32| warming.factor(requests).unwrap_or(1.0) - 1.0;
            for times in 1..5 {
                let expected = 2.0 * libm::exp(-f64::from(times));
                assert!((after(times * warm_after) / expected - 1.0).abs() < 0.02, "{warm_after}");
            }
            assert_eq!(warming.factor((WARM + 1) * warm_after), None);
        }
    }

    #[test]
    fn caches_that_make_no_difference_have_no_table() {
        assert_eq!(Warming::new(&Cache { cold: 1.0, warm_after: 500 }).factor(0), None);
    }
}
