use tidegate_core::policy::{Metric, Missing};
use tidegate_core::{RuleId, Span};

use super::*;

const SECOND: u64 = 1_000_000_000;

/// An up and a down rule, with a wait and an interval of a minute each and repeats of an hour and
/// of five minutes.
fn alertmanager() -> Alertmanager {
    let rule = |id, direction, percent| Rule {
        id: RuleId(id),
        direction,
        metric: Metric::Cpu,
        threshold: Ratio::from_percent(percent),
        window: Span::from_mins(5),
        missing: Missing::Reset,
    };
    Alertmanager::new(&Alerts {
        rules: vec![rule(0, Direction::Up, 75), rule(1, Direction::Down, 30)],
        group_wait: Span::from_mins(1),
        group_interval: Span::from_mins(1),
        repeat_up: Span::from_hours(1),
        repeat_down: Span::from_mins(5),
        delay: Span::from_secs(1),
    })
}

/// Evaluates each 15 s for `minutes`; what was notified: second, rule, since, resolved.
fn run(minutes: u64, cpu: impl Fn(u64) -> Option<u32>) -> Vec<(u64, usize, u64, bool)> {
    let (mut alertmanager, mut flushes) = (alertmanager(), Vec::new());
    let mut told = Vec::new();
    for now in (0..minutes * 60).step_by(15) {
        let value = cpu(now).map(Ratio::from_percent);
        alertmanager.evaluate(now * SECOND, |_| value, |at, index| flushes.push((at, index)));
        let due = flushes.iter().position(|(at, _)| *at == now * SECOND);
        if let Some((at, index)) = due.map(|due| flushes.remove(due)) {
            let (news, again) = alertmanager.flush(index, at);
            flushes.extend(again.map(|again| (again, index)));
            told.extend(news.map(|held| (now, index, held.since / SECOND, held.resolved)));
        }
    }
    told
}

#[test]
fn an_alert_fires_after_its_window_and_is_notified_after_the_wait() {
    let told = run(30, |now| Some(if now >= 600 { 90 } else { 50 }));
    assert_eq!(told, [(960, 0, 900, false)]);
}

#[test]
fn a_value_that_dips_or_is_missing_begins_the_window_anew() {
    for gap in [Some(75), None] {
        let told = run(30, |now| if now == 285 { gap } else { Some(90) });
        assert_eq!(told[0], (660, 0, 600, false), "{gap:?}");
    }
}

#[test]
fn what_is_over_within_the_wait_is_never_notified() {
    assert_eq!(run(30, |now| Some(if now < 345 { 90 } else { 50 })), []);
}

#[test]
fn a_resolved_alert_is_notified_once_at_the_next_interval() {
    let told = run(60, |now| Some(if now < 700 { 90 } else { 50 }));
    assert_eq!(told, [(360, 0, 300, false), (720, 0, 300, true)]);
}

/// A repeat comes with the first interval after its time, not at it.
#[test]
fn an_alert_that_still_fires_is_repeated() {
    let times = |told: Vec<(u64, usize, u64, bool)>| {
        told.iter().map(|(at, ..)| at / 60).collect::<Vec<_>>()
    };
    assert_eq!(times(run(140, |_| Some(90))), [6, 67, 128]);
    assert_eq!(times(run(20, |_| Some(9))), [6, 12, 18]);
}

#[test]
fn an_alert_that_fires_again_is_another_one() {
    let told = run(30, |now| Some(if now == 375 { 50 } else { 90 }));
    assert_eq!(told[..2], [(360, 0, 300, false), (420, 0, 300, true)]);
    assert_eq!(told[2], (750, 0, 690, false));
}
