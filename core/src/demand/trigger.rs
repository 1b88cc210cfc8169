//! Triggered rules: a metric of the group, past a threshold, for a whole window.

mod alert;

use serde::{Deserialize, Serialize};

use crate::decision::{Direction, Opinion, Vote};
use crate::ids::RuleId;
use crate::observation::{Dated, Ratio, ServerView};
use crate::policy::{Metric, Missing, Policy};
use crate::time::{Span, Timestamp};

/// How far a rule's window has filled, by the times of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    filled: Span,
    holds: bool,
    last: Option<Timestamp>,
    /// Samples from before are of another capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    /// When a value that did not hold, or another capacity, last emptied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    emptied: Option<Timestamp>,
}

/// A rule, of either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number: up rules first.
    pub id: RuleId,
    /// Its direction.
    pub direction: Direction,
    /// What it measures.
    pub metric: Metric,
    /// Its threshold.
    pub threshold: Ratio,
    /// Its window.
    pub window: Span,
    /// What a gap does.
    pub missing: Missing,
}

impl Rule {
    /// The rules of a policy, up rules first.
    pub fn all(policy: &Policy) -> impl Iterator<Item = Self> {
        let up = policy
            .up
            .iter()
            .map(|rule| (Direction::Up, rule.metric, rule.above, rule.window, rule.missing));
        let down = policy
            .down
            .iter()
            .map(|rule| (Direction::Down, rule.metric, rule.below, rule.window, rule.missing));
        up.chain(down).enumerate().map(
            |(index, (direction, metric, threshold, window, missing))| Self {
                id: RuleId(index as u8),
                direction,
                metric,
                threshold,
                window,
                missing,
            },
        )
    }

    /// Whether `value` is past the threshold.
    pub const fn holds(&self, value: Ratio) -> bool {
        match self.direction {
            Direction::Up => value.ppm() > self.threshold.ppm(),
            Direction::Down => value.ppm() < self.threshold.ppm(),
        }
    }

    /// Takes a fresh value, or none, into the window and says what follows.
    pub fn vote(&self, window: &mut Window, value: Option<Dated<Ratio>>, stale: Span) -> Vote {
        window.take(self, value, stale);
        let opinion = match value {
            None => Opinion::Missing,
            Some(_) if !window.holds => Opinion::Disagrees,
            Some(_) if window.filled >= self.window => Opinion::Agrees,
            Some(_) => Opinion::Filling,
        };
        Vote {
            rule: self.id,
            direction: self.direction,
            metric: self.metric,
            value: value.map(|value| value.value),
            sampled_at: value.map(|value| value.at),
            threshold: self.threshold,
            filled: window.filled,
            window: self.window,
            opinion,
        }
    }
}

impl Window {
    /// The clock went back.
    pub fn rewind(&mut self, now: Timestamp) {
        self.emptied = self.emptied.map(|at| at.min(now));
        self.from = self.from.map(|at| at.min(now));
        self.last = self.last.filter(|at| *at <= now);
    }

    /// One that begins to fill at `now`.
    pub fn empty(now: Timestamp) -> Self {
        Self { from: Some(now), emptied: Some(now), ..Self::default() }
    }

    fn take(&mut self, rule: &Rule, value: Option<Dated<Ratio>>, stale: Span) {
        let Some(value) = value else {
            if rule.missing == Missing::Reset {
                (self.filled, self.holds) = (Span::ZERO, false);
            }
            return;
        };
        let last = self.last;
        let old = self.from.is_some_and(|from| value.at < from);
        let is_news = !old && last.is_none_or(|last| value.at > last);
        if is_news {
            self.last = Some(value.at);
        }
        if !rule.holds(value.value) {
            // Whatever samples it rests on: it is what is known now.
            (self.filled, self.holds) = (Span::ZERO, false);
        } else if is_news {
            self.fill(last.map_or(Span::ZERO, |last| value.at.since(last)), rule, stale);
        }
    }

    /// The condition holds, so long after the last sample.
    fn fill(&mut self, gap: Span, rule: &Rule, stale: Span) {
        if !self.holds {
            (self.filled, self.holds) = (Span::ZERO, true);
        } else if gap <= stale {
            self.filled += gap;
        } else if rule.missing == Missing::Reset {
            self.filled = Span::ZERO;
        }
    }
}

/// The mean of a metric over `views`, dated by its oldest sample. A server without a fresh sample
/// is left out, or with `complete` makes the whole unknown.
pub fn group_value<'a>(
    views: impl Iterator<Item = Option<&'a ServerView>>,
    metric: Metric,
    now: Timestamp,
    stale: Span,
    complete: bool,
) -> Option<Dated<Ratio>> {
    let (mut sum, mut count, mut oldest) = (0u64, 0u64, Timestamp::MAX);
    for view in views {
        let sample = view.and_then(|view| match metric {
            Metric::Cpu => view.cpu,
            Metric::Memory => view.memory,
        });
        match sample.filter(|sample| sample.age(now) <= stale) {
            Some(sample) => {
                sum += u64::from(sample.value.ppm());
                count += 1;
                oldest = oldest.min(sample.at);
            }
            None if complete => return None,
            None => {}
        }
    }
    (count > 0).then(|| Dated::new(Ratio::from_ppm((sum / count) as u32), oldest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(missing: Missing) -> Rule {
        Rule {
            id: RuleId(0),
            direction: Direction::Up,
            metric: Metric::Cpu,
            threshold: Ratio::from_percent(75),
            window: Span::from_mins(5),
            missing,
        }
    }

    fn feed(rule: &Rule, window: &mut Window, minute: i64, percent: u32) -> Vote {
        let at = Timestamp::default() + Span::from_mins(minute);
        rule.vote(window, Some(Dated::new(Ratio::from_percent(percent), at)), Span::from_mins(2))
    }

    #[test]
    fn a_window_fills_with_time_and_empties_with_one_sample() {
        let (rule, mut window) = (rule(Missing::Reset), Window::default());
        for minute in 0..5 {
            assert_eq!(feed(&rule, &mut window, minute, 90).opinion, Opinion::Filling);
        }
        assert_eq!(feed(&rule, &mut window, 5, 90).opinion, Opinion::Agrees);
        assert_eq!(feed(&rule, &mut window, 6, 75).opinion, Opinion::Disagrees);
        assert_eq!(feed(&rule, &mut window, 7, 90).filled, Span::ZERO);
    }

    #[test]
    fn a_gap_resets_or_holds_as_the_rule_says() {
        for (missing, filled) in [(Missing::Reset, 0), (Missing::Hold, 2)] {
            let (rule, mut window) = (rule(missing), Window::default());
            for minute in 0..3 {
                feed(&rule, &mut window, minute, 90);
            }
            assert_eq!(feed(&rule, &mut window, 30, 90).filled, Span::from_mins(filled));
        }
    }

    #[test]
    fn a_missing_value_never_agrees() {
        let (rule, mut window) = (rule(Missing::Hold), Window::default());
        for minute in 0..9 {
            feed(&rule, &mut window, minute, 90);
        }
        assert_eq!(rule.vote(&mut window, None, Span::from_mins(2)).opinion, Opinion::Missing);
    }
}
