//! What a shape is given by: its mean, or quantiles of it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use tidegate_core::Span;

use super::LONGEST;
use super::table::FORMS;
use crate::chance::Quantile;

/// A shape's mean, or one or two of its quantiles.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given {
    Mean(Span),
    One(Quantile),
    Two(Quantile, Quantile),
}

impl Given {
    /// The mean, where `in_means` tells the quantile of a share as so many means.
    pub fn mean(self, in_means: impl Fn(f64) -> f64) -> Result<Span, String> {
        match self {
            Self::Mean(mean) => Ok(mean),
            Self::One(Quantile { share, at }) => {
                Ok(Span::from_nanos((at.as_nanos() as f64 / in_means(share)).round() as i64))
            }
            Self::Two(..) => Err("its mean or one quantile is needed, not two".to_owned()),
        }
    }

    pub fn two(self) -> Result<(Quantile, Quantile), String> {
        match self {
            Self::Two(low, high) => Ok((low, high)),
            Self::Mean(_) | Self::One(_) => Err(FORMS.to_owned()),
        }
    }
}

/// Lengths below which a share of all lie.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Quantiles {
    /// Half of all lie below.
    pub p50: Option<Span>,
    /// 90 % lie below.
    pub p90: Option<Span>,
    /// 95 % lie below.
    pub p95: Option<Span>,
    /// 99 % lie below.
    pub p99: Option<Span>,
}

impl Quantiles {
    /// Those that are given, in the order of their shares; they must grow.
    pub fn given(self) -> Result<Vec<Quantile>, String> {
        let all = [(0.5, self.p50), (0.9, self.p90), (0.95, self.p95), (0.99, self.p99)];
        let given: Vec<Quantile> =
            all.into_iter().filter_map(|(share, at)| Some(Quantile { share, at: at? })).collect();
        if let Some(pair) = given.windows(2).find(|pair| pair[0].at >= pair[1].at) {
            return Err(format!(
                "{} and {} are no two quantiles: they must grow",
                pair[0].at, pair[1].at
            ));
        }
        match given.iter().find(|one| one.at.is_zero() || one.at > LONGEST) {
            Some(Quantile { at, .. }) if at.is_zero() => {
                Err("a quantile is more than zero".to_owned())
            }
            Some(Quantile { at, .. }) => Err(format!("{at} is longer than 366 days")),
            None => Ok(given),
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor)
    }
}

struct GivenVisitor;

impl<'de> de::Visitor<'de> for GivenVisitor {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a mean such as \"20ms\", or quantiles such as { p50 = \"20ms\", p95 = \"90ms\" }",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Given, E> {
        let mean: Span = text.parse().map_err(E::custom)?;
        if mean > LONGEST {
            return Err(E::custom(format!("{mean} is longer than 366 days")));
        }
        Ok(Given::Mean(mean))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Given, A::Error> {
        let table = Quantiles::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let given = table.given().map_err(de::Error::custom)?;
        match given[..] {
            [one] => Ok(Given::One(one)),
            [low, high] => Ok(Given::Two(low, high)),
            _ => Err(de::Error::custom("one or two of `p50`, `p90`, `p95` and `p99` are needed")),
        }
    }
}

impl JsonSchema for Given {
    fn schema_name() -> Cow<'static, str> {
        "Given".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mean = generator.subschema_for::<Span>();
        let quantiles = generator.subschema_for::<Quantiles>();
        json_schema!({
            "description": "The mean, or one or two quantiles in its place.",
            "anyOf": [mean, quantiles],
        })
    }
}
