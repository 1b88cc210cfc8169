//! Random durations, as people write them.

mod given;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use tidegate_core::Span;

use super::table::Table;
use super::{Fault, keys};
use crate::model::Dist;

use table::{FORMS, LengthTable};

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
