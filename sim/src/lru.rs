//! How often a cache that evicts the least recently used object has what is asked for.
//!
//! Che's approximation (Che, Tung and Wang 2002): an object stays as long as it is asked for within
//! the last T requests, so that Σ (1 − exp(−pᵢ T)) objects are there and the hit ratio is
//! Σ pᵢ (1 − exp(−pᵢ T)). While a cache fills from empty, T is the number of requests so far, and
//! the same holds.

use crate::chance::{exp, ln};

/// Points of the table.
const POINTS: u32 = 256;
/// The last point: the rarest object is missing with a probability of e to the minus this.
const CERTAIN: f64 = 20.0;

/// A point of the table: of a cache of so many objects.
#[derive(Clone, Copy, Debug)]
struct Point {
    objects: f64,
    hits: f64,
    /// Requests for which an object stays that nobody asks for.
    age: f64,
}

/// The hit ratio by the number of objects that the cache holds.
#[derive(Debug)]
pub struct Lru {
    points: Vec<Point>,
}

impl Lru {
    /// For `objects` objects, of which the n-th is asked for in proportion to n to the power of
    /// minus `skew`.
    pub fn new(objects: u32, skew: f64) -> Self {
        let weights: Vec<f64> =
            (1..=objects).map(|rank| exp(-skew * ln(f64::from(rank)))).collect();
        let total: f64 = weights.iter().sum();
        let shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let rarest = shares.last().copied().unwrap_or(1.0);
        let longest = ln(2.0 * CERTAIN / rarest);
        let point = |step: u32| {
            let age = 0.5 * exp(longest * f64::from(step) / f64::from(POINTS - 1));
            let mut point = Point { objects: 0.0, hits: 0.0, age };
            for share in &shares {
                let present = 1.0 - exp(-share * age);
                point.objects += present;
                point.hits += share * present;
            }
            point
        };
        let empty = Point { objects: 0.0, hits: 0.0, age: 0.0 };
        Self { points: std::iter::once(empty).chain((0..POINTS).map(point)).collect() }
    }

    /// The hit ratio of a cache that holds so many objects.
    pub fn hits(&self, objects: u64) -> f64 {
        self.between(objects, |point| point.hits).unwrap_or(1.0)
    }

    /// Requests for which an object stays that nobody asks for.
    pub fn age(&self, objects: u64) -> f64 {
        self.between(objects, |point| point.age).unwrap_or(f64::INFINITY)
    }

    /// A value between the two points that are nearest; `None` past the last.
    fn between(&self, objects: u64, value: impl Fn(&Point) -> f64) -> Option<f64> {
        let objects = objects as f64;
        let above = self.points.partition_point(|point| point.objects <= objects);
        let (low, high) = (self.points.get(above.checked_sub(1)?)?, self.points.get(above)?);
        let part = (objects - low.objects) / (high.objects - low.objects);
        Some(value(low) + part * (value(high) - value(low)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_are_asked_for_alike_are_there_in_proportion() {
        let lru = Lru::new(1_000, 0.0);
        for objects in [0, 1, 10, 250, 500, 900] {
            let expected = objects as f64 / 1_000.0;
            assert!((lru.hits(objects) - expected).abs() < 1e-9, "{objects}");
        }
        assert!((lru.hits(1_000) - 1.0).abs() < 1e-6);
    }

    /// A list in the order of use, asked for by chance.
    #[test]
    fn it_agrees_with_a_cache_that_is_played_through() {
        let (objects, skew, held) = (500_u32, 0.9, 100);
        let mut sum = 0.0;
        let shares: Vec<f64> = (1..=objects)
            .map(|rank| {
                sum += libm::pow(f64::from(rank), -skew);
                sum
            })
            .collect();
        let mut draws = crate::chance::Uniforms::new(1, "lru");
        let (mut cache, mut hits) = (Vec::new(), 0);
        for _ in 0..200_000 {
            let draw = draws.draw() * sum;
            let object = shares.partition_point(|share| *share < draw);
            if let Some(place) = cache.iter().position(|other| *other == object) {
                cache.remove(place);
                hits += 1;
            }
            cache.insert(0, object);
            cache.truncate(held);
        }
        let (played, told) = (f64::from(hits) / 200_000.0, Lru::new(objects, skew).hits(100));
        assert!((played - told).abs() < 0.01, "{played} played, {told} told");
    }
}
