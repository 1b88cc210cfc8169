//! Draws that read well in a file: whole numbers, round lengths of time.

use rand_chacha::ChaCha8Rng;
use tidegate_core::Span;

use crate::chance::{exp, ln, stream, uniform};

/// A stream of draws for one case.
#[derive(Debug)]
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// That of a run of a swarm.
    pub fn new(seed: u64, name: &str) -> Self {
        Self(stream(seed, name))
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        uniform(&mut self.0) <= probability
    }

    /// A whole number, each from `least` to `most` as likely as the others.
    pub fn number(&mut self, least: u64, most: u64) -> u64 {
        let draw = 1.0 - uniform(&mut self.0);
        (least + (draw * (most - least + 1) as f64) as u64).min(most)
    }

    /// Between two positive numbers, as likely below as above their geometric mean, to two digits.
    pub fn factor(&mut self, least: f64, most: f64) -> f64 {
        let least = least.max(1e-3);
        let drawn = exp(ln(least) + (ln(most) - ln(least)) * uniform(&mut self.0));
        (drawn * 100.0).round() / 100.0
    }

    /// The same of lengths: whole seconds below five minutes, whole minutes above.
    pub fn span(&mut self, least: Span, most: Span) -> Span {
        let seconds = self.factor(least.as_secs_f64().max(1.0), most.as_secs_f64().max(1.0));
        Self::round(Span::from_secs(seconds.round() as i64))
    }

    /// A moment of the first `part` of `length`, each as likely as the others.
    pub fn moment(&mut self, length: Span, part: f64) -> Span {
        let seconds = length.as_secs_f64() * part * (1.0 - uniform(&mut self.0));
        Self::round(Span::from_secs(seconds as i64))
    }

    fn round(span: Span) -> Span {
        let seconds = span.as_nanos() / 1_000_000_000;
        if seconds < 300 { Span::from_secs(seconds) } else { Span::from_mins(seconds / 60) }
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.number(0, of.len() as u64 - 1) as usize]
    }
}
