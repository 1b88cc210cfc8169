//! The run record: all that a report reads, the same for a simulated and a live run.

mod close;
mod counts;
mod derive;
mod faults;
mod fingerprint;
mod fold;
mod histogram;
mod now;
mod origin;
mod story;
mod times;
mod told;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::billing::LedgerLine;
use crate::decision::{Decision, Direction, Source, Vote};
use crate::fact::FailureCause;
use crate::ids::{RuleId, ServerId};
use crate::lifecycle::Stage;
use crate::money::{Currency, Money};
use crate::observation::Ratio;
use crate::policy::Metric;
use crate::time::{Span, Timestamp};

pub use counts::Counts;
pub use faults::{FaultSpan, Faults};
pub use fingerprint::Fingerprint;
pub use fold::{FoldError, fold};
pub use origin::{Kind, Member, Origin, OriginError};
pub use story::{Story, StoryEnd};
pub use times::Times;
pub use told::Told;

/// The version of the record's form. Readers take it and older ones; newer ones are refused.
pub const FORMAT: u32 = 1;

/// One run, folded: its size does not grow with the number of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// The run in one line, from its scenario.
    pub title: String,
    /// IANA name of the zone in which times are shown.
    pub zone: String,
    /// When the run began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// What `summary.json` holds.
    pub summary: Summary,
    /// The run over time.
    pub timeline: Timeline,
    /// Which server was in which stage, in the order of time.
    pub stages: Vec<StageSpan>,
    /// All ledger lines, in the order in which they were opened.
    pub ledger: Vec<LedgerLine>,
    /// What the same time would have cost otherwise.
    pub baselines: Vec<Baseline>,
    /// The rules of the policy, up rules first.
    pub rules: Vec<RuleInfo>,
    /// How near rules came to firing when they did not.
    pub closest: Vec<ClosestCall>,
    /// Failed requests by cause, causes without any left out.
    pub failures: Vec<(FailureCause, u64)>,
    /// The servers, the primary first.
    pub servers: Vec<ServerInfo>,
    /// When faults were on; of a fleet, those that befall all groups at once.
    #[serde(default, skip_serializing_if = "Faults::is_empty")]
    pub faults: Faults,
}

/// The figures of a run, in the form of `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Where it took place.
    #[serde(default, skip_serializing_if = "Kind::is_simulated")]
    pub kind: Kind,
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How closely requests were followed.
    #[serde(default)]
    pub fidelity: Fidelity,
    /// Why, where the scenario left the choice to the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fidelity_because: Option<String>,
    /// Hash of the record, in hexadecimal.
    pub fingerprint: String,
    /// The command that gives this run again, where the run came from one. No part of the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What became of the requests.
    pub requests: Requests,
    /// What became of the background jobs.
    pub jobs: Jobs,
    /// What scaled.
    pub scaling: Scaling,
    /// What it cost.
    pub billing: Billing,
    /// What the oracles say.
    pub properties: Vec<PropertyResult>,
    /// What the scenario expected.
    pub expectations: Vec<ExpectationResult>,
    /// How many groups these are the sums of, if more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetSummary>,
}

/// A fleet's groups and their provider.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetSummary {
    /// Groups.
    pub groups: u64,
    /// Those in which all properties hold.
    pub held: u64,
    /// What the provider was asked for, if it has limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Starts>,
}

/// Starts of machines that a provider was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Starts {
    /// How many.
    pub asked: u64,
    /// Refused, for no machine was left.
    pub refused: u64,
    /// Seconds until the machine began to boot, on average; absent if none did.
    pub mean_wait_s: Option<f64>,
    /// The longest of these times.
    pub longest_wait_s: f64,
    /// Most machines that were given away at once.
    pub most_machines: u64,
}

