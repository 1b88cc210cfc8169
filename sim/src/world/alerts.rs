//! Alerts: rules evaluated, groups flushed, notifications on their way.

use tidegate_core::fact::FactSink;
use tidegate_core::policy::Metric;
use tidegate_core::{Alert, Observation, Ratio, RuleId};

use crate::model::FaultKind;

use super::{Event, Notice, World};

impl<S: FactSink> World<S> {
    /// Evaluates the alerting rules by the group's mean CPU and memory, if they are known.
    pub(super) fn evaluate_alerts(&mut self, means: Option<(Ratio, Ratio)>) {
        let Some(alertmanager) = &mut self.alertmanager else { return };
        let value = |metric| match metric {
            Metric::Cpu => means.map(|(cpu, _)| cpu),
            Metric::Memory => means.map(|(_, memory)| memory),
        };
        let events = &mut self.events;
        alertmanager.evaluate(
            self.now,
            |rule| value(rule.metric),
            |at, index| events.push(at, Event::Flush.payload(index as u32)),
        );
    }

    /// A rule's group is looked at: what is new is notified.
    pub(super) fn flush(&mut self, index: usize) {
        let Some(alertmanager) = &mut self.alertmanager else { return };
        let (news, again) = alertmanager.flush(index, self.now);
        if let Some(held) = news {
            let alert = Alert {
                rule: RuleId(index as u8),
                since: self.timestamp(held.since),
                resolved: held.resolved,
                at: self.timestamp(self.now),
            };
            if self.is_on(FaultKind::AlertsDisordered) {
                self.notifications.push_front(alert);
            } else {
                self.notifications.push_back(alert);
            }
            let delay = self.model.alerts.as_ref().map_or(0, |alerts| alerts.delay.as_nanos());
            self.at(self.now + delay.cast_unsigned(), Event::Notified, 0);
        }
        if let Some(again) = again {
            self.at(again, Event::Flush, index as u32);
        }
    }

    /// The controller learns of an alert, and of nothing else.
    pub(super) fn notified(&mut self) -> Option<Notice> {
        let alerts = vec![self.notifications.pop_front()?];
        let notice = Notice::Observed(Observation { alerts, ..Observation::default() });
        if self.is_on(FaultKind::AlertsTwice) {
            self.pending.push_back(notice.clone());
        }
        Some(notice)
    }
}
