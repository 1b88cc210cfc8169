//! Redis appends what is written: who waits for the disk, and for how long.

use tidegate_core::fact::Fact;
use tidegate_core::{Span, Timestamp};
use tidegate_sim::world::World;

use super::{Facts, pass, world};

const HOSTS: [&str; 2] = ["redis.host=own", "redis.host=primary"];

/// A request each 10 ms that spends 1 ms in Redis.
const PAGES: [&str; 6] = [
    "request.0.phases=[{ redis = \"1ms\" }]",
    "nfs.touch=0s",
    "redis.latency=0s",
    "proxy.latency=0s",
    "group.primary=l",
    "duration=20m",
];
const WRITES: &str = "request.0.writes={ size = \"1KiB\", ttl = \"1m\" }";

fn latencies(world: &World<Facts>) -> Vec<(Timestamp, Span)> {
    let served = |&(at, fact): &(Timestamp, Fact)| {
        let Fact::RequestServed { latency, .. } = fact else { return None };
        Some((at, latency))
    };
    world.sink.0.iter().filter_map(served).collect()
}

fn run(set: &[&str], minutes: u64) -> World<Facts> {
    let mut world = world(&[&PAGES[..], set].concat());
    pass(&mut world, minutes);
    world
}

fn longest(world: &World<Facts>) -> Span {
    latencies(world).into_iter().map(|(_, latency)| latency).max().unwrap()
}

#[test]
fn with_always_a_write_waits_for_the_disk_and_a_read_does_not() {
    let always = "redis.append_only={ fsync = \"always\", takes = \"5ms\" }";
    for host in HOSTS {
        let least = |more: &[&str]| {
            let world = run(&[&["load.0.rate=1", always, host], more].concat(), 10);
            latencies(&world).into_iter().map(|(_, latency)| latency).min().unwrap()
        };
        assert_eq!(least(&[WRITES]), Span::from_millis(6), "{host}");
        assert_eq!(least(&[]), Span::from_millis(1), "{host}");
    }
}

/// Alone, fsyncs of 5 ms would let 200 writes a second through; 400 come. Each waits for 5 ms and,
/// if it comes while an fsync runs, for half of that. After an fsync nobody waits for the next one
/// with probability e⁻², and it is 2.5 ms on average until somebody does.
#[test]
fn writes_that_wait_for_the_disk_share_the_next_fsync() {
    let set = [
        "redis.append_only={ fsync = \"always\", takes = \"5ms\" }",
        "request.0.phases=[{ wait = \"1ms\" }]",
        "redis.touch=0s",
        "load.0.rate=400",
        WRITES,
    ];
    let busy = 5.0 / (5.0 + 2.5 * (-2.0_f64).exp());
    for host in HOSTS {
        let all = latencies(&run(&[&set[..], &[host]].concat(), 10));
        let sum: f64 = all.iter().map(|(_, latency)| latency.as_secs_f64()).sum();
        let mean = sum / all.len() as f64 * 1e3;
        // A deviation of about 1.5 ms in 240,000 waits, of which two or three go together.
        assert!((mean - (1.0 + 5.0 + 2.5 * busy)).abs() < 0.03, "{host}: {mean} ms");
    }
}

#[test]
fn what_a_request_enqueues_is_kept_before_it_is_answered() {
    let jobs = [
        "job.0.name=j",
        "job.0.queue=short",
        "job.0.phases=[{ cpu = \"1ms\" }]",
        "request.0.enqueues={ job = \"j\", share = \"25%\" }",
        "redis.append_only={ fsync = \"always\", takes = \"40ms\" }",
        "load.0.rate=1",
        "redis.touch=0s",
    ];
    for host in HOSTS {
        let world = run(&[&jobs[..], &[host]].concat(), 20);
        let enqueued =
            world.sink.0.iter().filter(|(_, fact)| matches!(fact, Fact::JobEnqueued { .. }));
        let waited = latencies(&world);
        let waited = waited.iter().filter(|(_, latency)| *latency >= Span::from_millis(41)).count();
        assert_eq!(enqueued.count(), waited, "{host}");
        assert!((200..400).contains(&waited), "{host}: {waited}");
    }
}

/// Each fsync takes 7 s: of those, the thread waits for all but two.
#[test]
fn with_everysec_a_slow_disk_holds_everyone_up_after_two_seconds() {
    for host in HOSTS {
        let slow = "redis.append_only={ takes = \"7s\" }";
        let held = longest(&run(&[slow, WRITES, host], 5));
        assert!(held > Span::from_millis(4_900) && held < Span::from_millis(6_500), "{held}");
        for quick in
            ["redis.append_only={ takes = \"2s\" }", "redis.append_only={ fsync = \"no\" }"]
        {
            let held = longest(&run(&[quick, WRITES, host], 5));
            assert!(held < Span::from_millis(20), "{host} {quick}: {held}");
        }
        let idle = longest(&run(&[slow, host], 5));
        assert!(idle < Span::from_millis(20), "{host}: nothing is written, {idle}");
    }
}

#[test]
fn writing_the_file_anew_forks_and_takes_a_core_of_the_primary() {
    let rewrite = [
        "redis.append_only.fsync=no",
        "redis.append_only.rewrite.data=2GiB",
        "redis.append_only.rewrite.every=1m",
        "redis.append_only.rewrite.fork=400ms",
        "redis.append_only.rewrite.save=10s",
        "redis.host=primary",
        "load.0.rate=100",
    ];
    let mut world = run(&rewrite, 6);
    let held = longest(&world);
    assert!(held > Span::from_millis(700) && held < Span::from_millis(900), "{held}");
    let busy = world.busy()[0].0 as f64 / 1e9;
    let expected = 5.0 * 20.8 + 36_000.0 * 0.001;
    assert!((busy - expected).abs() < 2.0, "{busy} {expected}");
}

/// No core is busy while the disk works; a primary that comes back serves those who waited.
#[test]
fn the_disk_takes_no_core_and_an_interrupted_fsync_begins_anew() {
    let always = "redis.append_only={ fsync = \"always\", takes = \"500ms\" }";
    let down = "resize=[{ at = \"2026-03-02T10:05[UTC]\", plan = \"l\", downtime = \"1m\" }]";
    let mut world = run(&[always, WRITES, "redis.host=primary", "load.0.rate=20", down], 12);
    let busy = world.busy()[0].0 as f64 / 1e9;
    let served = latencies(&world).len() as f64;
    assert!((busy / (served * 0.001) - 1.0).abs() < 0.05, "{busy} s for {served} requests");
    let all = latencies(&world);
    let last = all[all.len() - 1].0.since(all[0].0);
    assert!(last > Span::from_secs(11 * 60 + 50), "{last}");
}
