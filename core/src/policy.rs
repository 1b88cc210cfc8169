//! The policy: one table, used unchanged by a scenario and by a live configuration.

mod check;
mod longest;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::fmt::temporal::{Pieces, TimeZoneAnnotationKind};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use check::{Place, PolicyError, PolicyProblem};

use crate::observation::Ratio;
use crate::time::Span;

/// The most up and down rules together that a policy may hold.
pub const MAX_RULES: usize = 8;
/// The most schedules that a policy may hold.
pub const MAX_SCHEDULES: usize = 64;

/// When to scale, how far, how carefully.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Standbys that always serve. Default 0.
    pub min_standbys: u16,
    /// Standbys that may serve at once. Default: all that the group has.
    pub max_standbys: Option<u16>,
    /// Rules that ask for one more server; any one suffices.
    pub up: Vec<UpRule>,
    /// Rules that allow one server less; all must agree.
    pub down: Vec<DownRule>,
    /// Windows in which the number of servers is set by the calendar.
    pub schedule: Vec<Schedule>,
    /// Rest after a scale event, for rules only: schedules and people are not held back.
    pub cool_down: CoolDown,
    /// How long fewer servers must have sufficed, whatever asked for them, before one is released.
    pub stabilization: Stabilization,
    /// What counts as evidence.
    pub evidence: Evidence,
    /// Deadlines and retries of the steps of a scale-up and a scale-down.
    pub steps: Steps,
    /// How long a manual request holds if it does not say so itself.
    pub manual: Manual,
}

/// A measured quantity of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Busy share of the serving servers' cores.
    Cpu,
    /// Used share of the serving servers' memory.
    Memory,
}

/// What a gap in the samples does to a window that has begun to fill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The window starts anew.
    #[default]
    Reset,
    /// The window keeps what it had; the gap itself does not count.
    Hold,
}

/// Scale up while a metric stays above a threshold for a whole window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpRule {
    /// What is measured.
    pub metric: Metric,
    /// The threshold.
    pub above: Ratio,
    /// The window. Default 5 minutes.
    #[serde(rename = "for", default = "five_minutes")]
    pub window: Span,
    /// What missing samples do. Default `reset`.
    #[serde(default)]
    pub missing: Missing,
}

/// Allow a scale-down while a metric stays below a threshold for a whole window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DownRule {
    /// What is measured.
    pub metric: Metric,
    /// The threshold.
    pub below: Ratio,
    /// The window. Default 5 minutes.
    #[serde(rename = "for", default = "five_minutes")]
    pub window: Span,
    /// What missing samples do. Default `reset`.
    #[serde(default)]
    pub missing: Missing,
}

const fn five_minutes() -> Span {
    Span::from_mins(5)
}

/// How a demand bounds the number of servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// At least so many.
    #[default]
    Floor,
    /// At most so many.
    Ceiling,
    /// Exactly so many.
    Pin,
}

/// A window of the calendar. Either `from` and `until`, or `cron`, `for` and `zone`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Servers wanted, the primary included.
    pub servers: u16,
    /// Whether that is a floor, a ceiling or a pin. Default `floor`.
    #[serde(default)]
    pub bound: Bound,
    /// Start of a one-shot window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WallTime>,
    /// End of a one-shot window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<WallTime>,
    /// Starts of a recurring window: five fields, or six with seconds first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// Length of a recurring window.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub length: Option<Span>,
    /// IANA time zone of a recurring window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// A start or end that the clock skips. Default `after`.
    #[serde(default)]
    pub gap: Gap,
    /// A start or end that the clock shows twice. Default `first`.
    #[serde(default)]
    pub fold: Fold,
    /// How much before the window the servers are asked for, so that they serve when it opens.
    #[serde(default)]
    pub lead: Span,
    /// Who wins against other demands; higher wins. Default 50.
    #[serde(default = "schedule_priority")]
    pub priority: u8,
}

const fn schedule_priority() -> u8 {
    50
}

/// What to do with a wall-clock time that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// Take the first moment after the gap.
    #[default]
    After,
    /// Leave it out.
    Skip,
}

/// What to do with a wall-clock time that comes twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fold {
    /// Take the first of the two.
    #[default]
    First,
    /// Take the second.
    Second,
    /// Take both.
    Both,
}

/// Rest after a scale event. It begins when a server begins or ceases to serve, and anew when the
/// event is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CoolDown {
    /// Before a rule may add a server. Default 5 minutes.
    pub up: Span,
    /// Before a rule's server may be released. Default 10 minutes.
    pub down: Span,
}

impl Default for CoolDown {
    fn default() -> Self {
        Self { up: Span::from_mins(5), down: Span::from_mins(10) }
    }
}

/// Stabilization windows, as in Kubernetes' horizontal pod autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stabilization {
    /// The most servers recommended within this time are kept. Default 5 minutes.
    pub down: Span,
}

impl Default for Stabilization {
    fn default() -> Self {
        Self { down: Span::from_mins(5) }
    }
}

/// Who keeps the windows of the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceFrom {
    /// The controller, from the metrics.
    #[default]
    Metrics,
    /// Prometheus, whose alerts are notified. The metrics may still contradict them.
    Alerts,
}

