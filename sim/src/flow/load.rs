//! Expected arrivals of an open load.

use crate::model::Open;

/// The integral of an open load's rate, read forwards.
#[derive(Clone, Debug)]
pub(crate) struct Cumulative {
    /// Seconds from the start of the run: begin, end, rate there and rate here.
    pieces: Vec<[f64; 4]>,
    next: usize,
    until: f64,
}

impl Cumulative {
    /// The rate of `load`.
    pub fn new(load: &Open) -> Self {
        let piece = |piece: &crate::model::Piece| {
            let (from, to) = (piece.from.as_secs_f64(), piece.to.as_secs_f64());
            [from, to, piece.rate_from, piece.rate_to]
        };
        Self { pieces: load.pieces.iter().map(piece).collect(), next: 0, until: 0.0 }
    }

    /// Expected arrivals since the last call, `now` seconds into the run.
    pub fn expected(&mut self, now: f64) -> f64 {
        let since = std::mem::replace(&mut self.until, now);
        let mut sum = 0.0;
        while let Some(&[from, to, rate_from, rate_to]) = self.pieces.get(self.next) {
            let (begin, end) = (since.max(from), now.min(to));
            if begin < end {
                let middle = f64::midpoint(begin, end) - from;
                sum += (rate_from + (rate_to - rate_from) * middle / (to - from)) * (end - begin);
            }
            if to > now {
                break;
            }
            self.next += 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Piece;
    use tidegate_core::Span;

    #[test]
    fn expected_arrivals_are_the_area_under_the_rate() {
        let piece = |from, to, rate_from, rate_to| Piece {
            from: Span::from_secs(from),
            to: Span::from_secs(to),
            rate_from,
            rate_to,
        };
        let pieces = vec![piece(10, 20, 0.0, 10.0), piece(30, 40, 5.0, 5.0)];
        let mut load = Cumulative::new(&Open { pieces, exact: false, class: None });
        let found = [5.0, 15.0, 25.0, 33.0, 100.0].map(|now| load.expected(now));
        for (found, area) in found.into_iter().zip([0.0, 12.5, 37.5, 15.0, 35.0]) {
            assert!((found - area).abs() < 1e-9, "{found} {area}");
        }
    }
}
