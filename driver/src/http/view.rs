//! A group, as people and programs are shown it.

use serde::{Deserialize, Serialize};
use tidegate_core::decision::Source;
use tidegate_core::explain::words;
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::Bound;
use tidegate_core::record::LocalTime;
use tidegate_core::{TimeZone, Timestamp};

use crate::runtime::Status;
use crate::store::Asked;
use crate::words::{counted, request};

/// How a group is. Times are those of Greenwich.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// When its controller was last stepped.
    pub at: LocalTime,
    /// How many lines its journal has.
    pub line: u64,
    /// Each server, the primary first.
    pub servers: Vec<ServerView>,
    /// What was last decided and why, in sentences.
    pub decision: Vec<String>,
    /// Who wants how many servers.
    pub demands: Vec<DemandView>,
    /// Until when a person paused it, if one did.
    pub paused_until: Option<LocalTime>,
    /// What happened last since its host began, the latest first.
    pub events: Vec<EventView>,
    /// What people last asked for, the latest first.
    pub requests: Vec<RequestView>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub stage: Stage,
}

/// Somebody wants so many servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandView {
    /// Who.
    pub by: String,
    /// At least, at most, or exactly.
    pub bound: Bound,
    /// So many servers, the primary included.
    pub servers: u16,
    /// Higher wins.
    pub priority: u8,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// When.
    pub at: LocalTime,
    /// What.
    pub what: String,
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// When.
    pub at: LocalTime,
    /// Who, as the person said.
    pub who: String,
    /// What.
    pub what: String,
}

/// To the second.
fn local(at: Timestamp) -> LocalTime {
    const SECOND: i64 = 1_000_000_000;
    let whole = Timestamp::from_nanos(at.as_nanos().div_euclid(SECOND) * SECOND);
    LocalTime::new(whole, &TimeZone::UTC)
}

impl GroupView {
    /// Puts together what is known of a group.
    pub fn new(
        name: &str,
        status: &Status,
        events: Vec<(Timestamp, String)>,
        requests: &[Asked],
    ) -> Self {
        let server =
            |(server, stage): &(_, _)| ServerView { name: format!("{server}"), stage: *stage };
        let demand = |demand: &tidegate_core::demand::Demand| DemandView {
            by: match demand.source {
                // Only a pause demands in the policy's name.
                Source::Bounds => "the pause".to_owned(),
                source @ (Source::Rule(_) | Source::Schedule(_) | Source::Manual) => {
                    words::source(source)
                }
            },
            bound: demand.bound,
            servers: demand.servers,
            priority: demand.priority,
        };
        let asked = |asked: &Asked| RequestView {
            at: local(asked.at),
            who: asked.who.clone(),
            what: request(&asked.request),
        };
        let decision = status.decision.as_ref();
        let sentences = decision.map(|decision| words::decision(decision, &TimeZone::UTC));
        Self {
            name: name.to_owned(),
            at: local(status.at),
            line: status.line,
            servers: status.stages.iter().map(server).collect(),
            decision: sentences.unwrap_or_default(),
            demands: status.demands.iter().map(demand).collect(),
            paused_until: status.paused_until.map(local),
            events: events
                .into_iter()
                .map(|(at, what)| EventView { at: local(at), what })
                .collect(),
            requests: requests.iter().map(asked).collect(),
        }
    }

    /// Its name, as it is written in the query of an address.
    pub fn query(&self) -> String {
        form_urlencoded::byte_serialize(self.name.as_bytes()).collect()
    }

    /// How many of its servers serve.
    pub fn serving(&self) -> usize {
        self.servers.iter().filter(|server| server.stage == Stage::Serving).count()
    }

    /// The sentence that says what was last decided.
    pub fn verdict(&self) -> &str {
        self.decision.first().map_or("nothing was decided yet", String::as_str)
    }
}

impl DemandView {
    /// In words, after who it is.
    pub fn words(&self) -> String {
        let bound = match self.bound {
            Bound::Floor => "at least",
            Bound::Ceiling => "at most",
            Bound::Pin => "exactly",
        };
        format!("{bound} {}, with priority {}", counted(self.servers), self.priority)
    }
}
