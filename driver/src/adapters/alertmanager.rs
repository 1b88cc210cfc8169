//! Alertmanager, which notifies a webhook of the alerts of Prometheus.
//!
//! A notification tells when to look, not what is true: a late one is out of date, and anybody can
//! send one who knows the token. So Prometheus is asked about each, and what counts is its answer.
//! One that cannot be checked waits until it can.

mod inbox;
mod judge;
mod notification;
pub mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tidegate_core::demand::trigger::Rule;
use tidegate_core::{Alert, Span, Timestamp};
use tokio::sync::Mutex;

use super::prometheus::{Firing, PrometheusAlerts};
use crate::clock::Clock;
use crate::ports::{Alerts, PortError};
use crate::runtime::{Event, Listener};

pub use inbox::{Full, Inbox, Receipt};
use notification::shown;
pub use notification::{Notification, NotificationError, Notified};

/// How long an answer of Prometheus is waited for.
const ANSWER: Span = Span::from_secs(10);

/// What is known of the alerts of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerConfig {
    /// An expression in `PromQL` with a series for each server that the proxy sends requests to,
    /// with the label that tells servers apart. Without it, each server that is measured counts.
    pub serving: Option<String>,
}

/// What Prometheus said, when it was asked, and how many notifications had come by then.
type Asked = (u64, Timestamp, Result<Vec<Firing>, PortError>);

/// The alerts of one group, as they come into its inbox.
pub struct Alertmanager {
    inbox: Arc<Inbox>,
    prometheus: PrometheusAlerts,
    clock: Arc<dyn Clock>,
    questions: Mutex<Questions>,
}

#[derive(Default)]
struct Questions {
    /// The one that is open, which outlives whoever waits for its answer.
    open: Option<BoxFuture<'static, Asked>>,
    /// Whether the last one had no answer.
    blind: bool,
}

impl fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alertmanager").field("inbox", &self.inbox).finish_non_exhaustive()
    }
}

impl Alertmanager {
    /// What comes into `inbox`, checked against `prometheus`.
    pub fn new(inbox: Arc<Inbox>, prometheus: PrometheusAlerts, clock: Arc<dyn Clock>) -> Self {
        Self { inbox, prometheus, clock, questions: Mutex::default() }
    }

    fn ask(&self) -> BoxFuture<'static, Asked> {
        let (inbox, prometheus) = (Arc::clone(&self.inbox), self.prometheus.clone());
        let clock = Arc::clone(&self.clock);
        Box::pin(async move {
            let count = inbox.is_due().await;
            let now = clock.now();
            let late = clock.sleep_until(now + ANSWER);
            let answer = tokio::select! {
                biased;
                answer = prometheus.firing() => answer,
                () = late => Err(PortError::timed_out("Prometheus: no answer in time")),
            };
            (count, now, answer)
        })
    }

    /// Tells when Prometheus ceases to answer, and when it does again.
    fn note(&self, blind: &mut bool, answer: &Result<Vec<Firing>, PortError>) {
        let what = "which alerts fire";
        match answer {
            Err(why) if !*blind => self.inbox.tell(&Event::Blind { what, why }),
            Ok(_) if *blind => self.inbox.tell(&Event::SeesAgain { what }),
            Ok(_) | Err(_) => {}
        }
        *blind = answer.is_err();
    }
}

#[async_trait]
impl Alerts for Alertmanager {
    fn begin(&self) {
        self.inbox.begin();
    }

    async fn next(&self) -> Vec<Alert> {
        self.inbox.acknowledge();
        loop {
            let mut questions = self.questions.lock().await;
            let (count, now, answer) = questions.open.get_or_insert_with(|| self.ask()).await;
            questions.open = None;
            self.note(&mut questions.blind, &answer);
            let Ok(firing) = answer else {
                self.inbox.postpone();
                continue;
            };
            let alerts = self.inbox.judge(count, now, &firing);
            if !alerts.is_empty() {
                return alerts;
            }
        }
    }
}

/// Where each group's notifications go.
pub struct Inboxes {
    groups: BTreeMap<String, Arc<Inbox>>,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn Listener>,
}

impl fmt::Debug for Inboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inboxes").field("groups", &self.groups).finish_non_exhaustive()
    }
}

impl Inboxes {
    /// One for each group, with the rules of its policy.
    pub fn new(
        groups: impl IntoIterator<Item = (String, Vec<Rule>)>,
        clock: &Arc<dyn Clock>,
        listener: &Arc<dyn Listener>,
    ) -> Self {
        let inbox = |(name, rules): (String, _)| {
            let (clock, listener) = (Arc::clone(clock), Arc::clone(listener));
            (name.clone(), Arc::new(Inbox::new(name, rules, clock, listener)))
        };
        let groups = groups.into_iter().map(inbox).collect();
        Self { groups, clock: Arc::clone(clock), listener: Arc::clone(listener) }
    }

