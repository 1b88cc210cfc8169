//! Rules whose windows Prometheus keeps.

use super::{Rule, Window};
use crate::decision::{Direction, Opinion, Vote};
use crate::observation::{Alert, Dated, Ratio};
use crate::policy::Evidence;
use crate::time::Timestamp;

impl Rule {
    /// As [`Rule::vote`], but an alert tells that the window is full, and no value can replace it.
    ///
    /// A value may contradict an alert. If one has since it began to fire, or another number of
    /// servers serves, the window must fill again under the controller's own eyes.
    pub fn vote_on_alert(
        &self,
        window: &mut Window,
        value: Option<Dated<Ratio>>,
        alert: Option<&Alert>,
        now: Timestamp,
        evidence: &Evidence,
    ) -> Vote {
        let mut vote = self.vote(window, value, evidence.stale_after);
        let counts = match self.direction {
            Direction::Up => evidence.alert_up,
            Direction::Down => evidence.alert_down,
        };
        let firing = alert.filter(|alert| !alert.resolved && now.since(alert.at) <= counts);
        let trusted = firing.is_some_and(|alert| window.emptied <= Some(alert.since));
        vote.opinion = match vote.opinion {
            Opinion::Disagrees => {
                window.emptied = Some(now);
                Opinion::Disagrees
            }
            Opinion::Missing if trusted && self.direction == Direction::Up => Opinion::Agrees,
            Opinion::Missing => Opinion::Missing,
            Opinion::Agrees | Opinion::Filling | Opinion::Unheard if firing.is_none() => {
                Opinion::Unheard
            }
            Opinion::Agrees | Opinion::Filling | Opinion::Unheard if trusted => Opinion::Agrees,
            own @ (Opinion::Agrees | Opinion::Filling | Opinion::Unheard) => own,
        };
        if vote.opinion == Opinion::Agrees {
            vote.filled = vote.filled.max(self.window);
        }
        vote
    }
}

#[cfg(test)]
mod tests;
