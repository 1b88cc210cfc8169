//! Streams of chance: one named `ChaCha8` stream a source, drawn in batches.

mod draws;
mod math;
pub mod quantiles;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub use draws::{Draws, pareto_least};
pub use math::{exp, ln};
pub use quantiles::Quantile;

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
        Self { rng: stream(seed, name), batch: Vec::new(), next: BATCH }
    }

    /// The next draw.
    #[inline]
    pub fn draw(&mut self) -> f64 {
        self.draw_as(|uniform| uniform)
    }

    /// The next draw, where each batch goes through `change` as a whole.
    #[inline]
    fn draw_as(&mut self, change: impl Fn(f64) -> f64) -> f64 {
        if self.next == BATCH {
            self.refill(change);
        }
        self.next += 1;
        self.batch[self.next - 1]
    }

    #[cold]
    fn refill(&mut self, change: impl Fn(f64) -> f64) {
        self.batch.resize(BATCH, 0.0);
        fill(&mut self.rng, &mut self.batch);
        for value in &mut self.batch {
            *value = change(*value);
        }
        self.next = 0;
    }
}

/// Exponential variates of mean 1, drawn in batches.
#[derive(Debug)]
pub struct Exponentials(Uniforms);

impl Exponentials {
    /// The stream of `seed` and `name`.
    pub fn new(seed: u64, name: &str) -> Self {
        Self(Uniforms::new(seed, name))
    }

    /// The next draw.
    #[inline]
    pub fn draw(&mut self) -> f64 {
        self.0.draw_as(|uniform| -math::ln(uniform))
    }
}

/// Fills `batch` with uniform draws from (0, 1].
fn fill(rng: &mut ChaCha8Rng, batch: &mut [f64]) {
    for value in batch {
        *value = uniform(rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_seed_and_name_alone() {
        let first = |seed, name| uniform(&mut stream(seed, name)).to_bits();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
    }
}
