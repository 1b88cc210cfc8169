//! A Prometheus that answers its HTTP API.

use reqwest::header::HeaderMap;
use reqwest::{Client, Url};
use serde_json::Value;

use super::{PrometheusConfig, PrometheusConfigError, answer};
use crate::adapters::{Secret, SecretSource, http};
use crate::ports::PortError;

/// The rules and alerts of a large site are some megabytes.
const LONGEST: usize = 64 << 20;

/// Where it is, and how it knows who asks.
#[derive(Clone, Debug)]
pub(super) struct Server {
    base: String,
    token: Option<Secret>,
    client: Client,
}

impl Server {
    /// Asks nothing yet; reads the token, and for an encrypted connection the certificates.
    pub fn new(config: &PrometheusConfig) -> Result<Self, PrometheusConfigError> {
        let base = config.url.trim_end_matches('/').to_owned();
        let url: Option<Url> = base.parse().ok();
        let client = match (url.as_ref().map(Url::scheme), &config.ca) {
            (Some("https"), ca) => http::client_over_tls(ca.as_deref(), HeaderMap::new())?,
            (Some("http"), None) => http::client(),
            (Some("http"), Some(_)) => return Err(PrometheusConfigError::Plain(base)),
            _ => return Err(PrometheusConfigError::Url(config.url.clone())),
        };
        let token = config.token.as_ref().map(SecretSource::read).transpose()?;
        Ok(Self { base, token, client })
    }

    /// The data of the answer at a path of version 1 of the API.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, PortError> {
        let mut asked = self.client.get(format!("{}/api/v1/{path}", self.base)).query(query);
        if let Some(token) = &self.token {
            asked = asked.bearer_auth(token.expose());
        }
        let got = asked.send().await.map_err(|why| http::failed("Prometheus", why))?;
        let status = got.status();
        let body = http::body(got, "Prometheus", LONGEST).await?;
        answer::data(status, &body)
    }
}
