//! What came in of a group's alerts and was not taken up yet.
//!
//! A notification waits until Prometheus was asked about it, however long that takes. Its sender is
//! told that it was received once what followed from it is stored.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_core::demand::trigger::Rule;
use tidegate_core::{Alert, Span, Timestamp};
use tokio::sync::{Notify, oneshot};

use super::judge::{Judgement, judge};
use super::notification::{Notified, shown};
use super::rules::condition;
use crate::adapters::prometheus::Firing;
use crate::clock::Clock;
use crate::runtime::{Event, Listener};

/// Notifications that may wait at a time.
const PLACES: usize = 64;
/// Between two questions to a Prometheus that does not answer.
const RETRY: Span = Span::from_secs(5);
/// A notification that fires, given again within this time, is a copy and not a repetition.
const COPY: Span = Span::from_secs(15);

/// Ends, with an error, once a notification needs its sender no more.
pub type Receipt = oneshot::Receiver<Infallible>;

/// There is no place for more notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many notifications wait to be checked")]
pub struct Full;

/// The notifications of one group.
pub struct Inbox {
    group: String,
    rules: Vec<Rule>,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn Listener>,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// How many have come.
    count: u64,
    /// When Prometheus is to be asked again, if it did not answer.
    retry: Option<Timestamp>,
    /// What was last given of each rule that fires, and of each that has ceased to.
    given: Vec<Given>,
    /// Senders of what was given and is not known to be stored.
    senders: Vec<oneshot::Sender<Infallible>>,
    /// Senders of what was given to a host that is gone, until they give up.
    unheard: Vec<oneshot::Sender<Infallible>>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    notified: Notified,
    senders: Vec<oneshot::Sender<Infallible>>,
}

#[derive(Debug)]
struct Given {
    notified: Notified,
    alert: Alert,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Inbox {
    /// An empty one, for alerts of these rules of a group.
    pub fn new(
        group: String,
        rules: Vec<Rule>,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn Listener>,
    ) -> Self {
        let (state, arrived) = (Mutex::default(), Notify::new());
        Self { group, rules, clock, listener, state, arrived }
    }

    /// Takes a notification in. One of no rule of this policy is left out, which is told.
    ///
    /// # Errors
    /// If too many wait already.
    pub fn put(&self, notified: Notified) -> Result<Receipt, Full> {
        let (sender, receipt) = oneshot::channel();
        let rule = notified.rule.and_then(|id| self.rules.iter().find(|rule| rule.id == id));
        match rule {
            None => self.leave_out("it is of no rule of the policy"),
            Some(rule) if condition(rule) != notified.condition => self.leave_out(&format!(
                "its rule means `{}` and the policy's `{}`: let Prometheus read `tidegate rules` \
                 anew",
                shown(&notified.condition),
                condition(rule)
            )),
            Some(_) => {
                let now = self.clock.now();
                self.state().put(notified, sender, now)?;
                self.arrived.notify_one();
            }
        }
        Ok(receipt)
    }

    /// What was given until now is stored.
    pub(super) fn acknowledge(&self) {
        self.state().senders.clear();
    }

    /// What was given and is not known to be stored is as if it had not been given. Its senders are
    /// told nothing, and send it again.
    pub(super) fn begin(&self) {
        let mut state = self.state();
        state.unheard.retain(|sender| !sender.is_closed());
        let senders = std::mem::take(&mut state.senders);
        if !senders.is_empty() {
            state.unheard.extend(senders);
            state.given.clear();
        }
    }

    /// Waits until something is to be asked about. How many had come by then.
    pub(super) async fn is_due(&self) -> u64 {
        loop {
            let now = self.clock.now();
            let (due, count) = {
                let state = self.state();
                (state.due(now), state.count)
            };
            match due {
                Some(at) if at <= now => return count,
                Some(at) => self.clock.sleep_until(at).await,
                None => self.arrived.notified().await,
            }
        }
    }

    /// Prometheus said at `now` what fires: what follows from all but those that came after the
    /// first `count`.
    pub(super) fn judge(&self, count: u64, now: Timestamp, firing: &[Firing]) -> Vec<Alert> {
        let mut state = self.state();
        state.retry = None;
        let (asked, rest) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|waiting| waiting.number <= count);
        state.waiting = rest;
        let mut alerts = Vec::new();
        for Waiting { notified, senders, .. } in asked {
            let of_rule = |rule: &&Rule| Some(rule.id) == notified.rule;
            let Some(rule) = self.rules.iter().find(of_rule) else { continue };
            let before = state.last(&notified);
            match judge(&self.group, rule, &notified, before, firing, now) {
                Judgement::True(alert) => {
                    state.senders.extend(senders);
                    state.give(notified, alert);
                    alerts.push(alert);
                }
                Judgement::Untrue(why) => {
                    self.leave_out(&format!("{} is untrue: {why}", condition(rule)));
                }
            }
        }
        alerts
    }

    /// Prometheus did not say: it is asked again later.
    pub(super) fn postpone(&self) {
        self.state().retry = Some(self.clock.now() + RETRY);
    }

    /// Tells of something that is no alert.
    pub(super) fn tell(&self, event: &Event<'_>) {
        self.listener.tell(self.clock.now(), &self.group, event);
    }

    fn leave_out(&self, why: &str) {
        self.tell(&Event::AlertLeftOut { why });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(
        &mut self,
        notified: Notified,
        sender: oneshot::Sender<Infallible>,
        now: Timestamp,
    ) -> Result<(), Full> {
        let given = self.given.iter().find(|given| given.notified == notified);
        if given.is_some_and(|one| one.alert.resolved || now.since(one.alert.at) <= COPY) {
            // Where the first of the two is not stored yet, this one waits for that too.
            if !self.senders.is_empty() {
                self.senders.push(sender);
            }
            return Ok(());
        }
        if let Some(same) = self.waiting.iter_mut().find(|waiting| waiting.notified == notified) {
            same.senders.push(sender);
            return Ok(());
        }
        if self.waiting.len() == PLACES {
            return Err(Full);
        }
        self.count += 1;
        self.waiting.push(Waiting { number: self.count, notified, senders: vec![sender] });
        Ok(())
    }

    /// When Prometheus is to be asked, if about anything. A clock that was set back delays nothing.
    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let retry = self.retry.filter(|at| at.since(now) <= RETRY);
        (!self.waiting.is_empty()).then_some(retry.unwrap_or(now))
    }

    /// Since when the alert of this rule fires that was last given.
    fn last(&self, notified: &Notified) -> Option<Timestamp> {
        let fires = |given: &&Given| given.notified.rule == notified.rule && !given.alert.resolved;
        self.given.iter().find(fires).map(|given| given.alert.since)
    }

    fn give(&mut self, notified: Notified, alert: Alert) {
        let same = |given: &Given| {
            given.alert.rule == alert.rule && given.alert.resolved == alert.resolved
        };
        self.given.retain(|given| !same(given));
        self.given.push(Given { notified, alert });
    }
}