/// What counts as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// Who keeps the windows of the rules. Default `metrics`.
    pub from: EvidenceFrom,
    /// How long a notification of an up rule counts, from `alerts`. Default 70 minutes.
    pub alert_up: Span,
    /// The same of a down rule. Default 15 minutes.
    pub alert_down: Span,
    /// A value older than this is missing. Default 2 minutes.
    pub stale_after: Span,
    /// Healthy checks in a row before a server may join. Default 3.
    pub healthy_checks: u8,
    /// Unhealthy checks in a row before a standby that serves is taken out. Default 8.
    pub unhealthy_checks: u8,
    /// Idle readings in a row before a server counts as drained. Default 3.
    pub idle_checks: u8,
    /// How far below the up threshold a projected metric must stay. Default 5 %.
    pub projection_margin: Ratio,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            from: EvidenceFrom::Metrics,
            alert_up: Span::from_mins(70),
            alert_down: Span::from_mins(15),
            stale_after: Span::from_mins(2),
            healthy_checks: 3,
            unhealthy_checks: 8,
            idle_checks: 3,
            projection_margin: Ratio::from_percent(5),
        }
    }
}

/// Deadline and retries of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepLimits {
    /// Time for one attempt.
    pub deadline: Span,
    /// Attempts before the step is given up.
    #[serde(default = "three")]
    pub attempts: u8,
    /// Wait before the second attempt; it doubles with each further one.
    #[serde(default = "ten_seconds")]
    pub backoff: Span,
}

const fn three() -> u8 {
    3
}

const fn ten_seconds() -> Span {
    Span::from_secs(10)
}

const fn limits(minutes: i64) -> StepLimits {
    StepLimits { deadline: Span::from_mins(minutes), attempts: three(), backoff: ten_seconds() }
}

/// Limits of the steps, in the order in which a server goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Steps {
    /// Power on. Default 5 minutes an attempt.
    pub start: StepLimits,
    /// Services up and healthy. Default 5 minutes an attempt.
    pub warm: StepLimits,
    /// Told to the proxy. Default 1 minute an attempt.
    pub join: StepLimits,
    /// Requests in flight finish. Default 5 minutes, then `drain_overdue` says what happens.
    pub drain: StepLimits,
    /// Running jobs finish. Default 30 minutes, then `drain_overdue` says what happens.
    pub quiesce: StepLimits,
    /// Services stop and power off. Default 5 minutes an attempt.
    pub stop: StepLimits,
    /// What to do when work outlives the deadline of `drain` or `quiesce`. It is never killed.
    pub drain_overdue: Overdue,
    /// Time over which the proxy raises the weight of a server that joined. Default 0.
    pub slow_start: Span,
    /// Rest of a faulted server before it counts as a standby again; it doubles with each further
    /// fault, up to 32 times. Default 1 minute.
    pub fault_backoff: Span,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            start: limits(5),
            warm: limits(5),
            join: limits(1),
            drain: limits(5),
            quiesce: limits(30),
            stop: limits(5),
            drain_overdue: Overdue::default(),
            slow_start: Span::ZERO,
            fault_backoff: Span::from_mins(1),
        }
    }
}

/// What becomes of a scale-down whose work does not end in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overdue {
    /// Keep waiting; the decision says so each time.
    #[default]
    Wait,
    /// Call the scale-down off and let the server serve again.
    Resume,
}

/// Defaults of manual requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Manual {
    /// How long a manual scale-up or scale-down holds. Default 1 hour.
    pub hold: Span,
    /// Who wins against other demands; higher wins. Default 100.
    pub priority: u8,
}

impl Default for Manual {
    fn default() -> Self {
        Self { hold: Span::from_hours(1), priority: 100 }
    }
}

/// A date and a time of day on the clocks of a zone: `2026-03-02T08:30[Asia/Kolkata]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallTime {
    /// What the clock shows.
    pub civil: jiff::civil::DateTime,
    /// The IANA name of the zone.
    pub zone: String,
}

impl WallTime {
    /// The zone's rules, from the database that is built in.
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }
}

/// Why a text is not a [`WallTime`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WallTimeError {
    /// Not a date and time with a zone in brackets.
    #[error(
        "`{0}` is not a time: write date, time and zone, such as \"2026-03-02T08:30[Asia/Kolkata]\""
    )]
    Form(String),
    /// No such zone.
    #[error("`{0}` is not an IANA time zone, such as \"Asia/Kolkata\" or \"UTC\"")]
    Zone(String),
}

impl FromStr for WallTime {
    type Err = WallTimeError;

    fn from_str(text: &str) -> Result<Self, WallTimeError> {
        let form = || WallTimeError::Form(text.to_owned());
        let pieces = Pieces::parse(text).map_err(|_| form())?;
        let (Some(time), None) = (pieces.time(), pieces.offset()) else {
            return Err(form());
        };
        let annotation = pieces.time_zone_annotation().ok_or_else(form)?;
        let TimeZoneAnnotationKind::Named(name) = annotation.kind() else { return Err(form()) };
        let zone = name.as_str().to_owned();
        TimeZone::get(&zone).map_err(|_| WallTimeError::Zone(zone.clone()))?;
        Ok(Self { civil: pieces.date().to_datetime(time), zone })
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.civil, self.zone)
    }
}

impl Serialize for WallTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WallTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for WallTime {
    fn schema_name() -> Cow<'static, str> {
        "WallTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Date, time and IANA zone: 2026-03-02T08:30[Asia/Kolkata].",
            "examples": ["2026-03-02T08:30[Asia/Kolkata]"],
        })
    }
}
