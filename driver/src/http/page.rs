//! `/` and `/group`: the groups as plain pages, and forms to ask them for something.
//!
//! A browser shows the token as the password of a person, whose name is whatever the person says. A
//! form carries a seal of that name, which no other site knows: a browser would send the password
//! along with a form of theirs as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use form_urlencoded::{byte_serialize, parse};

use super::operators::{Operators, Refusal};
use super::request::{BadRequest, Wish};
use super::token::{Token, sign_in};
use super::view::GroupView;
use super::{answer, api};

#[derive(Debug)]
pub(super) struct Desk {
    pub operators: Arc<Operators>,
    pub token: Token,
}

#[derive(Template)]
#[template(path = "groups.html")]
struct GroupsPage<'a> {
    groups: &'a [GroupView],
}

#[derive(Template)]
#[template(path = "group.html")]
struct GroupPage<'a> {
    group: &'a GroupView,
    who: &'a str,
    seal: String,
}

/// Its routes, for people who sign in.
pub(super) fn routes(desk: Desk) -> Router {
    let routes = Router::new().route("/", get(list)).route("/group", get(show).post(ask));
    routes.with_state(Arc::new(desk))
}

async fn list(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    if desk.token.person(&headers).is_none() {
        return sign_in();
    }
    match desk.operators.all().await {
        Ok(groups) => page(&GroupsPage { groups: &groups }),
        Err(why) => refuse(&why),
    }
}

async fn show(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(who) = desk.token.person(&headers) else { return sign_in() };
    let fields = fields(query.unwrap_or_default().as_bytes());
    let name = fields.get("name").map_or("", String::as_str);
    match desk.operators.view(name).await {
        Ok(group) => {
            let seal = desk.token.seal(&who).to_hex().to_string();
            page(&GroupPage { group: &group, who: &who, seal })
        }
        Err(why) => refuse(&why),
    }
}

async fn ask(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(who) = desk.token.person(&headers) else { return sign_in() };
    let fields = fields(&body);
    let field = |name| fields.get(name).map_or("", |text: &String| text.trim());
    let is_ours = blake3::Hash::from_hex(field("seal"));
    if !is_ours.is_ok_and(|seal| seal == desk.token.seal(&who)) {
        return answer(StatusCode::FORBIDDEN, "this form is not of this page: load it again");
    }
    let name = fields.get("name").map_or("", String::as_str);
    match asked(&desk.operators, name, who, field).await {
        Ok(()) => {
            let back: String = byte_serialize(name.as_bytes()).collect();
            // What is serialized so is always fit for a header.
            let back = HeaderValue::from_str(&format!("/group?name={back}"));
            let back = back.unwrap_or(HeaderValue::from_static("/"));
            (StatusCode::SEE_OTHER, [(LOCATION, back)]).into_response()
        }
        Err(why) => refuse(&why),
    }
}

/// Asks what a form says. A field that is left empty is absent.
async fn asked<'a>(
    operators: &Operators,
    group: &str,
    who: String,
    field: impl Fn(&'static str) -> &'a str,
) -> Result<(), Refusal> {
    let given = |name| Some(field(name)).filter(|text| !text.is_empty());
    let by = given("by").map(|by| by.parse().map_err(|_| BadRequest::By)).transpose()?;
    let hold = given("hold").map(str::parse).transpose().map_err(BadRequest::Hold)?;
    let wish = Wish { who, by, hold, until: given("until").map(str::to_owned) };
    operators.ask(group, field("action"), &wish).await.map(drop)
}

fn fields(text: &[u8]) -> BTreeMap<String, String> {
    parse(text).into_owned().collect()
}

fn refuse(why: &Refusal) -> Response {
    answer(api::status(why), &why.to_string())
}

/// A page that loads nothing, runs nothing, is kept nowhere and lies in no other page.
fn page(page: &impl Template) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                          base-uri 'none'; frame-ancestors 'none'";
    let head = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    match page.render() {
        Ok(text) => (head, Html(text)).into_response(),
        Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, "failed to make the page"),
    }
}
