//! The simulator, run in this process; the journal goes nowhere.

use std::io;
use std::path::Path;
use std::time::Instant;

use tidegate_sim::run::run;
use tidegate_sim::scenario::{Overrides, read};

use crate::contest::{Run, Runner};

/// Runs a shipped scenario, with `set` in its place; reports waits or latencies.
pub(crate) fn ours(scenario: &str, set: Option<String>, waits: bool) -> Runner {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let path = scenarios.join(scenario).with_extension("toml");
    Box::new(move || {
        let overrides = Overrides { set: set.iter().cloned().collect(), ..Default::default() };
        let model = read(&path, &overrides).map_err(|why| why.to_string())?;
        let started = Instant::now();
        let finished = run(&model, &mut io::sink(), &mut |_| {}).map_err(|why| why.to_string())?;
        let seconds = started.elapsed().as_secs_f64();
        let requests = &finished.record.summary.requests;
        let times = if waits { &requests.wait_ms } else { &requests.latency_ms };
        Ok(Run {
            seconds,
            requests: requests.arrived,
            events: Some(finished.events),
            mean_ms: times.mean.unwrap_or(f64::NAN),
            p99_ms: times.p99.unwrap_or(f64::NAN),
        })
    })
}
