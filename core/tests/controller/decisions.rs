//! What is decided, and what is said about it.

use tidegate_core::decision::{Flip, Opinion, Source, Verdict, Veto};
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::{Bound, Fold, Gap, Metric, Policy, Schedule};
use tidegate_core::{
    Dated, Input, Observation, OperatorRequest, Power, Ratio, RuleId, ScheduleId, ServerId,
    ServerView, Span,
};

use crate::host::{Host, down, policy, up};

fn serving(policy: Policy) -> Host {
    let mut host = Host::new(policy, 1);
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: Some(Span::from_mins(10)) });
    host.reach(Stage::Serving, 90);
    host.pass(Span::from_mins(20), 90);
    assert_eq!(host.stage(1), Stage::Serving);
    host
}

#[test]
fn a_missing_sample_is_not_zero_and_never_scales_down() {
    let mut host = serving(policy());
    for _ in 0..1_000 {
        host.machines[0].cpu = Some(5);
        host.machines[1].cpu = None;
        host.tick_as_it_is();
    }
    assert_eq!(host.stage(1), Stage::Serving);
    assert!(host.objects(|veto| matches!(veto, Veto::Stale { rule: RuleId(1) })));
    assert!(matches!(host.decision().flip, Some(Flip::Sample { rule: RuleId(1) })));
    host.pass(Span::from_mins(30), 5);
    assert_eq!(host.stage(1), Stage::Standby, "with evidence it does");
}

#[test]
fn a_scale_down_needs_every_rule_and_a_scale_up_any() {
    let mut policy = policy();
    policy.up.push(up(Metric::Memory, 85));
    policy.down.push(down(Metric::Memory, 60));
    let mut host = Host::new(policy, 1);
    for machine in &mut host.machines {
        machine.memory = Some(90);
    }
    host.reach(Stage::Serving, 10);
    assert_eq!(host.decision().votes[0].unwrap().opinion, Opinion::Disagrees);
    host.machines[0].memory = Some(70);
    host.machines[1].memory = Some(70);
    host.pass(Span::from_hours(2), 10);
    assert_eq!(host.stage(1), Stage::Serving, "CPU is low, memory is not");
    assert!(host.objects(|veto| matches!(veto, Veto::NotAllAgree { rule: RuleId(3) })));
    host.machines[0].memory = Some(50);
    host.machines[1].memory = Some(50);
    host.reach(Stage::Standby, 10);
}

#[test]
fn a_load_that_the_rest_could_not_carry_vetoes_the_scale_down() {
    let mut policy = policy();
    policy.down[0].below = Ratio::from_percent(60);
    let mut host = serving(policy);
    host.pass(Span::from_hours(1), 45);
    assert_eq!(host.stage(1), Stage::Serving);
    let projected = |veto: &Veto| {
        let (reads, may) = (Ratio::from_percent(90), Ratio::from_percent(70));
        let rule = RuleId(0);
        *veto == Veto::FlapProjection { rule, projected: reads, limit: may }
    };
    assert!(host.objects(projected), "{:?}", host.decision());
    host.reach(Stage::Standby, 30);
}

#[test]
fn rules_rest_after_an_event_and_people_do_not() {
    let mut policy = policy();
    policy.cool_down.up = Span::from_hours(1);
    let mut host = Host::new(policy, 2);
    host.reach(Stage::Serving, 90);
    host.pass(Span::from_mins(30), 90);
    assert_eq!(host.stage(2), Stage::Standby);
    assert!(host.objects(|veto| matches!(veto, Veto::CoolDown { .. })));
    assert!(matches!(host.decision().flip, Some(Flip::At { .. })));
    host.ask(OperatorRequest::ScaleUp { by: 1, hold: None });
    assert_eq!(host.stage(2), Stage::Starting);
    assert_eq!(host.decision().source, Some(Source::Manual));
}

#[test]
fn servers_are_released_one_at_a_time_with_a_rest_between() {
    let mut host = Host::new(policy(), 2);
    host.ask(OperatorRequest::ScaleUp { by: 2, hold: Some(Span::from_mins(10)) });
    host.pass(Span::from_mins(9), 90);
    host.pass(Span::from_mins(30), 90);
    assert_eq!((host.stage(1), host.stage(2)), (Stage::Serving, Stage::Serving));
    while host.stage(2) != Stage::Standby {
        host.tick(5);
    }
    let stopped = host.now;
    while host.stage(1) == Stage::Serving {
        assert!(host.now.since(stopped) < Span::from_hours(1));
        host.tick(5);
    }
    assert!(host.now.since(stopped) >= policy().cool_down.down, "{}", host.now.since(stopped));
}

