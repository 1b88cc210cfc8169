//! M/M/1 from empty: how the number in the system grows.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Span, Timestamp};
use tidegate_sim::model::Model;
use tidegate_sim::world::World;

use super::queue::{Queue, UNIT, poisson};
use super::stats::Family;

/// Numbers in the system that are distinguished.
const STATES: usize = 300;

/// Probabilities of each number in the system at `time`, from empty: the Kolmogorov equations by
/// uniformization (Jensen 1953). A Poisson number of steps of the uniformized chain.
fn probabilities(load: f64, time: f64) -> Vec<f64> {
    let speed = load + 1.0;
    let (up, down) = (load / speed, 1.0 / speed);
    let mut now = vec![0.0; STATES];
    now[0] = 1.0;
    let mut sums = vec![0.0; STATES];
    let (mut weight, mut covered, mut steps) = ((-speed * time).exp(), 0.0, 0.0);
    while covered < 1.0 - 1e-12 {
        sums.iter_mut().zip(&now).for_each(|(sum, one)| *sum += weight * one);
        covered += weight;
        steps += 1.0;
        weight *= speed * time / steps;
        let mut next = vec![0.0; STATES];
        for (state, probability) in now.iter().enumerate() {
            next[(state + 1).min(STATES - 1)] += probability * up;
            next[state.saturating_sub(1)] += probability * down;
        }
        now = next;
    }
    sums
}

struct Present(u32);

impl FactSink for Present {
    fn fact(&mut self, _: Timestamp, fact: Fact) {
        self.0 += u32::from(matches!(fact, Fact::RequestArrived { .. }));
        self.0 -= u32::from(matches!(fact, Fact::RequestServed { .. }));
    }
}

/// Numbers in the system at each of `times`.
fn path(model: Model, times: &[f64]) -> Vec<u32> {
    let mut world = World::new(model, Span::from_hours(24), Present(0));
    let look = |time: &f64| {
        while world.advance((time * UNIT) as u64).is_some() {}
        world.sink.0
    };
    times.iter().map(look).collect()
}

#[test]
fn the_queue_grows_from_empty_as_the_kolmogorov_equations_say() {
    let times = [0.5, 2.0, 5.0, 15.0, 50.0, 100.0];
    let mut family = Family::default();
    for load in [0.8, 1.1] {
        let model = Queue { load: poisson(load), ..Queue::default() }.model();
        let paths: Vec<Vec<u32>> =
            (1..=20_000).map(|seed| path(Model { seed, ..model.clone() }, &times)).collect();
        for (index, &time) in times.iter().enumerate() {
            let exact = probabilities(load, time);
            let mean = exact.iter().zip(0..).map(|(one, number)| one * f64::from(number)).sum();
            let name = |what| format!("{what} after {time} service times at {load}");
            let present = || paths.iter().map(|path| path[index]);
            family.compare(name("mean number"), mean, present().map(f64::from));
            let empty = |number| f64::from(u8::from(number == 0));
            family.compare(name("empty"), exact[0], present().map(empty));
        }
    }
    family.assert_exact("M/M/1 from empty", 0.25);
    family.assert_shrinks();
}

/// The equations themselves: after a long time the queue is geometric.
#[test]
fn the_kolmogorov_equations_end_in_balance() {
    let exact = probabilities(0.5, 200.0);
    for (number, probability) in exact.iter().enumerate().take(20) {
        let geometric = 0.5f64.powi(number as i32 + 1);
        assert!((probability - geometric).abs() < 1e-9, "{number}: {probability}");
    }
}
