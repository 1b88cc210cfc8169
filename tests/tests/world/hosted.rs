//! Redis and storage on the primary: they load it, it slows them, and they go down with it.

use tidegate_core::fact::{Fact, FailureCause};
use tidegate_core::{ServerId, Span, Timestamp};
use tidegate_sim::world::World;

use super::{Facts, MINUTE, STANDBY, join, joined, model, pass, world};

const HOSTED: [&str; 2] = ["redis.host=primary", "nfs.host=primary"];
const DOWN: &str = "resize=[{ at = \"2026-03-02T10:05[UTC]\", plan = \"l\", downtime = \"5m\" }]";

fn with<'a>(sets: &[&[&'a str]]) -> Vec<&'a str> {
    sets.concat()
}

/// When each request was served, by whom, and how long it took.
fn served(world: &World<Facts>) -> Vec<(Timestamp, ServerId, Span)> {
    let served = |&(at, fact): &(Timestamp, Fact)| {
        let Fact::RequestServed { server, latency, .. } = fact else { return None };
        Some((at, server, latency))
    };
    world.sink.0.iter().filter_map(served).collect()
}

#[test]
fn with_cores_to_spare_it_makes_no_difference_where_a_service_runs() {
    let phases = "request.0.phases=[{ redis = { exponential = \"8ms\" } }, \
                  { nfs = { mean = \"20ms\", cv = 2.0 } }]";
    let plain = [phases, "group.primary=l", "nfs.servers=4"];
    let run = |hosted: &[&str]| {
        let mut world = world(&with(&[&plain, hosted]));
        pass(&mut world, 20);
        served(&world)
    };
    let own = run(&[]);
    assert!(own.len() > 100_000);
    assert_eq!(own, run(&HOSTED));
}

/// Eight jobs that never end leave a ninth task four ninths of a core.
#[test]
fn a_saturated_primary_slows_the_visits_of_every_server() {
    let busy = [
        "load.0.rate=1",
        "request.0.phases=[{ redis = \"9ms\" }]",
        "nfs.touch=0s",
        "redis.latency=1ms",
        "proxy.latency=0s",
        "server.job_workers={ short = 8, default = 0, long = 0 }",
        "job.0.name=j",
        "job.0.queue=short",
        "job.0.phases=[{ cpu = \"1d\" }]",
        "cron_job.0.job=j",
        "cron_job.0.every=1d",
        "cron_job.0.count=8",
        "redis.touch=0s",
    ];
    for (host, expected) in [("redis.host=own", 10.0), ("redis.host=primary", 9.0 * 2.25 + 1.0)] {
        let mut world = joined(&with(&[&busy, &[host]]), join(4, Span::ZERO));
        pass(&mut world, 20);
        for server in [ServerId::PRIMARY, STANDBY] {
            let mut took: Vec<f64> = served(&world)
                .iter()
                .filter(|one| one.1 == server)
                .map(|one| one.2.as_secs_f64() * 1e3)
                .collect();
            took.sort_by(f64::total_cmp);
            let median = took[took.len() / 2];
            assert!((median - expected).abs() < 1e-3, "{host}: {median} on {server}");
        }
    }
}

#[test]
fn the_visits_of_all_servers_load_the_primary() {
    let visits = ["request.0.phases=[{ redis = \"2ms\" }, { nfs = \"6ms\" }]"];
    for (hosted, expected) in [(&HOSTED[..], 0.8), (&[][..], 0.0)] {
        let mut world = joined(&with(&[&visits, hosted]), join(4, Span::ZERO));
        let before = world.busy()[0].0;
        pass(&mut world, 20);
        let busy = (world.busy()[0].0 - before) as f64 / (20.0 * MINUTE as f64);
        assert!((busy - expected).abs() < 0.02, "{busy} cores are busy, {expected} expected");
    }
}

