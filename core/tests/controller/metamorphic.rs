//! What must not change a decision: which week it is, and in which order servers are listed.

use proptest::prelude::*;
use tidegate_core::policy::{Bound, Fold, Gap, Policy, Schedule};
use tidegate_core::{Command, Input, OperatorRequest, Span, Step, Timestamp};

use crate::host::{Host, policy};

/// An hour at one load, and what a person asks for before it.
#[derive(Clone, Debug)]
struct Hour {
    cpu: u32,
    asks: Option<bool>,
    jobs: u32,
}

fn hours() -> impl Strategy<Value = Vec<Hour>> {
    let hour = (0..=100u32, prop::option::weighted(0.2, any::<bool>()), 0..2u32);
    prop::collection::vec(hour.prop_map(|(cpu, asks, jobs)| Hour { cpu, asks, jobs }), 1..12)
}

/// Rules, and a window on each weekday that is open for three hours from one on.
fn scheduled() -> Policy {
    let schedule = Schedule {
        servers: 3,
        bound: Bound::Floor,
        from: None,
        until: None,
        cron: Some("0 1 * * 1-5".to_owned()),
        length: Some(Span::from_hours(3)),
        zone: Some("UTC".to_owned()),
        gap: Gap::default(),
        fold: Fold::default(),
        lead: Span::from_mins(10),
        priority: 50,
    };
    Policy { schedule: vec![schedule], ..policy() }
}

/// All steps of these hours; `observe` may rearrange what is seen.
fn live(mut host: Host, hours: &[Hour], rearrange: fn(&mut Input)) -> Vec<Step> {
    let mut steps = Vec::new();
    for hour in hours {
        match hour.asks {
            Some(true) => host.ask(OperatorRequest::ScaleUp { by: 1, hold: None }),
            Some(false) => host.ask(OperatorRequest::ScaleDown { by: 1, hold: None }),
            None => {}
        }
        host.machines[1].jobs = hour.jobs;
        for _ in 0..120 {
            host.tick(hour.cpu);
            steps.extend(host.last.clone());
            let mut seen = Input::Observe(host.observation());
            rearrange(&mut seen);
            host.step(seen);
            steps.extend(host.last.clone());
        }
    }
    steps
}

/// Each moment of `step` a length later, as far as a step tells of moments.
fn later(step: &Step, by: Span) -> (Vec<Timestamp>, Option<Timestamp>) {
    let deadlines = step.commands.iter().map(|command| command.deadline + by).collect();
    (deadlines, step.wake_at.map(|at| at + by))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(24)
    })]

    #[test]
    fn a_week_later_everything_is_decided_a_week_later(hours in hours(), weeks in 1..100i64) {
        let by = Span::from_hours(24 * 7).times(weeks);
        let now = Host::new(scheduled(), 2);
        let mut then = Host::new(scheduled(), 2);
        then.now = then.now + by;
        let (now, then) = (live(now, &hours, |_| {}), live(then, &hours, |_| {}));
        for (one, other) in now.iter().zip(&then) {
            prop_assert!(one.decision.reads_like(&other.decision), "{one:?}\n{other:?}");
            prop_assert_eq!(later(one, by), later(other, Span::ZERO));
            let kinds = |step: &Step| -> Vec<_> {
                let fence = |one: &Command| (one.id, one.server, one.generation, one.kind);
                step.commands.iter().map(fence).collect()
            };
            prop_assert_eq!(kinds(one), kinds(other));
        }
    }

    #[test]
    fn the_order_in_which_servers_are_listed_changes_nothing(hours in hours()) {
        let reverse = |input: &mut Input| {
            if let Input::Observe(observation) = input {
                observation.servers.reverse();
            }
        };
        let plain = live(Host::new(scheduled(), 3), &hours, |_| {});
        prop_assert_eq!(plain, live(Host::new(scheduled(), 3), &hours, reverse));
    }
}
