use super::*;
use crate::ids::RuleId;
use crate::policy::{Metric, Missing};
use crate::time::Span;

fn rule(direction: Direction) -> Rule {
    let threshold = Ratio::from_percent(50);
    let (id, metric, missing) = (RuleId(0), Metric::Cpu, Missing::Reset);
    Rule { id, direction, metric, threshold, window: Span::from_mins(5), missing }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::default() + Span::from_mins(minute)
}

fn alert(since: i64, notified: i64) -> Alert {
    Alert { rule: RuleId(0), since: at(since), resolved: false, at: at(notified) }
}

/// The opinion of an up rule at a minute, with this CPU and this alert.
fn hear(window: &mut Window, minute: i64, cpu: Option<u32>, alert: Option<Alert>) -> Opinion {
    let value = cpu.map(|percent| Dated::new(Ratio::from_percent(percent), at(minute)));
    let (rule, evidence) = (rule(Direction::Up), Evidence::default());
    rule.vote_on_alert(window, value, alert.as_ref(), at(minute), &evidence).opinion
}

/// The same of a down rule that finds nothing to do, of which minute 0 was the last to be told.
fn hear_down(minute: i64) -> Opinion {
    let (rule, evidence) = (rule(Direction::Down), Evidence::default());
    let value = Dated::new(Ratio::from_percent(9), at(minute));
    let mut window = Window::default();
    rule.vote_on_alert(&mut window, Some(value), Some(&alert(0, 0)), at(minute), &evidence).opinion
}

#[test]
fn no_value_makes_up_for_an_alert() {
    let mut window = Window::default();
    for minute in 0..60 {
        assert_eq!(hear(&mut window, minute, Some(90), None), Opinion::Unheard);
    }
    let resolved = Alert { resolved: true, ..alert(5, 6) };
    assert_eq!(hear(&mut window, 60, Some(90), Some(resolved)), Opinion::Unheard);
    assert_eq!(hear(&mut window, 61, Some(90), Some(alert(5, 6))), Opinion::Agrees);
}

#[test]
fn a_notification_counts_for_its_time() {
    let mut window = Window::default();
    let old = Some(alert(0, 0));
    assert_eq!(hear(&mut window, 70, Some(90), old), Opinion::Agrees);
    assert_eq!(hear(&mut window, 71, Some(90), old), Opinion::Unheard);
    assert_eq!([15, 16].map(hear_down), [Opinion::Agrees, Opinion::Unheard]);
}

#[test]
fn a_value_that_contradicts_an_alert_makes_its_window_fill_again() {
    let mut window = Window::default();
    let firing = Some(alert(0, 1));
    assert_eq!(hear(&mut window, 1, Some(90), firing), Opinion::Agrees);
    assert_eq!(hear(&mut window, 2, Some(10), firing), Opinion::Disagrees);
    for minute in 3..8 {
        assert_eq!(hear(&mut window, minute, Some(90), firing), Opinion::Filling);
    }
    assert_eq!(hear(&mut window, 8, Some(90), firing), Opinion::Agrees);
    assert_eq!(hear(&mut window, 9, Some(10), firing), Opinion::Disagrees);
    assert_eq!(hear(&mut window, 10, Some(90), Some(alert(10, 10))), Opinion::Agrees);
}

#[test]
fn without_a_value_an_alert_may_add_a_server_and_not_release_one() {
    let mut window = Window::default();
    assert_eq!(hear(&mut window, 1, None, Some(alert(0, 1))), Opinion::Agrees);
    let evidence = Evidence::default();
    let (down, firing) = (rule(Direction::Down), alert(0, 1));
    let vote = down.vote_on_alert(&mut window, None, Some(&firing), at(1), &evidence);
    assert_eq!(vote.opinion, Opinion::Missing);
    let mut doubted = Window::empty(at(2));
    assert_eq!(hear(&mut doubted, 3, None, Some(alert(0, 1))), Opinion::Missing);
}
