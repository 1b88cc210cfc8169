//! What Alertmanager sends to a webhook: version 4 of its payload.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_core::{RuleId, Timestamp};

use super::rules::{CONDITION, GROUP, RULE};

/// Why a body is no notification.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// It does not have the form.
    #[error("failed to read the notification: {0}")]
    Form(#[from] serde_json::Error),
    /// It has the form of another version.
    #[error("failed to read the notification: its version is `{}`, not `4`", shown(.0))]
    Version(String),
    /// A time that no clock shows.
    #[error("failed to read the notification: an alert begins at no time between 1677 and 2262")]
    Time,
}

#[derive(Debug, Deserialize)]
struct Payload {
    version: String,
    alerts: Vec<Sent>,
    #[serde(default, rename = "truncatedAlerts")]
    truncated: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    status: Status,
    labels: BTreeMap<String, String>,
    starts_at: jiff::Timestamp,
    fingerprint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

/// What is told of alerts at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// One each.
    pub alerts: Vec<Notified>,
    /// How many more there were that Alertmanager left out.
    pub truncated: u64,
}

/// What is told of one alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Alertmanager's name for its labels. With `since` it tells one alert from another.
    pub fingerprint: String,
    /// The group whose rule it is of, if the alert says so.
    pub group: String,
    /// Which rule, if the alert says so with a number.
    pub rule: Option<RuleId>,
    /// What the rule means, in the words of the alert.
    pub condition: String,
    /// Since when it fires, or fired.
    pub since: Timestamp,
    /// Whether it has ceased to.
    pub resolved: bool,
}

impl Notification {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// If it is none of Alertmanager's.
    pub fn read(body: &[u8]) -> Result<Self, NotificationError> {
        let Payload { version, alerts, truncated } = serde_json::from_slice(body)?;
        if version != "4" {
            return Err(NotificationError::Version(version));
        }
        let alerts = alerts.into_iter().map(Notified::from_sent).collect::<Result<_, _>>()?;
        Ok(Self { alerts, truncated })
    }
}

impl Notified {
    fn from_sent(sent: Sent) -> Result<Self, NotificationError> {
        let Sent { status, mut labels, starts_at, fingerprint } = sent;
        let mut label = |name| labels.remove(name).unwrap_or_default();
        Ok(Self {
            fingerprint,
            group: label(GROUP),
            rule: label(RULE).parse().ok().map(RuleId),
            condition: label(CONDITION),
            since: Timestamp::from_jiff(starts_at).ok_or(NotificationError::Time)?,
            resolved: status == Status::Resolved,
        })
    }
}

/// What somebody else wrote, fit to stand in a line of text.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 64;
    let mut cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Alertmanager 0.25 sends it.
    const SENT: &str = r#"{
        "receiver": "tidegate", "status": "firing", "version": "4", "truncatedAlerts": 2,
        "alerts": [{
            "status": "firing", "fingerprint": "9f86d081884c7d65",
            "labels": {"alertname": "a", "tidegate_group": "school", "tidegate_rule": "1",
                "tidegate_condition": "cpu > 75% for 5m"},
            "annotations": {}, "generatorURL": "",
            "startsAt": "1970-01-01T00:00:01.5Z", "endsAt": "0001-01-01T00:00:00Z"
        }],
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "",
        "groupKey": "{}"
    }"#;

    #[test]
    fn a_notification_is_read_by_its_labels() {
        let read = Notification::read(SENT.as_bytes()).unwrap();
        let alert = Notified {
            fingerprint: "9f86d081884c7d65".to_owned(),
            group: "school".to_owned(),
            rule: Some(RuleId(1)),
            condition: "cpu > 75% for 5m".to_owned(),
            since: Timestamp::from_nanos(1_500_000_000),
            resolved: false,
        };
        assert_eq!(read, Notification { alerts: vec![alert], truncated: 2 });
        let resolved =
            SENT.replace("\"status\": \"firing\", \"fin", "\"status\": \"resolved\", \"fin");
        assert!(Notification::read(resolved.as_bytes()).unwrap().alerts[0].resolved);
        let other = SENT.replace("\"1\"", "\"one\"").replace("tidegate_group", "group");
        let other = Notification::read(other.as_bytes()).unwrap().alerts.remove(0);
        assert_eq!((other.group.as_str(), other.rule), ("", None));
    }

    #[test]
    fn what_is_no_notification_is_refused_in_a_sentence() {
        let said = |text: &str| Notification::read(text.as_bytes()).unwrap_err().to_string();
        for (from, to, part) in [
            (SENT, "", "EOF"),
            ("\"4\"", "\"3\\n\"", "its version is `3\\n`, not `4`"),
            ("1970-01-01T00:00:01.5Z", "soon", "failed to parse"),
            ("1970-01-01T00:00:01.5Z", "9000-01-01T00:00:00Z", "1677 and 2262"),
            ("\"firing\", \"fin", "\"odd\", \"fin", "unknown variant `odd`"),
            ("startsAt", "since", "missing field `startsAt`"),
        ] {
            let text = if from == SENT { to.to_owned() } else { SENT.replace(from, to) };
            let said = said(&text);
            assert!(said.starts_with("failed to read the notification: "), "{said}");
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn what_others_wrote_is_shown_on_one_line_and_not_at_length() {
        assert_eq!(shown("a\nb\u{1b}[1m"), "a\\nb\\u{1b}[1m");
        assert_eq!(shown(&"é".repeat(65)), format!("{}…", "é".repeat(64)));
    }
}
