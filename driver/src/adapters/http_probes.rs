//! HTTP checks of a server's own parts. A port that is open is not health: a check is an answer
//! with the status, and the text, that it should have.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use reqwest::{Client, Url};
use serde::Deserialize;
use tidegate_core::{Health, ServerId, Span};

use super::http;
use crate::ports::{Ask, Checks, PortError, Probes};

/// More than a health check's answer: a longer one is read up to here.
const BYTES_MAX: usize = 64 << 10;

/// The checks of each server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpProbesConfig {
    /// The checks of each server, the primary's first.
    pub servers: Vec<ServerProbes>,
    /// Until a check that has no answer has failed.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
}

const fn default_timeout() -> Span {
    Span::from_secs(2)
}

/// The checks of a server. A part is good if each of its checks is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerProbes {
    /// One for each bench.
    pub benches: Vec<HttpCheck>,
    /// One for the web server and each of its services.
    pub services: Vec<HttpCheck>,
}

/// A request and what its answer should be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpCheck {
    /// Whom to ask, past the proxy: `http://10.0.0.2:8000/api/method/ping`.
    pub url: String,
    /// The host that is named in the request, if it is another: the name of a site.
    pub host: Option<String>,
    /// The status of a good answer.
    #[serde(default = "default_status")]
    pub status: u16,
    /// What a good answer has in its first 64 KiB.
    pub contains: Option<String>,
}

const fn default_status() -> u16 {
    200
}

/// Checks that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpProbesConfigError {
    /// An address makes no sense.
    #[error("`{0}` is not an address to check: `http://HOST:PORT/PATH` is one")]
    Url(String),
    /// A part of a server would always be good.
    #[error("{0} needs at least one check of its {1}")]
    Unchecked(ServerId, &'static str),
}

/// HTTP checks, for one group.
#[derive(Debug)]
pub struct HttpProbes {
    config: HttpProbesConfig,
    client: Client,
}

impl HttpProbes {
    /// Checks nothing yet.
    pub fn new(config: HttpProbesConfig) -> Result<Self, HttpProbesConfigError> {
        for (own, id) in config.servers.iter().zip(0..) {
            for (checks, part) in [(&own.benches, "benches"), (&own.services, "services")] {
                if checks.is_empty() {
                    return Err(HttpProbesConfigError::Unchecked(ServerId(id), part));
                }
                let is_bad = |check: &&HttpCheck| {
                    !check.url.parse::<Url>().is_ok_and(|url| url.scheme() == "http")
                };
                if let Some(bad) = checks.iter().find(is_bad) {
                    return Err(HttpProbesConfigError::Url(bad.url.clone()));
                }
            }
        }
        Ok(Self { config, client: http::client() })
    }

    /// The addresses of a server that do not answer as they should.
    pub(crate) async fn failing(&self, server: ServerId) -> Vec<String> {
        let own = self.config.servers.get(server.index());
        let checks = own.into_iter().flat_map(|own| own.benches.iter().chain(&own.services));
        let failing =
            checks.map(async |check| (!self.is_good(check).await).then(|| check.url.clone()));
        join_all(failing).await.into_iter().flatten().collect()
    }

    async fn are_good(&self, checks: &[HttpCheck]) -> bool {
        join_all(checks.iter().map(|check| self.is_good(check))).await.into_iter().all(|good| good)
    }

    async fn is_good(&self, check: &HttpCheck) -> bool {
        let limit = Duration::from_nanos(self.config.timeout.as_nanos().unsigned_abs());
        let answers = tokio::time::timeout(limit, self.answers(check)).await;
        matches!(answers, Ok(Ok(true)))
    }

    async fn answers(&self, check: &HttpCheck) -> Result<bool, reqwest::Error> {
        let mut asked = self.client.get(&check.url).header("Connection", "close");
        if let Some(host) = &check.host {
            asked = asked.header("Host", host);
        }
        let mut got = asked.send().await?;
        if got.status().as_u16() != check.status {
            return Ok(false);
        }
        let Some(wanted) = check.contains.as_deref() else { return Ok(true) };
        let mut text = Vec::new();
        while text.len() < BYTES_MAX
            && let Some(more) = got.chunk().await?
        {
            text.extend_from_slice(&more);
        }
        Ok(String::from_utf8_lossy(&text).contains(wanted))
    }
}

#[async_trait]
impl Probes for HttpProbes {
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError> {
        let own = self.config.servers.get(server.index());
        let own = own.ok_or_else(|| PortError::refused("no checks are configured for it"))?;
        let (benches, services) =
            tokio::join!(self.are_good(&own.benches), self.are_good(&own.services));
        let checks = Checks::unknown(ask.now).with(Health::BENCHES, benches);
        Ok(checks.with(Health::SERVICES, services))
    }
}
