//! The proxy's own checks: when a server that is down is taken out, and when it is back.

use tidegate_core::fact::{Fact, FailureCause};
use tidegate_core::{Span, Timestamp};
use tidegate_sim::world::World;

use super::{Facts, MINUTE, join, joined, model, pass, world};

const CHECKS: &str = "proxy.health={ every = \"2s\", rise = 2, fall = 3, timeout = \"1s\" }";
/// Down from 10:05 to 10:10.
const DOWN: &str = "resize=[{ at = \"2026-03-02T10:05[UTC]\", plan = \"l\", downtime = \"5m\" }]";

/// Seconds from the start of the run to each failure of this cause.
fn failures(world: &World<Facts>, why: FailureCause) -> Vec<f64> {
    let start = model(&[]).start;
    let failed = |&(at, fact): &(Timestamp, Fact)| {
        let is = matches!(fact, Fact::RequestFailed { cause, .. } if cause == why);
        is.then(|| at.since(start).as_secs_f64())
    };
    world.sink.0.iter().filter_map(failed).collect()
}

/// Checks begin at 300, 302 and 304 s and time out a second later: from 305 s on the server is out.
/// It is back at 600 s, and passes its second check at 602 s.
#[test]
fn a_server_that_is_down_is_out_after_the_checks_that_it_missed() {
    let mut world = world(&[CHECKS, DOWN]);
    pass(&mut world, 20);
    let refused = failures(&world, FailureCause::Refused);
    assert!((refused.len() as f64 - 500.0).abs() < 70.0, "{}", refused.len());
    assert!(refused.iter().all(|at| (300.0..305.0).contains(at)));
    let none = failures(&world, FailureCause::NoServer);
    assert!((none.len() as f64 - 29_700.0).abs() < 520.0, "{}", none.len());
    assert!(none.iter().all(|at| (305.0..602.0).contains(at)));
}

#[test]
fn with_another_server_only_the_first_seconds_fail_and_retries_save_those() {
    for (retries, expected) in [("proxy.retries=0", 250.0), ("proxy.retries=1", 0.0)] {
        let mut world = joined(&[CHECKS, DOWN, retries], join(4, Span::ZERO));
        pass(&mut world, 20);
        let refused = failures(&world, FailureCause::Refused).len() as f64;
        assert!((refused - expected).abs() < 40.0, "{retries}: {refused}");
        assert!(failures(&world, FailureCause::NoServer).is_empty());
    }
}

#[test]
fn a_server_that_answers_is_never_taken_out() {
    let facts = |set: &[&str]| {
        let mut world = world(set);
        pass(&mut world, 5);
        assert_eq!(world.now(), 5 * MINUTE);
        world.sink.0
    };
    assert_eq!(facts(&[CHECKS]), facts(&[]));
}
