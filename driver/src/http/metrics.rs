//! `GET /metrics`: what Prometheus is told of the host itself, in the text of `OpenMetrics`.
//!
//! How groups are is asked when it is scraped; what happened is counted since the host began.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tidegate_core::lifecycle::Stage;
use tidegate_core::{Command, OperatorRequest, Outcome, Timestamp};

use super::operators::{Operators, Refusal};
use super::request::Action;
use super::token::{Token, refused};
use super::{answer, api};
use crate::runtime::{Event, HostEvent, Listener, Status};

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfGroup {
    group: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfStage {
    group: String,
    stage: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfCommand {
    group: String,
    step: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSource {
    group: String,
    what: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRequest {
    group: String,
    action: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

/// Counts what happens, and tells another listener all that it is told.
pub struct Counts {
    next: Arc<dyn Listener>,
    commands: Family<OfCommand, Counter>,
    requests: Family<OfRequest, Counter>,
    alerts_left_out: Family<OfGroup, Counter>,
    unread: Family<OfSource, Gauge>,
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counts").finish_non_exhaustive()
    }
}

impl Counts {
    /// Nothing has happened yet.
    pub fn new(next: Arc<dyn Listener>) -> Self {
        Self {
            next,
            commands: Family::default(),
            requests: Family::default(),
            alerts_left_out: Family::default(),
            unread: Family::default(),
        }
    }

    fn ended(&self, group: &str, command: &Command, outcome: &'static str) {
        let (group, step) = (group.to_owned(), command.kind.step().name());
        self.commands.get_or_create(&OfCommand { group, step, outcome }).inc();
    }

    fn reads(&self, group: &str, what: &str, fails: bool) {
        let (group, what) = (group.to_owned(), what.to_owned());
        self.unread.get_or_create(&OfSource { group, what }).set(fails.into());
    }

    /// Everything, as text: that of groups only if this host acts.
    fn text(&self, groups: Option<&[(String, Status)]>) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("tidegate");
        let version = env!("CARGO_PKG_VERSION");
        registry.register("build", "Which program this is", Info::new(Build { version }));
        let acts = Gauge::<i64>::default();
        acts.set(groups.is_some().into());
        registry.register("acts", "Whether this host acts, or waits while another does", acts);
        if let Some(groups) = groups {
            register_groups(&mut registry, groups);
        }
        let unread = "Whether the last attempt to read this failed";
        registry.register("read_failing", unread, self.unread.clone());
        let commands = "Attempts at commands that ended; one that is dropped did not in time";
        registry.register("commands", commands, self.commands.clone());
        let requests = "What people asked for";
        registry.register("requests", requests, self.requests.clone());
        let alerts = "Notifications of alerts that had no effect";
        registry.register("alerts_left_out", alerts, self.alerts_left_out.clone());
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

fn register_groups(registry: &mut Registry, groups: &[(String, Status)]) {
    let servers = Family::<OfStage, Gauge>::default();
    let [wanted, paused, stepped] = [(); 3].map(|()| Family::<OfGroup, Gauge>::default());
    for (name, status) in groups {
        for stage in Stage::ALL {
            let count = status.stages.iter().filter(|(_, own)| *own == stage).count();
            let labels = OfStage { group: name.clone(), stage: stage.name() };
            servers.get_or_create(&labels).set(count as i64);
        }
        let labels = OfGroup { group: name.clone() };
        if let Some(decision) = &status.decision {
            wanted.get_or_create(&labels).set(decision.wanted.into());
        }
        let is_paused = status.paused_until.is_some_and(|until| until > status.at);
        paused.get_or_create(&labels).set(is_paused.into());
        stepped.get_or_create(&labels).set(status.at.as_nanos().div_euclid(1_000_000_000));
    }
    registry.register("group_servers", "Servers by where they are in their life", servers);
    registry.register("group_wanted", "Servers that were last decided to be wanted", wanted);
    registry.register("group_paused", "Whether a person paused it", paused);
    let help = "When its controller was last stepped, since the Unix epoch";
    registry.register("group_stepped_timestamp_seconds", help, stepped);
}

impl Listener for Counts {
    fn tell_of_host(&self, at: Timestamp, event: &HostEvent<'_>) {
        if matches!(event, HostEvent::Lost { .. }) {
            // What it could not read is for the next host to tell.
            self.unread.clear();
        }
        self.next.tell_of_host(at, event);
    }

    fn tell(&self, at: Timestamp, group: &str, event: &Event<'_>) {
        self.next.tell(at, group, event);
        match event {
            Event::Asked { request, .. } => {
                let (group, action) = (group.to_owned(), action(request));
                self.requests.get_or_create(&OfRequest { group, action }).inc();
            }
            Event::Ended { command, outcome, .. } => {
                let is_done = matches!(outcome, Outcome::Done);
                self.ended(group, command, if is_done { "done" } else { "failed" });
            }
            Event::Dropped { command } => self.ended(group, command, "dropped"),
            Event::Blind { what, .. } => self.reads(group, what, true),
            Event::SeesAgain { what } => self.reads(group, what, false),
            Event::AlertLeftOut { .. } => {
                let group = group.to_owned();
                self.alerts_left_out.get_or_create(&OfGroup { group }).inc();
            }
            Event::TakenUp { .. } | Event::Stepped { .. } | Event::NotEnabled => {}
        }
    }
}

/// A request's name; a policy that was changed is one too.
fn action(request: &OperatorRequest) -> &'static str {
    match request {
        OperatorRequest::ScaleUp { .. } => Action::ScaleUp.name(),
        OperatorRequest::ScaleDown { .. } => Action::ScaleDown.name(),
        OperatorRequest::PauseUntil(_) => Action::Pause.name(),
        OperatorRequest::Resume => Action::Resume.name(),
        OperatorRequest::SetPolicy(_) => "set-policy",
    }
}

/// What the route needs.
#[derive(Clone)]
pub(super) struct Desk {
    pub token: Token,
    pub operators: Arc<Operators>,
}

pub(super) async fn scrape(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    if !desk.token.is_shown(&headers) {
        return refused();
    }
    let groups = match desk.operators.statuses().await {
        Ok(groups) => Some(groups),
        Err(Refusal::Idle(_)) => None,
        Err(why) => return answer(api::status(&why), &why.to_string()),
    };
    match desk.operators.counts.text(groups.as_deref()) {
        Ok(text) => ([(CONTENT_TYPE, HeaderValue::from_static(TEXT))], text).into_response(),
        Err(fmt::Error) => answer(StatusCode::INTERNAL_SERVER_ERROR, "it cannot be written"),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::ServerId;

    use super::*;
    use crate::ports::PortError;
    use crate::runtime::Deaf;

    fn counts() -> Counts {
        Counts::new(Arc::new(Deaf))
    }

    #[test]
    fn a_group_is_told_by_stages() {
        let stages = [(ServerId::PRIMARY, Stage::Serving), (ServerId(1), Stage::Draining)];
        let status = Status {
            at: Timestamp::from_nanos(7_900_000_000),
            line: 3,
            stages: stages.into(),
            decision: None,
            demands: Vec::new(),
            paused_until: Some(Timestamp::from_nanos(8_000_000_000)),
        };
        let text = counts().text(Some(&[("a \"b\"\n".to_owned(), status)])).unwrap();
        for line in [
            "tidegate_acts 1",
            r#"tidegate_group_servers{group="a \"b\"\n",stage="serving"} 1"#,
            r#"tidegate_group_servers{group="a \"b\"\n",stage="draining"} 1"#,
            r#"tidegate_group_servers{group="a \"b\"\n",stage="standby"} 0"#,
            r#"tidegate_group_paused{group="a \"b\"\n"} 1"#,
            r#"tidegate_group_stepped_timestamp_seconds{group="a \"b\"\n"} 7"#,
        ] {
            assert!(text.lines().any(|own| own == line), "{line} in {text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn what_could_not_be_read_is_told_until_it_can_be_or_another_host_acts() {
        let counts = counts();
        let why = PortError::refused("no");
        let (at, what) = (Timestamp::default(), "metrics");
        let fails = |text: &str| text.contains("group=\"g\",what=\"metrics\"} 1");
        counts.tell(at, "g", &Event::Blind { what, why: &why });
        assert!(fails(&counts.text(None).unwrap()));
        counts.tell(at, "g", &Event::SeesAgain { what });
        assert!(!fails(&counts.text(None).unwrap()));
        counts.tell(at, "g", &Event::Blind { what, why: &why });
        let lost = crate::store::StoreError::Unreachable("gone".to_owned());
        counts.tell_of_host(at, &HostEvent::Lost { why: &lost });
        let text = counts.text(None).unwrap();
        assert!(!text.contains("what=") && text.contains("tidegate_acts 0"), "{text}");
    }
}
