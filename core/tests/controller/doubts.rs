//! What contradicts a server's stage: how often it must be read, and what is done about it.

use tidegate_core::lifecycle::Stage;
use tidegate_core::{
    Dated, Health, Input, Observation, OperatorRequest, Power, ServerId, ServerView, Span,
};

use crate::host::{Host, TICK, policy};

/// A group whose first standby serves, and whose proxy tells where it routes.
fn serving(standbys: u16) -> Host {
    let mut host = Host::new(policy(), standbys);
    host.machines[1].routed = Some(false);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: Some(Span::from_hours(99)) });
    host.reach(Stage::Serving, 50);
    host.pass(Span::from_mins(1), 50);
    host.issued.clear();
    host
}

/// The same, asked for by a person, and on its way down with a request and a job on it.
fn leaving(stage: Stage) -> Host {
    let mut host = serving(1);
    host.machines[1].in_flight = u32::from(stage == Stage::Draining);
    host.machines[1].jobs = 1;
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(9)) });
    host.reach(stage, 50);
    host.pass(Span::from_mins(1), 50);
    host.issued.clear();
    host
}

#[test]
fn a_proxy_that_forgot_is_told_again_after_two_readings() {
    let mut host = serving(1);
    host.machines[1].routed = Some(false);
    host.tick(50);
    host.step(Input::Wake);
    host.step(Input::Observe(host.observation()));
    assert_eq!(host.stage(1), Stage::Serving, "one reading, however often it is looked at");
    host.tick(50);
    assert_eq!((host.stage(1), host.names()), (Stage::Joining, vec!["join"]));
    host.reach(Stage::Serving, 50);
    host.pass(Span::from_mins(10), 50);
    assert_eq!(host.names(), ["join"], "it routes again");
}

#[test]
fn a_reading_that_is_contradicted_by_the_next_one_does_nothing() {
    let mut host = serving(1);
    for routed in [false, true, false, true] {
        host.machines[1].routed = Some(routed);
        host.tick(50);
    }
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0));
}

#[test]
fn a_server_that_is_still_routed_to_is_drained_again() {
    for stage in [Stage::Draining, Stage::Quiescing] {
        let mut host = leaving(stage);
        host.machines[1].routed = Some(true);
        host.tick(50);
        assert_eq!((host.stage(1), host.names().len()), (stage, 0));
        host.tick(50);
        assert_eq!((host.stage(1), host.names()), (Stage::Draining, vec!["drain"]));
        host.machines[1].in_flight = 0;
        host.machines[1].jobs = 0;
        host.reach(Stage::Standby, 50);
        assert_eq!(host.names(), ["drain", "quiesce-jobs", "stop-services", "power-off"]);
    }
}

#[test]
fn readings_from_before_a_drain_was_done_say_nothing() {
    let mut host = serving(1);
    host.machines[1].in_flight = 1;
    host.hangs = vec!["drain"];
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(9)) });
    host.pass(Span::from_secs(50), 50);
    assert_eq!((host.stage(1), host.names()), (Stage::Draining, vec!["drain"]));
}

#[test]
fn a_dead_machine_is_believed_after_two_readings() {
    let mut host = serving(1);
    host.machines[1].power = Power::Off;
    host.tick(50);
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0));
    host.tick(50);
    assert_eq!((host.stage(1), host.names()), (Stage::Draining, vec!["drain"]));
    host.reach(Stage::Faulted, 50);
    assert_eq!(host.names(), ["drain", "power-off"]);
}

#[test]
fn a_machine_that_is_said_to_be_off_and_answers_is_not_dead() {
    let mut host = serving(1);
    host.machines[1].told = Some(Power::Off);
    host.pass(Span::from_hours(1), 50);
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0));
}

/// Its provider and its checks are wrong at once; the proxy knows of a request that it works on.
#[test]
fn a_machine_that_works_is_not_dead_whatever_is_said_of_it() {
    let mut host = serving(1);
    host.machines[1].told = Some(Power::Off);
    host.machines[1].health = Health::NONE;
    host.machines[1].in_flight = 1;
    host.pass(Span::from_mins(30), 50);
    assert_eq!((host.stage(1), host.names()), (Stage::Draining, vec!["drain"]));
    host.machines[1].in_flight = 0;
    host.reach(Stage::Faulted, 50);
    assert_eq!(host.names(), ["drain", "drain", "power-off"]);
}

#[test]
fn an_answer_between_two_readings_of_a_dead_machine_counts() {
    let mut host = serving(1);
    host.machines[1].power = Power::Off;
    host.tick(50);
    host.machines[1].power = Power::On;
    host.machines[1].told = Some(Power::Off);
    host.tick(50);
    host.machines[1].power = Power::Off;
    host.tick(50);
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0), "one reading again");
    host.tick(50);
    assert_eq!(host.stage(1), Stage::Draining);
}

#[test]
fn a_machine_that_dies_while_it_warms_is_powered_off_at_once() {
    let mut host = Host::new(policy(), 1);
    host.hangs = vec!["start-services"];
    host.reach(Stage::Warming, 90);
    host.issued.clear();
    host.machines[1].power = Power::Off;
    host.tick(90);
    assert_eq!(host.stage(1), Stage::Warming);
    host.tick(90);
    assert_eq!((host.stage(1), host.names()), (Stage::Stopping, vec!["power-off"]));
    host.reach(Stage::Faulted, 90);
}

