//! Whatever comes in over HTTP is answered: by what was asked for, or by a status and a sentence.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request, StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tidegate_core::Timestamp;
use tidegate_core::demand::trigger::Rule;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::{BODY, Counts, Operators, Recent, Token, alerts, router};
use crate::adapters::alertmanager::Inboxes;
use crate::clock::Clock;
use crate::config::Config;
use crate::fakes::{MemoryStore, VirtualClock};
use crate::fuzz::{bytes, config};
use crate::live::Control;
use crate::runtime::{Deaf, Host, Listener, Mode, Setup};
use crate::store::Store;

const NOW: Timestamp = Timestamp::from_nanos(1_772_438_400_000_000_000);
const TOKEN: &str = "s3cret";
const CONFIG: &str = "[[policy.up]]\nmetric = \"cpu\"\nabove = \"75%\"\nfor = \"5m\"\n\
                      [[policy.down]]\nmetric = \"cpu\"\nbelow = \"30%\"\nfor = \"10m\"\n\
                      [[group]]\nname = \"school\"\nports = { kind = \"fake\" }\n";

const NOTIFIED: &str = r#"{"version":"4","alerts":[{"status":"firing","fingerprint":"9f",
    "startsAt":"2026-03-02T07:55:00Z","labels":{"tidegate_group":"school","tidegate_rule":"0",
    "tidegate_condition":"cpu > 75% for 5m"}}]}"#;
const WISHES: [&str; 3] = [
    r#"{"who":"ann","by":1,"hold":"1h"}"#,
    r#"{"who":"ann","until":"2026-03-02T18:30[Asia/Kolkata]"}"#,
    r#"{"who":"ann"}"#,
];

/// What Alertmanager is told where no Prometheus says what is true.
const UNCHECKED: &str = "this could not be checked yet\n";

/// A host that acts, and the time stands still but for those who wait in vain.
struct Desk {
    runtime: Runtime,
    router: Router,
}

impl Desk {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.unwrap();
        let router = runtime.block_on(async {
            let config = Config::parse(CONFIG).unwrap();
            let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new(NOW));
            let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
            let counts = Arc::new(Counts::new(Arc::new(Deaf)));
            let recent = Arc::new(Recent::new(counts.clone()));
            let listener: Arc<dyn Listener> = recent.clone();
            let rules: Vec<Rule> = Rule::all(&config.policy).collect();
            let inboxes = Inboxes::new([("school".to_owned(), rules)], &clock, &listener);
            let groups = config.groups(&clock, &inboxes).unwrap();
            let (limits, mode) = (config.look.into(), Mode::Act);
            let setup =
                Setup { store: store.clone(), clock: clock.clone(), listener, limits, mode };
            let host = Host::start(&setup, groups).await.unwrap();
            let control = Control::default();
            control.acts(host.handle());
            tokio::spawn(host.run());
            let people = Arc::new(Operators { host: control, store, recent, counts, clock });
            let (token, inboxes) = (Token::of(TOKEN), Arc::new(inboxes));
            let people = Some((token, people));
            router(people.clone(), people, Some(alerts::Desk { token, inboxes }))
        });
        Self { runtime, router }
    }

    /// The status and the text of the answer to who shows this.
    fn answer(&self, method: Method, uri: Uri, shown: &str, body: Vec<u8>) -> (StatusCode, String) {
        let asked = Request::builder().method(method).uri(uri).header(AUTHORIZATION, shown);
        let asked = asked.body(Body::from(body)).unwrap();
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(asked).await.unwrap();
            let status = answer.status();
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        })
    }

    /// The same for programs.
    fn ask(&self, method: Method, uri: &str, body: Vec<u8>) -> (StatusCode, String) {
        self.answer(method, uri.parse().unwrap(), &format!("Bearer {TOKEN}"), body)
    }

    /// The same for people.
    fn form(&self, who: &[u8], body: Vec<u8>) -> (StatusCode, String) {
        let uri = Uri::from_static("/group");
        self.answer(Method::POST, uri, &signed_in(who), body)
    }
}

fn signed_in(who: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode([who, b":", TOKEN.as_bytes()].concat()))
}

fn path(group: &[u8], action: &[u8]) -> String {
    let encoded = |part| byte_serialize(part).collect::<String>();
    format!("/api/v1/groups/{}/{}", encoded(group), encoded(action))
}

fn wished() -> String {
    let seal = Token::of(TOKEN).seal("ann").to_hex();
    format!("name=school&seal={seal}&by=1&hold=1h&until=&action=scale-up")
}

