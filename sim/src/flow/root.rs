//! The root of a function that falls.

/// Error of a root that is left, as a part of it: far below what the model is true to.
const PRECISION: f64 = 1e-9;
/// Secants before what is left is halved instead, which no function can slow down.
const SECANTS: u32 = 12;
const HALVINGS: u32 = 40;

/// The root between 0 and `end` of a function that falls from above zero to below it. `at` gives
/// its value and an estimate of its slope, of which the first counts: from then on secants tell it.
/// A value counts as zero if it is small beside the point that it is at.
pub(super) fn falling_root(end: f64, guess: f64, at: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (0.0, end);
    let mut point = if guess > low && guess < high { guess } else { f64::midpoint(low, high) };
    let mut before = None;
    for tries in 0..SECANTS + HALVINGS {
        let (value, slope) = at(point);
        if value.abs() <= PRECISION * point {
            break;
        }
        (low, high) = if value > 0.0 { (point, high) } else { (low, point) };
        let slope = before.map_or(slope, |(x, y)| (value - y) / (point - x));
        before = Some((point, value));
        let next = point - value / slope;
        let near = tries < SECANTS && next > low && next < high;
        point = if near { next } else { f64::midpoint(low, high) };
    }
    point
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// The root from `guess`, and how often the function was asked.
    fn root(guess: f64, end: f64, value: impl Fn(f64) -> f64) -> (f64, u32) {
        let asked = Cell::new(0);
        let found = falling_root(end, guess, |x| {
            asked.set(asked.get() + 1);
            (value(x), -2.0)
        });
        (found, asked.get())
    }

    #[test]
    fn a_parabola_takes_a_few_secants_from_anywhere() {
        for guess in [0.0, 0.1, 0.5, 0.9, 1.0] {
            // (1 − x) (2 − x) = x at 2 − √2.
            let (found, asked) = root(guess, 1.0, |x| (1.0 - x) * (2.0 - x) - x);
            assert!((found - (2.0 - std::f64::consts::SQRT_2)).abs() < 1e-8, "{guess}: {found}");
            assert!(asked <= 8, "{guess}: {asked}");
        }
    }

    #[test]
    fn a_step_is_found_by_halves_and_a_function_that_never_falls_so_far_ends_at_the_end() {
        let (found, _) = root(0.9, 1.0, |x| if x < 0.3 { 1.0 } else { -1e-3 });
        assert!((found - 0.3).abs() < 1e-8, "{found}");
        let (found, _) = root(0.5, 1.0, |_| 1.0);
        assert!((found - 1.0).abs() < 1e-8, "{found}");
    }
}
