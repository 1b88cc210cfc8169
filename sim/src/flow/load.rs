//! Expected arrivals of an open load.

use std::sync::Arc;

use crate::model::{Open, Piece};

/// The part of its rate by which a load may change and count as the same.
const ALIKE: f64 = 0.05;

/// The integral of an open load's rate, read forwards.
#[derive(Clone, Debug)]
pub(crate) struct Cumulative {
    pieces: Arc<[Piece]>,
    scale: f64,
    next: usize,
    until: f64,
    /// Arrivals a second between the last two calls.
    rate: f64,
}

impl Cumulative {
    /// The rate of `load`.
    pub fn new(load: &Open) -> Self {
        let pieces = Arc::clone(&load.pieces);
        Self { pieces, scale: load.scale, next: 0, until: 0.0, rate: 0.0 }
    }

    /// Expected arrivals since the last call, `now` seconds into the run.
    pub fn expected(&mut self, now: f64) -> f64 {
        let arrivals = self.ahead(now);
        while self.pieces.get(self.next).is_some_and(|piece| piece.to.as_secs_f64() <= now) {
            self.next += 1;
        }
        let length = now - std::mem::replace(&mut self.until, now);
        self.rate = if length > 0.0 { arrivals / length } else { 0.0 };
        arrivals
    }

    /// Expected arrivals from the last call of [`Self::expected`] to `now`, if they come about as
    /// fast as before it.
    pub fn steady(&self, now: f64) -> Option<f64> {
        let (arrivals, usual) = (self.ahead(now), self.rate * (now - self.until));
        ((arrivals - usual).abs() <= ALIKE * usual).then_some(arrivals)
    }

    fn ahead(&self, now: f64) -> f64 {
        let mut sum = 0.0;
        for piece in &self.pieces[self.next..] {
            let (from, to) = (piece.from.as_secs_f64(), piece.to.as_secs_f64());
            let (begin, end) = (self.until.max(from), now.min(to));
            if begin < end {
                let middle = f64::midpoint(begin, end) - from;
                let slope = (piece.rate_to - piece.rate_from) / (to - from);
                sum += (piece.rate_from + slope * middle) * (end - begin);
            }
            if to > now {
                break;
            }
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

    #[test]
    fn a_load_is_steady_until_its_rate_leaves_what_it_was() {
        let piece = |from, to, rate_from, rate_to| Piece {
            from: Span::from_secs(from),
            to: Span::from_secs(to),
            rate_from,
            rate_to,
        };
        let pieces = [piece(0, 100, 10.0, 11.0), piece(100, 200, 20.0, 20.0)].into();
        let mut load = Cumulative::new(&Open { pieces, scale: 1.0, exact: false, class: None });
        assert_eq!(load.steady(10.0), None);
        load.expected(20.0);
        let ahead = load.steady(60.0).unwrap_or_default();
        assert!((ahead - 416.0).abs() < 1e-9, "{ahead}");
        assert_eq!(load.steady(110.0), None);
        // Nothing was taken by looking.
        assert!((load.expected(60.0) - 416.0).abs() < 1e-9);
    }
}