/// What is refused is refused with a sentence, and nothing is the host's fault.
fn is_sound((status, text): &(StatusCode, String)) -> Result<(), TestCaseError> {
    prop_assert!(!status.is_server_error(), "{status}: {text}");
    prop_assert!(!status.is_client_error() || text.len() > 10, "{status}: {text:?}");
    Ok(())
}

/// A name that is nearly always `usual`.
fn nearly(usual: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => select(usual).prop_map(|text| text.as_bytes().to_vec()),
        1 => bytes(usual),
    ]
}

#[test]
fn what_is_changed_is_itself_answered() {
    let desk = Desk::new();
    for wish in &WISHES[..2] {
        let (status, text) = desk.ask(Method::POST, &path(b"school", b"pause"), (*wish).into());
        let taken = if wish.contains("by") { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        assert_eq!(status, taken, "{text}");
    }
    let (status, text) = desk.ask(Method::POST, &path(b"school", b"resume"), WISHES[2].into());
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(desk.form(b"ann", wished().into()).0, StatusCode::SEE_OTHER);
    assert_eq!(desk.form(b"bob", wished().into()).0, StatusCode::FORBIDDEN);
    let (status, text) = desk.ask(Method::POST, "/alerts", NOTIFIED.into());
    assert_eq!((status, text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, UNCHECKED));
    let long = vec![b' '; BODY + 1];
    let (status, _) = desk.ask(Method::POST, "/alerts", long);
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn any_wish_is_granted_or_refused() {
    let desk = Desk::new();
    let cases = (
        nearly(&["school"]),
        nearly(&["scale-up", "scale-down", "pause", "resume"]),
        bytes(&WISHES),
    );
    let run = TestRunner::new(config(2_000)).run(&cases, |(group, action, body)| {
        is_sound(&desk.ask(Method::POST, &path(&group, &action), body))?;
        let (status, text) = desk.ask(Method::GET, "/api/v1/groups/school", Vec::new());
        prop_assert_eq!(status, StatusCode::OK, "{}", text);
        Ok(())
    });
    run.unwrap();
}

#[test]
fn any_form_is_taken_or_refused() {
    let desk = Desk::new();
    let page = Uri::from_static("/group?name=school");
    let cases = (nearly(&["ann"]), bytes(&[&wished()]));
    let run = TestRunner::new(config(2_000)).run(&cases, |(who, body)| {
        is_sound(&desk.form(&who, body))?;
        let signed_in = signed_in(&who);
        is_sound(&desk.answer(Method::GET, page.clone(), &signed_in, Vec::new()))?;
        Ok(())
    });
    run.unwrap();
}

#[test]
fn any_notification_is_taken_up_or_refused() {
    let desk = Desk::new();
    let run = TestRunner::new(config(2_000)).run(&bytes(&[NOTIFIED]), |body| {
        let (status, text) = desk.ask(Method::POST, "/alerts", body);
        match status {
            StatusCode::OK => prop_assert_eq!(text, "taken up\n"),
            StatusCode::SERVICE_UNAVAILABLE => {
                let is_full = text == "too many notifications wait to be checked\n";
                prop_assert!(is_full || text == UNCHECKED, "{text}");
            }
            _ => prop_assert!(text.starts_with("failed to read the notification: "), "{text}"),
        }
        Ok(())
    });
    run.unwrap();
}

#[test]
fn any_address_and_anybody_is_answered() {
    let desk = Desk::new();
    let address = prop_oneof![
        "/[a-z0-9/%?&=.]{0,24}",
        "/api/v1/groups/[a-z%0-9]{0,6}(/[a-z%0-9-]{0,8})?",
        "/group\\?(name=[a-z%0-9+]{0,8}&?){0,2}",
    ];
    let shown = prop_oneof![
        3 => select(vec![format!("Bearer {TOKEN}"), signed_in(b"ann")]),
        1 => "(Basic|Bearer|basic ) ?[A-Za-z0-9+/=]{0,12}",
    ];
    let method = select(vec![Method::GET, Method::POST, Method::PUT, Method::HEAD]);
    let cases = (method, address, shown, bytes(&WISHES));
    let run = TestRunner::new(config(2_000)).run(&cases, |(method, address, shown, body)| {
        let Ok(uri) = address.parse::<Uri>() else { return Ok(()) };
        let is_head = method == Method::HEAD;
        let (status, text) = desk.answer(method, uri, &shown, body);
        prop_assert!(!status.is_server_error(), "{status}: {text}");
        prop_assert!(is_head || status.is_success() || status.is_redirection() || !text.is_empty());
        Ok(())
    });
    run.unwrap();
}