#[test]
fn a_machine_that_dies_while_its_jobs_finish_is_not_waited_for() {
    let mut host = leaving(Stage::Quiescing);
    host.machines[1].power = Power::Off;
    host.reach(Stage::Faulted, 50);
    assert_eq!(host.names(), ["power-off"]);
}

#[test]
fn a_machine_that_nobody_started_is_powered_off() {
    let mut host = Host::new(policy(), 1);
    host.pass(Span::from_mins(1), 50);
    host.machines[1].power = Power::On;
    host.tick(50);
    assert_eq!((host.stage(1), host.names().len()), (Stage::Standby, 0));
    host.tick(50);
    assert_eq!((host.stage(1), host.names()), (Stage::Stopping, vec!["power-off"]));
    host.reach(Stage::Standby, 50);
    assert_eq!(host.machines[1].power, Power::Off);
}

#[test]
fn a_machine_that_nobody_started_and_that_works_ends_its_work_first() {
    let mut host = Host::new(policy(), 1);
    host.pass(Span::from_mins(1), 50);
    (host.machines[1].power, host.machines[1].health) = (Power::Booting, Health::NONE);
    host.tick(50);
    (host.machines[1].power, host.machines[1].health) = (Power::On, Health::ALL);
    host.machines[1].jobs = 1;
    host.pass(Span::from_mins(10), 50);
    assert_eq!((host.stage(1), host.names()), (Stage::Quiescing, vec!["drain", "quiesce-jobs"]));
    host.machines[1].jobs = 0;
    host.reach(Stage::Standby, 50);
}

#[test]
fn a_server_that_is_ill_is_taken_out_after_as_many_checks_as_the_policy_says() {
    for checks in [2, 8] {
        let mut host = serving(2);
        let mut strict = policy();
        strict.evidence.unhealthy_checks = checks;
        host.ask(OperatorRequest::SetPolicy(Box::new(strict)));
        for _ in 1..checks {
            host.machines[1].health = Health::SERVICES;
            host.tick(50);
        }
        assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0), "{checks}");
        host.tick(50);
        assert_eq!((host.stage(1), host.names()[0]), (Stage::Draining, "drain"), "{checks}");
        host.reach(Stage::Faulted, 50);
        assert_eq!(host.machines[1].power, Power::Off);
    }
}

#[test]
fn a_healthy_check_in_between_begins_the_count_anew() {
    let mut host = serving(1);
    for round in 0..20 {
        let ill = round % 8 != 7;
        host.machines[1].health = if ill { Health::SERVICES } else { Health::ALL };
        host.tick(50);
    }
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0));
}

#[test]
fn what_is_wrong_with_the_primary_too_does_not_take_a_standby_out() {
    let mut host = serving(1);
    (host.machines[0].health, host.machines[1].health) = (Health::SERVICES, Health::SERVICES);
    host.pass(Span::from_hours(1), 50);
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0));
    host.machines[0].health = Health::ALL;
    host.tick(50);
    assert_eq!(host.stage(1), Stage::Draining, "now it is its own");
}

#[test]
fn an_ill_server_that_faulted_rests_longer_each_time() {
    let mut host = Host::new(policy(), 1);
    host.fails = vec!["power-on"];
    let mut rests = Vec::new();
    for _ in 0..8 {
        host.reach(Stage::Faulted, 90);
        let began = host.now;
        while host.stage(1) == Stage::Faulted {
            host.tick(90);
        }
        rests.push(host.now.since(began).as_nanos() / Span::from_mins(1).as_nanos());
    }
    assert_eq!(rests, [1, 2, 4, 8, 16, 32, 32, 32]);
    assert_eq!(host.controller.stage(ServerId::PRIMARY), Stage::Serving);
}

#[test]
fn a_machine_that_dies_while_its_services_stop_is_not_waited_for() {
    let mut host = serving(1);
    host.hangs = vec!["stop-services"];
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(9)) });
    host.reach(Stage::Stopping, 50);
    host.issued.clear();
    host.machines[1].power = Power::Off;
    host.tick(50);
    assert_eq!(host.names().len(), 0);
    host.tick(50);
    assert_eq!(host.names(), ["power-off"]);
    host.reach(Stage::Faulted, 50);
}

#[test]
fn a_machine_that_is_off_while_it_is_powered_off_is_as_it_should_be() {
    let mut host = serving(1);
    host.hangs = vec!["power-off"];
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(9)) });
    while host.names().last() != Some(&"power-off") {
        host.tick(50);
    }
    host.machines[1].power = Power::Off;
    host.issued.clear();
    host.pass(Span::from_mins(4), 50);
    assert_eq!((host.stage(1), host.names().len()), (Stage::Stopping, 0));
    host.hangs.clear();
    host.reach(Stage::Standby, 50);
}

#[test]
fn an_answer_after_the_first_reading_and_before_the_second_counts() {
    let mut host = serving(1);
    host.machines[1].power = Power::Off;
    host.tick(50);
    for _ in 0..5 {
        host.now = host.now + TICK;
        let mut view = ServerView::unknown(ServerId(1));
        view.power = Some(Dated::new(Power::Off, host.now));
        view.health = Some(Dated::new(Health::ALL, host.now - Span::from_secs(1)));
        host.step(Input::Observe(Observation { servers: vec![view], ..Observation::default() }));
    }
    assert_eq!((host.stage(1), host.names().len()), (Stage::Serving, 0));
}
