//! Arrivals whose rate changes: a Poisson process after its time is rescaled.

use tidegate_sim::arrivals::Arrivals;
use tidegate_sim::model::{Load, Open};

use super::queue::Queue;

/// Hours and rates a second: a ramp, a plateau, silence, a peak.
const CURVE: [(f64, f64); 7] =
    [(0.0, 2.0), (0.5, 9.0), (1.0, 9.0), (1.25, 0.0), (1.5, 0.0), (1.75, 20.0), (2.5, 1.0)];

const SEEDS: u64 = 20;
/// Probability that any statistic of a test exceeds its critical value though all is exact.
const LEVEL: f64 = 0.001;

fn load() -> Open {
    let points: Vec<String> =
        CURVE.iter().map(|(hour, rate)| format!("[\"{}s\", {rate:.1}]", hour * 3_600.0)).collect();
    let load = format!("{{ kind = \"curve\", points = [{}] }}", points.join(", "));
    let model = Queue { load, ..Queue::default() }.model();
    match &model.loads[0] {
        Load::Open(open) => open.clone(),
        Load::Exam(_) => unreachable!("a curve is an open load"),
    }
}

/// Arrivals that are expected until `hour`: the area under the curve.
fn expected(hour: f64) -> f64 {
    let area = |pair: &[(f64, f64)]| {
        let [(from, rate), (to, last)] = [pair[0], pair[1]];
        let passed = (hour.min(to) - from).max(0.0);
        let reached = rate + (last - rate) * passed / (to - from);
        3_600.0 * passed * f64::midpoint(rate, reached)
    };
    CURVE.windows(2).map(area).sum()
}

/// Hours of all arrivals.
fn arrivals(load: &Open, seed: u64) -> Vec<f64> {
    let mut arrivals = Arrivals::new(load, seed, "load/0");
    let times = std::iter::from_fn(|| Some(arrivals.draw()).filter(|&time| time < u64::MAX));
    times.map(|time| time as f64 / 3.6e12).collect()
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
/// the gaps of that number are exponential with mean 1.
#[test]
fn arrivals_are_poisson_after_time_is_rescaled() {
    let load = load();
    let (whole, limit) = (expected(2.5), critical(LEVEL / (2 * SEEDS) as f64));
    let mut total = 0;
    for seed in 1..=SEEDS {
        let rescaled: Vec<f64> = arrivals(&load, seed).into_iter().map(expected).collect();
        total += rescaled.len();
        let gaps = std::iter::once(0.0).chain(rescaled.iter().copied()).zip(&rescaled);
        let gaps = kolmogorov(gaps.map(|(before, after)| 1.0 - (before - after).exp()).collect());
        let places = kolmogorov(rescaled.iter().map(|one| one / whole).collect());
        assert!(places < limit && gaps < limit, "seed {seed}: {places} and {gaps}, limit {limit}");
    }
    // The number is Poisson; within 3.3 standard deviations, which one in a thousand misses.
    let (total, mean) = (total as f64, whole * SEEDS as f64);
    assert!((total - mean).abs() < 3.3 * mean.sqrt(), "{total} arrivals, {mean} expected");
}

#[test]
fn the_statistic_finds_a_rate_that_is_off_by_a_twentieth() {
    let load = load();
    let off = |hour: f64| {
        (expected(hour) + 0.05 * expected(hour.min(1.0))) / (expected(2.5) + 0.05 * expected(1.0))
    };
    let found = (1..=SEEDS).filter(|&seed| {
        let places = arrivals(&load, seed).into_iter().map(off).collect();
        kolmogorov(places) > critical(LEVEL)
    });
    assert!(found.count() > SEEDS as usize / 4);
}