#[test]
fn visits_wait_for_a_primary_that_is_down_and_are_answered_when_it_is_back() {
    let set = ["proxy.timeout=10m", "nfs.touch=0s", "request.0.phases=[{ redis = \"2ms\" }]", DOWN];
    let mut world = joined(&with(&[&set, &HOSTED]), join(4, Span::ZERO));
    pass(&mut world, 20);
    let (down, up) = (5 * MINUTE, 10 * MINUTE);
    let start = model(&[]).start;
    let since = |at: Timestamp| at.since(start).as_nanos().cast_unsigned();
    let by_standby: Vec<_> = served(&world).into_iter().filter(|one| one.1 == STANDBY).collect();
    let within = |from, to| by_standby.iter().filter(move |one| (from..to).contains(&since(one.0)));
    // Answers that were under way when it went down still come; then there are none.
    assert_eq!(within(down + 1_000_000, up).count(), 0);
    let longest = by_standby.iter().map(|one| one.2).max();
    assert!(longest.is_some_and(|one| one > Span::from_secs(299)), "{longest:?}");
    // 36 workers hold a request each, 2,048 wait for them, and 50 a second come.
    let after = within(up, up + MINUTE).count() as f64;
    assert!((after - 5_084.0).abs() < 150.0, "{after} were answered in the minute after");
}

#[test]
fn every_law_holds_across_a_downtime_of_the_host() {
    let set = [
        "load.0.rate=60",
        "request.0.phases=[{ redis = \"4ms\" }, { cpu = \"40ms\" }, { nfs = \"20ms\" }]",
        "nfs.servers=2",
        DOWN,
        "policy.schedule.0.servers=2",
        "policy.schedule.0.from=2026-03-02T10:03[UTC]",
        "policy.schedule.0.until=2026-03-02T10:15[UTC]",
    ];
    let model = model(&with(&[&set, &HOSTED]));
    let record = tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap().record;
    for name in ["conservation", "littles-law", "work-conservation"] {
        let named = record.summary.properties.iter().find(|one| one.name == name);
        assert!(named.unwrap().holds, "{named:?}");
    }
}

#[test]
fn one_more_than_may_wait_is_refused_wherever_the_service_runs() {
    let phases = "request.0.phases=[{ redis = { exponential = \"8ms\" } }, \
                  { nfs = { mean = \"30ms\", cv = 2.0 } }]";
    let set = [phases, "group.primary=l", "nfs.servers=4", "redis.queue=3", "nfs.queue=0"];
    let run = |hosted: &[&str]| {
        let mut world = world(&with(&[&set, hosted]));
        pass(&mut world, 20);
        let refused = |&(at, fact): &(Timestamp, Fact)| {
            let Fact::RequestFailed { request, cause, after, .. } = fact else { return None };
            Some((at, request, cause, after))
        };
        (world.sink.0.iter().filter_map(refused).collect::<Vec<_>>(), served(&world))
    };
    let own = run(&[]);
    assert!(own.0.len() > 10_000 && own.1.len() > 50_000, "{} of {}", own.0.len(), own.1.len());
    assert!(own.0.iter().all(|one| one.2 == FailureCause::Overloaded));
    assert_eq!(own, run(&HOSTED));
}

/// The kernel kills the worker; Redis has the command, and carries it out for nobody.
#[test]
fn the_visit_of_a_killed_worker_is_finished() {
    let set = [
        "redis.host=primary",
        "nfs.touch=0s",
        "request.0.phases=[{ redis = \"8ms\" }]",
        "bench.0.name=b",
        "bench.0.workers=4",
        "memory.growth=400MiB",
        "memory.max_requests=0",
        "memory.oom_killer=true",
    ];
    let mut world = world(&set);
    pass(&mut world, 20);
    let killed =
        |fact: &Fact| matches!(fact, Fact::RequestFailed { cause: FailureCause::OutOfMemory, .. });
    let killed = world.sink.0.iter().filter(|(_, fact)| killed(fact)).count();
    assert!(killed > 100, "{killed}");
    let work = world.work()[0];
    assert_eq!((work.dropped, work.done + work.left), (0, work.begun));
    let visits = served(&world).len() + killed;
    assert!(work.visits.abs_diff(visits as u64) <= 4, "{} of {visits}", work.visits);
}
