//! What the servers' properties excuse: a server that something broke, for as long as nobody could
//! know, and what is nobody's fault.

use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::oracle::Panel;
use tidegate_core::{RequestId, ServerId, Span};

use crate::{ARRIVED, REQUEST, ROUTED, STANDBY, at, closing, policy, power, ready};

/// How old evidence may be under the default policy, in seconds.
const GRACE: i64 = 120;

/// How often these properties are violated by facts at their seconds.
fn violations(told: &[(i64, Fact)]) -> [u64; 3] {
    let mut panel = Panel::new(2, &policy());
    for (second, fact) in told {
        panel.fact(at(*second), *fact);
    }
    let failed = panel.failed_by_scaling();
    let (verdicts, _) = panel.close(&closing(&[], &[]));
    let of = |name| verdicts.iter().find(|one| one.property == name).unwrap().violated;
    assert_eq!(of("no-failed-request"), failed);
    ["route-ready", "drain-clean", "no-failed-request"].map(of)
}

const fn failed(server: Option<ServerId>, cause: FailureCause) -> Fact {
    Fact::RequestFailed { request: REQUEST, server, cause, after: Span::ZERO }
}

const fn receives(receives: bool) -> Fact {
    Fact::RoutingChanged { server: STANDBY, receives }
}

const BROKE: Fact = Fact::Broke { server: STANDBY };
const PRIMARY_READY: Fact = Fact::ReadyChanged { server: ServerId::PRIMARY, ready: true };

/// The standby serves from second 10 on and breaks at 100.
fn broken() -> Vec<(i64, Fact)> {
    let all = [PRIMARY_READY, ready(true), receives(true)].map(|fact| (10, fact));
    [&all[..], &[(100, BROKE), (100, ready(false))]].concat()
}

fn then(begins: &[(i64, Fact)], ends: &[(i64, Fact)]) -> [u64; 3] {
    violations(&[begins, ends].concat())
}

#[test]
fn what_is_sent_to_a_server_that_broke_while_it_had_traffic_is_excused() {
    let refused = (102, failed(Some(STANDBY), FailureCause::Refused));
    let begins = [&broken()[..], &[(101, ARRIVED), (101, ROUTED)]].concat();
    assert_eq!(then(&begins, &[refused]), [0, 0, 0]);
    assert_eq!(then(&begins, &[(102, failed(Some(STANDBY), FailureCause::Killed))]), [0, 0, 0]);
    let stopped =
        [(10, PRIMARY_READY), (10, ready(true)), (10, receives(true)), (50, ready(false))];
    assert_eq!(then(&stopped, &[(101, ROUTED), refused]), [1, 0, 1], "a command stopped it");
}

#[test]
fn a_server_that_broke_without_traffic_may_join_within_the_age_of_evidence() {
    let begins = [(10, ready(true)), (100, BROKE), (100, ready(false))];
    for (after, violated) in [(GRACE, 0), (GRACE + 1, 1)] {
        let joins = [(100 + after, receives(true)), (100 + after, ROUTED)];
        assert_eq!(then(&begins, &joins), [violated, 0, 0], "{after}");
        let refused = failed(Some(STANDBY), FailureCause::Refused);
        let told = [joins[0], joins[1], (100 + after, refused)];
        assert_eq!(then(&begins, &told), [violated, 0, violated], "{after}");
    }
}

#[test]
fn the_excuse_ends_when_it_is_ready_again() {
    let mended = [(200, ready(true)), (300, ready(false)), (301, ROUTED)];
    let refused = (302, failed(Some(STANDBY), FailureCause::Refused));
    assert_eq!(then(&broken(), &mended), [1, 0, 0]);
    assert_eq!(then(&broken(), &[&mended[..], &[refused]].concat()), [1, 0, 1]);
}

#[test]
fn no_server_at_all_is_excused_only_by_one_that_broke() {
    let nobody = |second| (second, failed(None, FailureCause::NoServer));
    assert_eq!(violations(&[(10, PRIMARY_READY), nobody(20)]), [0, 0, 1]);
    assert_eq!(then(&broken(), &[nobody(5_000)]), [0, 0, 0], "it is still broken");
    let mended = [&broken()[..], &[(200, ready(true))]].concat();
    assert_eq!(then(&mended, &[nobody(200 + GRACE)]), [0, 0, 0], "the proxy cannot know yet");
    assert_eq!(then(&mended, &[nobody(201 + GRACE)]), [0, 0, 1]);
}

#[test]
fn a_server_that_was_unfit_without_a_break_is_to_blame_for_its_failures() {
    let causes = [
        FailureCause::QueueFull,
        FailureCause::OutOfMemory,
        FailureCause::Overloaded,
        FailureCause::TimedOut,
        FailureCause::RedisFull,
        FailureCause::Unreachable,
        FailureCause::Unavailable,
    ];
    for cause in causes {
        let told = (30, failed(Some(STANDBY), cause));
        assert_eq!(violations(&[(10, ready(true)), (20, ROUTED), told]), [0, 0, 0], "{cause:?}");
        let unfit = [(10, ready(true)), (20, ROUTED), (25, ready(false)), told];
        assert_eq!(violations(&unfit), [0, 0, 1], "{cause:?}");
        let broke = [(101, ROUTED), (102, failed(Some(STANDBY), cause))];
        assert_eq!(then(&broken(), &broke), [0, 0, 0], "{cause:?}");
        let proxy = (30, failed(None, cause));
        assert_eq!(violations(&[(10, ready(true)), proxy]), [0, 0, 0], "{cause:?} at the proxy");
    }
    let killed = (30, failed(None, FailureCause::Killed));
    assert_eq!(violations(&[killed]), [0, 0, 1]);
}

#[test]
fn a_request_that_went_elsewhere_or_ended_does_not_keep_a_server_from_stopping() {
    let stop = (90, Fact::ServicesStopped { server: STANDBY });
    let begins = [(10, ready(true)), (20, ROUTED)];
    assert_eq!(then(&begins, &[stop]), [0, 1, 0]);
    let elsewhere = Fact::RequestRedispatched { request: REQUEST, server: STANDBY };
    assert_eq!(then(&begins, &[(30, elsewhere), stop]), [0, 0, 0]);
    let timed_out = failed(Some(STANDBY), FailureCause::TimedOut);
    assert_eq!(then(&begins, &[(30, timed_out), stop]), [0, 0, 0]);
    let other = Fact::RequestRouted { request: RequestId(1), server: STANDBY };
    assert_eq!(then(&begins, &[(30, timed_out), (31, other), stop]), [0, 1, 0]);
}

#[test]
fn only_a_power_off_that_was_commanded_is_judged() {
    let begins = [(10, power(true)), (10, ready(true)), (20, ROUTED)];
    assert_eq!(then(&begins, &[(30, power(false))]), [0, 1, 0]);
    let crash = Fact::PowerChanged { server: STANDBY, on: false, commanded: false };
    assert_eq!(then(&begins, &[(30, crash)]), [0, 0, 0]);
    assert_eq!(then(&begins, &[(30, power(true))]), [0, 0, 0]);
}
