//! What is told of a swarm while it goes on, on standard error: none of it is a part of the result.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tidegate_sim::check::{Done, Swarm, Swept, Tally, swarm};

use crate::run::progress_bar;
use crate::{interrupt, print};

/// What is about to be done.
pub(super) fn announce(all: &Swarm<'_>) {
    print::complaint(&format!(
        "runs: {}, scenarios: {}, seed: {}, threads: {}; Ctrl-C ends with the report so far",
        all.runs,
        all.bases.len(),
        all.seed,
        all.jobs
    ));
}

/// Runs all of them, or those that began within `limit` seconds. The first violation of each
/// property is told as it comes.
pub(super) fn sweep(all: &Swarm<'_>, started: Instant, limit: Option<u64>) -> Swept {
    let bar = progress_bar(all.runs);
    let told = Mutex::new(Vec::<String>::new());
    let swept = swarm(all, &|done: Done<'_>| {
        for failure in done.failures {
            if let Ok(mut told) = told.lock()
                && !told.contains(&failure.property)
            {
                let line = format!("run {} violates {}", done.number, failure.property);
                bar.suspend(|| print::complaint(&line));
                told.push(failure.property.clone());
            }
        }
        let elapsed = started.elapsed();
        let rate = done.seconds as f64 / 86_400.0 / elapsed.as_secs_f64().max(1e-3);
        bar.set_position(done.runs);
        bar.set_message(format!("{} of {} runs, {rate:.0} simulated days/s", done.runs, all.runs));
        limit.is_none_or(|limit| elapsed < Duration::from_secs(limit))
    });
    bar.finish_and_clear();
    if !swept.failed.is_empty() && !interrupt::asked().load(Ordering::Relaxed) {
        print::complaint("shrinking what failed; Ctrl-C ends that too");
    }
    swept
}

/// How fast it went.
pub(super) fn rate(tally: &Tally, wall: Duration) {
    let seconds = wall.as_secs_f64();
    let hours = tally.seconds as f64 / 3_600.0;
    let rate = hours * 60.0 / seconds.max(1e-9);
    print::complaint(&format!(
        "{} runs in {seconds:.1} s, {rate:.0} simulated group-hours a minute",
        tally.runs
    ));
}
