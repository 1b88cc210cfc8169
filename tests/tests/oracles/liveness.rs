//! `demand-met` and `standby-restored`: what is too late, and what may take longer.

use tidegate_core::decision::{Decision, Source, Verdict, Veto};
use tidegate_core::fact::{Fact, FactSink, FailureCause, Flow};
use tidegate_core::oracle::{Closing, Panel};
use tidegate_core::policy::Policy;
use tidegate_core::{JobId, RequestId, ServerId, Span, Step};

use crate::{STANDBY, at, closing, power, ready};

/// Start, warm and three joins, two stops, each as the policy says, and two minutes.
const BOUND: i64 = (5 + 5 + 3 + 5 + 5 + 2) * 60;

#[derive(Clone)]
enum Told {
    Fact(i64, Fact),
    Step(i64, Box<Step>),
}

/// What is violated by these facts and steps, each at its second, until `end`.
fn violated(policy: &Policy, told: &[Told], end: i64) -> Vec<&'static str> {
    let mut panel = Panel::new(3, policy);
    panel.fact(at(0), Fact::ReadyChanged { server: ServerId::PRIMARY, ready: true });
    panel.fact(at(0), Fact::RoutingChanged { server: ServerId::PRIMARY, receives: true });
    for one in told {
        match one {
            Told::Fact(second, fact) => panel.fact(at(*second), *fact),
            Told::Step(second, step) => panel.step(at(*second), step),
        }
    }
    let (verdicts, _) = panel.close(&Closing { end: at(end), ..closing(&[], &[]) });
    let live = ["demand-met", "standby-restored"];
    let broken = verdicts.into_iter().filter(|one| !one.holds()).map(|one| one.property);
    broken.filter(|property| live.contains(property)).collect()
}

fn wants(servers: u16, veto: Option<Veto>) -> Step {
    let mut decision = Decision {
        servers: 1,
        wanted: servers,
        verdict: Verdict::Hold,
        source: None,
        votes: Default::default(),
        vetoes: Default::default(),
        flip: None,
    };
    if let Some(veto) = veto {
        decision.object(veto);
    }
    Step { commands: Vec::new(), decision, wake_at: None }
}

fn fact(second: i64, fact: Fact) -> Told {
    Told::Fact(second, fact)
}

fn step(second: i64, servers: u16) -> Told {
    Told::Step(second, Box::new(wants(servers, None)))
}

fn refused(second: i64, until: Option<i64>) -> Told {
    Told::Step(second, Box::new(wants(2, Some(Veto::NoStandby { until: until.map(at) }))))
}

const fn routing(receives: bool) -> Fact {
    Fact::RoutingChanged { server: STANDBY, receives }
}

const BEGAN: Fact = Fact::FaultBegan { fault: 0 };
const ENDED: Fact = Fact::FaultEnded { fault: 0 };

fn serves(second: i64) -> [Told; 3] {
    [power(true), ready(true), routing(true)].map(|one| fact(second, one))
}

fn leaves(second: i64) -> [Told; 1] {
    [fact(second, routing(false))]
}

#[test]
fn fewer_servers_than_are_wanted_for_too_long_violate_demand_met() {
    let policy = Policy::default();
    for (length, expected) in [(BOUND, vec![]), (BOUND + 1, vec!["demand-met"])] {
        let told = [step(10, 2), step(10 + length, 2)];
        assert_eq!(violated(&policy, &told, 10 + length), expected, "{length}");
        assert_eq!(violated(&policy, &told[..1], 10 + length), expected, "at the end: {length}");
    }
    let met = [&[step(10, 2)], &serves(900)[..], &[step(9_000, 2)]].concat();
    assert_eq!(violated(&policy, &met, 9_000), Vec::<&str>::new());
    let late = [&[step(10, 2), step(9_000, 2)], &serves(9_001)[..]].concat();
    assert_eq!(violated(&policy, &late, 9_100), ["demand-met"]);
}

#[test]
fn a_server_that_is_ready_or_routed_to_alone_does_not_serve() {
    for half in [ready(true), routing(true)] {
        let told = [step(10, 2), fact(20, half), step(9_000, 2)];
        assert_eq!(violated(&Policy::default(), &told, 9_000), ["demand-met"], "{half:?}");
    }
}

