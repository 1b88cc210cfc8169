//! What all adapters that ask over HTTP have in common.

use std::time::Duration;

use reqwest::{Client, redirect};

use crate::ports::PortError;

/// Until whoever does not even take the connection is unreachable.
const CONNECT: Duration = Duration::from_secs(5);

/// A client that follows no redirection: an answer counts only from whom was asked. It uses no
/// proxy of the environment, which would answer for a server that is down.
pub(crate) fn client() -> Client {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    client.connect_timeout(CONNECT).build().unwrap_or_default()
}

/// What a port makes of a request that got no answer. The address is left out: it may hold a token.
pub(crate) fn failed(whom: &str, why: reqwest::Error) -> PortError {
    let is_late = why.is_timeout();
    let is_answer = why.is_decode() || why.is_body();
    let why = why.without_url();
    let reason =
        std::error::Error::source(&why).map_or_else(|| why.to_string(), ToString::to_string);
    let what = format!("{whom}: {reason}");
    if is_late {
        PortError::timed_out(what)
    } else if is_answer {
        PortError::refused(what)
    } else {
        PortError::unreachable(what)
    }
}
