//! The alerts that Prometheus holds.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tidegate_core::Timestamp;

use super::server::Server;
use super::{PrometheusConfig, PrometheusConfigError};
use crate::ports::PortError;

/// Who tells which alerts fire.
#[derive(Clone, Debug)]
pub struct PrometheusAlerts(Server);

/// An alert that fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// Its labels, without those that Prometheus adds for the outside.
    pub labels: BTreeMap<String, String>,
    /// Since when its expression has a value, which is a rule's `for` before it began to fire.
    pub active_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Alerts {
    alerts: Vec<Held>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    labels: BTreeMap<String, String>,
    state: String,
    active_at: Option<jiff::Timestamp>,
}

impl PrometheusAlerts {
    /// Asks nothing yet; reads the token and the certificates.
    pub fn new(config: &PrometheusConfig) -> Result<Self, PrometheusConfigError> {
        Server::new(config).map(Self)
    }

    /// All alerts that fire now.
    ///
    /// # Errors
    /// Why Prometheus does not tell.
    pub async fn firing(&self) -> Result<Vec<Firing>, PortError> {
        read(self.0.get("alerts", &[]).await?)
    }
}

/// Those of an answer that fire.
fn read(data: Value) -> Result<Vec<Firing>, PortError> {
    let alerts: Alerts = serde_json::from_value(data)
        .map_err(|_| PortError::refused("what answers is not Prometheus"))?;
    let firing = alerts.alerts.into_iter().filter(|alert| alert.state == "firing");
    let dated = firing.filter_map(|alert| {
        let active_at = alert.active_at.and_then(Timestamp::from_jiff)?;
        Some(Firing { labels: alert.labels, active_at })
    });
    Ok(dated.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::StatusCode;

    use super::super::answer::data;
    use super::*;
    use crate::fuzz::{bytes, config};

    const HELD: &str = r#"{"status":"success","data":{"alerts":[
        {"labels":{"alertname":"a","tidegate_rule":"0"},"annotations":{},"state":"firing",
            "activeAt":"2026-03-02T08:00:00.5Z","value":"0.9"},
        {"labels":{"alertname":"b"},"state":"pending","activeAt":"2026-03-02T08:00:00Z"}
    ]}}"#;

    fn firing(body: &[u8]) -> Result<Vec<Firing>, PortError> {
        data(StatusCode::OK, body).and_then(read)
    }

    #[test]
    fn what_fires_is_told_with_its_labels_and_since_when() {
        let firing = firing(HELD.as_bytes()).unwrap();
        let labels = [("alertname", "a"), ("tidegate_rule", "0")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let active_at = Timestamp::from_nanos(1_772_438_400_500_000_000);
        assert_eq!(firing, [Firing { labels: BTreeMap::from(labels), active_at }]);
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_answer_is_read_or_refused(body in bytes(&[HELD])) {
            if let Err(why) = firing(&body) {
                prop_assert!(why.what.contains("Prometheus"), "{why}");
            }
        }
    }
}
