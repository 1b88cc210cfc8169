//! Streams of chance: one named `ChaCha8` stream a source, drawn in batches.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::model::Dist;

const BATCH: usize = 512;

/// The stream that `seed` and `name` determine; no other source of chance moves it.
pub fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let key = blake3::Hasher::new_derive_key("tidegate 2026 stream of chance")
        .update(&seed.to_le_bytes())
        .update(name.as_bytes())
        .finalize();
    ChaCha8Rng::from_seed(*key.as_bytes())
}

/// A uniform draw from (0, 1].
pub fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// Uniform draws from (0, 1], drawn in batches.
#[derive(Debug)]
pub struct Uniforms {
    rng: ChaCha8Rng,
    batch: Vec<f64>,
    next: usize,
}

impl Uniforms {
    /// The stream of `seed` and `name`.
    pub fn new(seed: u64, name: &str) -> Self {
        Self { rng: stream(seed, name), batch: vec![0.0; BATCH], next: BATCH }
    }

    /// The next draw.
    pub fn draw(&mut self) -> f64 {
        if self.next == BATCH {
            for value in &mut self.batch {
                *value = uniform(&mut self.rng);
            }
            self.next = 0;
        }
        self.next += 1;
        self.batch[self.next - 1]
    }

    /// The next draw as an exponential variate of mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.draw())
    }
}

/// Draws of a distribution, in whole nanoseconds.
#[derive(Debug)]
pub struct Draws {
    rng: ChaCha8Rng,
    dist: Dist,
    batch: Vec<u64>,
    next: usize,
}

impl Draws {
    /// Draws of `dist` from the stream of `seed` and `name`.
    pub fn new(dist: Dist, seed: u64, name: &str) -> Self {
        let size = if matches!(dist, Dist::Constant(_)) { 0 } else { BATCH };
        Self { rng: stream(seed, name), dist, batch: vec![0; size], next: size }
    }

    /// The next draw.
    pub fn draw(&mut self) -> u64 {
        if let Dist::Constant(span) = self.dist {
            return span.as_nanos().cast_unsigned();
        }
        if self.next == self.batch.len() {
            self.refill();
        }
        self.next += 1;
        self.batch[self.next - 1]
    }

    fn refill(&mut self) {
        match self.dist {
            Dist::Constant(_) => {}
            Dist::Exponential(mean) => {
                let mean = mean.as_nanos() as f64;
                for value in &mut self.batch {
                    *value = (-libm::log(uniform(&mut self.rng)) * mean) as u64;
                }
            }
            Dist::Lognormal(mean, variation) => {
                self.refill_lognormal(mean.as_nanos() as f64, variation);
            }
        }
        self.next = 0;
    }

    /// Lognormal with mean m and variation c: σ² = ln(1 + c²), μ = ln m − σ²/2; Box and Muller.
    fn refill_lognormal(&mut self, mean: f64, variation: f64) {
        let variance = libm::log1p(variation * variation);
        let (mu, sigma) = (libm::log(mean) - variance / 2.0, variance.sqrt());
        for pair in self.batch.chunks_exact_mut(2) {
            let radius = (-2.0 * libm::log(uniform(&mut self.rng))).sqrt();
            let angle = std::f64::consts::TAU * uniform(&mut self.rng);
            pair[0] = libm::exp(mu + sigma * radius * libm::cos(angle)) as u64;
            pair[1] = libm::exp(mu + sigma * radius * libm::sin(angle)) as u64;
        }
    }
}

/// The mean of a distribution in seconds.
pub fn mean_seconds(dist: Dist) -> f64 {
    match dist {
        Dist::Constant(mean) | Dist::Exponential(mean) | Dist::Lognormal(mean, _) => {
            mean.as_secs_f64()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::Span;

    #[test]
    fn streams_depend_on_seed_and_name_alone() {
        let first = |seed, name| uniform(&mut stream(seed, name)).to_bits();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
    }

    #[test]
    fn draws_have_the_mean_that_was_asked_for() {
        let mean = Span::from_millis(20);
        for dist in [Dist::Constant(mean), Dist::Exponential(mean), Dist::Lognormal(mean, 0.8)] {
            let mut draws = Draws::new(dist, 7, "test");
            let total: u64 = (0..200_000).map(|_| draws.draw()).sum();
            let ratio = total as f64 / 200_000.0 / mean.as_nanos() as f64;
            // Four standard errors of the mean of 200,000 draws of variation 1.
            assert!((ratio - 1.0).abs() < 0.009, "{dist:?}: {ratio}");
        }
    }
}
