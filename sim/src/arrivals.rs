//! Arrivals of an open load: a non-homogeneous Poisson process, or exact counts.
//!
//! The process is made by inverting the cumulative rate of a piecewise linear curve (Çinlar 1975):
//! one exponential draw and one square root an arrival, and no draw is rejected.

use std::sync::Arc;

use crate::chance::{Exponentials, Uniforms};
use crate::model::{Open, Piece};

/// The next arrival of an open load, in nanoseconds from the start of the run.
#[derive(Debug)]
pub struct Arrivals {
    pieces: Arc<[Piece]>,
    scale: f64,
    next_piece: usize,
    present: Option<Present>,
    /// Seconds into the present piece.
    position: f64,
    chance: Chance,
}

/// The piece that arrivals come from, with what follows from it.
#[derive(Clone, Copy, Debug)]
struct Present {
    piece: Piece,
    length: f64,
    slope: f64,
    /// One over the rate of a piece whose rate does not change, else nothing.
    gap: Option<f64>,
}

#[derive(Debug)]
enum Chance {
    Poisson(Exponentials),
    /// Exact counts: arrivals of the piece, those that came, and what rounding left over.
    Exact {
        draws: Uniforms,
        count: u64,
        came: u64,
        carry: f64,
    },
}

impl Arrivals {
    /// The arrivals of `load`, drawn from the stream of `seed` and `name`.
    pub fn new(load: &Open, seed: u64, name: &str) -> Self {
        let chance = if load.exact {
            Chance::Exact { draws: Uniforms::new(seed, name), count: 0, came: 0, carry: 0.0 }
        } else {
            Chance::Poisson(Exponentials::new(seed, name))
        };
        let mut arrivals = Self {
            pieces: Arc::clone(&load.pieces),
            scale: load.scale,
            next_piece: 0,
            present: None,
            position: 0.0,
            chance,
        };
        arrivals.open_piece();
        arrivals
    }

    /// When the next request arrives; the greatest time if none does.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        let Chance::Poisson(draws) = &mut self.chance else { return self.next_exact() };
        let work = draws.draw();
        if let Some(present) = &self.present
            && let Some(gap) = present.gap
        {
            let position = self.position + work * gap;
            if position < present.length {
                self.position = position;
                return at(present.piece, position);
            }
        }
        self.next_poisson(work)
    }

    fn next_poisson(&mut self, mut work: f64) -> u64 {
        while let Some(Present { piece, length, slope, .. }) = self.present {
            let rate = piece.rate_from + slope * self.position;
            let step = invert(rate, slope, work);
            if self.position + step < length {
                self.position += step;
                return at(piece, self.position);
            }
            let left = length - self.position;
            work = (work - left * (rate + slope * left / 2.0)).max(0.0);
            self.open_piece();
        }
        u64::MAX
    }

    /// The k-th of N arrivals lies where the cumulative rate reaches (k + U) ÷ N of its whole.
    fn next_exact(&mut self) -> u64 {
        while let Some(Present { piece, length, slope, .. }) = self.present {
            if let Chance::Exact { draws, count, came, .. } = &mut self.chance
                && *came < *count
            {
                let share = (*came as f64 + 1.0 - draws.draw()) / *count as f64;
                let position = invert(piece.rate_from, slope, share * area_of(piece));
                *came += 1;
                return at(piece, position.min(length));
            }
            self.open_piece();
        }
        u64::MAX
    }

    /// Goes on to the next piece, if there is one.
    fn open_piece(&mut self) {
        self.position = 0.0;
        self.present = self.pieces.get(self.next_piece).map(|&piece| {
            let (rate_from, rate_to) = (piece.rate_from * self.scale, piece.rate_to * self.scale);
            let piece = Piece { rate_from, rate_to, ..piece };
            let length = length_of(piece);
            let slope = (piece.rate_to - piece.rate_from) / length;
            let gap = (slope == 0.0 && piece.rate_from > 0.0).then(|| 1.0 / piece.rate_from);
            Present { piece, length, slope, gap }
        });
        self.next_piece += 1;
        let Some(Present { piece, .. }) = self.present else { return };
        if let Chance::Exact { count, came, carry, .. } = &mut self.chance {
            let wanted = area_of(piece) + *carry;
            *count = (wanted + 0.5).floor().max(0.0) as u64;
            *carry = wanted - *count as f64;
            *came = 0;
        }
    }
}

fn length_of(piece: Piece) -> f64 {
    (piece.to - piece.from).as_secs_f64()
}

fn area_of(piece: Piece) -> f64 {
    length_of(piece) * f64::midpoint(piece.rate_from, piece.rate_to)
}

fn at(piece: Piece, position: f64) -> u64 {
    piece.from.as_nanos().cast_unsigned() + (position * 1e9) as u64
}

/// The least x with `rate·x + slope·x²/2 = work`, or infinity.
fn invert(rate: f64, slope: f64, work: f64) -> f64 {
    let square = rate * rate + 2.0 * slope * work;
    if square < 0.0 {
        return f64::INFINITY;
    }
    let divisor = rate + square.sqrt();
    if divisor > 0.0 { 2.0 * work / divisor } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::Span;

    fn piece(from: i64, to: i64, rate_from: f64, rate_to: f64) -> Piece {
        Piece { from: Span::from_secs(from), to: Span::from_secs(to), rate_from, rate_to }
    }

    fn all(exact: bool, pieces: Vec<Piece>) -> Vec<u64> {
        let load = Open { pieces: pieces.into(), scale: 1.0, exact, class: None };
        let mut arrivals = Arrivals::new(&load, 3, "test");
        std::iter::from_fn(|| Some(arrivals.draw()).filter(|&time| time < u64::MAX)).collect()
    }

    #[test]
    fn exact_counts_are_exact_and_in_order() {
        let pieces =
            vec![piece(0, 60, 1.5, 1.5), piece(60, 120, 0.0, 0.0), piece(180, 240, 0.0, 2.0)];
        let times = all(true, pieces);
        assert_eq!(times.len(), 150);
        assert!(times.is_sorted());
        assert_eq!(times.iter().filter(|&&time| time < 60_000_000_000).count(), 90);
    }

    #[test]
    fn a_poisson_process_has_the_mean_of_its_curve() {
        let times = all(false, vec![piece(0, 1_000, 0.0, 100.0), piece(1_000, 2_000, 100.0, 0.0)]);
        assert!(times.is_sorted());
        // 100,000 expected: four standard deviations are 1,265.
        assert!(times.len().abs_diff(100_000) < 1_265, "{}", times.len());
    }
}
