//! Distributions by their quantiles: where a share of all draws lies below, and what passes through
//! two such points.

use std::fmt;

use tidegate_core::Span;

use super::draws::hyper_exponential;
use super::math::normal_quantile;
use crate::model::Dist;

/// How far an Erlang distribution may pass beside two quantiles: it has whole numbers of stages.
const BESIDE: f64 = 0.005;

/// A length, and the share of all draws that lie below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The share, between 0 and 1.
    pub share: f64,
    /// The length.
    pub at: Span,
}

impl Quantile {
    fn nanos(self) -> f64 {
        self.at.as_nanos() as f64
    }

    fn name(self) -> String {
        format!("p{}", self.share * 100.0)
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name(), self.at)
    }
}

/// The quantile of an exponential distribution of mean 1.
pub fn exponential_quantile(share: f64) -> f64 {
    -libm::log1p(-share)
}

/// That of the sum of `stages` exponential stages, of mean 1 together.
pub fn erlang_quantile(stages: u32, share: f64) -> f64 {
    let above = |x: f64| {
        let mut term = libm::exp(-x);
        (1..=stages).fold(0.0, |sum, stage| {
            let here = term;
            term *= x / f64::from(stage);
            sum + here
        })
    };
    // Ten stages and twice their number: more than their 99 % quantile, whatever the number.
    falls_to(1.0 - share, 2.0f64.mul_add(f64::from(stages), 10.0), above) / f64::from(stages)
}

/// That of a hyper-exponential distribution of mean 1 with balanced means.
pub fn hyper_exponential_quantile(cv: f64, share: f64) -> f64 {
    let (first, means) = hyper_exponential(1.0, cv);
    let above =
        |x: f64| first * libm::exp(-x / means[0]) + (1.0 - first) * libm::exp(-x / means[1]);
    falls_to(1.0 - share, exponential_quantile(share) * means[1], above)
}