#[test]
fn the_time_counts_from_the_last_increase_and_not_from_before_one_was_lost() {
    let two = [&[step(10, 2)], &serves(500)[..], &[step(BOUND, 3)]].concat();
    let told = [&two[..], &[step(2 * BOUND, 3)]].concat();
    assert_eq!(violated(&Policy::default(), &told, 2 * BOUND), Vec::<&str>::new());
    let told = [&two[..], &[step(2 * BOUND + 1, 3)]].concat();
    assert_eq!(violated(&Policy::default(), &told, 2 * BOUND + 1), ["demand-met"]);
}

#[test]
fn what_lasts_is_told_once_and_told_again_when_it_comes_again() {
    let mut panel = Panel::new(2, &Policy::default());
    let mut round = |begins: i64| {
        panel.step(at(begins), &wants(2, None));
        for minute in 1..60 {
            panel.step(at(begins + BOUND + 60 * minute), &wants(2, None));
        }
        panel.step(at(begins + BOUND + 4_000), &wants(0, None));
    };
    round(10);
    round(90_000);
    let (verdicts, _) = panel.close(&closing(&[], &[]));
    let met = verdicts.iter().find(|one| one.property == "demand-met").unwrap();
    assert_eq!(met.violated, 2);
    assert!(met.violations.iter().all(|one| one.decision.is_some()));
}

#[test]
fn while_a_fault_lasts_nothing_is_late_and_afterwards_the_bound_begins() {
    let policy = Policy::default();
    let during = [fact(5, BEGAN), step(10, 2), step(90_000, 2)];
    assert_eq!(violated(&policy, &during, 90_000), Vec::<&str>::new());
    for (after, expected) in [(BOUND, vec![]), (BOUND + 1, vec!["demand-met"])] {
        let told = [&during[..], &[fact(90_000, ENDED), step(90_000 + after, 2)]].concat();
        assert_eq!(violated(&policy, &told, 90_000 + after), expected);
    }
    let two = [fact(5, BEGAN), fact(6, BEGAN), step(10, 2), fact(20, ENDED), step(90_000, 2)];
    assert_eq!(violated(&policy, &two, 90_000), Vec::<&str>::new(), "one of two has ended");
}

#[test]
fn a_rest_that_the_decision_names_is_added() {
    let policy = Policy::default();
    let rests = [step(10, 2), refused(20, Some(5_000))];
    for (end, expected) in [(5_000 + BOUND, vec![]), (5_001 + BOUND, vec!["demand-met"])] {
        assert_eq!(violated(&policy, &[&rests[..], &[step(end, 2)]].concat(), end), expected);
    }
    let unknown = [step(10, 2), refused(20, None), step(11 + BOUND, 2)];
    assert_eq!(violated(&policy, &unknown, 11 + BOUND), ["demand-met"]);
}

#[test]
fn a_standby_that_still_works_for_others_is_waited_for() {
    let job = Fact::JobStarted { job: JobId(0), server: STANDBY };
    let told = [fact(5, job), step(10, 2), refused(3_000, None), step(3_001, 2)];
    assert_eq!(violated(&Policy::default(), &told, 3_001), Vec::<&str>::new());
    let done = Fact::JobCompleted { job: JobId(0), server: STANDBY };
    let told = [fact(5, job), fact(6, done), step(10, 2), refused(3_000, None), step(3_001, 2)];
    assert_eq!(violated(&Policy::default(), &told, 3_001), ["demand-met"]);
}

#[test]
fn power_without_traffic_and_without_work_violates_standby_restored() {
    let on = [fact(10, power(true))];
    for (length, expected) in [(BOUND, vec![]), (BOUND + 1, vec!["standby-restored"])] {
        let told = [&on[..], &[step(10 + length, 1)]].concat();
        assert_eq!(violated(&Policy::default(), &told, 10 + length), expected);
    }
    let off = [fact(10, power(true)), fact(20, power(false)), step(9_000, 1)];
    assert_eq!(violated(&Policy::default(), &off, 9_000), Vec::<&str>::new());
    let primary = Fact::PowerChanged { server: ServerId::PRIMARY, on: true, commanded: true };
    let hidden = Fact::RoutingChanged { server: ServerId::PRIMARY, receives: false };
    let told = [fact(10, primary), fact(10, hidden), step(9_000, 0)];
    assert_eq!(violated(&Policy::default(), &told, 9_000), Vec::<&str>::new(), "it is always on");
}

