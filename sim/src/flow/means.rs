//! What a kind of request or job asks for on average, and mixtures of kinds.

use std::ops::AddAssign;

use crate::model::{Dist, Model, Phase, Place};

/// Mean demands of a kind, or weighted sums of several kinds. Times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Means {
    /// On the cores.
    pub cpu: f64,
    /// Second moment of that.
    pub cpu_square: f64,
    /// In Redis, database and storage, without network.
    pub stations: [f64; 3],
    /// Second moment of a visit there, times visits.
    pub squares: [f64; 3],
    /// Visits there.
    pub visits: [f64; 3],
    /// Nowhere, the stations' network included.
    pub wait: f64,
    /// Variance of the sum of all lengths.
    pub variance: f64,
}

/// The database's number among the shared stations.
pub(crate) const DATABASE: usize = 1;

/// The number of a station among the shared ones.
pub(crate) const fn station(place: Place) -> Option<usize> {
    match place {
        Place::Redis | Place::Sync => Some(0),
        Place::Database | Place::Miss => Some(DATABASE),
        Place::Nfs
        | Place::Open
        | Place::Fetch
        | Place::Transfer
        | Place::Commit
        | Place::Close => Some(2),
        Place::Cpu | Place::Wait => None,
    }
}

impl Means {
    /// Of a kind with these phases.
    pub fn of(model: &Model, phases: &[Phase]) -> Self {
        let latency = [model.redis, model.database, model.nfs].map(|one| one.latency.as_secs_f64());
        let mut means = Self::default();
        for phase in phases {
            let (mean, variance) = moments(&phase.demand);
            means.variance += variance;
            match (phase.place, station(phase.place)) {
                (_, Some(station)) => {
                    means.stations[station] += mean;
                    means.squares[station] += variance + mean * mean;
                    means.visits[station] += 1.0;
                    means.wait += latency[station];
                }
                (Place::Cpu, _) => {
                    means.cpu_square += variance + mean * mean + 2.0 * means.cpu * mean;
                    means.cpu += mean;
                }
                _ => means.wait += mean,
            }
        }
        means
    }

    /// These times `weight`; sums of such are the demands of a mixture.
    pub fn times(&self, weight: f64) -> Self {
        let all = |values: [f64; 3]| values.map(|value| value * weight);
        Self {
            cpu: self.cpu * weight,
            cpu_square: self.cpu_square * weight,
            stations: all(self.stations),
            squares: all(self.squares),
            visits: all(self.visits),
            wait: self.wait * weight,
            variance: self.variance * weight,
        }
    }

    /// Squared coefficient of variation of the work on the cores.
    pub fn cpu_variation(&self) -> f64 {
        if self.cpu > 0.0 { (self.cpu_square / (self.cpu * self.cpu) - 1.0).max(0.0) } else { 0.0 }
    }

    /// With cold caches: so many times the work of cores and database.
    pub fn warm(&mut self, factor: f64) {
        if factor > 1.0 {
            self.cpu *= factor;
            self.cpu_square *= factor * factor;
            self.stations[DATABASE] *= factor;
            self.squares[DATABASE] *= factor * factor;
        }
    }

    /// Time that a request takes where it meets no other.
    pub fn alone(&self) -> f64 {
        self.cpu + self.wait + self.stations.iter().sum::<f64>()
    }
}

impl AddAssign for Means {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.cpu_square += other.cpu_square;
        self.wait += other.wait;
        self.variance += other.variance;
        for station in 0..3 {
            self.stations[station] += other.stations[station];
            self.squares[station] += other.squares[station];
            self.visits[station] += other.visits[station];
        }
    }
}

/// Mean and variance, in seconds and their square.
fn moments(dist: &Dist) -> (f64, f64) {
    let mean = dist.mean_seconds();
    let squared_cv = match dist {
        Dist::Constant(_) => 0.0,
        Dist::Exponential(_) => 1.0,
        Dist::Lognormal { cv, .. } | Dist::HyperExponential { cv, .. } => cv * cv,
        Dist::Erlang { stages, .. } => 1.0 / f64::from(*stages),
        Dist::Pareto { least, most, alpha } => {
            let square = pareto_square(least.as_secs_f64(), most.as_secs_f64(), *alpha);
            square / (mean * mean) - 1.0
        }
        Dist::Empirical(values) => {
            let square = |value: &u64| (*value as f64 / 1e9) * (*value as f64 / 1e9);
            let sum: f64 = values.iter().map(square).sum();
            sum / values.len().max(1) as f64 / (mean * mean).max(f64::MIN_POSITIVE) - 1.0
        }
    };
    (mean, squared_cv.max(0.0) * mean * mean)
}

/// Second moment of a Pareto distribution between two bounds: ∫ α L^α x^(1−α) dx ÷ (1 − (L ÷ H)^α).
fn pareto_square(least: f64, most: f64, alpha: f64) -> f64 {
    let power = |x: f64, y: f64| libm::exp(y * libm::log(x));
    let norm = alpha * power(least, alpha) / (1.0 - power(least / most, alpha));
    if (alpha - 2.0).abs() < 1e-9 {
        return norm * libm::log(most / least);
    }
    norm * (power(most, 2.0 - alpha) - power(least, 2.0 - alpha)) / (2.0 - alpha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::Span;

    #[test]
    fn moments_are_those_of_the_distribution() {
        let second = Span::from_secs(1);
        let cases = [
            (Dist::Constant(second), 0.0),
            (Dist::Exponential(second), 1.0),
            (Dist::Lognormal { mean: second, cv: 2.0 }, 4.0),
            (Dist::Erlang { mean: second, stages: 4 }, 0.25),
            (Dist::Empirical([500_000_000, 1_500_000_000].into()), 0.25),
        ];
        for (dist, variance) in cases {
            let (mean, found) = moments(&dist);
            assert!((mean - 1.0).abs() < 1e-9 && (found - variance).abs() < 1e-9, "{dist:?}");
        }
        // α = 1 between 1 and e: the mean is e ÷ (e − 1), the second moment e.
        let (least, most) = (second, Span::from_nanos(2_718_281_828));
        let (mean, variance) = moments(&Dist::Pareto { least, most, alpha: 1.0 });
        assert!((mean - 1.581_977).abs() < 1e-5, "{mean}");
        assert!((variance + mean * mean - std::f64::consts::E).abs() < 1e-5, "{variance}");
    }
}
