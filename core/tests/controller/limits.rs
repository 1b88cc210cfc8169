//! Which servers are taken, what holds more back, and when a demand ends to the second.

use tidegate_core::decision::{Verdict, Veto};
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::Policy;
use tidegate_core::{CommandKind, Health, Input, OperatorRequest, Power, Span};

use crate::host::{Host, TICK, policy};

const LONG: Option<Span> = Some(Span::from_hours(99));

#[test]
fn a_server_that_leaves_is_called_back_before_another_is_started() {
    let mut host = Host::new(policy(), 2);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    host.reach(Stage::Serving, 50);
    host.machines[1].power = Power::Off;
    host.reach(Stage::Standby, 50);
    host.pass(Span::from_mins(2), 50);
    host.machines[2].in_flight = 1;
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: LONG });
    host.pass(Span::from_mins(1), 50);
    assert_eq!((host.stage(1), host.stage(2)), (Stage::Standby, Stage::Draining));
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    assert_eq!((host.stage(1), host.stage(2)), (Stage::Standby, Stage::Joining));
}

#[test]
fn as_many_as_there_are_begin_and_the_rest_of_the_others_is_named() {
    let mut host = Host::new(policy(), 2);
    host.fails = vec!["power-on"];
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    host.reach(Stage::Faulted, 50);
    assert_eq!(host.stage(2), Stage::Starting, "it takes the place of the first");
    let now = host.now;
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    let rests =
        |veto: &Veto| matches!(veto, Veto::NoStandby { until: Some(until) } if *until > now);
    assert!(host.objects(rests), "{:?}", host.decision());
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    assert_eq!(host.decision().wanted, 2);
    assert!(host.objects(|veto| *veto == Veto::AtMaximum), "{:?}", host.decision());
}

#[test]
fn part_of_what_is_wanted_is_what_is_decided() {
    let mut host = Host::new(policy(), 3);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    host.reach(Stage::Serving, 50);
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: LONG });
    while host.stage(1) != Stage::Stopping {
        host.tick(50);
    }
    host.ask(OperatorRequest::ScaleUp { by: 3, hold: LONG });
    assert_eq!(host.decision().verdict, Verdict::ScaleUp(2));
    assert!(host.objects(|veto| *veto == Veto::NoStandby { until: None }));
}

#[test]
fn the_maximum_is_no_reason_where_nothing_asks_for_more_or_there_is_room() {
    let at_maximum = |host: &Host| host.objects(|veto| *veto == Veto::AtMaximum);
    let mut host = Host::new(policy(), 2);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    assert!(!at_maximum(&host), "there is room");
    host.pass(Span::from_mins(10), 50);
    assert!(!at_maximum(&host), "nothing asks");
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    host.pass(Span::from_mins(10), 50);
    assert!(!at_maximum(&host), "all are in use, and nothing asks");
    host.pass(Span::from_mins(10), 90);
    assert!(at_maximum(&host), "a rule asks");
}

#[test]
fn a_rule_that_scales_up_below_the_maximum_meets_no_limit() {
    let mut host = Host::new(Policy { max_standbys: Some(2), ..policy() }, 2);
    while host.stage(1) == Stage::Standby {
        host.tick(90);
    }
    assert_eq!(host.decision().verdict, Verdict::ScaleUp(1));
    assert_eq!(host.decision().vetoes().count(), 0);
}

#[test]
fn a_pause_and_a_demand_end_at_their_second() {
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::PauseUntil(host.now + TICK));
    assert!(host.objects(|veto| matches!(veto, Veto::Paused { .. })));
    assert_eq!(host.last.as_ref().unwrap().wake_at, Some(host.now + TICK));
    host.tick(50);
    assert!(!host.objects(|veto| matches!(veto, Veto::Paused { .. })));
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: Some(TICK) });
    assert_eq!(host.decision().wanted, 2);
    host.tick(50);
    assert_eq!(host.decision().wanted, 1);
}

#[test]
fn a_reading_that_was_counted_is_not_counted_again() {
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    host.reach(Stage::Serving, 50);
    for _ in 0..3 {
        host.machines[1].health = Health::SERVICES;
        host.tick(50);
        (0..20).for_each(|_| host.step(Input::Wake));
    }
    assert_eq!(host.stage(1), Stage::Serving);
}

#[test]
fn what_only_defects_need_is_not_stored() {
    let mut host = Host::new(policy(), 1);
    host.pass(Span::from_mins(1), 50);
    let text = serde_json::to_string(&host.controller.snapshot()).unwrap();
    for key in ["opened", "lost", "alerts", "defects"] {
        assert!(!text.contains(&format!("\"{key}\"")), "{key} in {text}");
    }
}

#[test]
fn a_host_is_told_when_a_step_must_be_looked_at_again() {
    let mut host = Host::new(policy(), 1);
    let wakes = |host: &Host| host.last.as_ref().unwrap().wake_at;
    host.hangs = vec!["power-on"];
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    let limits = policy().steps;
    assert_eq!(wakes(&host), Some(host.now + limits.start.deadline), "an attempt");
    host.pass(limits.start.deadline, 50);
    assert_eq!(wakes(&host), Some(host.now + limits.start.backoff), "a retry");
    host.hangs.clear();
    host.pass(Span::from_secs(20), 50);
    host.tick(50);
    host.machines[1].health = Health::NONE;
    while host.stage(1) != Stage::Warming || host.controller.unfinished().next().is_some() {
        host.tick(50);
        host.machines[1].health = Health::NONE;
    }
    assert_eq!(wakes(&host), Some(host.now + limits.warm.deadline), "services that come up");
    host.machines[1].health = Health::ALL;
    host.reach(Stage::Serving, 50);
    host.machines[1].in_flight = 1;
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: LONG });
    host.tick(50);
    assert_eq!(wakes(&host), Some(host.now + limits.drain.deadline), "requests that end");
    (host.machines[1].in_flight, host.machines[1].jobs) = (0, 1);
    host.reach(Stage::Quiescing, 50);
    host.tick(50);
    assert_eq!(wakes(&host), Some(host.now + limits.quiesce.deadline), "jobs that end");
}

#[test]
fn a_stop_that_fails_is_tried_again_for_ever_with_longer_waits() {
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    host.reach(Stage::Serving, 50);
    host.issued.clear();
    host.fails = vec!["power-off"];
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: LONG });
    let mut tried = Vec::new();
    while tried.len() < 9 {
        let before = host.issued.len();
        host.tick(50);
        let again = host.issued[before..].iter().filter(|one| one.kind == CommandKind::PowerOff);
        tried.extend(again.map(|_| host.now));
    }
    let waits: Vec<_> =
        tried.windows(2).map(|pair| pair[1].since(pair[0]).as_nanos() / TICK.as_nanos()).collect();
    assert_eq!(waits, [2, 3, 5, 9, 17, 33, 65, 65]);
    host.fails.clear();
    host.pass(Span::from_mins(15), 50);
    assert_eq!(host.machines[1].power, Power::Off);
    host.pass(Span::from_hours(1), 50);
    assert_eq!(host.stage(1), Stage::Standby);
}

#[test]
fn the_next_to_last_attempt_does_not_give_up() {
    let mut host = Host::new(policy(), 1);
    host.fails = vec!["power-on"];
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: LONG });
    while host.names().iter().filter(|name| **name == "power-on").count() < 3 {
        host.tick(50);
    }
    assert_eq!(host.stage(1), Stage::Starting);
    host.fails.clear();
    host.reach(Stage::Serving, 50);
}
