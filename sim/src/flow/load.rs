//! Expected arrivals of an open load.

use std::sync::Arc;

use crate::model::{Open, Piece};

/// The integral of an open load's rate, read forwards.
#[derive(Clone, Debug)]
pub(crate) struct Cumulative {
    pieces: Arc<[Piece]>,
    scale: f64,
    next: usize,
    until: f64,
}

impl Cumulative {
    /// The rate of `load`.
    pub fn new(load: &Open) -> Self {
        Self { pieces: Arc::clone(&load.pieces), scale: load.scale, next: 0, until: 0.0 }
    }

    /// Expected arrivals since the last call, `now` seconds into the run.
    pub fn expected(&mut self, now: f64) -> f64 {
        let since = std::mem::replace(&mut self.until, now);
        let mut sum = 0.0;
        while let Some(piece) = self.pieces.get(self.next) {
            let (from, to) = (piece.from.as_secs_f64(), piece.to.as_secs_f64());
            let (begin, end) = (since.max(from), now.min(to));
            if begin < end {
                let middle = f64::midpoint(begin, end) - from;
                let slope = (piece.rate_to - piece.rate_from) / (to - from);
                sum += (piece.rate_from + slope * middle) * (end - begin);
            }
            if to > now {
                break;
            }
            self.next += 1;
        }
        sum * self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::Span;

    #[test]
    fn expected_arrivals_are_the_area_under_the_rate() {
        let piece = |from, to, rate_from, rate_to| Piece {
            from: Span::from_secs(from),
            to: Span::from_secs(to),
            rate_from,
            rate_to,
        };
        let pieces = [piece(10, 20, 0.0, 5.0), piece(30, 40, 2.5, 2.5)].into();
        let load = Open { pieces, scale: 2.0, exact: false, class: None };
        let mut load = Cumulative::new(&load);
        let found = [5.0, 15.0, 25.0, 33.0, 100.0].map(|now| load.expected(now));
        for (found, area) in found.into_iter().zip([0.0, 12.5, 37.5, 15.0, 35.0]) {
            assert!((found - area).abs() < 1e-9, "{found} {area}");
        }
    }
}
