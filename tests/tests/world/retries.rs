//! The proxy's second try: what one server refuses, another may answer.

use tidegate_core::Span;
use tidegate_core::fact::{Fact, FailureCause};
use tidegate_sim::world::World;

use super::{Facts, join, joined, model, pass};

/// The primary is down for five of the minutes in which the standby serves, and the proxy does not
/// know.
const DOWN: &str = "resize=[{ at = \"2026-03-02T10:05[UTC]\", plan = \"l\", downtime = \"5m\" }]";

fn count(world: &World<Facts>, is: impl Fn(&Fact) -> bool) -> usize {
    world.sink.0.iter().filter(|(_, fact)| is(fact)).count()
}

fn failed(world: &World<Facts>, why: FailureCause) -> usize {
    count(world, |fact| matches!(fact, Fact::RequestFailed { cause, .. } if *cause == why))
}

fn after_a_while(set: &[&str]) -> World<Facts> {
    let mut world = joined(set, join(4, Span::ZERO));
    pass(&mut world, 20);
    world
}

fn redispatched(world: &World<Facts>) -> usize {
    count(world, |fact| matches!(fact, Fact::RequestRedispatched { .. }))
}

#[test]
fn another_server_answers_what_one_that_is_down_refuses() {
    let refused = |set: &[&str]| {
        let set: Vec<&str> = [DOWN].iter().chain(set).copied().collect();
        failed(&after_a_while(&set), FailureCause::Refused)
    };
    // Half of five minutes of a hundred a second.
    assert!((refused(&[]) as f64 / 15_000.0 - 1.0).abs() < 0.03);
    assert_eq!(refused(&["proxy.retries=1"]), 0);
    assert_eq!(refused(&["proxy.retries=1", "proxy.balance=least-connections"]), 0);
    let post = ["proxy.retries=1", "request.0.idempotent=false"];
    assert_eq!(refused(&post), refused(&[]));
}

#[test]
fn a_request_is_offered_to_each_server_once() {
    let few = [
        "bench.0.name=b",
        "bench.0.workers=1",
        "bench.0.accept_queue=0",
        "proxy.retries=9",
        "redis.touch=0s",
        "nfs.touch=0s",
    ];
    let world = after_a_while(&few);
    let routed = count(&world, |fact| matches!(fact, Fact::RequestRouted { .. }));
    let arrived = count(&world, |fact| matches!(fact, Fact::RequestArrived { .. }));
    assert!(redispatched(&world) > 10_000);
    assert_eq!(routed, arrived + redispatched(&world));
    // Two servers of which either takes what the other refuses are one loss system: Erlang's
    // formula for two servers and an offered load of two.
    let refused = failed(&world, FailureCause::QueueFull) as f64 / arrived as f64;
    assert!((refused - 0.4).abs() < 0.01, "{refused}");
}

#[test]
fn nobody_is_asked_who_receives_no_traffic() {
    let mut world = super::world(&["proxy.retries=9", DOWN]);
    pass(&mut world, 20);
    assert!(failed(&world, FailureCause::Refused) > 25_000);
    assert_eq!(redispatched(&world), 0);
}

/// A server that refused a request has not got it: it may be stopped.
#[test]
fn a_server_that_refused_requests_drains_clean() {
    let model = model(&[
        "bench.0.name=b",
        "bench.0.workers=1",
        "bench.0.accept_queue=0",
        "proxy.retries=1",
        "policy.schedule.0.servers=2",
        "policy.schedule.0.from=2026-03-02T10:03[UTC]",
        "policy.schedule.0.until=2026-03-02T10:15[UTC]",
    ]);
    let record = tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap().record;
    assert_eq!((record.summary.scaling.ups, record.summary.scaling.downs), (1, 1));
    for name in ["drain-clean", "conservation", "no-failed-request"] {
        let named = record.summary.properties.iter().find(|one| one.name == name);
        assert!(named.unwrap().holds, "{named:?}");
    }
}
