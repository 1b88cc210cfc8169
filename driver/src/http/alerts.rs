//! `POST /alerts`: the webhook of Alertmanager.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::future::join_all;

use super::answer;
use super::token::{Token, refused};
use crate::adapters::alertmanager::{Inboxes, Notification};

/// How long the sender waits for what it sent to be taken up. After that it comes again, as
/// Alertmanager does upon an answer of this kind, and finds it done or waiting.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Desk {
    pub token: Token,
    pub inboxes: Arc<Inboxes>,
}

/// Answers 200 once what follows from the notification is stored, or that nothing does is told.
pub(super) async fn receive(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !desk.token.is_shown(&headers) {
        return refused();
    }
    let notification = match Notification::read(&body) {
        Ok(notification) => notification,
        Err(why) => return answer(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    let receipts = match desk.inboxes.put(notification) {
        Ok(receipts) => receipts,
        Err(why) => return answer(StatusCode::SERVICE_UNAVAILABLE, &why.to_string()),
    };
    match tokio::time::timeout(PATIENCE, join_all(receipts)).await {
        Ok(_) => answer(StatusCode::OK, "taken up"),
        Err(_) => answer(StatusCode::SERVICE_UNAVAILABLE, "this could not be checked yet"),
    }
}
