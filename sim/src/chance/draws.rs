//! Draws of a distribution, in whole nanoseconds, made in batches.

use rand_chacha::ChaCha8Rng;
use tidegate_core::Span;

use super::math::{exp, ln, normal_quantile};
use super::{BATCH, fill, stream, uniform};
use crate::model::Dist;

/// Draws of a distribution.
#[derive(Debug)]
pub struct Draws {
    rng: ChaCha8Rng,
    dist: Dist,
    batch: Vec<u64>,
    uniforms: Vec<f64>,
    next: usize,
}

impl Draws {
    /// Draws of `dist` from the stream of `seed` and `name`.
    pub fn new(dist: &Dist, seed: u64, name: &str) -> Self {
        let rng = stream(seed, name);
        Self { rng, dist: dist.clone(), batch: Vec::new(), uniforms: Vec::new(), next: BATCH }
    }

    /// The next draw, in nanoseconds.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        if self.next == BATCH {
            self.refill();
        }
        self.next += 1;
        self.batch[self.next - 1]
    }

    #[cold]
    fn refill(&mut self) {
        self.next = 0;
        if let Dist::Constant(length) = self.dist {
            return self.batch.resize(BATCH, nanos(length));
        }
        self.batch.resize(BATCH, 0);
        self.uniforms.resize(BATCH, 0.0);
        fill(&mut self.rng, &mut self.uniforms);
        let Self { rng, dist, batch, uniforms, .. } = self;
        let all = batch.iter_mut().zip(uniforms.iter());
        match dist {
            Dist::Constant(_) => {}
            Dist::Exponential(mean) => {
                let mean = mean.as_nanos() as f64;
                all.for_each(|(value, u)| *value = (-ln(*u) * mean) as u64);
            }
            Dist::Lognormal { mean, cv } => {
                let (mu, sigma) = lognormal(*mean, *cv);
                all.for_each(|(value, u)| *value = exp(mu + sigma * normal_quantile(*u)) as u64);
            }
            Dist::Erlang { mean, stages } => {
                let mean = mean.as_nanos() as f64 / f64::from(*stages);
                for (value, u) in all {
                    let more = (1..*stages).map(|_| ln(uniform(rng))).sum::<f64>();
                    *value = (-(ln(*u) + more) * mean) as u64;
                }
            }
            Dist::HyperExponential { mean, cv } => {
                let (share, means) = hyper_exponential(mean.as_nanos() as f64, *cv);
                for (value, u) in all {
                    let mean = if uniform(rng) <= share { means[0] } else { means[1] };
                    *value = (-ln(*u) * mean) as u64;
                }
            }
            Dist::Pareto { least, most, alpha } => {
                let (least, most) = (least.as_nanos() as f64, most.as_nanos() as f64);
                let rest = 1.0 - exp(*alpha * ln(least / most));
                all.for_each(|(value, u)| {
                    *value = (least * exp(-ln(1.0 - (1.0 - u) * rest) / *alpha)) as u64;
                });
            }
            Dist::Empirical(values) => {
                for (value, u) in all {
                    let index = ((1.0 - u) * values.len() as f64) as usize;
                    *value = values[index.min(values.len() - 1)];
                }
            }
        }
    }
}

const fn nanos(span: Span) -> u64 {
    span.as_nanos().cast_unsigned()
}

/// μ and σ of the logarithm in nanoseconds: σ² = ln(1 + c²), μ = ln m − σ²/2.
fn lognormal(mean: Span, cv: f64) -> (f64, f64) {
    let variance = libm::log1p(cv * cv);
    (libm::log(mean.as_nanos() as f64) - variance / 2.0, variance.sqrt())
}

/// Two phases with balanced means (Morse 1958): the first is taken with probability
/// (1 + √((c² − 1) ÷ (c² + 1))) ÷ 2, and each contributes half of the mean.
pub(super) fn hyper_exponential(mean: f64, cv: f64) -> (f64, [f64; 2]) {
    let square = cv * cv;
    let share = f64::midpoint(1.0, ((square - 1.0) / (square + 1.0)).sqrt());
    (share, [mean / (2.0 * share), mean / (2.0 * (1.0 - share))])
}

