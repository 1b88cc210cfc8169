//! `only-when-required`: for how long a metric was past its threshold, and what was granted.

use tidegate_core::decision::{Source, Verdict, Veto};
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::oracle::Panel;
use tidegate_core::policy::{EvidenceFrom, Metric, Policy};
use tidegate_core::{Ratio, RuleId, ScheduleId, Step};

use crate::{at, closing, decided, policy};

/// The rule's window and the age of evidence, in seconds.
const WINDOW: i64 = 300;
const GRACE: i64 = 120;

/// A look at the samples: its second, that of the oldest sample that it rests on, and per cent.
type Look = (i64, i64, u32);

/// How often it is violated by these looks and steps.
fn judged(policy: &Policy, looks: &[Look], steps: &[(i64, Step)]) -> u64 {
    judged_by(Panel::new(3, policy), looks, steps)
}

fn judged_by(mut panel: Panel, looks: &[Look], steps: &[(i64, Step)]) -> u64 {
    panel.step(at(0), &decided(1, Verdict::Hold));
    let mut looks = looks.iter().peekable();
    for (second, step) in steps {
        while let Some((when, taken, percent)) = looks.next_if(|(when, ..)| when <= second) {
            let (cpu, taken) = (Ratio::from_percent(*percent), at(*taken));
            panel.fact(at(*when), Fact::Sampled { cpu, memory: Ratio::from_percent(99), taken });
        }
        panel.step(at(*second), step);
    }
    let (verdicts, _) = panel.close(&closing(&[], &[]));
    verdicts.iter().find(|one| one.property == "only-when-required").unwrap().violated
}

/// A sample each ten seconds, from `from` to `to`, taken as it comes.
fn steady(from: i64, to: i64, percent: u32) -> Vec<Look> {
    (from..=to).step_by(10).map(|second| (second, second, percent)).collect()
}

fn up() -> Step {
    decided(1, Verdict::ScaleUp(1))
}

#[test]
fn a_metric_must_be_past_its_threshold_for_the_whole_window() {
    let policy = policy();
    for (to, violated) in [(WINDOW, 0), (WINDOW - 10, 1)] {
        assert_eq!(judged(&policy, &steady(0, to, 76), &[(to, up())]), violated, "{to}");
    }
    assert_eq!(judged(&policy, &steady(0, WINDOW, 75), &[(WINDOW, up())]), 1, "not past");
    let dip = [steady(0, 140, 90), steady(150, 150, 10), steady(160, 400, 90)].concat();
    assert_eq!(judged(&policy, &dip, &[(400, up())]), 1);
}

#[test]
fn prometheus_may_have_seen_it_any_time_since_a_host_looked_last() {
    let mut policy = policy();
    policy.evidence.from = EvidenceFrom::Alerts;
    for (to, violated) in [(WINDOW + 10, 0), (WINDOW, 1)] {
        let looks = [steady(10, 10, 10), steady(20, to, 90)].concat();
        let live = Panel::new(3, &policy).between_looks();
        assert_eq!(judged_by(live, &looks, &[(to, up())]), violated, "{to}");
        assert_eq!(judged(&policy, &looks, &[(to, up())]), 1, "{to}");
    }
}

#[test]
fn what_was_past_counts_for_as_long_as_evidence_does() {
    let over = [steady(0, WINDOW, 90), steady(WINDOW + 10, WINDOW + 200, 10)].concat();
    for (late, violated) in [(GRACE, 0), (GRACE + 1, 1)] {
        let step = (WINDOW + late, up());
        assert_eq!(judged(&policy(), &over, &[step]), violated, "{late}");
    }
}

#[test]
fn a_value_that_rests_on_the_same_samples_tells_nothing_new() {
    let again = [steady(0, WINDOW, 90), vec![(WINDOW + 60, WINDOW, 10)]].concat();
    assert_eq!(judged(&policy(), &again, &[(WINDOW + 500, up())]), 0);
    let old: Vec<_> = (0..=WINDOW).step_by(10).map(|second| (second, 0, 90)).collect();
    assert_eq!(judged(&policy(), &old, &[(WINDOW, up())]), 1, "one sample, looked at again");
    let mut alerted = policy();
    alerted.evidence.from = EvidenceFrom::Alerts;
    assert_eq!(judged(&alerted, &old, &[(WINDOW, up())]), 0, "Prometheus counts its looks");
}

#[test]
fn each_rule_is_judged_by_its_own_metric() {
    let mut policy = policy();
    policy.up[0].metric = Metric::Memory;
    assert_eq!(judged(&policy, &steady(0, WINDOW, 10), &[(WINDOW, up())]), 0);
}

#[test]
fn who_else_asks_is_not_judged() {
    for source in [Source::Manual, Source::Bounds, Source::Schedule(ScheduleId(0))] {
        let mut step = up();
        step.decision.source = Some(source);
        assert_eq!(judged(&policy(), &steady(0, WINDOW, 10), &[(WINDOW, step)]), 0);
    }
}

#[test]
fn a_rule_that_was_right_while_no_standby_was_free_may_have_it_later() {
    let looks = [steady(0, WINDOW, 90), steady(WINDOW + 10, 2_000, 10)].concat();
    for (veto, violated) in [(Veto::NoStandby { until: None }, 0), (Veto::AtMinimum, 1)] {
        let mut held_back = decided(1, Verdict::Hold);
        held_back.decision.object(veto);
        assert_eq!(judged(&policy(), &looks, &[(WINDOW, held_back), (2_000, up())]), violated);
    }
}

/// A minute's dip that nobody saw, or one longer ago than evidence is kept.
#[test]
fn what_comes_while_there_is_no_host_is_not_held_against_the_next() {
    for (taken_over, violated) in [(WINDOW + GRACE, 0), (WINDOW + GRACE + 1, 1)] {
        let looks = [steady(0, WINDOW - 10, 90), steady(WINDOW, WINDOW, 10)].concat();
        let mut panel = Panel::new(3, &policy());
        panel.step(at(0), &decided(1, Verdict::Hold));
        for (when, taken, percent) in looks {
            let (cpu, taken) = (Ratio::from_percent(percent), at(taken));
            panel.fact(at(when), Fact::Sampled { cpu, memory: cpu, taken });
        }
        panel.fact(at(taken_over), Fact::TookOver { term: 1 });
        let cpu = Ratio::from_percent(90);
        panel.fact(at(600), Fact::Sampled { cpu, memory: cpu, taken: at(600) });
        panel.step(at(600), &up());
        let (verdicts, _) = panel.close(&closing(&[], &[]));
        let verdict = verdicts.iter().find(|one| one.property == "only-when-required").unwrap();
        assert_eq!(verdict.violated, violated, "{taken_over}");
    }
}

#[test]
fn what_a_rule_gave_up_must_be_required_again_and_what_others_took_must_not() {
    let looks = [steady(0, WINDOW, 90), steady(2_000, 3_000, 10)].concat();
    for (source, violated) in [
        (Source::Rule(RuleId(1)), 1),
        (Source::Bounds, 1),
        (Source::Manual, 0),
        (Source::Schedule(ScheduleId(0)), 0),
    ] {
        let mut down = decided(2, Verdict::ScaleDown(1));
        down.decision.source = Some(source);
        let steps = [(WINDOW, up()), (2_000, down), (3_000, up())];
        assert_eq!(judged(&policy(), &looks, &steps), violated, "{source:?}");
    }
}
