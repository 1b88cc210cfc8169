//! The HTTP server of a live host: for Alertmanager, for people and for their programs.
//!
//! It speaks plain HTTP and listens on loopback, unless it is told otherwise. Everybody who asks
//! shows a token. Whatever comes in, the answer is a status and a sentence.

mod alerts;
pub mod api;
pub mod client;
mod metrics;
mod operators;
mod page;
mod recent;
pub mod request;
#[cfg(test)]
mod tests;
mod token;
pub mod view;

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::adapters::alertmanager::Inboxes;
use crate::adapters::{SecretError, SecretSource};

pub use metrics::Counts;
pub use operators::Operators;
pub use recent::Recent;
use token::Token;

/// The longest body of a request, in bytes.
const BODY: usize = 1 << 20;
/// How long a request may take, its body included.
const TIME: Duration = Duration::from_secs(20);

/// Where to listen, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpFile {
    /// The address. Default `127.0.0.1:7878`.
    #[serde(default = "loopback")]
    pub listen: SocketAddr,
    /// What people show.
    pub token: Option<SecretSource>,
    /// What Alertmanager shows.
    pub alerts_token: Option<SecretSource>,
    /// What Prometheus shows that scrapes the host.
    pub metrics_token: Option<SecretSource>,
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7878))
}

/// Where to ask who listens on every address.
fn loopback_of(listen: SocketAddr) -> SocketAddr {
    let all =
        if listen.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    SocketAddr::new(all, listen.port())
}

impl HttpFile {
    /// What an empty table says.
    pub(crate) fn loopback() -> Self {
        Self { listen: loopback(), token: None, alerts_token: None, metrics_token: None }
    }
}

/// Why nobody can be listened to as configured.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A token.
    #[error("failed to take up `[http]`")]
    Token(#[from] SecretError),
    /// The address.
    #[error("failed to listen on {listen}: {why}")]
    Listen {
        /// Which.
        listen: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    token: Option<Token>,
    alerts_token: Option<Token>,
    metrics_token: Option<Token>,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// A token that cannot be read, or an address that is not to be had.
    pub async fn listen(config: &HttpFile) -> Result<Self, HttpError> {
        let read = |source: &Option<SecretSource>| source.as_ref().map(Token::read).transpose();
        let (token, alerts_token) = (read(&config.token)?, read(&config.alerts_token)?);
        let metrics_token = read(&config.metrics_token)?;
        let listen = config.listen;
        let listener = TcpListener::bind(listen).await;
        let listener = listener.map_err(|why| HttpError::Listen { listen, why })?;
        Ok(Self { listener, token, alerts_token, metrics_token })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers for as long as it is polled.
    pub async fn serve(self, inboxes: Arc<Inboxes>, operators: Option<Operators>) -> Infallible {
        let operators = operators.map(Arc::new);
        let people = self.token.zip(operators.clone());
        let metrics = self.metrics_token.zip(operators);
        let alerts = self.alerts_token.map(|token| alerts::Desk { token, inboxes });
        let router = router(people, metrics, alerts);
        // It does not end: a connection that cannot be accepted is tried again.
        let _ended = axum::serve(self.listener, router).await;
        std::future::pending().await
    }
}

/// Who is answered, and how.
fn router(
    people: Option<(Token, Arc<Operators>)>,
    metrics: Option<(Token, Arc<Operators>)>,
    alerts: Option<alerts::Desk>,
) -> Router {
    let mut router = Router::new();
    if let Some((token, operators)) = people {
        router = router.merge(api::routes(Arc::clone(&operators), token));
        router = router.merge(page::routes(page::Desk { operators, token }));
    }
    if let Some((token, operators)) = metrics {
        let desk = metrics::Desk { token, operators };
        router = router.route("/metrics", get(metrics::scrape).with_state(desk));
    }
    if let Some(desk) = alerts {
        router = router.route("/alerts", post(alerts::receive).with_state(Arc::new(desk)));
    }
    router
        .fallback(async || answer(StatusCode::NOT_FOUND, "there is nothing here"))
        .method_not_allowed_fallback(async || {
            answer(StatusCode::METHOD_NOT_ALLOWED, "this is not asked for by this method")
        })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(in_time))
}

async fn in_time(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(TIME, next.run(request)).await;
    answered.unwrap_or_else(|_| answer(StatusCode::REQUEST_TIMEOUT, "this took too long"))
}

/// A sentence with a line feed, as text.
fn answer(status: StatusCode, what: &str) -> Response {
    (status, format!("{what}\n")).into_response()
}
