//! Cold caches: a server that has just joined is slow at first.

use tidegate_core::fact::Fact;
use tidegate_core::{ServerId, Span};

use super::{STANDBY, join, joined, pass};

const PHASES: &str =
    "request.0.phases=[{ cpu = \"20ms\" }, { database = \"10ms\" }, { wait = \"5ms\" }]";

/// Milliseconds on an idle server of the first and of the last requests that `server` answered.
fn first_and_last(set: &[&str], server: ServerId) -> (f64, f64) {
    let quiet = [
        "load.0.rate=2",
        "redis.touch=0s",
        "nfs.touch=0s",
        "proxy.latency=0s",
        "database.latency=0s",
        PHASES,
    ];
    let set: Vec<&str> = quiet.iter().chain(set).copied().collect();
    let mut world = joined(&set, join(4, Span::ZERO));
    pass(&mut world, 20);
    let mut took = Vec::new();
    for (_, fact) in &world.sink.0 {
        if let Fact::RequestServed { server: by, latency, .. } = *fact
            && by == server
        {
            took.push(latency.as_secs_f64() * 1e3);
        }
    }
    assert!(took.len() > 1_000);
    (took[0], took[took.len() - 1])
}

#[test]
fn the_first_requests_of_a_server_that_joined_are_slower_by_the_factor() {
    let cold = ["cache.cold=1.5", "cache.warm_after=50"];
    assert_eq!(first_and_last(&cold, STANDBY), (50.0, 35.0));
    assert_eq!(first_and_last(&cold, ServerId::PRIMARY), (35.0, 35.0));
    assert_eq!(first_and_last(&[], STANDBY), (35.0, 35.0));
}
