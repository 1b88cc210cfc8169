//! The way to a cloud: one request and its answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method as Verb, RequestBuilder};
use serde_json::Value;
use tidegate_core::{Failure, Timestamp};

use super::answer;
use super::config::{Call, ErrorWords, HttpProviderConfig, HttpProviderError, Method};
use super::template::{self, Names};
use crate::adapters::{Secret, http};
use crate::clock::Clock;
use crate::ports::PortError;

/// What the other side is called in errors.
const WHOM: &str = "the cloud";

pub(super) struct Link {
    client: Client,
    base: String,
    token: Secret,
    errors: ErrorWords,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    /// Until when the cloud asked to be left alone.
    pause: Mutex<Timestamp>,
}

impl Link {
    /// Connects to nothing yet; reads the token and the certificates.
    pub fn new(
        config: &HttpProviderConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, HttpProviderError> {
        config.check().map_err(|(key, why)| HttpProviderError::Key(key, why))?;
        let token = config.token.read()?;
        let client = http::client_over_tls(config.ca.as_deref(), headers(config, &token)?)?;
        Ok(Self {
            client,
            base: config.url.trim_end_matches('/').to_owned(),
            token,
            errors: config.errors.clone(),
            timeout: Duration::from_nanos(config.timeout.as_nanos().unsigned_abs()),
            clock,
            pause: Mutex::default(),
        })
    }

    /// What stands at a path, which is about `server`.
    pub async fn get(&self, path: &str, server: &str) -> Result<Value, PortError> {
        self.answer(self.client.get(format!("{}{path}", self.base)), server).await
    }

    /// What a request is answered that changes `server`.
    pub async fn call(&self, call: &Call, server: &str) -> Result<Value, PortError> {
        let verb = match call.method {
            Method::Post => Verb::POST,
            Method::Put => Verb::PUT,
            Method::Patch => Verb::PATCH,
        };
        let names = Names { server, action: "" };
        let url = format!("{}{}", self.base, call.path.filled(names));
        let mut asked = self.client.request(verb, url);
        if let Some(body) = &call.body {
            let text = template::body(body, names).to_string();
            asked = asked.header("Content-Type", "application/json").body(text);
        }
        self.answer(asked, server).await
    }

    async fn answer(&self, asked: RequestBuilder, server: &str) -> Result<Value, PortError> {
        self.may_ask()?;
        let failed = |why| self.without_token(http::failed(WHOM, why));
        let got = asked.timeout(self.timeout).send().await.map_err(failed)?;
        let status = got.status();
        let pause = answer::left_alone_until(got.headers(), self.clock.now());
        let body = http::body(got, WHOM, http::FEW_MACHINES)
            .await
            .map_err(|why| self.without_token(why))?;
        if status.is_success() {
            return answer::json(&body);
        }
        let mut why = answer::refusal(status, &body, &self.errors, server);
        if let (Failure::RateLimited, Some(until)) = (why.failure, pause) {
            *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = until;
            let wait = until.since(self.clock.now()).as_secs_ceil();
            why.what = format!("{}; it asks to be left alone for {wait} s", why.what);
        }
        Err(self.without_token(why))
    }

    /// Whether a code means that the cloud has no machine to give.
    pub fn has_no_capacity(&self, code: Option<&str>) -> bool {
        code.is_some_and(|code| self.errors.no_capacity.iter().any(|one| one == code))
    }

    /// Does not ask a cloud that asked to be left alone.
    fn may_ask(&self) -> Result<(), PortError> {
        let until = *self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if now >= until {
            return Ok(());
        }
        let wait = until.since(now).as_secs_ceil();
        let what = format!("the cloud asked to be left alone for {wait} s more");
        Err(PortError::new(Failure::RateLimited, what))
    }

    /// A cloud may repeat what it was sent.
    fn without_token(&self, mut why: PortError) -> PortError {
        why.what = why.what.replace(self.token.expose(), "…");
        why
    }
}

fn headers(config: &HttpProviderConfig, token: &Secret) -> Result<HeaderMap, HttpProviderError> {
    let wrong = |key, why: &dyn std::fmt::Display| HttpProviderError::Key(key, why.to_string());
    let name = |key, text: &str| text.parse::<HeaderName>().map_err(|why| wrong(key, &why));
    let mut headers = HeaderMap::new();
    for (key, value) in &config.headers {
        let value = value.parse::<HeaderValue>().map_err(|why| wrong("headers", &why))?;
        headers.insert(name("headers", key)?, value);
    }
    let shown = [&*config.token_scheme, token.expose()].join(" ");
    let mut value = HeaderValue::from_str(shown.trim_start())
        .map_err(|_| wrong("token", &"it cannot stand in the head of a request"))?;
    value.set_sensitive(true);
    headers.insert(name("token_header", &config.token_header)?, value);
    Ok(headers)
}