/// The mean of a Pareto distribution with exponent `alpha` between `least` and `most`.
fn pareto_mean(least: f64, most: f64, alpha: f64) -> f64 {
    let power = |x: f64, y: f64| libm::exp(y * libm::log(x));
    if (alpha - 1.0).abs() < 1e-9 {
        return least * most / (most - least) * libm::log(most / least);
    }
    let norm = power(least, alpha) / (1.0 - power(least / most, alpha));
    norm * alpha / (alpha - 1.0) * (power(least, 1.0 - alpha) - power(most, 1.0 - alpha))
}

/// The lower bound of a Pareto distribution up to `most` with exponent `alpha` that has this mean,
/// found by bisection, or `None` if there is none.
pub fn pareto_least(mean: Span, most: Span, alpha: f64) -> Option<Span> {
    let (mean, most) = (mean.as_nanos() as f64, most.as_nanos() as f64);
    let (mut low, mut high) = (1.0, mean);
    if mean < 2.0 || most <= mean || pareto_mean(low, most, alpha) > mean {
        return None;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if pareto_mean(middle, most, alpha) < mean { low = middle } else { high = middle }
    }
    Some(Span::from_nanos(low as i64))
}

impl Dist {
    /// As many times as long.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        let longer = |span: Span| Span::from_nanos((span.as_nanos() as f64 * factor) as i64);
        match self {
            Self::Constant(mean) => Self::Constant(longer(*mean)),
            Self::Exponential(mean) => Self::Exponential(longer(*mean)),
            Self::Lognormal { mean, cv } => Self::Lognormal { mean: longer(*mean), cv: *cv },
            Self::Erlang { mean, stages } => Self::Erlang { mean: longer(*mean), stages: *stages },
            Self::HyperExponential { mean, cv } => {
                Self::HyperExponential { mean: longer(*mean), cv: *cv }
            }
            Self::Pareto { least, most, alpha } => {
                Self::Pareto { least: longer(*least), most: longer(*most), alpha: *alpha }
            }
            Self::Empirical(values) => {
                Self::Empirical(values.iter().map(|&one| (one as f64 * factor) as u64).collect())
            }
        }
    }

    /// Its mean in seconds.
    pub fn mean_seconds(&self) -> f64 {
        match self {
            Self::Constant(mean)
            | Self::Exponential(mean)
            | Self::Lognormal { mean, .. }
            | Self::Erlang { mean, .. }
            | Self::HyperExponential { mean, .. } => mean.as_secs_f64(),
            Self::Pareto { least, most, alpha } => {
                pareto_mean(least.as_nanos() as f64, most.as_nanos() as f64, *alpha) / 1e9
            }
            Self::Empirical(values) => {
                let sum: u128 = values.iter().map(|&value| u128::from(value)).sum();
                sum as f64 / values.len().max(1) as f64 / 1e9
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: Span = Span::from_millis(20);

    /// Mean and coefficient of variation of a million draws.
    fn moments(dist: &Dist) -> (f64, f64) {
        let mut draws = Draws::new(dist, 7, "test");
        let all: Vec<f64> = (0..1_000_000).map(|_| draws.draw() as f64).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / all.len() as f64;
        (mean / 1e9, variance.sqrt() / mean)
    }

    #[test]
    fn draws_have_the_mean_and_variation_that_were_asked_for() {
        let pareto = Dist::Pareto {
            least: pareto_least(MEAN, Span::from_secs(1), 1.5).unwrap(),
            most: Span::from_secs(1),
            alpha: 1.5,
        };
        let cases = [
            (Dist::Constant(MEAN), 0.0),
            (Dist::Exponential(MEAN), 1.0),
            (Dist::Lognormal { mean: MEAN, cv: 0.8 }, 0.8),
            (Dist::Erlang { mean: MEAN, stages: 4 }, 0.5),
            (Dist::HyperExponential { mean: MEAN, cv: 2.0 }, 2.0),
            (Dist::Empirical([10_000_000, 30_000_000].into()), 0.5),
        ];
        for (dist, cv) in cases {
            let (mean, found) = moments(&dist);
            assert!((dist.mean_seconds() - 0.02).abs() < 1e-9, "{dist:?}");
            // Four standard errors of a million draws of variation 2 are 0.8 % of the mean.
            assert!((mean / 0.02 - 1.0).abs() < 0.008, "{dist:?}: {mean}");
            assert!((found - cv).abs() < 0.03, "{dist:?}: {found}");
        }
        let (mean, _) = moments(&pareto);
        assert!((pareto.mean_seconds() - 0.02).abs() < 1e-6);
        assert!((mean / 0.02 - 1.0).abs() < 0.02, "{mean}");
    }
}
