//! Hot sites: the benches that hold them get more of the traffic.

use tidegate_core::fact::Fact;

use super::{pass, world};

/// Two benches of 50 sites, of which the first has few workers and no place to wait.
const BENCHES: [&str; 10] = [
    "redis.touch=0s",
    "nfs.touch=0s",
    "bench.0.name=one",
    "bench.0.sites=50",
    "bench.0.workers=6",
    "bench.0.accept_queue=0",
    "bench.1.name=two",
    "bench.1.sites=50",
    "bench.1.workers=30",
    "request.0.phases=[{ wait = \"40ms\" }]",
];

/// Share of the requests that the first bench turns away. They are those of Erlang's loss system.
fn refused(skew: &str) -> f64 {
    let mut world = world(&BENCHES.iter().copied().chain([skew]).collect::<Vec<_>>());
    pass(&mut world, 29);
    let count =
        |is: fn(&Fact) -> bool| world.sink.0.iter().filter(|(_, fact)| is(fact)).count() as f64;
    let arrived = count(|fact| matches!(fact, Fact::RequestArrived { .. }));
    count(|fact| matches!(fact, Fact::RequestFailed { .. })) / arrived
}

/// Probability that all of `servers` are busy (Erlang B).
fn loss(offered: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b))
}

#[test]
fn the_bench_with_the_hottest_site_turns_more_away() {
    let harmonic = |from: u32| (from..=100).step_by(2).map(|n| 1.0 / f64::from(n)).sum::<f64>();
    let skewed = harmonic(1) / (harmonic(1) + harmonic(2));
    for (skew, share) in [("group.site_skew=0", 0.5), ("group.site_skew=1", skewed)] {
        // 100 a second of 40 ms each.
        let expected = share * loss(100.0 * share * 0.04, 6);
        let found = refused(skew);
        assert!((found / expected - 1.0).abs() < 0.05, "{skew}: {found} against {expected}");
    }
}
