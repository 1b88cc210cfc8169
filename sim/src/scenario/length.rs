//! Random durations, as people write them.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use tidegate_core::Span;

use super::table::Table;
use super::{Fault, keys};
use crate::chance::{lognormal_of, pareto_least};
use crate::model::Dist;

/// The longest duration that a scenario may ask for, as long as the longest run.
const LONGEST: Span = Span::from_hours(24 * 366);

/// A duration that may be random.
#[derive(Clone, Debug, PartialEq)]
pub enum Length {
    /// Known from what is written.
    Known(Dist),
    /// One of those in a file.
    File(String),
}

impl Length {
    /// As a distribution; a file lies relative to `directory`, errors are about the key `path`.
    pub(super) fn dist(&self, directory: &Path, path: &str) -> Result<Dist, Fault> {
        match self {
            Self::Known(dist) => Ok(dist.clone()),
            Self::File(name) => {
                let values = read(&directory.join(name))
                    .map_err(|fault| Fault { path: keys(path), ..fault })?;
                Ok(Dist::Empirical(values.into()))
            }
        }
    }
}

/// The table form of a random duration.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct LengthTable {
    /// Exponential with this mean.
    exponential: Option<Span>,
    /// Lognormal with this mean and `cv`.
    mean: Option<Span>,
    /// Lognormal, by two of its quantiles: half of all lies below.
    p50: Option<Span>,
    /// 90 % lie below.
    p90: Option<Span>,
    /// 95 % lie below.
    p95: Option<Span>,
    /// 99 % lie below.
    p99: Option<Span>,
    /// The sum of `stages` exponential stages, with this mean.
    erlang: Option<Span>,
    /// Stages of `erlang`, 1 to 100.
    stages: Option<u32>,
    /// One of two exponential lengths, with this mean and a `cv` above 1.
    hyperexponential: Option<Span>,
    /// Coefficient of variation: standard deviation ÷ mean.
    cv: Option<f64>,
    /// Pareto with this mean, exponent `alpha`, and at most `max`.
    pareto: Option<Span>,
    /// Exponent of the tail of `pareto`, 0.1 to 10.
    alpha: Option<f64>,
    /// Upper bound of `pareto`.
    max: Option<Span>,
    /// One of those in a CSV file, whose column names the unit: `seconds`, `ms` or `us`.
    empirical: Option<String>,
}

const FORMS: &str = "a duration is \"20ms\", { exponential = \"20ms\" }, \
    { mean = \"20ms\", cv = 0.8 }, { p50 = \"20ms\", p95 = \"90ms\" }, \
    { erlang = \"20ms\", stages = 4 }, { hyperexponential = \"20ms\", cv = 2.0 }, \
    { pareto = \"20ms\", alpha = 1.5, max = \"9s\" } or { empirical = \"file.csv\" }";

