//! A clock that goes back, a controller that sleeps, commands that are lost.

use tidegate_core::decision::Opinion;
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::{Missing, Policy};
use tidegate_core::{Alert, OperatorRequest, RuleId, Span};

use crate::host::{Host, TICK, listening, policy};

/// A server in `stage`, at which its sequence stays while `work` is on it or its command hangs.
fn stuck(stage: Stage) -> Host {
    let mut host = Host::new(policy(), 1);
    let hanging = [
        (Stage::Starting, "power-on"),
        (Stage::Warming, "start-services"),
        (Stage::Joining, "join"),
    ];
    let hangs = hanging.into_iter().filter(|(until, _)| *until == stage);
    host.hangs = hangs.map(|(_, name)| name).collect();
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: Some(Span::from_hours(99)) });
    if host.hangs.is_empty() {
        host.reach(Stage::Serving, 50);
        host.machines[1].in_flight = u32::from(stage == Stage::Draining);
        host.machines[1].jobs = u32::from(stage == Stage::Quiescing);
        host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(99)) });
    }
    host.reach(stage, 50);
    host.tick(50);
    host
}

#[test]
fn a_clock_that_goes_back_freezes_no_sequence() {
    let up = [Stage::Starting, Stage::Warming, Stage::Joining];
    for stage in up.into_iter().chain([Stage::Draining, Stage::Quiescing]) {
        let mut host = stuck(stage);
        host.behind = Span::from_hours(24);
        host.hangs.clear();
        host.tick(50);
        (host.machines[1].in_flight, host.machines[1].jobs) = (0, 0);
        let end = if up.contains(&stage) { Stage::Serving } else { Stage::Standby };
        let began = host.now;
        host.reach(end, 50);
        assert!(host.now.since(began) <= Span::from_mins(6), "{stage:?}");
    }
}

#[test]
fn a_clock_that_goes_back_keeps_a_rest_within_its_length() {
    let mut host = Host::new(policy(), 1);
    host.fails = vec!["power-on"];
    host.reach(Stage::Faulted, 90);
    host.fails.clear();
    host.behind = Span::from_hours(24);
    host.pass(Span::from_secs(50), 90);
    assert_eq!(host.stage(1), Stage::Faulted);
    host.reach(Stage::Serving, 90);
}

#[test]
fn a_clock_that_goes_back_ends_a_cool_down_that_counted_from_later() {
    let mut host = Host::new(policy(), 2);
    host.reach(Stage::Serving, 90);
    host.behind = Span::from_hours(24);
    let began = host.now;
    while host.stage(2) == Stage::Standby {
        host.tick(90);
        assert!(host.now.since(began) < Span::from_mins(20), "{:?}", host.decision());
    }
}

/// All clocks go back, as those of one machine do: what is read from then on is dated before what
/// is known.
#[test]
fn clocks_that_all_go_back_hide_no_reading() {
    let mut host = Host::new(policy(), 1);
    host.tick(90);
    host.now = host.now - Span::from_hours(24);
    let began = host.now;
    host.reach(Stage::Serving, 90);
    assert!(host.now.since(began) <= Span::from_mins(8), "{}", host.now.since(began));
    host.now = host.now - Span::from_hours(24);
    let began = host.now;
    host.reach(Stage::Standby, 5);
    assert!(host.now.since(began) <= Span::from_mins(40), "{}", host.now.since(began));
}

fn holding() -> Policy {
    let mut policy = policy();
    policy.up[0].missing = Missing::Hold;
    policy
}

#[test]
fn a_window_that_nobody_watched_is_void() {
    let mut host = Host::new(holding(), 1);
    host.pass(Span::from_mins(4), 90);
    assert!(host.decision().votes[0].unwrap().filled >= Span::from_mins(3));
    host.now = host.now + Span::from_mins(2);
    host.tick(90);
    assert_eq!(host.decision().votes[0].unwrap().filled, Span::ZERO);
    assert_eq!(host.stage(1), Stage::Standby);
    host.pass(Span::from_mins(6), 90);
    assert_ne!(host.stage(1), Stage::Standby, "it fills again");
}

#[test]
fn a_pause_between_steps_within_the_age_of_evidence_is_no_sleep() {
    let mut host = Host::new(holding(), 1);
    host.pass(Span::from_mins(4), 90);
    let before = host.decision().votes[0].unwrap().filled;
    host.now = host.now + (Span::from_mins(2) - TICK);
    host.tick(90);
    assert_eq!(host.decision().votes[0].unwrap().filled, before + Span::from_mins(2));
}

#[test]
fn an_alert_from_before_a_sleep_fills_its_window_anew() {
    let mut host = Host::new(listening(), 1);
    host.pass(Span::from_mins(1), 90);
    let since = host.now;
    host.now = host.now + Span::from_mins(3);
    host.tick(90);
    host.notify(Alert { rule: RuleId(0), since, resolved: false, at: host.now });
    assert_eq!(host.decision().votes[0].unwrap().opinion, Opinion::Filling);
    assert_eq!(host.stage(1), Stage::Standby);
}

#[test]
fn a_lost_command_of_a_scale_down_is_repeated_after_the_deadline_of_a_join() {
    for (stage, name) in [(Stage::Draining, "drain"), (Stage::Quiescing, "quiesce-jobs")] {
        let mut host = stuck(Stage::Draining);
        host.hangs = vec![name];
        if stage == Stage::Draining {
            host.ask(OperatorRequest::ScaleUp { by: 1, hold: Some(Span::from_hours(99)) });
            host.reach(Stage::Serving, 50);
            host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(99)) });
        }
        host.machines[1].in_flight = 0;
        host.reach(stage, 50);
        let first = *host.issued.last().unwrap();
        host.issued.clear();
        host.pass(Span::from_secs(60), 50);
        assert_eq!(host.names().len(), 0, "{name}: not before its deadline");
        host.pass(Span::from_secs(20), 50);
        assert_eq!(host.names(), [name]);
        let again = host.issued[0];
        assert_eq!((again.id, again.generation), (first.id, first.generation));
        host.pass(Span::from_hours(5), 50);
        assert_eq!(host.stage(1), stage, "work is never given up");
        assert!(host.names().iter().all(|one| *one == name), "{:?}", host.names());
        host.hangs.clear();
        host.reach(Stage::Standby, 50);
    }
}

#[test]
fn a_warming_server_whose_jobs_run_is_quiesced_before_it_is_stopped() {
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: None });
    host.reach(Stage::Warming, 50);
    host.machines[1].jobs = 1;
    host.issued.clear();
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(9)) });
    host.pass(Span::from_hours(1), 50);
    assert_eq!((host.stage(1), host.names()), (Stage::Quiescing, vec!["quiesce-jobs"]));
    host.machines[1].jobs = 0;
    host.reach(Stage::Standby, 50);
    assert_eq!(host.names(), ["quiesce-jobs", "stop-services", "power-off"]);
}

#[test]
fn a_server_that_never_served_is_not_joined_when_it_is_called_back() {
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: None });
    host.reach(Stage::Warming, 50);
    host.machines[1].jobs = 1;
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: None });
    host.pass(Span::from_mins(1), 50);
    host.issued.clear();
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: None });
    assert_eq!((host.stage(1), host.names()), (Stage::Starting, vec!["power-on"]));
    host.reach(Stage::Serving, 50);
    assert_eq!(host.names(), ["power-on", "start-services", "join"]);
}
