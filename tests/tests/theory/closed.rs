//! People who wait for their answers: a finite population.

use super::queue::{Lengths, Queue, exponential, length};
use super::stats::Family;

/// Throughput and mean response of M/M/c//N with unit service times (Palm's machine repairman).
fn repairman(people: u32, workers: u32, think: f64) -> (f64, f64) {
    let at_work = |busy: u32| f64::from(busy.min(workers));
    let mut weights = vec![1.0];
    for present in 1..=people {
        let from_thinking = f64::from(people - present + 1) / think;
        weights.push(weights[present as usize - 1] * from_thinking / at_work(present));
    }
    let total: f64 = weights.iter().sum();
    let rates = weights.iter().zip(0..).map(|(weight, present)| weight * at_work(present));
    let throughput = rates.sum::<f64>() / total;
    (throughput, f64::from(people) / throughput - think)
}

/// An examination in the middle of its work. With exponential service times the shape of the think
/// time does not matter.
#[test]
fn an_examination_is_a_finite_population() {
    let mut family = Family::default();
    for (people, workers, mean) in [(10, 1, 10.0), (30, 2, 12.0), (40, 1, 10.0), (60, 4, 14.0)] {
        for think in [exponential(mean), format!("\"{}\"", length(mean))] {
            let load = format!(
                r#"{{ kind = "exam", users = {people}, think = {think}, opens = "0s",
                length = "300d", login_within = "{}", submit_within = "1s", login = "one", work = "one",
                submit = "one" }}"#,
                length(mean)
            );
            let queue = Queue { workers, load: load.replace('\n', " "), ..Queue::default() };
            let found = queue.replicate(Lengths { memory: 100.0, counted: 10_000.0 });
            let name = |what| format!("{what} of {people} people, {workers} workers, {think}");
            let (throughput, response) = repairman(people, workers, mean);
            family.compare(name("throughput"), throughput, found.iter().map(|one| one.throughput));
            family.compare(name("response"), response, found.iter().map(|one| one.response));
        }
    }
    family.assert_exact("a finite population", 0.05);
}