impl LengthTable {
    /// The keys that are given, in the order of the table.
    fn given(&self) -> Vec<&'static str> {
        let keys = [
            ("exponential", self.exponential.is_some()),
            ("mean", self.mean.is_some()),
            ("p50", self.p50.is_some()),
            ("p90", self.p90.is_some()),
            ("p95", self.p95.is_some()),
            ("p99", self.p99.is_some()),
            ("erlang", self.erlang.is_some()),
            ("stages", self.stages.is_some()),
            ("hyperexponential", self.hyperexponential.is_some()),
            ("cv", self.cv.is_some()),
            ("pareto", self.pareto.is_some()),
            ("alpha", self.alpha.is_some()),
            ("max", self.max.is_some()),
            ("empirical", self.empirical.is_some()),
        ];
        keys.into_iter().filter_map(|(key, given)| given.then_some(key)).collect()
    }

    fn length(&self) -> Result<Length, String> {
        let all = [self.exponential, self.mean, self.erlang, self.hyperexponential, self.pareto];
        if let Some(long) = all.into_iter().flatten().find(|span| *span > LONGEST) {
            return Err(format!("{long} is longer than 366 days"));
        }
        let dist = match (self.given().as_slice(), self) {
            (["exponential"], Self { exponential: Some(mean), .. }) => Dist::Exponential(*mean),
            (["mean", "cv"], Self { mean: Some(mean), cv: Some(cv), .. }) => {
                within("cv", *cv, 0.0, 100.0)?;
                // A variation too small to show counts as none.
                if *cv < 0.001 {
                    Dist::Constant(*mean)
                } else {
                    Dist::Lognormal { mean: *mean, cv: *cv }
                }
            }
            (["erlang", "stages"], Self { erlang: Some(mean), stages: Some(stages), .. }) => {
                within("stages", f64::from(*stages), 1.0, 100.0)?;
                Dist::Erlang { mean: *mean, stages: *stages }
            }
            (
                ["hyperexponential", "cv"],
                Self { hyperexponential: Some(mean), cv: Some(cv), .. },
            ) => {
                within("cv", *cv, 1.001, 100.0)?;
                Dist::HyperExponential { mean: *mean, cv: *cv }
            }
            (["pareto", "alpha", "max"], _) => self.bounded_pareto()?,
            (["empirical"], Self { empirical: Some(file), .. }) => {
                return Ok(Length::File(file.clone()));
            }
            (_, _) => self.by_quantiles()?,
        };
        Ok(Length::Known(dist))
    }

    fn bounded_pareto(&self) -> Result<Dist, String> {
        let (Some(mean), Some(alpha), Some(most)) = (self.pareto, self.alpha, self.max) else {
            return Err(FORMS.to_owned());
        };
        within("alpha", alpha, 0.1, 10.0)?;
        let least = pareto_least(mean, most, alpha).ok_or_else(|| {
            format!("no Pareto distribution up to {most} with alpha {alpha} has a mean of {mean}")
        })?;
        Ok(Dist::Pareto { least, most, alpha })
    }

    fn by_quantiles(&self) -> Result<Dist, String> {
        let quantiles = [(0.5, self.p50), (0.9, self.p90), (0.95, self.p95), (0.99, self.p99)];
        let given: Vec<(f64, Span)> =
            quantiles.into_iter().filter_map(|(share, at)| Some((share, at?))).collect();
        match given.as_slice() {
            [low, high] if self.given().len() == 2 => {
                if low.1.is_zero() || low.1 >= high.1 || high.1 > LONGEST {
                    return Err(format!(
                        "{} and {} are no two quantiles: they must grow",
                        low.1, high.1
                    ));
                }
                Ok(lognormal_of(*low, *high))
            }
            _ => Err(FORMS.to_owned()),
        }
    }
}

fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("`{key}` lies between {least} and {most}, and {value} does not"))
    }
}

/// The lengths in a file, in nanoseconds.
fn read(path: &Path) -> Result<Vec<u64>, Fault> {
    let table = Table::read(path, "file of lengths")?;
    let mut reader = table.reader();
    let headers = reader.headers().map_err(|why| table.broken(&why))?;
    let unit = |name: &str| match name {
        "seconds" => Some(1e9),
        "ms" => Some(1e6),
        "us" => Some(1e3),
        _ => None,
    };
    let column = headers.iter().enumerate().find_map(|(index, name)| Some((index, unit(name)?)));
    let (column, unit) =
        column.ok_or_else(|| table.fault("there is no column `seconds`, `ms` or `us`"))?;
    let mut values = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|why| table.broken(&why))?;
        let value = row[column].parse::<f64>().ok().map(|value| value * unit);
        let sane = value.filter(|value| (0.0..=LONGEST.as_nanos() as f64).contains(value));
        let wrong =
            || table.fault_in(&row, Some(column), format!("`{}` is no length", &row[column]));
        values.push(sane.ok_or_else(wrong)? as u64);
    }
    if values.is_empty() { Err(table.fault("there are no rows")) } else { Ok(values) }
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
        f.write_str(FORMS)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Length, E> {
        let span: Span = text.parse().map_err(E::custom)?;
        if span > LONGEST {
            return Err(E::custom(format!("{span} is longer than 366 days")));
        }
        Ok(Length::Known(Dist::Constant(span)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Length, E> {
        Err(E::custom(format!("a duration needs its unit: write \"{number}ms\" or \"{number}s\"")))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Length, A::Error> {
        let table = LengthTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
        table.length().map_err(de::Error::custom)
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
            "description": "A duration that may be random.",
            "anyOf": [constant, random],
        })
    }
}
