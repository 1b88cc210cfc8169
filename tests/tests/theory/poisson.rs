//! Arrivals whose rate changes: a Poisson process after its time is rescaled.

use tidegate_sim::arrivals::Arrivals;
use tidegate_sim::model::{Load, Open};

use super::queue::Queue;

const SEEDS: u64 = 20;
/// Probability that any statistic of a test exceeds its critical value though all is exact.
const LEVEL: f64 = 0.001;

/// Straight lines through points of seconds and rates.
struct Curve {
    points: Vec<(f64, f64)>,
    /// Arrivals that are expected until each point.
    expected: Vec<f64>,
}

impl Curve {
    fn new(points: Vec<(f64, f64)>) -> Self {
        let mut expected = vec![0.0];
        for pair in points.windows(2) {
            let area = (pair[1].0 - pair[0].0) * f64::midpoint(pair[0].1, pair[1].1);
            expected.push(expected[expected.len() - 1] + area);
        }
        Self { points, expected }
    }

    /// A day in two and a half hours: a ramp, a plateau, silence, a peak.
    fn slow() -> Self {
        let day = [(0, 2), (30, 9), (60, 9), (75, 0), (90, 0), (105, 20), (150, 1)];
        Self::new(day.map(|(minute, rate)| (f64::from(minute * 60), f64::from(rate))).into())
    }

    /// Teeth so steep that the rate changes much between two arrivals.
    fn teeth() -> Self {
        let corner = |index: u32| (f64::from(2 * index), f64::from(index % 2));
        Self::new((0..20_000).map(corner).collect())
    }

    fn load(&self) -> Open {
        let point = |(second, rate): &(f64, f64)| format!("[\"{second}s\", {rate:.1}]");
        let points: Vec<String> = self.points.iter().map(point).collect();
        let load = format!("{{ kind = \"curve\", points = [{}] }}", points.join(", "));
        let model = Queue { load, ..Queue::default() }.model();
        match &model.loads[0] {
            Load::Open(open) => open.clone(),
            Load::Exam(_) => unreachable!("a curve is an open load"),
        }
    }

    /// Arrivals that are expected until `second`: the area under the curve.
    fn expected(&self, second: f64) -> f64 {
        let after = self.points.partition_point(|point| point.0 <= second);
        let index = after.clamp(1, self.points.len() - 1) - 1;
        let [(from, rate), (to, last)] = [self.points[index], self.points[index + 1]];
        let passed = second - from;
        let reached = rate + (last - rate) * passed / (to - from);
        self.expected[index] + passed * f64::midpoint(rate, reached)
    }

    fn whole(&self) -> f64 {
        self.expected[self.expected.len() - 1]
    }
}

/// Seconds of all arrivals.
fn arrivals(load: &Open, seed: u64) -> Vec<f64> {
    let mut arrivals = Arrivals::new(load, seed, "load/0");
    let times = std::iter::from_fn(|| Some(arrivals.draw()).filter(|&time| time < u64::MAX));
    times.map(|time| time as f64 / 1e9).collect()
}

/// Kolmogorov's statistic √n·D of values that should be uniform between 0 and 1.
fn kolmogorov(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let off = |(index, &value): (usize, &f64)| {
        (value - index as f64 / count).max((index as f64 + 1.0) / count - value)
    };
    values.iter().enumerate().map(off).fold(0.0, f64::max) * count.sqrt()
}

/// What √n·D exceeds with probability `level`, for many values: P(√n·D > x) ≈ 2·exp(−2x²).
fn critical(level: f64) -> f64 {
    (-(level / 2.0).ln() / 2.0).sqrt()
}

/// Given how many there are, arrivals of a Poisson process are uniform over its expected number;
/// the gaps of that number are exponential with mean 1. All seeds are judged together.
fn assert_poisson(curve: &Curve) {
    let load = curve.load();
    let (mut places, mut gaps) = (Vec::new(), Vec::new());
    for seed in 1..=SEEDS {
        let mut before = 0.0;
        for time in arrivals(&load, seed) {
            let reached = curve.expected(time);
            places.push(reached / curve.whole());
            gaps.push(1.0 - (before - reached).exp());
            before = reached;
        }
    }
    // The number is Poisson; within 3.3 standard deviations, which one in a thousand misses.
    let (total, mean) = (places.len() as f64, curve.whole() * SEEDS as f64);
    assert!((total - mean).abs() < 3.3 * mean.sqrt(), "{total} arrivals, {mean} expected");
    let (places, gaps, limit) = (kolmogorov(places), kolmogorov(gaps), critical(LEVEL / 2.0));
    assert!(places < limit && gaps < limit, "{places} and {gaps}, limit {limit}");
}

#[test]
fn arrivals_along_a_slow_curve_are_poisson_after_time_is_rescaled() {
    assert_poisson(&Curve::slow());
}

#[test]
fn arrivals_along_steep_teeth_are_poisson_after_time_is_rescaled() {
    assert_poisson(&Curve::teeth());
}

/// Held against a curve whose first hour is a twentieth higher, most seeds are rejected.
#[test]
fn the_statistic_finds_a_rate_that_is_off_by_a_twentieth() {
    let curve = Curve::slow();
    let (load, hour) = (curve.load(), 3_600.0);
    let off = |time: f64| curve.expected(time) + 0.05 * curve.expected(time.min(hour));
    let rejects = |seed: &u64| {
        let places = arrivals(&load, *seed).into_iter().map(|time| off(time) / off(9_000.0));
        kolmogorov(places.collect()) > critical(LEVEL)
    };
    let rejected = (1..=SEEDS).filter(rejects).count();
    assert!(rejected > SEEDS as usize / 2, "{rejected} of {SEEDS}");
}
