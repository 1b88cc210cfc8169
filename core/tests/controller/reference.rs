//! The controller against a model of it: given the votes, a list of all that ever happened says
//! what rests and stabilization must make of them.

use proptest::prelude::*;
use tidegate_core::decision::{Decision, Direction, Opinion, Source, Verdict};
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::{CoolDown, Policy, Stabilization};
use tidegate_core::{RuleId, Span, Timestamp};

use crate::host::{Host, Taken, policy};

/// What the model remembers of one primary and one standby: lists, and whether a rule holds it.
#[derive(Default)]
struct Model {
    held: bool,
    /// When the standby began or ceased to serve, or its sequence ended.
    events: Vec<Timestamp>,
    /// How many servers were wanted at each step.
    wanted: Vec<(Timestamp, u16)>,
}

fn agree(decision: &Decision, direction: Direction) -> bool {
    let mut of = decision.votes().filter(|vote| vote.direction == direction).peekable();
    of.peek().is_some() && of.all(|vote| vote.opinion == Opinion::Agrees)
}

/// Whether CPU on one server alone would be within a margin of what asks for another.
fn too_much_for_one(decision: &Decision, serving: u32, policy: &Policy) -> bool {
    let value = decision.votes[1].and_then(|vote| vote.value);
    let limit = policy.up[0].above.ppm() - policy.evidence.projection_margin.ppm();
    value.is_none_or(|value| value.ppm() * serving >= limit)
}

impl Model {
    /// What must be decided with these votes while the standby is in `stage`.
    fn decide(
        &mut self,
        now: Timestamp,
        stage: Stage,
        votes: &Decision,
        policy: &Policy,
    ) -> Verdict {
        let serving = if stage == Stage::Serving { 2 } else { 1 };
        let rests = |length: Span| self.events.iter().any(|at| now.since(*at) < length);
        let on_its_way = stage.is_committed() && stage != Stage::Serving;
        if agree(votes, Direction::Up) {
            self.held |= !on_its_way && !rests(policy.cool_down.up);
        } else if self.held && agree(votes, Direction::Down) {
            self.held = rests(policy.cool_down.down) || too_much_for_one(votes, serving, policy);
        }
        let (wanted, committed) = (1 + u16::from(self.held), 1 + u16::from(stage.is_committed()));
        let more = |(at, servers): &(Timestamp, u16)| {
            now.since(*at) < policy.stabilization.down && *servers > wanted
        };
        let settled = !self.wanted.iter().any(more);
        self.wanted.push((now, wanted));
        if wanted > committed && stage != Stage::Stopping {
            Verdict::ScaleUp(1)
        } else if wanted < committed && settled && !too_much_for_one(votes, serving, policy) {
            Verdict::ScaleDown(1)
        } else {
            Verdict::Hold
        }
    }

    fn note(&mut self, now: Timestamp, before: Stage, after: Stage) {
        let began_or_ceased = (before == Stage::Serving) != (after == Stage::Serving);
        let moves = |stage| !matches!(stage, Stage::Standby | Stage::Serving | Stage::Faulted);
        if began_or_ceased || moves(before) && !moves(after) {
            self.events.push(now);
        }
    }
}

/// The stage that server 1 was in when it was decided, between input and effect.
fn decided_in(taken: &Taken) -> Stage {
    match (taken.decision.verdict, taken.before) {
        (Verdict::Hold, _) => taken.after,
        (Verdict::ScaleUp(_), Stage::Stopping) => Stage::Standby,
        (Verdict::ScaleDown(_), Stage::Joining) if taken.completes => Stage::Serving,
        (Verdict::ScaleUp(_) | Verdict::ScaleDown(_), before) => before,
    }
}

fn resting(up: i64, down: i64, stabilization: i64) -> Policy {
    Policy {
        cool_down: CoolDown { up: Span::from_mins(up), down: Span::from_mins(down) },
        stabilization: Stabilization { down: Span::from_mins(stabilization) },
        ..policy()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn rests_and_stabilization_are_what_the_list_of_events_says(
        loads in prop::collection::vec((0..=100u32, 1..12i64), 1..30),
        up in 0..20i64,
        down in 0..20i64,
        stabilization in 0..20i64,
    ) {
        let policy = resting(up, down, stabilization);
        let mut host = Host::new(policy.clone(), 1);
        let mut model = Model::default();
        for (cpu, minutes) in loads {
            let end = host.now + Span::from_mins(minutes);
            while host.now < end {
                host.tick(cpu);
                for taken in std::mem::take(&mut host.taken) {
                    let stage = decided_in(&taken);
                    model.note(taken.at, taken.before, stage);
                    let expected = model.decide(taken.at, stage, &taken.decision, &policy);
                    prop_assert_eq!(taken.decision.verdict, expected, "{:?}", taken.decision);
                    model.note(taken.at, stage, taken.after);
                                    }
            }
        }
    }

    /// Whatever runs, a rule's server is asked for by a rule whose window is full.
    #[test]
    fn a_rule_that_is_named_agrees(loads in prop::collection::vec(0..=100u32, 1..40)) {
        let mut host = Host::new(policy(), 2);
        for cpu in loads {
            for _ in 0..30 {
                host.tick(cpu);
                let decision = host.decision();
                if let (Verdict::ScaleUp(_), Some(Source::Rule(RuleId(rule)))) =
                    (decision.verdict, decision.source)
                {
                    let vote = decision.votes[usize::from(rule)].unwrap();
                    prop_assert_eq!(vote.opinion, Opinion::Agrees);
                }
            }
        }
    }
}