    /// That of a group, if it has one.
    pub fn of(&self, group: &str) -> Option<&Arc<Inbox>> {
        self.groups.get(group)
    }

    /// Sorts a notification into the inboxes. What is for none of them is left out, which is told:
    /// it would come for ever if it were refused.
    ///
    /// # Errors
    /// If too many wait already.
    pub fn put(&self, notification: Notification) -> Result<Vec<Receipt>, Full> {
        let Notification { alerts, truncated } = notification;
        if truncated > 0 {
            let why = format!("{truncated} were cut off: let the receiver's `max_alerts` be 0");
            self.leave_out(&why);
        }
        let mut receipts = Vec::new();
        for alert in alerts {
            match self.of(&alert.group) {
                Some(inbox) => receipts.push(inbox.put(alert)?),
                None => self.leave_out(&format!(
                    "its label `{}` is `{}`, and no such group listens to alerts",
                    rules::GROUP,
                    shown(&alert.group)
                )),
            }
        }
        Ok(receipts)
    }

    fn leave_out(&self, why: &str) {
        self.listener.tell(self.clock.now(), "POST /alerts", &Event::AlertLeftOut { why });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use tidegate_core::policy::Policy;

    use super::*;
    use crate::fakes::VirtualClock;
    use crate::fuzz::{bytes, config};
    use crate::runtime::Deaf;

    const NOW: Timestamp = Timestamp::from_nanos(1_772_438_400_000_000_000);
    const POLICY: &str = "up = [{ metric = \"cpu\", above = \"75%\", for = \"5m\" }]\n\
                          down = [{ metric = \"cpu\", below = \"30%\", for = \"10m\" }]\n";

    /// As Alertmanager sends it, of both rules.
    const SENT: &str = r#"{"version":"4","status":"firing","truncatedAlerts":0,"alerts":[
        {"status":"firing","fingerprint":"9f","startsAt":"2026-03-02T07:55:00Z","labels":{
            "tidegate_group":"school","tidegate_rule":"0","tidegate_condition":"cpu > 75% for 5m"}},
        {"status":"resolved","fingerprint":"9e","startsAt":"2026-03-02T07:00:00Z","labels":{
            "tidegate_group":"school","tidegate_rule":"1","tidegate_condition":"cpu < 30% for 10m"}}
    ]}"#;

    fn rules() -> Vec<Rule> {
        let policy: Policy = toml::from_str(POLICY).unwrap();
        Rule::all(&policy).collect()
    }

    fn inboxes() -> Inboxes {
        let (clock, listener) = (VirtualClock::new(NOW), Deaf);
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let listener: Arc<dyn Listener> = Arc::new(listener);
        Inboxes::new([("school".to_owned(), rules())], &clock, &listener)
    }

    /// What follows from a notification, where alerts of these rules fire.
    fn judged(inboxes: &Inboxes, firing: &[Firing]) -> Vec<Alert> {
        inboxes.of("school").unwrap().judge(u64::MAX, NOW, firing)
    }

    fn firing((rule, active_at): (usize, i64)) -> Firing {
        let labels = rules::labels("school", &rules()[rule]).into_iter();
        let labels = labels.map(|(name, value)| (name.to_owned(), value)).collect();
        Firing { labels, active_at: Timestamp::from_nanos(active_at) }
    }

    #[test]
    fn what_is_changed_is_itself_judged() {
        let inboxes = inboxes();
        inboxes.put(Notification::read(SENT.as_bytes()).unwrap()).unwrap();
        let fires = firing((0, NOW.as_nanos() - Span::from_mins(9).as_nanos()));
        let rules: BTreeSet<_> =
            judged(&inboxes, &[fires]).iter().map(|one| (one.rule.0, one.resolved)).collect();
        assert_eq!(rules, BTreeSet::from([(0, false), (1, true)]));
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_notification_is_judged_or_refused(
            body in bytes(&[SENT]),
            fires in vec((0_usize..2, any::<i64>()).prop_map(firing), 0..3),
        ) {
            let inboxes = inboxes();
            match Notification::read(&body) {
                Ok(notification) => {
                    let told = notification.alerts.len();
                    prop_assert!(inboxes.put(notification).is_ok_and(|all| all.len() <= told));
                    let alerts = judged(&inboxes, &fires);
                    prop_assert!(alerts.len() <= told);
                    prop_assert!(alerts.iter().all(|one| one.since <= NOW && one.at == NOW));
                }
                Err(why) => {
                    let why = why.to_string();
                    prop_assert!(why.starts_with("failed to read the notification: "), "{why}");
                }
            }
        }
    }
}
