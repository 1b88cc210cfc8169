//! Decisions upon alerts, however they are notified.

use tidegate_core::decision::{Flip, Opinion, Verdict, Veto};
use tidegate_core::lifecycle::Stage;
use tidegate_core::{Alert, Observation, RuleId, ServerId, ServerView, Span, Timestamp};

use crate::host::{Host, TICK, listening};

const UP: RuleId = RuleId(0);
const DOWN: RuleId = RuleId(1);

const fn firing(rule: RuleId, since: Timestamp, at: Timestamp) -> Alert {
    Alert { rule, since, resolved: false, at }
}

#[test]
fn without_an_alert_nothing_scales_and_the_decision_says_so() {
    let mut host = Host::new(listening(), 1);
    host.pass(Span::from_hours(1), 90);
    assert_eq!(host.stage(1), Stage::Standby);
    assert!(host.objects(|veto| *veto == Veto::NoAlert { rule: UP }), "{:?}", host.decision());
    assert_eq!(host.decision().flip, Some(Flip::Alert { rule: UP }));
    host.notify(firing(UP, host.now, host.now));
    assert_eq!(host.decision().verdict, Verdict::ScaleUp(1));
}

#[test]
fn an_absent_alert_does_not_count_as_low() {
    let mut host = Host::new(listening(), 1);
    host.pass(Span::from_mins(1), 90);
    host.notify(firing(UP, host.now, host.now));
    host.reach(Stage::Serving, 90);
    host.pass(Span::from_hours(2), 5);
    assert_eq!(host.stage(1), Stage::Serving);
    assert!(host.objects(|veto| *veto == Veto::NoAlert { rule: DOWN }), "{:?}", host.decision());
    host.notify(firing(DOWN, host.now, host.now));
    host.reach(Stage::Standby, 5);
}

#[test]
fn an_alert_that_the_metric_contradicts_does_not_scale() {
    let mut host = Host::new(listening(), 1);
    host.pass(Span::from_mins(10), 20);
    host.notify(firing(UP, host.now - Span::from_mins(2), host.now));
    host.pass(Span::from_mins(10), 20);
    assert_eq!(host.stage(1), Stage::Standby);
    assert_eq!(host.decision().votes[0].unwrap().opinion, Opinion::Disagrees);
    host.tick(90);
    assert_eq!(host.decision().votes[0].unwrap().opinion, Opinion::Filling, "it was over before");
}

/// An alert of the load on one server says nothing about two.
#[test]
fn an_alert_from_before_a_server_joined_fills_its_window_anew() {
    let mut policy = listening();
    policy.cool_down.up = Span::ZERO;
    let mut host = Host::new(policy, 2);
    host.pass(Span::from_mins(1), 90);
    host.notify(firing(UP, host.now, host.now));
    host.reach(Stage::Serving, 90);
    let joined = host.now;
    while host.stage(2) == Stage::Standby {
        host.tick(90);
    }
    // The window begins with the sample that was known when the server joined.
    let took = host.now.since(joined) + TICK;
    assert!(took >= Span::from_mins(5) && took <= Span::from_mins(6), "{took}");
}

#[test]
fn late_and_doubled_notifications_change_nothing() {
    let mut host = Host::new(listening(), 1);
    host.pass(Span::from_mins(10), 90);
    let (first, second) = (host.now - Span::from_mins(8), host.now - Span::from_mins(1));
    let told = firing(UP, second, host.now);
    host.notify(Alert { resolved: true, ..told });
    let known = host.controller.snapshot();
    let step = host.last.clone();
    for late in [
        told,
        Alert { resolved: true, ..told },
        firing(UP, first, host.now),
        Alert { resolved: true, ..firing(UP, first, host.now) },
        firing(RuleId(7), host.now, host.now),
    ] {
        host.notify(late);
        assert_eq!(host.controller.snapshot(), known, "{late:?}");
        assert_eq!(host.last, step, "{late:?}");
    }
}

#[test]
fn a_repetition_that_was_overtaken_does_not_make_an_alert_older() {
    let mut host = Host::new(listening(), 1);
    host.pass(Span::from_hours(2), 90);
    let since = host.now - Span::from_hours(2);
    host.machines[0].cpu = None;
    let ages = [80, 3, 80];
    for minutes in ages {
        host.notify(firing(UP, since, host.now - Span::from_mins(minutes)));
    }
    assert_eq!(host.decision().verdict, Verdict::Hold);
    assert_eq!(host.stage(1), Stage::Starting, "the second one was fresh");
}

#[test]
fn an_observation_without_alerts_is_written_as_it_always_was() {
    let servers = vec![ServerView::unknown(ServerId(1))];
    let plain = Observation { servers: servers.clone(), ..Observation::default() };
    let text = serde_json::to_string(&plain).unwrap();
    assert_eq!(text, r#"[{"server":1}]"#);
    assert_eq!(serde_json::from_str::<Observation>(&text).unwrap(), plain);
    let at = Timestamp::default();
    for servers in [servers, Vec::new()] {
        let with = Observation { servers, alerts: vec![firing(UP, at, at)] };
        let text = serde_json::to_string(&with).unwrap();
        assert_eq!(serde_json::from_str::<Observation>(&text).unwrap(), with, "{text}");
    }
}
