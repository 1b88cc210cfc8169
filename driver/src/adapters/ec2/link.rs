//! The way to EC2: one request and its answer.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Url};
use tidegate_core::Timestamp;

use super::credentials::Source;
use super::sign::{self, Unsigned};
use super::{Ec2Config, Ec2Error, answer};
use crate::adapters::http;
use crate::clock::Clock;
use crate::ports::PortError;

const VERSION: &str = "2016-11-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

pub(super) struct Link {
    client: Client,
    url: Url,
    host: String,
    region: String,
    source: Source,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// Where EC2 is.
pub(super) fn endpoint(config: &Ec2Config) -> Result<Url, String> {
    let region = &config.region;
    let own = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let usual = || format!("https://ec2.{region}.{own}/");
    let url = http::base(&config.endpoint.clone().unwrap_or_else(usual), false)?;
    if url.path() != "/" {
        return Err(format!("`{url}` has a path, and EC2 has none"));
    }
    Ok(url)
}

impl Link {
    /// Connects to nothing yet; reads the access key.
    pub fn new(config: &Ec2Config, clock: Arc<dyn Clock>) -> Result<Self, Ec2Error> {
        config.check().map_err(|(key, why)| Ec2Error::Key(key, why))?;
        let url = endpoint(config).map_err(|why| Ec2Error::Key("endpoint", why))?;
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self {
            client: http::client_over_tls(None, HeaderMap::new())?,
            host: format!("{}{port}", url.host_str().unwrap_or_default()),
            url,
            region: config.region.clone(),
            source: Source::new(config, Arc::clone(&clock))?,
            timeout: Duration::from_nanos(config.timeout.as_nanos().unsigned_abs()),
            clock,
        })
    }

    /// What EC2 answers to an action.
    pub async fn ask(&self, action: &str, form: &[(String, &str)]) -> Result<String, PortError> {
        let who = self.source.current().await?;
        let (body, at) = (encoded(action, form), shown(self.clock.now()));
        let request = Unsigned {
            host: &self.host,
            region: &self.region,
            service: "ec2",
            content_type: CONTENT_TYPE,
            body: &body,
            at: &at,
        };
        let signed = sign::authorization(&request, &who);
        let asked = self.client.post(self.url.clone()).header("Content-Type", CONTENT_TYPE);
        let asked = asked.header("X-Amz-Date", &at).header("Authorization", signed);
        let asked = who
            .token
            .iter()
            .fold(asked, |asked, token| asked.header("X-Amz-Security-Token", token.expose()));
        let failed = |why| http::failed("EC2", why);
        let asked = asked.body(body).timeout(self.timeout);
        let got = asked.send().await.map_err(failed)?;
        let status = got.status();
        let text = String::from_utf8_lossy(&http::body(got, "EC2", http::FEW_MACHINES).await?)
            .into_owned();
        if status.is_success() { Ok(text) } else { Err(answer::refusal(status, &text)) }
    }
}

/// An action with what it is about, as a form.
fn encoded(action: &str, form: &[(String, &str)]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("Action", action).append_pair("Version", VERSION);
    body.extend_pairs(form).finish()
}

/// A time as Amazon writes it.
fn shown(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string()
}
