//! What a phase does in the shared storage, as people write it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tidegate_core::size::Size;

use crate::scenario::length::Length;

/// A phase in the shared storage.
#[derive(Clone, Debug)]
pub enum StorageWork {
    /// So much work, whatever it is.
    Length(Length),
    /// So many bytes of the site's file are read.
    Read(Size),
    /// So many bytes of the site's file are written.
    Write(Size),
}

impl<'de> Deserialize<'de> for StorageWork {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WorkVisitor)
    }
}

struct WorkVisitor;

impl<'de> Visitor<'de> for WorkVisitor {
    type Value = StorageWork;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration, { read = \"40KiB\" } or { write = \"40KiB\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StorageWork, E> {
        Length::deserialize(text.into_deserializer()).map(StorageWork::Length)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<StorageWork, E> {
        Length::deserialize(number.into_deserializer()).map(StorageWork::Length)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StorageWork, A::Error> {
        let first: Option<String> = map.next_key()?;
        let work: fn(Size) -> StorageWork = match first.as_deref() {
            Some("read") => StorageWork::Read,
            Some("write") => StorageWork::Write,
            _ => {
                let whole = MapAccessDeserializer::new(Whole { first, map });
                return Length::deserialize(whole).map(StorageWork::Length);
            }
        };
        let size = map.next_value()?;
        match map.next_key::<String>()? {
            Some(key) => Err(A::Error::custom(format!("`{key}` does not go with a size"))),
            None => Ok(work(size)),
        }
    }
}

/// A map whose first key was taken.
struct Whole<A> {
    first: Option<String>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Whole<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(StringDeserializer::new(key)).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// The schema's table of bytes.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum Bytes {
    /// So many bytes of the site's file are read.
    Read(Size),
    /// So many bytes of the site's file are written.
    Write(Size),
}

impl JsonSchema for StorageWork {
    fn schema_name() -> Cow<'static, str> {
        "StorageWork".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let length = generator.subschema_for::<Length>();
        let bytes = generator.subschema_for::<Bytes>();
        json_schema!({
            "description": "Work of the shared storage, or bytes of the site's file.",
            "anyOf": [length, bytes],
        })
    }
}
