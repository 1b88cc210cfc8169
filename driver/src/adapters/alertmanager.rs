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
