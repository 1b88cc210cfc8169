//! Web workers are replaced after their number of requests, which takes its time.

use tidegate_core::fact::Fact;
use tidegate_core::{Span, Timestamp};
use tidegate_sim::world::World;

use super::{Facts, pass, world};

const RESTART: Span = Span::from_secs(2);

/// From when to when a worker was at each request that was served.
fn served(world: &World<Facts>) -> Vec<(Timestamp, Timestamp)> {
    let span = |(at, fact): &(Timestamp, Fact)| {
        let Fact::RequestServed { latency, wait, .. } = *fact else { return None };
        Some((*at - (latency - wait), *at))
    };
    world.sink.0.iter().filter_map(span).collect()
}

/// A run of half an hour with this many workers, which one request in turn keeps busy.
fn run(workers: &str, set: &[&str]) -> Vec<(Timestamp, Timestamp)> {
    let base = ["proxy.latency=0s", "memory.worker=10MiB", "bench.0.name=b", workers];
    let mut world = world(&base.iter().chain(set).copied().collect::<Vec<_>>());
    pass(&mut world, 30);
    served(&world)
}

#[test]
fn a_worker_that_is_replaced_is_away_for_the_time_of_a_start() {
    let single = |restart: &str| {
        let all = run("bench.0.workers=1", &["load.0.rate=4", "memory.max_requests=10", restart]);
        let pauses = (10..all.len()).step_by(10).map(|next| all[next].0.since(all[next - 1].1));
        pauses.collect::<Vec<_>>()
    };
    let pauses = single("memory.restart=2s");
    assert!(pauses.len() > 100);
    assert!(pauses.iter().all(|&pause| pause >= RESTART), "{pauses:?}");
    assert!(pauses.contains(&RESTART), "a request that waits is taken up at once");
    assert!(single("memory.restart=0s").iter().any(|&pause| pause < RESTART));
}

#[test]
fn workers_of_stopped_services_do_not_come_back_as_more_than_there_are() {
    let resize = "resize=[{ at = \"2026-03-02T10:01[UTC]\", plan = \"l\", downtime = \"1m\" }]";
    let set = [
        "memory.max_requests=50",
        "memory.restart=90s",
        "load.0.rate=2",
        "request.0.phases=[{ wait = \"1s\" }]",
        "bench.0.accept_queue=1",
        resize,
    ];
    // The worker leaves before the resize and would come back while its successor is at work.
    let all = run("bench.0.workers=1", &set);
    assert!(all.len() > 500, "{}", all.len());
    assert!(all.windows(2).all(|pair| pair[0].1 <= pair[1].0), "one worker, one request at a time");
}

/// Workers that never come back answer their number of requests and no more.
#[test]
fn jitter_spreads_the_numbers_evenly() {
    let answered = |jitter: &str| {
        run("bench.0.workers=200", &["memory.max_requests=20", "memory.restart=1h", jitter]).len()
    };
    assert_eq!(answered("memory.max_requests_jitter=0"), 200 * 20);
    let mean = answered("memory.max_requests_jitter=100") as f64 / 200.0;
    // The deviation of a mean of 200 even draws from 0 to 100 is 2.06.
    assert!((mean - 70.0).abs() < 4.0 * 2.06, "{mean}");
}
