//! Exact time: integer nanoseconds, never a float, never read from a clock.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NS_PER_SECOND: i64 = 1_000_000_000;

/// A moment: nanoseconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last moment that can be written; what never comes is due then.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `ns` nanoseconds after the Unix epoch.
    pub const fn from_nanos(ns: i64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }

    /// As a `jiff` timestamp, for calendars and for people.
    ///
    /// Every value fits: `i64` nanoseconds end in the year 2262.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::MAX)
    }

    /// From a `jiff` timestamp, or `None` outside the years 1677 to 2262.
    pub fn from_jiff(at: jiff::Timestamp) -> Option<Self> {
        i64::try_from(at.as_nanosecond()).ok().map(Self)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// A length of time: a whole, non-negative number of nanoseconds.
///
/// Written and read as people write it: `"5m"`, `"1h 30m"`, `"250ms"`, `"7d"` (a day is 24 hours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run.
    pub const MAX: Self = Self(i64::MAX);

    /// `ns` nanoseconds; a negative number becomes zero.
    pub const fn from_nanos(ns: i64) -> Self {
        Self(if ns < 0 { 0 } else { ns })
    }

    /// `ms` milliseconds.
    pub const fn from_millis(ms: i64) -> Self {
        Self::from_nanos(ms.saturating_mul(1_000_000))
    }

    /// `s` seconds.
    pub const fn from_secs(s: i64) -> Self {
        Self::from_nanos(s.saturating_mul(NS_PER_SECOND))
    }

    /// `m` minutes.
    pub const fn from_mins(m: i64) -> Self {
        Self::from_secs(m.saturating_mul(60))
    }

    /// `h` hours.
    pub const fn from_hours(h: i64) -> Self {
        Self::from_mins(h.saturating_mul(60))
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds, as a float, for showing; never for simulation time.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NS_PER_SECOND as f64
    }

    /// Started seconds: 1.2 s are 2.
    pub const fn as_secs_ceil(self) -> i64 {
        self.0.saturating_add(NS_PER_SECOND - 1) / NS_PER_SECOND
    }

    /// `factor` times as long, at most [`Span::MAX`].
    #[must_use]
    pub const fn times(self, factor: i64) -> Self {
        Self::from_nanos(self.0.saturating_mul(factor))
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::from_nanos(self.0.saturating_sub(other.0))
    }
}

const UNITS: [(i64, &str); 7] = [
    (86_400 * NS_PER_SECOND, "d"),
    (3_600 * NS_PER_SECOND, "h"),
    (60 * NS_PER_SECOND, "m"),
    (NS_PER_SECOND, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut first = true;
        for (size, name) in UNITS {
            let count = rest / size;
            rest %= size;
            if count > 0 {
                let gap = if first { "" } else { " " };
                write!(f, "{gap}{count}{name}")?;
                first = false;
            }
        }
        if first { f.write_str("0s") } else { Ok(()) }
    }
}

/// Why a text is not a [`Span`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a duration: write a number and a unit, \
     such as \"90s\", \"5m\", \"1h 30m\" or \"250ms\""
)]
pub struct SpanError(String);

impl std::str::FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let refused = || SpanError(text.to_owned());
        let parsed: jiff::Span = text.parse().map_err(|_| refused())?;
        let length =
            parsed.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| refused())?;
        let ns = i64::try_from(length.as_nanos()).map_err(|_| refused())?;
        if ns < 0 { Err(refused()) } else { Ok(Self(ns)) }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl de::Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"5m\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Span, E> {
        Err(E::custom(format!("a duration needs its unit: write \"{number}s\" or \"{number}m\"")))
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration: a number and a unit, such as 90s, 5m, 1h 30m, 250ms, 7d.",
            "examples": ["5m", "1h 30m", "250ms"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_back_what_it_wrote() {
        for ns in [0, 1, 999, 1_000_000, 90 * NS_PER_SECOND, 86_400 * NS_PER_SECOND * 7 + 1] {
            let span = Span::from_nanos(ns);
            assert_eq!(span.to_string().parse::<Span>(), Ok(span), "{span}");
        }
    }

    #[test]
    fn a_span_without_a_unit_or_below_zero_is_refused() {
        for text in ["", "5", "-5m", "5 parsecs", "1mo", "PT"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
