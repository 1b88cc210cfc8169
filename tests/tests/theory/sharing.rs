//! Processor sharing: the mean response depends on the mean work alone.

use super::network::response;
use super::queue::{Lengths, Queue, exponential, length, poisson};
use super::stats::Family;

/// Work of mean 1 in the scenario's words, from none to very much variation.
fn works() -> Vec<String> {
    let mean = length(1.0);
    vec![
        format!("\"{mean}\""),
        format!("{{ erlang = \"{mean}\", stages = 3 }}"),
        exponential(1.0),
        format!("{{ hyperexponential = \"{mean}\", cv = 3.0 }}"),
        format!("{{ mean = \"{mean}\", cv = 2.0 }}"),
        format!("{{ pareto = \"{mean}\", alpha = 1.5, max = \"{}\" }}", length(300.0)),
    ]
}

/// `n` tasks on k cores run at min(1, k ÷ n) each: a symmetric queue, whose number of tasks has the
/// distribution of M/M/k (Kelly 1979). On one core the mean response is 1 ÷ (1 − ρ).
#[test]
fn shared_cores_do_not_feel_the_shape_of_the_work() {
    let mut family = Family::default();
    for (cores, load) in [(1, 0.5), (1, 0.8), (2, 0.8), (4, 0.7), (8, 0.8)] {
        for work in works() {
            let rate = f64::from(cores) * load;
            let queue = Queue {
                cores,
                workers: 5_000,
                phases: format!("{{ cpu = {work} }}"),
                load: poisson(rate),
                ..Queue::default()
            };
            let lengths = Lengths { memory: 200.0, counted: 20_000.0 / f64::from(cores) };
            let found = queue.replicate(lengths);
            let name = format!("{work} on {cores} cores at {load}");
            let exact = response(cores, rate, 1.0);
            family.compare(name, exact, found.iter().map(|one| one.response));
        }
    }
    family.assert_exact("processor sharing", 0.2);
    family.assert_shrinks();
}