/// One group of a fleet: a row of `groups.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupRow {
    /// Its name.
    pub group: String,
    /// Name of the primary's plan.
    pub plan: String,
    /// Factor on the scenario's load.
    pub scale: f64,
    /// Whether all properties hold.
    pub held: bool,
    /// Those that do not.
    pub violated: String,
    /// Requests that reached the proxy.
    pub arrived: u64,
    /// Answered.
    pub served: u64,
    /// Failed.
    pub failed: u64,
    /// Failed because of scaling.
    pub failed_by_scaling: u64,
    /// Median latency in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Servers added.
    pub ups: u64,
    /// Servers released.
    pub downs: u64,
    /// Sequences that failed.
    pub failed_sequences: u64,
    /// When the first server was asked for.
    pub first_up: Option<LocalTime>,
    /// Time for which standbys had power.
    pub standby_seconds_powered: f64,
    /// The bill.
    pub cost: Money,
    /// Hash of its record.
    pub fingerprint: String,
}

/// How closely the requests of a run were followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fidelity {
    /// One by one.
    #[default]
    Request,
    /// As flows: counts are expected values, latencies are estimates, no maximum is known.
    Fluid,
}

/// Counts and times of requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// Reached the proxy.
    pub arrived: u64,
    /// Got their answer.
    pub served: u64,
    /// Got an error or nothing.
    pub failed: u64,
    /// Failed because of scaling.
    pub failed_by_scaling: u64,
    /// Neither answered nor failed when the run ended.
    pub in_flight_at_end: u64,
    /// From arrival to answer, of those served.
    pub latency_ms: Distribution,
    /// From arrival until a web worker took them up, of those served.
    pub wait_ms: Distribution,
}

/// A distribution in milliseconds; each figure is absent if there was no sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Arithmetic mean, exact.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Maximum, exact.
    pub max: Option<f64>,
}

/// Counts of background jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    /// Put into a queue.
    pub enqueued: u64,
    /// Done.
    pub completed: u64,
    /// Neither done, nor in a queue, nor running.
    pub lost: u64,
    /// Done more than once.
    pub duplicated: u64,
    /// Ended with an error, and kept as failed.
    #[serde(default)]
    pub failed: u64,
    /// In a queue or running when the run ended.
    pub pending_at_end: u64,
}

/// Scale events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Servers added.
    pub ups: u64,
    /// Servers released.
    pub downs: u64,
    /// Sequences that failed and were undone.
    pub failed: u64,
    /// Each of them.
    pub events: Vec<ScaleEvent>,
}

/// One server added, released, or failed to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleEvent {
    /// When it was decided.
    pub at: LocalTime,
    /// What was done.
    pub action: Action,
    /// Who asked: `rule`, `schedule`, `manual` or `bounds`.
    pub source: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// What a scale event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A standby was started.
    ScaleUp,
    /// A server was drained and stopped.
    ScaleDown,
    /// A sequence failed and was undone.
    Failed,
}

/// What the run cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Billing {
    /// Of all amounts.
    pub currency: Currency,
    /// Charged for the primary.
    pub primary: Money,
    /// Charged for the standbys.
    pub standby: Money,
    /// The sum of all ledger lines.
    pub total: Money,
    /// Time for which standbys had power.
    pub standby_seconds_powered: f64,
    /// Time for which standbys were charged.
    pub standby_seconds_billed: f64,
}

/// One property, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyResult {
    /// Its name, such as `route-ready`.
    pub name: String,
    /// Whether nothing violated it.
    pub holds: bool,
    /// How often it was checked; zero means that the run says nothing about it.
    pub checked: u64,
    /// The first violations, at most ten.
    pub violations: Vec<Violation>,
}

/// What violated a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// When.
    pub at: LocalTime,
    /// What, in a sentence.
    pub what: String,
    /// The decision in force, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
}

impl Violation {
    /// The decision in force, or that there was none yet.
    pub fn in_force(&self) -> &str {
        self.under.as_deref().unwrap_or("no decision yet")
    }
}

/// One expectation of the scenario, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectationResult {
    /// The path into the summary, such as `requests.failed`.
    pub name: String,
    /// Whether it is as expected.
    pub holds: bool,
    /// The comparison, such as `<= 800`.
    pub expected: String,
    /// What the run gave, as text; `nothing` where there is no value.
    pub actual: String,
}

/// A moment with the offset that its zone had then; as text RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The moment.
    pub at: Timestamp,
    /// Seconds east of Greenwich.
    pub offset_seconds: i32,
}

