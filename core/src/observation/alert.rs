//! Alerts: what was notified of a rule, in whatever order it came.

use serde::{Deserialize, Serialize};

use crate::ids::RuleId;
use crate::time::Timestamp;

/// A notification of a rule's alert. Its rule and the moment since which it fires tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Whose.
    pub rule: RuleId,
    /// When it began to fire, which is when its rule's window was full.
    pub since: Timestamp,
    /// Whether it has ceased to.
    pub resolved: bool,
    /// When this was notified, not when it was received.
    pub at: Timestamp,
}

impl Alert {
    /// Whether `self` tells more than `known` of the same rule: of a later alert, that this one is
    /// resolved, or that it still fires. What comes late or twice does not.
    const fn outdates(&self, known: &Self) -> bool {
        let (since, known_since) = (self.since.as_nanos(), known.since.as_nanos());
        if since != known_since {
            return since > known_since;
        }
        !known.resolved && (self.resolved || self.at.as_nanos() > known.at.as_nanos())
    }
}

/// Takes `seen` into what is known, one alert a rule.
pub fn learn(known: &mut Vec<Alert>, seen: Alert) {
    match known.iter_mut().find(|known| known.rule == seen.rule) {
        Some(known) if seen.outdates(known) => *known = seen,
        Some(_) => {}
        None => known.push(seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn alert(since: i64, at: i64, resolved: bool) -> Alert {
        let second = |second| Timestamp::default() + Span::from_secs(second);
        Alert { rule: RuleId(0), since: second(since), resolved, at: second(at) }
    }

    #[test]
    fn what_is_resolved_stays_so_until_it_fires_anew() {
        let mut known = vec![alert(10, 20, false)];
        learn(&mut known, alert(10, 90, true));
        learn(&mut known, alert(10, 95, false));
        assert_eq!(known, [alert(10, 90, true)]);
        learn(&mut known, alert(50, 60, false));
        assert_eq!(known, [alert(50, 60, false)]);
    }
}
