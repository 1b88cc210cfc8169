//! `one-writer` and `no-flap`: who acted, and whether the same load asked again.

use tidegate_core::decision::{Source, Verdict};
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::oracle::Panel;
use tidegate_core::policy::{CoolDown, Metric, Policy, Stabilization};
use tidegate_core::{Generation, Ratio, RuleId, ScheduleId, ServerId, Span};

use crate::{STANDBY, at, closing, decided, policy};

fn applied(server: ServerId, term: u32, sequence: u64) -> Fact {
    Fact::CommandApplied { server, generation: Generation(sequence).in_term(term) }
}

/// How often one writer is violated.
fn writers(facts: &[Fact]) -> u64 {
    let mut panel = Panel::new(2, &policy());
    for fact in facts {
        panel.fact(at(0), *fact);
    }
    let (verdicts, _) = panel.close(&closing(&[], &[]));
    verdicts.iter().find(|one| one.property == "one-writer").unwrap().violated
}

#[test]
fn a_host_that_was_taken_over_and_acts_violates_one_writer() {
    let took = Fact::TookOver { term: 2 };
    let (old, new) = (applied(STANDBY, 1, 9), applied(STANDBY, 2, 1));
    assert_eq!(writers(&[applied(STANDBY, 0, 1), old, took, new, new]), 0);
    assert_eq!(writers(&[took, old]), 1);
    assert_eq!(writers(&[took, new, old, old]), 2);
    assert_eq!(writers(&[took, applied(ServerId::PRIMARY, 1, 9)]), 1, "on any server");
    assert_eq!(writers(&[took, Fact::TookOver { term: 1 }, old]), 1, "a term does not go back");
}

#[test]
fn a_command_of_a_sequence_that_was_left_violates_one_writer() {
    assert_eq!(writers(&[applied(STANDBY, 0, 3), applied(STANDBY, 0, 3)]), 0, "a repetition");
    assert_eq!(writers(&[applied(STANDBY, 0, 3), applied(STANDBY, 0, 2)]), 1);
    let one = applied(ServerId::PRIMARY, 0, 2);
    assert_eq!(writers(&[applied(STANDBY, 0, 3), one]), 0, "each server has its own");
    let late = [applied(STANDBY, 0, 3), applied(STANDBY, 0, 2), applied(STANDBY, 0, 2)];
    assert_eq!(writers(&late), 2, "what it did does not lower the fence");
}

/// An up rule of each metric; what was released more than twenty minutes ago was right then.
fn rules() -> Policy {
    let mut policy = policy();
    policy.up.push(policy.up[0].clone());
    policy.up[1].metric = Metric::Memory;
    policy.cool_down = CoolDown { up: Span::from_mins(5), ..CoolDown::default() };
    policy.stabilization = Stabilization { down: Span::from_mins(10) };
    policy
}

const CPU: Source = Source::Rule(RuleId(0));
const MEMORY: Source = Source::Rule(RuleId(1));

/// What happens between a release and the next request for a server.
struct Flap {
    released_by: Source,
    asked_by: Source,
    /// CPU and memory in per cent, of two servers before and of one after.
    before: (u32, u32),
    after: (u32, u32),
    minutes: i64,
    between: Option<Fact>,
}

const FLAP: Flap = Flap {
    released_by: CPU,
    asked_by: CPU,
    before: (45, 50),
    after: (90, 50),
    minutes: 20,
    between: None,
};

fn flaps(flap: &Flap) -> bool {
    let mut panel = Panel::new(2, &rules());
    let routing = |server, receives| Fact::RoutingChanged { server, receives };
    let sampled = |(cpu, memory)| Fact::Sampled {
        cpu: Ratio::from_percent(cpu),
        memory: Ratio::from_percent(memory),
        taken: at(0),
    };
    panel.fact(at(0), routing(ServerId::PRIMARY, true));
    panel.fact(at(0), routing(STANDBY, true));
    panel.fact(at(0), sampled(flap.before));
    let mut down = decided(2, Verdict::ScaleDown(1));
    down.decision.source = Some(flap.released_by);
    panel.step(at(0), &down);
    panel.fact(at(60), routing(STANDBY, false));
    panel.fact(at(60), sampled(flap.after));
    flap.between.into_iter().for_each(|fact| panel.fact(at(60), fact));
    panel.step(at(90), &decided(1, Verdict::Hold));
    let mut up = decided(1, Verdict::ScaleUp(1));
    up.decision.source = Some(flap.asked_by);
    panel.step(at(60 * flap.minutes), &up);
    panel.step(at(60 * flap.minutes), &up);
    let (verdicts, _) = panel.close(&closing(&[], &[]));
    let verdict = verdicts.iter().find(|one| one.property == "no-flap").unwrap();
    assert_eq!(verdict.checked, 2);
    assert!(verdict.violated <= 1, "a release counts once");
    !verdict.holds()
}

#[test]
fn a_rule_that_asks_again_under_the_same_load_violates_no_flap() {
    assert!(flaps(&FLAP));
    assert!(flaps(&Flap { after: (94, 50), ..FLAP }), "within a twentieth");
    assert!(flaps(&Flap { released_by: Source::Schedule(ScheduleId(0)), ..FLAP }));
    assert!(flaps(&Flap { asked_by: MEMORY, after: (10, 52), ..FLAP }), "memory is not divided");
}

#[test]
fn another_load_another_time_or_another_reason_is_no_flap() {
    assert!(!flaps(&Flap { after: (95, 50), ..FLAP }), "more load");
    assert!(!flaps(&Flap { asked_by: MEMORY, after: (90, 53), ..FLAP }), "more memory");
    assert!(!flaps(&Flap { minutes: 21, ..FLAP }), "long ago");
    assert!(!flaps(&Flap { released_by: Source::Manual, ..FLAP }), "a person released it");
    assert!(!flaps(&Flap { asked_by: Source::Manual, ..FLAP }), "a person asks");
    assert!(!flaps(&Flap { asked_by: Source::Schedule(ScheduleId(0)), ..FLAP }));
    let broke = Some(Fact::Broke { server: STANDBY });
    assert!(!flaps(&Flap { between: broke, ..FLAP }), "something broke");
    assert!(!flaps(&Flap { between: Some(Fact::FaultBegan { fault: 0 }), ..FLAP }));
}