#[test]
fn a_drained_server_keeps_its_power_while_work_is_on_it() {
    let request = RequestId(7);
    let routed = fact(20, Fact::RequestRouted { request, server: STANDBY });
    let started = fact(20, Fact::JobStarted { job: JobId(0), server: STANDBY });
    let (latency, wait) = (Span::from_secs(1), Span::ZERO);
    let served = Fact::RequestServed { request, server: STANDBY, latency, wait };
    let ends = [
        (routed.clone(), served),
        (routed, Fact::RequestRedispatched { request, server: STANDBY }),
        (started.clone(), Fact::JobKilled { job: JobId(0), server: STANDBY }),
        (started.clone(), Fact::JobFailed { job: JobId(0), server: STANDBY }),
        (started, Fact::JobCompleted { job: JobId(0), server: STANDBY }),
    ];
    for (begins, ends) in ends {
        let busy = [&serves(10)[..], &[begins], &leaves(30)].concat();
        let policy = Policy::default();
        let told = [&busy[..], &[step(9_000, 1)]].concat();
        assert_eq!(violated(&policy, &told, 9_000), Vec::<&str>::new(), "{ends:?}");
        let told = [&busy[..], &[fact(9_000, ends), step(9_001 + BOUND, 1)]].concat();
        assert_eq!(violated(&policy, &told, 9_001 + BOUND), ["standby-restored"], "{ends:?}");
    }
}

#[test]
fn what_the_calendar_asks_for_is_wanted_whatever_the_controller_decides() {
    let text = "servers = 2\nfrom = \"1970-01-01T00:10[UTC]\"\nuntil = \"1970-01-01T12:00[UTC]\"\n";
    let schedule = toml::from_str(text).unwrap();
    let policy = Policy { schedule: vec![schedule], ..Policy::default() };
    for (end, expected) in [(600 + BOUND, vec![]), (601 + BOUND, vec!["demand-met"])] {
        let told = [step(10, 1), step(600, 1), step(end, 1)];
        assert_eq!(violated(&policy, &told, end), expected);
    }
    let after = [step(10, 1), step(12 * 3_600, 1), step(24 * 3_600, 1)];
    assert_eq!(violated(&policy, &after, 24 * 3_600), Vec::<&str>::new());
    let paused = Veto::Paused { until: at(90_000) };
    let manual = Veto::Outranked { by: Source::Manual };
    for veto in [paused, manual] {
        let held = Told::Step(601 + BOUND, Box::new(wants(1, Some(veto))));
        assert_eq!(violated(&policy, &[step(10, 1), held], 601 + BOUND), Vec::<&str>::new());
    }
}

#[test]
fn work_in_flows_keeps_the_power_of_a_drained_server_too() {
    let flow = |second, flow| fact(second, Fact::Flow(flow));
    let (count, server) = (3, STANDBY);
    let cause = FailureCause::TimedOut;
    let pairs = [
        (Flow::Routed { count, server }, Flow::Served { count, server }),
        (Flow::Routed { count, server }, Flow::Failed { count, server: Some(server), cause }),
        (Flow::JobsStarted { count, server }, Flow::JobsCompleted { count, server }),
        (Flow::JobsStarted { count, server }, Flow::JobsKilled { count, server }),
    ];
    for (begins, ends) in pairs {
        let busy = [&serves(10)[..], &[flow(20, begins)], &leaves(30)].concat();
        let policy = Policy::default();
        let told = [&busy[..], &[step(9_000, 1)]].concat();
        assert_eq!(violated(&policy, &told, 9_000), Vec::<&str>::new(), "{ends:?}");
        let told = [&busy[..], &[flow(9_000, ends), step(9_001 + BOUND, 1)]].concat();
        assert_eq!(violated(&policy, &told, 9_001 + BOUND), ["standby-restored"], "{ends:?}");
    }
}
