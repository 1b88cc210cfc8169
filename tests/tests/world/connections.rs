//! Connections between proxy and server: who pays for opening one.

use tidegate_core::fact::Fact;

use super::{model, pass, world};

const QUIET: [&str; 6] = [
    "load.0.rate=1",
    "request.0.phases=[{ wait = \"1ms\" }]",
    "redis.touch=0s",
    "nfs.touch=0s",
    "proxy.latency=0s",
    "proxy.connect=10ms",
];

/// Share of the requests for which a connection was opened.
fn opened(more: &[&str]) -> f64 {
    let mut world = world(&[&QUIET[..], more].concat());
    pass(&mut world, 29);
    let latency = |fact: &Fact| {
        let Fact::RequestServed { latency, .. } = fact else { return None };
        Some(latency.as_nanos() / 1_000_000)
    };
    let took: Vec<i64> = world.sink.0.iter().filter_map(|(_, fact)| latency(fact)).collect();
    assert!(took.iter().all(|ms| [1, 11].contains(ms)));
    took.iter().filter(|ms| **ms == 11).count() as f64 / took.len() as f64
}

#[test]
fn connections_that_are_kept_are_used_again() {
    assert!(opened(&[]) < 0.01);
    assert!((opened(&["proxy.keep_alive=0"]) - 1.0).abs() < 1e-9);
}

/// A Poisson process at a rate of 1 is silent for 2 s with a probability of e⁻².
#[test]
fn a_connection_that_was_idle_for_too_long_is_closed() {
    let found = opened(&["proxy.keep_alive_timeout=2s", "proxy.keep_alive=1"]);
    assert!((found - libm::exp(-2.0)).abs() < 0.025, "{found}");
}

#[test]
fn every_law_holds_while_connections_are_opened_to_servers_that_go_down() {
    let set = [
        "proxy.connect=2s",
        "proxy.keep_alive=3",
        "proxy.timeout=2500ms",
        "proxy.max_connections=200",
        "request.0.phases=[{ cpu = \"30ms\" }]",
        "proxy.health={}",
        "resize=[{ at = \"2026-03-02T10:05[UTC]\", plan = \"l\", downtime = \"1m\" }]",
        "policy.schedule.0.servers=2",
        "policy.schedule.0.from=2026-03-02T10:03[UTC]",
        "policy.schedule.0.until=2026-03-02T10:15[UTC]",
    ];
    let model = model(&set);
    let record = tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap().record;
    assert!(record.failures.len() > 1, "{:?}", record.failures);
    for name in ["conservation", "littles-law", "work-conservation"] {
        let named = record.summary.properties.iter().find(|one| one.name == name);
        assert!(named.unwrap().holds, "{named:?}");
    }
}

/// A server that drains gets nothing new, and what a connection is opened for is waited for.
#[test]
fn a_drain_waits_for_the_requests_that_connect() {
    let model = model(&[
        "proxy.connect=3s",
        "proxy.keep_alive=0",
        "policy.schedule.0.servers=2",
        "policy.schedule.0.from=2026-03-02T10:03[UTC]",
        "policy.schedule.0.until=2026-03-02T10:10[UTC]",
    ]);
    let record = tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap().record;
    assert_eq!((record.summary.scaling.downs, record.summary.requests.failed), (1, 0));
}
