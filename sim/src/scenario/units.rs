//! Sizes and random durations, as people write them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use tidegate_core::Span;

use crate::model::Dist;

/// A number of bytes: `"8GiB"`, `"512MiB"`, `"100MB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let refused = || de::Error::custom(format!("`{text}` is not a size such as \"8GiB\""));
        let (number, unit) = UNITS
            .iter()
            .find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)))
            .ok_or_else(refused)?;
        let count: u64 = number.trim().parse().map_err(|_| refused())?;
        count.checked_mul(*unit).filter(|bytes| *bytes <= 1 << 50).map(Self).ok_or_else(refused)
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A number of bytes: 8GiB, 512MiB, 100MB.",
            "pattern": "^[0-9]+ ?(B|KB|MB|GB|KiB|MiB|GiB)$",
        })
    }
}

/// The longest duration that a scenario may ask for, as long as the longest run.
const LONGEST: Span = Span::from_hours(24 * 366);

/// A duration that may be random.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Length {
    /// Always the same.
    Constant(Span),
    /// Exponential.
    Exponential(Exponential),
    /// Lognormal.
    Lognormal(Lognormal),
}

/// An exponential duration.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Exponential {
    /// Its mean.
    pub exponential: Span,
}

/// A lognormal duration.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lognormal {
    /// Its mean.
    pub mean: Span,
    /// Its coefficient of variation: standard deviation ÷ mean, 0 to 100.
    pub cv: f64,
}

impl Length {
    /// As a distribution; a variation too small to show counts as none.
    pub const fn dist(self) -> Dist {
        match self {
            Self::Constant(span) => Dist::Constant(span),
            Self::Exponential(Exponential { exponential }) => Dist::Exponential(exponential),
            Self::Lognormal(Lognormal { mean, cv }) if cv < 0.001 => Dist::Constant(mean),
            Self::Lognormal(Lognormal { mean, cv }) => Dist::Lognormal(mean, cv),
        }
    }
}

/// Derived, the error would only say that nothing matched; this one says what is wrong.
impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LengthVisitor)
    }
}

struct LengthVisitor;

impl<'de> de::Visitor<'de> for LengthVisitor {
    type Value = Length;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"20ms\", or a table such as { exponential = \"20ms\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Length, E> {
        not_too_long(text.parse().map_err(E::custom)?).map(Length::Constant)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Length, E> {
        Err(E::custom(format!("a duration needs its unit: write \"{number}ms\" or \"{number}s\"")))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Length, A::Error> {
        let table = RandomLength::deserialize(de::value::MapAccessDeserializer::new(map))?;
        match (table.exponential, table.mean, table.cv) {
            (Some(exponential), None, None) => {
                let exponential = not_too_long(exponential)?;
                Ok(Length::Exponential(Exponential { exponential }))
            }
            (None, Some(mean), Some(cv)) if (0.0..=100.0).contains(&cv) => {
                Ok(Length::Lognormal(Lognormal { mean: not_too_long(mean)?, cv }))
            }
            (None, Some(_), Some(cv)) => {
                Err(de::Error::custom(format!("`cv` lies between 0 and 100, and {cv} does not")))
            }
            _ => Err(de::Error::custom(
                "a random duration has either `exponential`, or `mean` and `cv`",
            )),
        }
    }
}

/// The keys of both kinds of random durations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RandomLength {
    exponential: Option<Span>,
    mean: Option<Span>,
    cv: Option<f64>,
}

fn not_too_long<E: de::Error>(span: Span) -> Result<Span, E> {
    if span > LONGEST {
        Err(E::custom(format!("{span} is longer than 366 days")))
    } else {
        Ok(span)
    }
}
