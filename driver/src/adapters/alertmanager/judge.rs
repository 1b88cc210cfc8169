//! Whether a notification is true, by what Prometheus says fires now.

use tidegate_core::demand::trigger::Rule;
use tidegate_core::{Alert, Timestamp};

use super::notification::Notified;
use super::rules::labels;
use crate::adapters::prometheus::Firing;

/// What a notification is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// For the controller.
    True(Alert),
    /// For the log.
    Untrue(&'static str),
}

/// Judges a notification of `rule`, whose alert was last given as firing since `before`.
///
/// An alert does not fire longer than Prometheus says, nor from a time that is yet to come: where
/// its sender says so, it counts from the moment from which it is true. What has ceased to fire
/// ends all that was given of the rule before.
pub(super) fn judge(
    group: &str,
    rule: &Rule,
    notified: &Notified,
    before: Option<Timestamp>,
    firing: &[Firing],
    now: Timestamp,
) -> Judgement {
    let wanted = labels(group, rule);
    let is_ours = |firing: &&Firing| {
        wanted.iter().all(|(name, value)| firing.labels.get(*name) == Some(value))
    };
    // An alert begins to fire when it has been active for the whole window.
    let full = firing.iter().filter(is_ours).map(|firing| firing.active_at + rule.window).min();
    let told = notified.since.min(now);
    let alert = |since| Alert { rule: rule.id, since, resolved: notified.resolved, at: now };
    match full {
        Some(full) if !notified.resolved => Judgement::True(alert(told.max(full.min(now)))),
        None if !notified.resolved => Judgement::Untrue("it does not fire any more"),
        Some(full) if full <= told => Judgement::Untrue("it still fires"),
        // Another one fires since.
        Some(_) => Judgement::True(alert(told)),
        None => Judgement::True(alert(before.map_or(told, |before| told.max(before)))),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::decision::Direction;
    use tidegate_core::policy::{Metric, Missing};
    use tidegate_core::{Ratio, RuleId, Span};

    use super::*;

    const NOW: i64 = 1_000;

    const fn rule() -> Rule {
        Rule {
            id: RuleId(0),
            direction: Direction::Up,
            metric: Metric::Cpu,
            threshold: Ratio::from_percent(75),
            window: Span::from_secs(100),
            missing: Missing::Reset,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::default() + Span::from_secs(seconds)
    }

    fn firing(active: i64) -> Firing {
        let labels = labels("a", &rule()).into_iter();
        let labels = labels.map(|(name, value)| (name.to_owned(), value)).collect();
        Firing { labels, active_at: at(active) }
    }

    /// The verdict on an alert since then, where one is active since `active`.
    fn judged(since: i64, resolved: bool, active: Option<i64>) -> Judgement {
        let notified = Notified {
            fingerprint: String::new(),
            group: "a".to_owned(),
            rule: Some(RuleId(0)),
            condition: String::new(),
            since: at(since),
            resolved,
        };
        let firing: Vec<_> = active.into_iter().map(firing).collect();
        judge("a", &rule(), &notified, Some(at(500)), &firing, at(NOW))
    }

    fn given(since: i64, resolved: bool) -> Judgement {
        Judgement::True(Alert { rule: RuleId(0), since: at(since), resolved, at: at(NOW) })
    }

    #[test]
    fn what_fires_counts_from_when_it_was_notified_or_is_true() {
        assert_eq!(judged(700, false, Some(590)), given(700, false));
        assert_eq!(judged(600, false, Some(590)), given(690, false), "another one fires since");
        assert_eq!(judged(2_000, false, Some(590)), given(NOW, false), "no alert is of the future");
        assert_eq!(judged(700, false, Some(990)), given(NOW, false), "nor one that was restarted");
        assert!(matches!(judged(700, false, None), Judgement::Untrue(_)));
    }

    #[test]
    fn what_is_resolved_does_not_fire() {
        assert_eq!(judged(700, true, None), given(700, true));
        assert_eq!(judged(300, true, None), given(500, true), "all that was given is over");
        assert!(matches!(judged(700, true, Some(590)), Judgement::Untrue(_)));
        assert_eq!(judged(300, true, Some(590)), given(300, true), "another one fires since");
    }

    #[test]
    fn the_alert_of_another_rule_is_none() {
        let mut other = firing(590);
        other.labels.insert("tidegate_condition".to_owned(), "cpu > 1% for 1s".to_owned());
        let notified = Notified {
            fingerprint: String::new(),
            group: "a".to_owned(),
            rule: Some(RuleId(0)),
            condition: String::new(),
            since: at(700),
            resolved: false,
        };
        for firing in [vec![other], Vec::new()] {
            let judged = judge("a", &rule(), &notified, None, &firing, at(NOW));
            assert!(matches!(judged, Judgement::Untrue(_)));
        }
        let ours = judge("b", &rule(), &notified, None, &[firing(590)], at(NOW));
        assert!(matches!(ours, Judgement::Untrue(_)), "nor is that of another group");
    }
}
