//! What a controller can know of the world: dated, partial, never more than a real one would see.

mod alert;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use alert::{Alert, learn as learn_alert};

use crate::ids::ServerId;
use crate::time::{Span, Timestamp};

/// A value and the moment it was true at its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// The value.
    pub value: T,
    /// When it was measured, not when it was received.
    pub at: Timestamp,
}

impl<T> Dated<T> {
    /// `value`, as it was at `at`.
    pub const fn new(value: T, at: Timestamp) -> Self {
        Self { value, at }
    }

    /// How old the value is at `now`.
    pub fn age(&self, now: Timestamp) -> Span {
        now.since(self.at)
    }
}

/// A share of a whole, in parts per million: `750_000` is 75 %.
///
/// In a file it is written as a percentage, `"75%"`; in a record as the integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Ratio(u32);

impl Ratio {
    /// The whole, 100 %.
    pub const ONE: Self = Self(1_000_000);

    /// `ppm` millionths.
    pub const fn from_ppm(ppm: u32) -> Self {
        Self(ppm)
    }

    /// `percent` hundredths.
    pub const fn from_percent(percent: u32) -> Self {
        Self(percent.saturating_mul(10_000))
    }

    /// `part ÷ whole`, rounded down; an empty whole gives zero.
    pub const fn of(part: u128, whole: u128) -> Self {
        if whole == 0 {
            return Self(0);
        }
        let ppm = part.saturating_mul(1_000_000) / whole;
        Self(if ppm > u32::MAX as u128 { u32::MAX } else { ppm as u32 })
    }

    /// Millionths.
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// Per cent, for showing.
    pub fn as_percent(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(10_000) {
            write!(f, "{}%", self.0 / 10_000)
        } else {
            write!(f, "{:.1}%", self.as_percent())
        }
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RatioVisitor)
    }
}

struct RatioVisitor;

impl de::Visitor<'_> for RatioVisitor {
    type Value = Ratio;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage such as \"75%\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ratio, E> {
        let refused = || E::custom(format!("`{text}` is not a percentage such as \"75%\""));
        let number = text.strip_suffix('%').ok_or_else(refused)?.trim();
        let percent: f64 = number.parse().map_err(|_| refused())?;
        let ppm = percent * 10_000.0;
        if (0.0..=f64::from(u32::MAX)).contains(&ppm) {
            Ok(Ratio(ppm.round() as u32))
        } else {
            Err(refused())
        }
    }

    fn visit_u64<E: de::Error>(self, ppm: u64) -> Result<Ratio, E> {
        u32::try_from(ppm).map(Ratio).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Ratio, E> {
        Err(E::custom(format!("a percentage needs its sign: write \"{number}%\"")))
    }
}

impl JsonSchema for Ratio {
    fn schema_name() -> Cow<'static, str> {
        "Percentage".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A percentage such as 75%.",
            "pattern": r"^[0-9]+(\.[0-9]+)?%$",
        })
    }
}

/// What the provider says about a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Stopped: costs nothing.
    Off,
    /// On its way up.
    Booting,
    /// Up.
    On,
    /// On its way down.
    Stopping,
}

/// Which parts of a server answered their own check. A ping is none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Health(u8);

impl Health {
    /// Each bench answered a request.
    pub const BENCHES: Self = Self(1);
    /// The web server and its services run.
    pub const SERVICES: Self = Self(1 << 1);
    /// The shared storage reads what another server wrote.
    pub const STORAGE: Self = Self(1 << 2);
    /// The shared Redis answers.
    pub const REDIS: Self = Self(1 << 3);
    /// The job workers are registered.
    pub const WORKERS: Self = Self(1 << 4);
    /// Every part.
    pub const ALL: Self = Self(0b1_1111);
    /// No part.
    pub const NONE: Self = Self(0);