#[test]
fn a_pause_holds_rules_back_until_it_ends_and_says_so() {
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::PauseUntil(host.now + Span::from_hours(1)));
    host.pass(Span::from_mins(50), 90);
    assert_eq!(host.stage(1), Stage::Standby);
    assert!(host.objects(|veto| matches!(veto, Veto::Paused { .. })));
    host.ask(OperatorRequest::Resume);
    host.reach(Stage::Serving, 90);
}

#[test]
fn a_manual_demand_holds_for_its_time_and_outranks_rules() {
    let mut host = Host::new(policy(), 1);
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_mins(30)) });
    host.pass(Span::from_mins(29), 90);
    assert_eq!(host.stage(1), Stage::Standby, "the ceiling of a person holds");
    host.pass(Span::from_mins(10), 90);
    assert_eq!(host.stage(1), Stage::Serving, "until it expires");
}

/// Two serve for a schedule that has just ended: what it leaves is kept for a while, less what a
/// person takes away.
#[test]
fn a_person_who_asks_for_one_fewer_gets_no_more_than_that_at_once() {
    let schedule = window("2026-03-02T00:00[UTC]", "2026-03-02T01:00[UTC]");
    let schedule = vec![Schedule { servers: 4, ..schedule }];
    let mut host = Host::new(Policy { schedule, ..policy() }, 3);
    host.pass(Span::from_mins(61), 40);
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: None });
    assert_eq!(host.decision().verdict, Verdict::ScaleDown(1), "{:?}", host.decision());
    host.tick(40);
    assert_eq!(host.decision().servers, 3);
}

#[test]
fn a_window_that_fills_says_for_how_much_longer_it_must() {
    let mut host = Host::new(policy(), 1);
    host.pass(Span::from_mins(2), 90);
    let decision = host.decision();
    let filled = decision.votes().next().unwrap().filled;
    assert!(!filled.is_zero());
    let remaining = Span::from_mins(5) - filled;
    assert_eq!(decision.flip, Some(Flip::Longer { rule: RuleId(0), remaining }));
}

#[test]
fn all_servers_in_use_is_a_reason() {
    let mut host = Host::new(policy(), 1);
    host.pass(Span::from_hours(1), 99);
    assert!(host.objects(|veto| *veto == Veto::AtMaximum), "{:?}", host.decision());
}

#[test]
fn the_minimum_serves_from_the_first_step_and_is_never_released() {
    let mut host = Host::new(Policy { min_standbys: 1, ..policy() }, 2);
    host.tick(1);
    assert_eq!(host.decision().verdict, Verdict::ScaleUp(1));
    assert_eq!(host.names()[0], "power-on");
    host.pass(Span::from_hours(3), 1);
    assert_eq!((host.stage(1), host.stage(2)), (Stage::Serving, Stage::Standby));
}

fn window(from: &str, until: &str) -> Schedule {
    Schedule {
        servers: 2,
        bound: Bound::Floor,
        from: Some(from.parse().unwrap()),
        until: Some(until.parse().unwrap()),
        cron: None,
        length: None,
        zone: None,
        gap: Gap::default(),
        fold: Fold::default(),
        lead: Span::ZERO,
        priority: 50,
    }
}

#[test]
fn the_end_of_a_schedule_needs_evidence_of_every_metric_that_could_ask_for_more() {
    let mut policy = policy();
    policy.up.push(up(Metric::Memory, 85));
    policy.down.push(down(Metric::Memory, 60));
    policy.schedule = vec![window("2026-03-02T00:10[UTC]", "2026-03-02T01:00[UTC]")];
    let mut host = Host::new(policy, 1);
    host.reach(Stage::Serving, 5);
    host.pass(Span::from_hours(2), 5);
    assert_eq!(host.stage(1), Stage::Serving, "memory is not known");
    let unknown = |veto: &Veto| *veto == Veto::Unknown { server: ServerId::PRIMARY };
    assert!(host.objects(unknown), "{:?}", host.decision());
    for machine in &mut host.machines {
        machine.memory = Some(50);
    }
    host.reach(Stage::Standby, 5);
}

