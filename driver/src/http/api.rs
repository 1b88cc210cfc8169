//! `/api/v1/groups`: the groups as JSON, and requests of people as JSON.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tidegate_core::explain::words;
use tidegate_core::{Decision, TimeZone};

use super::operators::{Operators, Refusal};
use super::request::Wish;
use super::token::{Token, refused};
use super::view::GroupView;
use crate::runtime::RequestError;

/// What `GET /api/v1/groups` gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// In the order of their names.
    pub groups: Vec<GroupView>,
}

/// What follows from a request of a person, which is on disk by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// In sentences.
    pub says: Vec<String>,
    /// As data.
    pub decision: Decision,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// In a sentence.
    pub error: String,
}

/// Its routes, for those who show the token.
pub(super) fn routes(operators: Arc<Operators>, token: Token) -> Router {
    Router::new()
        .route("/api/v1/groups", get(list))
        .route("/api/v1/groups/{name}", get(show))
        .route("/api/v1/groups/{name}/{action}", post(ask))
        .with_state(operators)
        .layer(from_fn_with_state(token, shown))
}

async fn shown(
    State(token): State<Token>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    if token.is_shown(&headers) { next.run(request).await } else { refused() }
}

async fn list(State(operators): State<Arc<Operators>>) -> Response {
    respond(operators.all().await.map(|groups| Groups { groups }))
}

async fn show(State(operators): State<Arc<Operators>>, Path(name): Path<String>) -> Response {
    respond(operators.view(&name).await)
}

async fn ask(
    State(operators): State<Arc<Operators>>,
    Path((name, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let wish: Wish = match serde_json::from_slice(&body) {
        Ok(wish) => wish,
        Err(why) => {
            let error = format!("failed to read the request: {why}");
            return json(StatusCode::BAD_REQUEST, &Failed { error });
        }
    };
    let answer =
        |decision: Decision| Answer { says: words::decision(&decision, &TimeZone::UTC), decision };
    respond(operators.ask(&name, &action, &wish).await.map(answer))
}

/// The status that a refusal has.
pub(super) fn status(why: &Refusal) -> StatusCode {
    match why {
        Refusal::Bad(_) => StatusCode::BAD_REQUEST,
        Refusal::Group(RequestError::Unknown(_)) => StatusCode::NOT_FOUND,
        Refusal::Group(RequestError::Ended(_)) | Refusal::Idle(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Refusal::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn respond(answer: Result<impl Serialize, Refusal>) -> Response {
    match answer {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(why) => json(status(&why), &Failed { error: why.to_string() }),
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match serde_json::to_vec(value) {
        Ok(body) => (status, [kind], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