/// Where a falling function has this value, between zero and `most`.
fn falls_to(value: f64, most: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, most);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if function(middle) > value { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The lognormal through two quantiles, the lower one first.
pub fn lognormal_through(low: Quantile, high: Quantile) -> Dist {
    let (from, to) = (normal_quantile(low.share), normal_quantile(high.share));
    let sigma = (libm::log(high.nanos()) - libm::log(low.nanos())) / (to - from);
    let mu = libm::log(low.nanos()) - sigma * from;
    let mean = libm::exp(mu + sigma * sigma / 2.0);
    let cv = libm::expm1(sigma * sigma).sqrt();
    Dist::Lognormal { mean: Span::from_nanos(mean as i64), cv }
}

/// The Erlang distribution that comes nearest to both quantiles.
///
/// # Errors
/// If it passes more than half a per cent beside them.
pub fn erlang_through((low, high): (Quantile, Quantile)) -> Result<Dist, String> {
    let wanted = high.nanos() / low.nanos();
    let ratio = |stages| erlang_quantile(stages, high.share) / erlang_quantile(stages, low.share);
    let off = |stages: &u32| libm::log(ratio(*stages) / wanted).abs();
    let stages = (1..=100).min_by(|one, other| off(one).total_cmp(&off(other))).unwrap_or(1);
    // Both are missed by as much, one above and one below.
    let miss = (ratio(stages) / wanted).sqrt();
    if (miss - 1.0).abs() > BESIDE {
        let (low_name, high_name, nearest) = (low.name(), high.name(), ratio(stages));
        return Err(format!(
            "no Erlang distribution has a {low} and a {high}: the nearest has {stages} stages, \
             and its {high_name} is {nearest:.3} times its {low_name}"
        ));
    }
    let mean = low.nanos() / miss / erlang_quantile(stages, low.share);
    Ok(Dist::Erlang { mean: Span::from_nanos(mean.round() as i64), stages })
}

/// The hyper-exponential distribution through two quantiles, of two the one that varies less.
///
/// # Errors
/// If there is none: then how far apart they may lie.
pub fn hyper_exponential_through((low, high): (Quantile, Quantile)) -> Result<Dist, String> {
    let ratio = |cv: f64| {
        hyper_exponential_quantile(cv, high.share) / hyper_exponential_quantile(cv, low.share)
    };
    let (least, wanted) = (1.001, high.nanos() / low.nanos());
    // The ratio of two quantiles grows with the variation, then falls again.
    let steps = (0..=200).map(|step| least * libm::exp(f64::from(step) / 200.0 * libm::log(99.0)));
    let most = steps.max_by(|one, other| ratio(*one).total_cmp(&ratio(*other))).unwrap_or(least);
    if wanted < ratio(least) || wanted > ratio(most) {
        let (from, to) = (ratio(least), ratio(most));
        let (low_name, high_name) = (low.name(), high.name());
        return Err(format!(
            "no hyper-exponential distribution has a {low} and a {high}: \
             its {high_name} is {from:.2} to {to:.2} times its {low_name}"
        ));
    }
    let cv = least + falls_to(-wanted, most - least, |more| -ratio(least + more));
    let mean = low.nanos() / hyper_exponential_quantile(cv, low.share);
    Ok(Dist::HyperExponential { mean: Span::from_nanos(mean.round() as i64), cv })
}

/// The lower bound of a Pareto distribution up to `most` with exponent `alpha` and this quantile.
pub fn pareto_least_through(one: Quantile, most: Span, alpha: f64) -> Option<Span> {
    if one.at >= most {
        return None;
    }
    let power = |x: f64, y: f64| libm::exp(y * libm::log(x));
    let beyond = power(one.nanos() / most.as_nanos() as f64, alpha);
    let least = one.nanos() * power((1.0 - one.share) / (1.0 - one.share * beyond), 1.0 / alpha);
    (least >= 1.0).then(|| Span::from_nanos(least.round() as i64))
}

/// The Pareto distribution up to `most` through two quantiles.
///
/// With exponent α it has a p-quantile x where (1 − p) x^α = L^α (1 − p (x ÷ most)^α). For two
/// quantiles that leaves one equation for α, whose one positive root is found by bisection.
///
/// # Errors
/// If no exponent between 0.1 and 10 will do.
pub fn pareto_through((low, high): (Quantile, Quantile), most: Span) -> Result<Dist, String> {
    if high.at >= most {
        return Err(format!("`max` is above all quantiles, and {most} is not above {}", high.at));
    }
    let power = |x: f64, y: f64| libm::exp(y * libm::log(x));
    let (apart, short) = (low.nanos() / high.nanos(), low.nanos() / most.as_nanos() as f64);
    let excess = |alpha: f64| {
        (1.0 - low.share) * power(apart, alpha)
            - (1.0 - high.share)
            - (high.share - low.share) * power(short, alpha)
    };
    let (least, greatest) = (0.1, 10.0);
    let none = || {
        format!(
            "no Pareto distribution up to {most} with an alpha of {least} to {greatest} has a \
             {low} and a {high}"
        )
    };
    if excess(least) < 0.0 || excess(greatest) > 0.0 {
        return Err(none());
    }
    let alpha = least + falls_to(0.0, greatest - least, |more| excess(least + more));
    let least = pareto_least_through(low, most, alpha).ok_or_else(none)?;
    Ok(Dist::Pareto { least, most, alpha })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Draws;

    fn at(share: f64, ms: i64) -> Quantile {
        Quantile { share, at: Span::from_millis(ms) }
    }

    /// Draws of `dist` have these quantiles, each within `beside`, as a share of it.
    fn check(dist: &Dist, quantiles: &[Quantile], beside: f64) {
        let mut draws = Draws::new(dist, 3, "test");
        let all: Vec<f64> = (0..400_000).map(|_| draws.draw() as f64).collect();
        let below = |limit: f64| all.iter().filter(|&&one| one < limit).count() as f64 / 4e5;
        for &Quantile { share, at } in quantiles {
            let limit = at.as_nanos() as f64;
            // Four standard errors of a share of 400,000 draws.
            let error = 4.0 * (share * (1.0 - share) / 4e5).sqrt();
            assert!(below(limit * (1.0 - beside)) < share + error, "{dist:?} {share} {at}");
            assert!(below(limit * (1.0 + beside)) > share - error, "{dist:?} {share} {at}");
        }
    }

    #[test]
    fn draws_of_a_shape_given_by_two_quantiles_have_them() {
        let most = Span::from_secs(9);
        let pairs = [
            ([at(0.5, 20), at(0.95, 90)], [at(0.9, 20), at(0.99, 60)]),
            ([at(0.5, 20), at(0.99, 600)], [at(0.95, 20), at(0.99, 50)]),
        ];
        for (one, other) in pairs {
            for pair in [one, other] {
                check(&lognormal_through(pair[0], pair[1]), &pair, 0.0);
                check(&hyper_exponential_through(pair.into()).unwrap(), &pair, 0.0);
                check(&pareto_through(pair.into(), most).unwrap(), &pair, 0.0);
            }
        }
        for pair in [[at(0.5, 1_678), at(0.95, 4_744)], [at(0.9, 1_130), at(0.99, 1_247)]] {
            check(&erlang_through(pair.into()).unwrap(), &pair, BESIDE);
        }
    }

    #[test]
    fn draws_of_a_shape_given_by_one_quantile_have_it() {
        let mean = |one: Quantile, in_means: f64| Span::from_nanos((one.nanos() / in_means) as i64);
        for one in [at(0.5, 20), at(0.95, 20), at(0.99, 20)] {
            let exponential = Dist::Exponential(mean(one, exponential_quantile(one.share)));
            check(&exponential, &[one], 0.0);
            for stages in [1, 2, 7, 100] {
                let mean = mean(one, erlang_quantile(stages, one.share));
                check(&Dist::Erlang { mean, stages }, &[one], 0.0);
            }
            for cv in [1.001, 2.0, 50.0] {
                let mean = mean(one, hyper_exponential_quantile(cv, one.share));
                check(&Dist::HyperExponential { mean, cv }, &[one], 0.0);
            }
            for alpha in [0.5, 1.0, 2.5, 10.0] {
                let most = Span::from_millis(300);
                let least = pareto_least_through(one, most, alpha).unwrap();
                check(&Dist::Pareto { least, most, alpha }, &[one], 0.0);
            }
        }
    }

    #[test]
    fn quantiles_that_a_shape_cannot_have_are_refused() {
        let erlang = erlang_through((at(0.5, 20), at(0.95, 55))).unwrap_err();
        assert!(erlang.contains("2 stages, and its p95 is 2.827 times its p50"), "{erlang}");
        for high in [80, 200] {
            let hyper = hyper_exponential_through((at(0.5, 20), at(0.95, high))).unwrap_err();
            assert!(hyper.contains("p95 is 4.33 to 8.24 times its p50"), "{hyper}");
        }
        for (high, most) in [(20_001, 30_000), (21, 8_000)] {
            let pair = (at(0.5, 20), at(0.95, high));
            let pareto = pareto_through(pair, Span::from_millis(most)).unwrap_err();
            assert!(pareto.starts_with("no Pareto distribution up to"), "{pareto}");
        }
        assert!(pareto_through((at(0.5, 20), at(0.95, 90)), Span::from_millis(90)).is_err());
        assert_eq!(pareto_least_through(at(0.5, 20), Span::from_millis(20), 1.0), None);
    }
}
