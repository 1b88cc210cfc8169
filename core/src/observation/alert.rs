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
