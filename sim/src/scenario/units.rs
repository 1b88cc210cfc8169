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

/// A duration that may be random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Length(Dist);

impl Length {
    /// As a distribution.
    pub const fn dist(self) -> Dist {
        self.0
    }
}

/// The table form of a random duration.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LengthTable {
    /// Exponential with this mean.
    exponential: Option<Span>,
    /// Lognormal with this mean, together with `cv`.
    mean: Option<Span>,
    /// Coefficient of variation: standard deviation ÷ mean.
    cv: Option<f64>,
}

impl LengthTable {
    fn dist(&self) -> Result<Dist, String> {
        match (self.exponential, self.mean, self.cv) {
            (Some(mean), None, None) => Ok(Dist::Exponential(mean)),
            (None, Some(mean), Some(cv)) if (0.001..=100.0).contains(&cv) => {
                Ok(Dist::Lognormal(mean, cv))
            }
            (None, Some(_), Some(cv)) => Err(format!("`cv` lies between 0.001 and 100, not {cv}")),
            _ => Err(EXPECTED.to_owned()),
        }
    }
}

const EXPECTED: &str =
    "a duration is \"20ms\", { exponential = \"20ms\" } or { mean = \"20ms\", cv = 0.8 }";

struct LengthVisitor;

impl<'de> de::Visitor<'de> for LengthVisitor {
    type Value = Length;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Length, E> {
        text.parse().map(|span| Length(Dist::Constant(span))).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Length, E> {
        Err(E::custom(format!("a duration needs its unit: write \"{number}ms\" or \"{number}s\"")))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Length, A::Error> {
        let table = LengthTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
        table.dist().map(Length).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LengthVisitor)
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let constant = generator.subschema_for::<Span>();
        let random = generator.subschema_for::<LengthTable>();
        json_schema!({
            "description": "A duration that may be random: constant, exponential or lognormal.",
            "anyOf": [constant, random],
        })
    }
}
