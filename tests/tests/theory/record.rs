//! What the record of a whole run says of the textbooks' queue.

use tidegate_core::Span;
use tidegate_sim::model::Model;
use tidegate_sim::run::run;

use super::queue::{Queue, UNIT, poisson};
use super::stats::{Family, SEEDS};

/// M/M/1 at 70 %: the response is exponential with mean 1 ÷ (1 − ρ), and so are its percentiles.
/// A run begins empty and forgets it within 40 service times, of the 60,000 that are recorded: what
/// is missing from the means is a tenth of a percent at most.
#[test]
fn means_and_percentiles_of_a_record_are_those_of_theory() {
    let load = 0.7;
    let model = Queue { load: poisson(load), ..Queue::default() }.model();
    let duration = Span::from_nanos((60_000.0 * UNIT) as i64);
    let summaries: Vec<_> = (1..=SEEDS as u64)
        .map(|seed| {
            let model = Model { seed, duration, ..model.clone() };
            run(&model, &mut Vec::new(), &mut |_| {}).unwrap().record.summary.requests
        })
        .collect();
    let unit_ms = UNIT / 1e6;
    let mean = unit_ms / (1.0 - load);
    let mut family = Family::default();
    let waits = summaries.iter().map(|one| one.wait_ms.mean.unwrap());
    family.compare("wait", mean - unit_ms, waits);
    let latencies = || summaries.iter().map(|one| &one.latency_ms);
    family.compare("mean latency", mean, latencies().map(|one| one.mean.unwrap()));
    family.compare("p50", mean * 2.0f64.ln(), latencies().map(|one| one.p50.unwrap()));
    family.compare("p95", mean * 20.0f64.ln(), latencies().map(|one| one.p95.unwrap()));
    family.compare("p99", mean * 100.0f64.ln(), latencies().map(|one| one.p99.unwrap()));
    family.assert_exact("the record of M/M/1", 0.08);
}
