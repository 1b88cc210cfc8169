//! The alerting rules that Prometheus has loaded, and whom it tells of what fires.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::Prometheus;
use crate::adapters::http;
use crate::ports::PortError;

/// The path at which Prometheus tells an Alertmanager.
const TOLD_AT: &str = "/api/v2/alerts";

/// An alerting rule that is loaded.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoadedRule {
    /// Its labels, as they stand in its file.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its expression, as Prometheus writes it.
    pub query: String,
    /// Its `for`, in seconds.
    pub duration: f64,
    /// Why it was not evaluated, if it was not.
    pub last_error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    rules: Vec<LoadedRule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alertmanagers {
    active_alertmanagers: Vec<Told>,
}

#[derive(Debug, Deserialize)]
struct Told {
    url: String,
}

#[derive(Debug, Deserialize)]
struct Receiver {
    name: String,
}

fn read<T: for<'a> Deserialize<'a>>(data: Value) -> Result<T, PortError> {
    serde_json::from_value(data).map_err(|_| PortError::refused("what answers is not Prometheus"))
}

impl Prometheus {
    /// All alerting rules.
    pub(crate) async fn alerting_rules(&self) -> Result<Vec<LoadedRule>, PortError> {
        let groups: Groups = read(self.server.get("rules", &[("type", "alert")]).await?)?;
        Ok(groups.groups.into_iter().flat_map(|group| group.rules).collect())
    }

    /// An expression as Prometheus would write it; nothing where it does not tell.
    pub(crate) async fn formatted(&self, expression: &str) -> Option<String> {
        let data = self.server.get("format_query", &[("query", expression)]).await.ok()?;
        data.as_str().map(str::to_owned)
    }

    /// The addresses of the Alertmanagers that it tells.
    pub(crate) async fn alertmanagers(&self) -> Result<Vec<String>, PortError> {
        let told: Alertmanagers = read(self.server.get("alertmanagers", &[]).await?)?;
        let base = |told: Told| told.url.trim_end_matches(TOLD_AT).to_owned();
        Ok(told.active_alertmanagers.into_iter().map(base).collect())
    }

    /// The names of an Alertmanager's receivers. It is shown no token, and its certificate may be
    /// of those whom Prometheus' own is trusted by.
    pub(crate) async fn receivers(&self, alertmanager: &str) -> Result<Vec<String>, PortError> {
        const WHOM: &str = "Alertmanager";
        let client = if alertmanager.starts_with("https:") {
            let client = http::client_over_tls(self.config.ca.as_deref(), HeaderMap::new());
            client.map_err(|why| PortError::refused(why.to_string()))?
        } else {
            http::client()
        };
        let asked = client.get(format!("{alertmanager}/api/v2/receivers"));
        let got = asked.send().await.map_err(|why| http::failed(WHOM, why))?;
        let body = http::body(got, WHOM, http::FEW_MACHINES).await?;
        let receivers: Vec<Receiver> = serde_json::from_slice(&body)
            .map_err(|_| PortError::refused("what answers is not Alertmanager"))?;
        Ok(receivers.into_iter().map(|receiver| receiver.name).collect())
    }
}