    /// Both sets of parts.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those parts of the one set that the other has not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every part of `other` is healthy here.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What is known of one server. Each field is absent if unknown, never zero instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// Which server.
    pub server: ServerId,
    /// What the provider says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub power: Option<Dated<Power>>,
    /// What the health checks say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub health: Option<Dated<Health>>,
    /// Share of all its cores that was busy, over the metric's range.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu: Option<Dated<Ratio>>,
    /// Share of its memory in use.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory: Option<Dated<Ratio>>,
    /// Requests that the server has accepted and not answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_flight: Option<Dated<u32>>,
    /// Background jobs that its workers are running.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub jobs: Option<Dated<u32>>,
    /// Whether the proxy says that it sends the server new requests.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub routed: Option<Dated<bool>>,
}

impl ServerView {
    /// A server of which nothing is known.
    pub const fn unknown(server: ServerId) -> Self {
        Self {
            server,
            power: None,
            health: None,
            cpu: None,
            memory: None,
            in_flight: None,
            jobs: None,
            routed: None,
        }
    }

    /// Whether its last health check was bad.
    pub fn is_ill(&self) -> bool {
        self.health.is_some_and(|health| !health.value.has(Health::ALL))
    }

    /// Takes each value of `seen` that is not older than what is known.
    pub fn learn(&mut self, seen: &Self) {
        learn(&mut self.power, seen.power);
        learn(&mut self.health, seen.health);
        learn(&mut self.cpu, seen.cpu);
        learn(&mut self.memory, seen.memory);
        learn(&mut self.in_flight, seen.in_flight);
        learn(&mut self.jobs, seen.jobs);
        learn(&mut self.routed, seen.routed);
    }

    /// The clock went back to `now`: what was read later is forgotten, or nothing that is read from
    /// now on would be younger.
    pub fn rewind(&mut self, now: Timestamp) {
        forget(&mut self.power, now);
        forget(&mut self.health, now);
        forget(&mut self.cpu, now);
        forget(&mut self.memory, now);
        forget(&mut self.in_flight, now);
        forget(&mut self.jobs, now);
        forget(&mut self.routed, now);
    }
}

fn forget<T: Copy>(known: &mut Option<Dated<T>>, now: Timestamp) {
    *known = known.filter(|known| known.at <= now);
}

/// Takes what was seen, unless something younger is known: messages may overtake one another.
fn learn<T: Copy>(known: &mut Option<Dated<T>>, seen: Option<Dated<T>>) {
    if let Some(seen) = seen
        && known.is_none_or(|known| known.at <= seen.at)
    {
        *known = Some(seen);
    }
}

/// What is known of the group; servers that are not listed are unknown.
///
/// Without alerts it is written as the list of its servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Form")]
pub struct Observation {
    /// One view a server, in any order.
    pub servers: Vec<ServerView>,
    /// Alerts that were notified, in any order. One that is not listed is as it was.
    pub alerts: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Servers(Vec<ServerView>),
    Whole {
        #[serde(default)]
        servers: Vec<ServerView>,
        alerts: Vec<Alert>,
    },
}

impl From<Form> for Observation {
    fn from(form: Form) -> Self {
        match form {
            Form::Servers(servers) => Self { servers, alerts: Vec::new() },
            Form::Whole { servers, alerts } => Self { servers, alerts },
        }
    }
}

impl Serialize for Observation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.alerts.is_empty() {
            return self.servers.serialize(serializer);
        }
        let count = 1 + usize::from(!self.servers.is_empty());
        let mut whole = serializer.serialize_struct("Observation", count)?;
        if !self.servers.is_empty() {
            whole.serialize_field("servers", &self.servers)?;
        }
        whole.serialize_field("alerts", &self.alerts)?;
        whole.end()
    }
}

impl Observation {
    /// The view of `server`, if it is listed.
    pub fn of(&self, server: ServerId) -> Option<&ServerView> {
        self.servers.iter().find(|view| view.server == server)
    }
}
