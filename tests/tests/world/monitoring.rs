//! What Prometheus makes of a machine: counters that begin anew, ranges that are not full yet.

use tidegate_core::fact::FactSink;
use tidegate_core::{Observation, Ratio, ServerView, Span};
use tidegate_sim::world::{Notice, World};

use super::{MINUTE, STANDBY, joined, pass, world};

const SECOND: u64 = 1_000_000_000;

/// What the next evaluation shows of the primary and of the standby.
fn look<S: FactSink>(world: &mut World<S>) -> [ServerView; 2] {
    loop {
        if let Some(Notice::Observed(Observation { servers, .. })) = world.advance(u64::MAX - 1) {
            return [servers[0], servers[usize::from(STANDBY.0)]];
        }
    }
}

/// Frappe Cloud's intervals.
const SLOW: [&str; 3] =
    ["monitoring.scrape=60s", "monitoring.range=4m", "policy.evidence.stale_after=5m"];

#[test]
fn a_steady_load_reads_as_it_is_once_the_range_is_full() {
    let mut world = world(&["load.0.rate=100", "request.0.phases=[{ cpu = \"20ms\" }]"]);
    pass(&mut world, 20);
    let cpu: Vec<f64> =
        (0..40).map(|_| look(&mut world)[0].cpu.unwrap().value.as_percent()).collect();
    // 100 requests a second of 20 ms on four cores.
    let mean = cpu.iter().sum::<f64>() / 40.0;
    assert!((mean - 50.0).abs() < 2.0, "{mean}");
}

#[test]
fn the_primary_was_up_and_idle_before_the_run() {
    let mut world = world(&SLOW);
    let first = look(&mut world)[0].cpu.unwrap();
    assert_eq!(first.value, Ratio::default());
    pass(&mut world, 2);
    let ramp = look(&mut world)[0].cpu.unwrap().value.as_percent();
    assert!((ramp - 100.0 / 3.0).abs() < 2.0, "one of three intervals was idle: {ramp}");
}

/// `1 - rate(idle)` counts as busy what the range does not cover yet.
#[test]
fn an_idle_machine_that_has_just_booted_reads_as_busy_until_its_range_is_full() {
    let mut world = joined(&SLOW, tidegate_core::CommandKind::Drain);
    let up = world.now() - 30 * SECOND;
    let mut readings = Vec::new();
    while world.now() < up + 8 * MINUTE {
        readings.extend(look(&mut world)[1].cpu.map(|cpu| cpu.value));
    }
    assert!(readings[0] > Ratio::from_percent(50), "{readings:?}");
    assert!(readings.is_sorted_by(|one, next| one >= next), "{readings:?}");
    assert_eq!(readings.last(), Some(&Ratio::default()));
}

#[test]
fn a_standby_may_be_unseen_until_it_serves() {
    let known = |from: &str, join| {
        let mut world = joined(&[from], join);
        pass(&mut world, 2);
        let standby = look(&mut world)[1];
        (standby.cpu.is_some(), standby.memory.is_some(), standby.health.is_some())
    };
    let join = super::join(4, Span::ZERO);
    let apart = tidegate_core::CommandKind::Drain;
    assert_eq!(known("monitoring.from=boot", apart), (true, true, true));
    assert_eq!(known("monitoring.from=serving", apart), (false, false, true));
    assert_eq!(known("monitoring.from=serving", join), (true, true, true));
}

#[test]
fn what_is_gone_is_missing_at_the_next_scrape_and_not_after_the_look_back() {
    let resize = "resize=[{ at = \"2026-03-02T10:10[UTC]\", plan = \"l\", downtime = \"4m\" }]";
    let mut world = world(&[resize]);
    pass(&mut world, 9);
    let views: Vec<ServerView> = (0..9).map(|_| look(&mut world)[0]).collect();
    let known = |seen: fn(&ServerView) -> bool| views.iter().filter(|view| seen(view)).count();
    // The looks from 9:15 to 10:00, and not the one at 10:15.
    assert_eq!(known(|view| view.memory.is_some()), 4);
    // A `rate` passes over the mark: two samples are left in its range before 10:30.
    assert_eq!(known(|view| view.cpu.is_some()), 5);
}

#[test]
fn each_server_is_scraped_in_a_rhythm_of_its_own() {
    let mut world = joined(&[], super::join(4, Span::ZERO));
    pass(&mut world, 2);
    let [primary, standby] = look(&mut world).map(|view| view.cpu.unwrap().at);
    assert_ne!(primary, standby);
    let apart = primary.since(standby).as_nanos().abs();
    assert!(apart < Span::from_secs(15).as_nanos(), "{apart}");
}