#[test]
fn the_server_whose_load_is_unknown_is_named() {
    let mut policy = policy();
    policy.schedule = vec![window("2026-03-02T00:10[UTC]", "2026-03-02T01:00[UTC]")];
    let mut host = Host::new(policy, 2);
    host.reach(Stage::Serving, 5);
    host.machines[1].power = Power::Off;
    host.pass(Span::from_mins(10), 5);
    assert_eq!(host.stage(2), Stage::Serving, "it took the place of the one that died");
    while !host.objects(|veto| *veto == Veto::Unknown { server: ServerId(2) }) {
        assert_ne!(host.stage(2), Stage::Draining);
        host.machines[2].cpu = None;
        host.tick_as_it_is();
    }
}

#[test]
fn who_forbids_more_and_who_keeps_what_no_rule_needs_is_a_reason() {
    let mut policy = policy();
    policy.schedule = vec![window("2026-03-02T01:00[UTC]", "2026-03-02T09:00[UTC]")];
    let mut host = Host::new(policy.clone(), 1);
    host.ask(OperatorRequest::ScaleDown { by: 1, hold: Some(Span::from_hours(3)) });
    host.pass(Span::from_hours(2), 90);
    let by = |source| Veto::Outranked { by: source };
    assert!(host.objects(|veto| *veto == by(Source::Manual)), "{:?}", host.decision());
    host.pass(Span::from_hours(2), 5);
    let schedule = Source::Schedule(ScheduleId(0));
    assert!(host.objects(|veto| *veto == by(schedule)), "{:?}", host.decision());
    let mut host = Host::new(Policy { min_standbys: 1, schedule: Vec::new(), ..policy }, 1);
    host.pass(Span::from_hours(1), 5);
    assert!(host.objects(|veto| *veto == Veto::AtMinimum), "{:?}", host.decision());
}

#[test]
fn a_schedule_that_cannot_be_met_is_retried_until_its_window_ends() {
    let window = window("2026-03-02T01:00[UTC]", "2026-03-02T03:00[UTC]");
    let window = Schedule { lead: Span::from_mins(10), ..window };
    let mut host = Host::new(Policy { schedule: vec![window], ..Policy::default() }, 1);
    host.fails = vec!["start-services"];
    host.pass(Span::from_mins(49), 5);
    assert_eq!(host.names().len(), 0, "not before its lead");
    host.pass(Span::from_mins(61), 5);
    let starts = host.names().iter().filter(|name| **name == "power-on").count();
    assert!(starts > 3, "{starts} attempts");
    host.fails.clear();
    host.reach(Stage::Serving, 5);
    host.pass(Span::from_hours(1), 5);
    host.reach(Stage::Standby, 5);
}

#[test]
fn a_policy_that_does_not_pass_its_check_is_ignored() {
    let mut host = Host::new(policy(), 1);
    let bad = Policy { down: Vec::new(), ..policy() };
    host.ask(OperatorRequest::SetPolicy(Box::new(bad)));
    let mut quick = policy();
    host.tick(90);
    assert_eq!(host.decision().votes().count(), 2);
    quick.up[0].window = Span::from_mins(1);
    host.ask(OperatorRequest::SetPolicy(Box::new(quick)));
    host.pass(Span::from_mins(2), 90);
    assert_ne!(host.stage(1), Stage::Standby);
}

#[test]
fn a_message_that_was_overtaken_does_not_take_the_group_back_in_time() {
    let mut host = Host::new(policy(), 1);
    host.pass(Span::from_mins(4), 90);
    let mut view = ServerView::unknown(ServerId::PRIMARY);
    let before = host.now;
    view.cpu = Some(Dated::new(Ratio::from_percent(1), before - Span::from_mins(1)));
    host.step(Input::Observe(Observation { servers: vec![view], ..Observation::default() }));
    let vote = host.decision().votes[0].unwrap();
    assert_eq!((vote.opinion, vote.sampled_at), (Opinion::Filling, Some(before)));
    assert_eq!(vote.value, Some(Ratio::from_percent(90)));
}