impl LocalTime {
    /// `at` as the clocks of `zone` show it.
    pub fn new(at: Timestamp, zone: &jiff::tz::TimeZone) -> Self {
        Self { at, offset_seconds: zone.to_offset(at.to_jiff()).seconds() }
    }

    fn offset(self) -> jiff::tz::Offset {
        jiff::tz::Offset::from_seconds(self.offset_seconds).unwrap_or(jiff::tz::Offset::UTC)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at.to_jiff().display_with_offset(self.offset()))
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pieces = jiff::fmt::temporal::Pieces::parse(&text).map_err(de::Error::custom)?;
        let offset = pieces.to_numeric_offset().unwrap_or(jiff::tz::Offset::UTC);
        let instant: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
        let at =
            Timestamp::from_jiff(instant).ok_or_else(|| de::Error::custom("year out of range"))?;
        Ok(Self { at, offset_seconds: offset.seconds() })
    }
}

/// The run in equal intervals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Length of an interval.
    pub interval: Span,
    /// One row an interval; the last one may be shorter.
    pub rows: Vec<TimelineRow>,
}

/// One interval. Counts are of the interval, states are those at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// End of the interval.
    pub at: Timestamp,
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that were answered.
    pub served: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Median latency of those answered, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Requests between arrival and answer, at the end.
    pub in_flight: u64,
    /// Jobs in queues and running, at the end.
    pub jobs_pending: u64,
    /// Mean true busy share of the cores of the servers that receive traffic, over the interval.
    pub cpu: Option<Ratio>,
    /// Their mean used share of memory, at the end.
    pub memory: Option<Ratio>,
    /// Servers that receive traffic, at the end.
    pub serving: u32,
    /// Servers that have power, at the end.
    pub powered: u32,
    /// Servers that the demands resolve to, at the end.
    pub wanted: u32,
    /// Requests a second that the receiving servers could serve, by CPU alone and by what the
    /// run's requests cost on average.
    pub capacity_per_second: f64,
    /// Charged so far.
    pub cost: Money,
}

/// A stretch of a server's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSpan {
    /// Which server.
    pub server: ServerId,
    /// The stage.
    pub stage: Stage,
    /// When it entered it.
    pub from: Timestamp,
    /// When it left it, or the run ended.
    pub to: Timestamp,
}

/// What the same time would have cost under another arrangement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// `always-on` or `plan-upgrade`.
    pub name: String,
    /// What is assumed, in a sentence.
    pub assumes: String,
    /// The bill.
    pub total: Money,
}

/// A rule of the policy, for plots and sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleInfo {
    /// Its number.
    pub rule: RuleId,
    /// Which way it goes.
    pub direction: Direction,
    /// What it measures.
    pub metric: Metric,
    /// Its threshold.
    pub threshold: Ratio,
    /// Its window.
    pub window: Span,
}

/// The step at which an up rule that never fired came nearest to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosestCall {
    /// When.
    pub at: LocalTime,
    /// The rule's vote there.
    pub vote: Vote,
    /// The whole decision, with its vetoes.
    pub decision: Decision,
}

/// A server of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Its number.
    pub server: ServerId,
    /// Name of its plan.
    pub plan: String,
    /// Cores.
    pub vcpu: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Web workers.
    pub web_workers: u32,
    /// Job workers.
    pub job_workers: u32,
}

/// Wall-clock figures of a simulation: shown, never part of a record or its fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Simulation {
    /// Simulated time.
    pub simulated_seconds: f64,
    /// Time that it took.
    pub wall_seconds: f64,
    /// Events processed.
    pub events: u64,
    /// Events per second of wall-clock time.
    pub events_per_second: f64,
    /// Simulated requests per second of wall-clock time.
    pub requests_per_second: f64,
    /// Most memory that the process held.
    pub peak_rss_bytes: u64,
}

/// The one word for a source in `summary.json`.
pub const fn source_name(source: Option<Source>) -> &'static str {
    match source {
        Some(Source::Rule(_)) => "rule",
        Some(Source::Schedule(_)) => "schedule",
        Some(Source::Manual) => "manual",
        Some(Source::Bounds) | None => "bounds",
    }
}
