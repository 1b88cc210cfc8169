//! The alerts that Prometheus holds.

use std::collections::BTreeMap;

use serde::Deserialize;
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
    /// Asks nothing yet; reads the token.
    pub fn new(config: &PrometheusConfig) -> Result<Self, PrometheusConfigError> {
        Server::new(config).map(Self)
    }

    /// All alerts that fire now.
    ///
    /// # Errors
    /// Why Prometheus does not tell.
    pub async fn firing(&self) -> Result<Vec<Firing>, PortError> {
        let data = self.0.get("alerts", &[]).await?;
        let alerts: Alerts = serde_json::from_value(data)
            .map_err(|_| PortError::refused("what answers is not Prometheus"))?;
        let firing = alerts.alerts.into_iter().filter(|alert| alert.state == "firing");
        let dated = firing.filter_map(|alert| {
            let active_at = alert.active_at.and_then(Timestamp::from_jiff)?;
            Some(Firing { labels: alert.labels, active_at })
        });
        Ok(dated.collect())
    }
}
