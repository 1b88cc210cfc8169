//! Alerting rules as Prometheus evaluates them, and notifications as Alertmanager sends them.
//!
//! Each rule is a group of its own. Times are nanoseconds from the start of the run.

use tidegate_core::Ratio;
use tidegate_core::decision::Direction;
use tidegate_core::demand::trigger::Rule;

use crate::model::Alerts;

/// An alert that Alertmanager holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it began to fire.
    pub since: u64,
    /// Whether it has ceased to.
    pub resolved: bool,
}

/// What was last notified of a group.
#[derive(Clone, Copy, Debug)]
struct Told {
    firing: bool,
    at: u64,
}

/// A rule, and how far its alert has come.
#[derive(Debug)]
struct Watched {
    rule: Rule,
    /// Since when its condition holds.
    active: Option<u64>,
    firing: bool,
    held: Option<Held>,
    told: Option<Told>,
}

/// The alerting rules of a group and their notifications.
#[derive(Debug)]
pub struct Alertmanager {
    config: Alerts,
    rules: Vec<Watched>,
}

impl Alertmanager {
    /// Nothing has fired yet.
    pub fn new(config: &Alerts) -> Self {
        let watch =
            |&rule: &Rule| Watched { rule, active: None, firing: false, held: None, told: None };
        Self { config: config.clone(), rules: config.rules.iter().map(watch).collect() }
    }

    /// Evaluates the rules in turn by the group's CPU and memory; tells of each alert that opens a
    /// group when that is to be flushed first.
    pub fn evaluate(
        &mut self,
        now: u64,
        value: impl Fn(&Rule) -> Option<Ratio>,
        mut flush_at: impl FnMut(u64, usize),
    ) {
        let wait = self.config.group_wait.as_nanos().cast_unsigned();
        for (index, watched) in self.rules.iter_mut().enumerate() {
            let holds = value(&watched.rule).is_some_and(|value| watched.rule.holds(value));
            if watched.evaluate(now, holds) {
                flush_at(now + wait, index);
            }
        }
    }

    /// Flushes a rule's group: what is to be notified now, and when to flush it again.
    pub fn flush(&mut self, index: usize, now: u64) -> (Option<Held>, Option<u64>) {
        let config = &self.config;
        let watched = &mut self.rules[index];
        let Some(held) = watched.held else { return (None, None) };
        let repeat = match watched.rule.direction {
            Direction::Up => config.repeat_up,
            Direction::Down => config.repeat_down,
        };
        let news = watched.is_news(held, now, repeat.as_nanos().cast_unsigned());
        if news {
            let at = now + config.delay.as_nanos().cast_unsigned();
            watched.told = Some(Told { firing: !held.resolved, at });
        }
        if held.resolved {
            watched.held = None;
        }
        let again = now + config.group_interval.as_nanos().cast_unsigned();
        (news.then_some(held), watched.held.map(|_| again))
    }
}

impl Watched {
    /// Takes one evaluation; whether its alert begins to fire and opens a group.
    fn evaluate(&mut self, now: u64, holds: bool) -> bool {
        if !holds {
            self.active = None;
            if std::mem::take(&mut self.firing)
                && let Some(held) = &mut self.held
            {
                held.resolved = true;
            }
            return false;
        }
        let since = *self.active.get_or_insert(now);
        if self.firing || now - since < self.rule.window.as_nanos().cast_unsigned() {
            return false;
        }
        self.firing = true;
        self.held.replace(Held { since: now, resolved: false }).is_none()
    }

    /// A group that fires is news until it was told, and again when its repeat is past; that it is
    /// resolved is news if it was told to fire.
    fn is_news(&self, held: Held, now: u64, repeat: u64) -> bool {
        let firing = self.told.filter(|told| told.firing);
        match firing {
            Some(told) if !held.resolved => now.saturating_sub(told.at) > repeat,
            Some(_) => true,
            None => !held.resolved,
        }
    }
}

#[cfg(test)]
mod tests;
