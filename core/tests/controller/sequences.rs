//! The ordered sequences: evidence, retries, compensation, death, calling off.

use tidegate_core::decision::Veto;
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::{Overdue, Policy};
use tidegate_core::{Health, Input, OperatorRequest, Outcome, Power, Span};

use crate::host::{Host, policy};

const UP: [&str; 3] = ["power-on", "start-services", "join"];
const DOWN: [&str; 4] = ["drain", "quiesce-jobs", "stop-services", "power-off"];

fn serving() -> Host {
    let mut host = Host::new(policy(), 1);
    host.reach(Stage::Serving, 90);
    host.issued.clear();
    host
}

/// Ticks at a low load until a scale-down is under way.
fn draining(policy: Policy) -> Host {
    let mut host = Host::new(policy, 1);
    host.reach(Stage::Serving, 90);
    host.machines[1].in_flight = 1;
    host.reach(Stage::Draining, 10);
    host.issued.clear();
    host
}

#[test]
fn a_day_goes_up_and_down_in_order() {
    let mut host = Host::new(policy(), 1);
    host.reach(Stage::Serving, 90);
    assert_eq!(host.names(), UP);
    host.issued.clear();
    host.reach(Stage::Draining, 10);
    host.reach(Stage::Standby, 10);
    assert_eq!(host.names(), DOWN);
    let generations: Vec<u64> = host.issued.iter().map(|command| command.generation.0).collect();
    assert!(generations.is_sorted(), "{generations:?}");
}

#[test]
fn a_server_joins_only_after_healthy_readings_in_a_row() {
    let mut host = Host::new(policy(), 1);
    host.reach(Stage::Warming, 90);
    for reading in [Health::ALL, Health::ALL, Health::SERVICES, Health::ALL, Health::ALL] {
        host.tick(90);
        host.machines[1].health = reading;
    }
    assert_eq!(host.stage(1), Stage::Warming, "one part was not healthy in between");
    host.reach(Stage::Serving, 90);
    assert_eq!(host.names(), UP);
}

#[test]
fn a_start_that_fails_is_retried_then_undone_and_tried_again_after_a_rest() {
    let mut host = Host::new(policy(), 1);
    host.fails = vec!["power-on"];
    host.reach(Stage::Faulted, 90);
    assert_eq!(host.names(), ["power-on", "power-on", "power-on", "power-off"]);
    assert!(host.issued[..3].iter().all(|command| command.id == host.issued[0].id));
    assert!(host.issued[3].generation > host.issued[2].generation, "the undoing fences the start");
    assert!(host.objects(|veto| matches!(veto, Veto::NoStandby { until: Some(_) })));
    host.fails.clear();
    host.reach(Stage::Serving, 90);
}

#[test]
fn a_server_that_never_gets_healthy_is_never_routed_to_and_is_stopped() {
    let mut host = Host::new(policy(), 1);
    host.reach(Stage::Warming, 90);
    while host.stage(1) != Stage::Faulted {
        host.machines[1].health = Health::SERVICES;
        host.tick(90);
        host.machines[1].health = Health::SERVICES;
    }
    assert_eq!(
        host.names(),
        ["power-on", "start-services", "quiesce-jobs", "stop-services", "power-off"]
    );
}

#[test]
fn a_command_that_nobody_answers_is_repeated_under_its_id_after_its_deadline() {
    let mut host = Host::new(policy(), 1);
    host.hangs = vec!["power-on"];
    host.reach(Stage::Starting, 90);
    let first = host.issued[0];
    host.pass(Span::from_mins(6), 90);
    assert_eq!(host.issued[1].id, first.id);
    assert_eq!(host.issued[1].generation, first.generation);
    assert!(host.issued[1].deadline > first.deadline);
}

#[test]
fn late_and_duplicated_completions_change_nothing() {
    let mut host = serving();
    for id in 0..10 {
        let id = tidegate_core::CommandId(id);
        host.step(Input::Complete { id, outcome: Outcome::Done });
    }
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0));
    host.machines[1].in_flight = 1;
    host.reach(Stage::Draining, 10);
    let drain = host.issued[0].id;
    host.tick(10);
    for _ in 0..5 {
        host.step(Input::Complete { id: drain, outcome: Outcome::Done });
    }
    assert_eq!((host.stage(1), host.names().len()), (Stage::Draining, 1));
}

#[test]
fn nothing_stops_while_requests_or_jobs_run() {
    let mut host = draining(policy());
    host.machines[1].jobs = 1;
    host.pass(Span::from_hours(2), 10);
    assert_eq!(host.stage(1), Stage::Draining);
    assert!(host.objects(|veto| matches!(veto, Veto::Overdue { .. })));
    host.machines[1].in_flight = 0;
    host.pass(Span::from_hours(2), 10);
    assert_eq!(host.stage(1), Stage::Quiescing);
    assert!(host.objects(|veto| matches!(veto, Veto::Overdue { .. })));
    host.machines[1].jobs = 0;
    host.reach(Stage::Standby, 10);
    assert_eq!(host.names(), DOWN[1..]);
}

#[test]
fn an_overdue_drain_goes_back_to_serving_if_the_policy_says_so() {
    let mut policy = policy();
    policy.steps.drain_overdue = Overdue::Resume;
    let mut host = draining(policy);
    host.reach(Stage::Serving, 10);
    assert_eq!(host.names(), ["join"]);
}

#[test]
fn a_scale_down_is_called_back_as_long_as_nothing_has_stopped() {
    for (stage, back) in
        [(Stage::Draining, &["join"][..]), (Stage::Quiescing, &["resume-jobs", "join"][..])]
    {
        let mut host = draining(policy());
        host.machines[1].jobs = 1;
        host.machines[1].in_flight = u32::from(stage == Stage::Draining);
        host.reach(stage, 10);
        host.tick(10);
        host.issued.clear();
        host.ask(OperatorRequest::ScaleUp { by: 1, hold: None });
        host.reach(Stage::Serving, 10);
        assert_eq!(host.names(), back, "{stage:?}");
    }
}

#[test]
fn a_scale_up_that_is_called_off_never_reaches_the_proxy() {
    for stage in [Stage::Starting, Stage::Warming] {
        let mut host = Host::new(policy(), 1);
        host.ask(OperatorRequest::ScaleUp { by: 1, hold: None });
        host.reach(stage, 10);
        host.ask(OperatorRequest::ScaleDown { by: 1, hold: None });
        host.reach(Stage::Standby, 10);
        assert!(!host.names().contains(&"join"), "{stage:?}");
        assert_eq!(host.names().last(), Some(&"power-off"));
    }
}

#[test]
fn the_proxy_forgets_a_dead_server_before_it_is_powered_off_and_another_takes_its_place() {
    for at in [Stage::Serving, Stage::Draining] {
        let mut host = Host::new(policy(), 2);
        host.reach(Stage::Serving, 90);
        if at == Stage::Draining {
            host.machines[1].in_flight = 1;
            host.reach(Stage::Draining, 10);
            host.tick(10);
        }
        host.issued.clear();
        host.machines[1].power = Power::Off;
        host.reach(Stage::Faulted, 70);
        let one = |command: &&tidegate_core::Command| command.server.0 == 1;
        let names: Vec<_> =
            host.issued.iter().filter(one).map(|one| one.kind.step().name()).collect();
        assert_eq!(names, ["drain", "power-off"], "{at:?}");
        if at == Stage::Serving {
            assert!(host.issued.iter().any(|command| command.server.0 == 2), "a replacement");
        }
    }
}
